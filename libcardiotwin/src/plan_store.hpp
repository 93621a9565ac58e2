#pragma once
/// A study on disk: who works on it, what it is a study of, and the runs that are done.

#include <cardiotwin/plan.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plan_json.hpp"
#include "plan_pacing.hpp"

namespace cardiotwin::study {

/// One pacing run: a site on the heart with some lesions.
struct Run {
  std::string name;  ///< of its file: "round0_aha1", "without2_aha7"
  std::string site;
  std::vector<Lesion> lesions;
};

/// Verdict of `check` on the twin.
struct Gate {
  std::string json;
  bool fit = true;
};

/// Keeps other processes out of a study's folder while it lives; the system drops it when a process dies.
class FolderLock {
 public:
  /// Creates the folder if needed. Throws InputError where another process holds it, FileError where the folder cannot
  /// be written.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_ = -1;
};

class Store {
 public:
  /// Opens or begins the study in `folder` and keeps other processes out while it lives. `check` is called where the
  /// study is new; its JSON goes into study.json. Throws InputError where the folder holds a study of another twin or
  /// with other options, or another process works on it, FileError where it cannot be written.
  Store(std::filesystem::path folder, const Twin&, const PlanOptions&, const std::vector<std::string>& sites,
        const std::function<Gate()>& check);

  /// Whether the twin passed its check when the study began.
  bool fit() const { return fit_; }
  /// The finished run, none where it is still to be done. A file that is damaged or of another run counts as not done.
  std::optional<Paced> load(const Run&, const Monitor&) const;
  /// Keeps a finished run; its JSON file is written last, whole or not at all.
  void save(const Run&, const Paced&) const;

 private:
  std::filesystem::path folder_;
  FolderLock lock_;
  bool fit_ = true;
};

/// SHA-256 over everything of a twin that a study depends on: mesh, labels, fibres, sites, depth, segments, tissue.
std::string twin_digest(const Twin&);

/// Effective options as JSON, one entry per thing that may change a result.
plan_json::Json options_json(const PlanOptions&, const std::vector<std::string>& sites);

}  // namespace cardiotwin::study
