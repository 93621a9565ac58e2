#include "plan_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/provenance.hpp>
#include <cerrno>
#include <cstring>

namespace cardiotwin::study {
namespace {

using plan_json::Json;
constexpr int schema_version = 1;

/// Bytes to be hashed. Every array goes in with its length, so that no two twins run into the same bytes.
class Bytes {
 public:
  template <class T>
  void add(const T* data, std::size_t count) {
    const auto size = static_cast<std::uint64_t>(count);
    append(&size, sizeof size);
    append(data, count * sizeof(T));
  }
  template <class T>
  void add(const std::vector<T>& values) {
    add(values.data(), values.size());
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  void add(double value) { add(&value, 1); }
  std::string hash() const { return sha256(bytes_); }

 private:
  void append(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
  }
  std::vector<std::byte> bytes_;
};

void add_tissue(Bytes& bytes, const Tissue& tissue) {
  bytes.add(tissue.model);
  for (const double value :
       {tissue.beta, tissue.capacitance, tissue.calibrated_edge, tissue.calibrated_load, tissue.calibrated_dt})
    bytes.add(value);
  bytes.add(stiffness_name(tissue.calibrated_stiffness));
  for (const auto& [name, region] : tissue.regions) {
    bytes.add(name);
    bytes.add(region.variant);
    for (const double value : {region.conducts ? 1.0 : 0.0, region.conductivity.along, region.conductivity.across,
                               region.wanted.along, region.wanted.across})
      bytes.add(value);
    if (region.calibrated_edge > 0) bytes.add(region.calibrated_edge);
    for (const auto& [parameter, value] : region.parameters) bytes.add(parameter), bytes.add(value);
  }
}

std::string leads_digest(const LeadFields& leads) {
  Bytes bytes;
  for (std::size_t e = 0; e < leads.names.size(); ++e) bytes.add(leads.names[e]), bytes.add(leads.weights[e]);
  return bytes.hash();
}

/// Throws InputError naming the first option in which two studies differ.
void require_same(const Json& stored, const Json& wanted, const std::string& folder) {
  if (stored.at("twin_sha256") != wanted.at("twin_sha256"))
    throw InputError(
        fmt::format("study \"{}\" was begun on another twin (SHA-256 {:.12} there, {:.12} here); use a new "
                    "folder, or the twin in its heart.twin",
                    folder, stored.at("twin_sha256").get<std::string>(), wanted.at("twin_sha256").get<std::string>()));
  for (const auto& [name, value] : wanted.at("options").items()) {
    const Json there = stored.at("options").value(name, Json());
    if (name == "ecg" && there != value)  // a digest tells nobody anything
      throw InputError(
          fmt::format("study \"{}\" was begun with {} ECG and this run {}; use a new folder or the same torso and "
                      "electrodes",
                      folder, there.is_null() ? "no" : "an", value.is_null() ? "asks for none" : "asks for another"));
    if (there != value)
      throw InputError(
          fmt::format("study \"{}\" was begun with {} = {} but this run asks for {}; use a new folder or the "
                      "same options",
                      folder, name, there.dump(), value.dump()));
  }
  if (stored.at("version") != wanted.at("version"))
    throw InputError(
        fmt::format("study \"{}\" was begun by cardiotwin {} and this is {}, which may compute other bits; use a "
                    "new folder, or the version that began it",
                    folder, stored.at("version").get<std::string>(), wanted.at("version").get<std::string>()));
}

Json parse_check(const std::string& text) {
  Json check = Json::parse(text, nullptr, false);
  return check.is_discarded() ? Json(text) : check;
}

Json lesions_json(const std::vector<Lesion>& lesions) {
  Json array = Json::array();
  for (const auto& lesion : lesions) array.push_back(plan_json::lesion(lesion));
  return array;
}

}  // namespace

std::string twin_digest(const Twin& twin) {
  const Anatomy& anatomy = twin.anatomy;
  Bytes bytes;
  bytes.add(anatomy.mesh.points().data(), anatomy.mesh.points().size());
  bytes.add(anatomy.mesh.tets().data(), anatomy.mesh.tets().size());
  bytes.add(anatomy.mesh.labels().data(), anatomy.mesh.labels().size());
  for (const auto* axes : {&anatomy.fibers.f, &anatomy.fibers.s, &anatomy.fibers.n}) bytes.add(*axes);
  for (const auto& [label, name] : anatomy.regions) bytes.add(double(label)), bytes.add(name);
  bytes.add(anatomy.depth);
  bytes.add(anatomy.right);
  bytes.add(anatomy.aha);
  for (const auto& site : anatomy.sites) {
    bytes.add(site.name);
    bytes.add(site.position.data(), 3);
    bytes.add(site.nodes);
  }
  add_tissue(bytes, twin.tissue);
  return bytes.hash();
}

Json options_json(const PlanOptions& options, const std::vector<std::string>& sites) {
  return {
      {"sites", sites},
      {"s1_ms", options.s1},
      {"s1_beats", options.s1_beats},
      {"extra_stimuli", options.extra_stimuli},
      {"step_ms", options.step},
      {"sustained_ms", options.sustained},
      {"followed_ms", options.followed},
      {"lesion_radius_mm", options.lesion_radius},
      {"max_rounds", options.max_rounds},
      {"velocity_limit", options.velocity_limit},
      {"accept_unfit", options.accept_unfit},
      {"dt_ms", options.dt},
      {"precision", options.precision == Precision::fp32 ? "fp32" : "fp64"},
      {"backend", options.backend.name()},
      {"seed", options.seed},
      {"ecg", options.leads ? Json{{"surroundings", options.leads->statement}, {"sha256", leads_digest(*options.leads)}}
                            : Json()}};
}

FolderLock::FolderLock(const std::filesystem::path& folder) {
  make_folder(folder);
  const auto path = folder / "study.lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) throw FileError(fmt::format("cannot write \"{}\": {}", path.string(), std::strerror(errno)));
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
  const int reason = errno;
  ::close(file_);
  if (reason == EWOULDBLOCK)
    throw InputError(fmt::format(
        "study \"{}\" is being worked on by another process; wait for it or use another folder", folder.string()));
  throw FileError(fmt::format("cannot lock \"{}\": {}", path.string(), std::strerror(reason)));
}

FolderLock::~FolderLock() { ::close(file_); }

Store::Store(std::filesystem::path folder, const Twin& twin, const PlanOptions& options,
             const std::vector<std::string>& sites, const std::function<Gate()>& check)
    : folder_(std::move(folder)), lock_(folder_) {
  const auto path = folder_ / "study.json";
  try {
    Json wanted{{"schema", "cardiotwin-study"},
                {"schema_version", schema_version},
                {"notice", research_use_only},
                {"version", version()},
                {"twin_sha256", twin_digest(twin)},
                {"options", options_json(options, sites)},
                {"twin_provenance", Json::parse(to_json(twin.provenance))}};
    if (std::filesystem::exists(path)) {
      const Json stored = plan_json::parse_file(path, "cardiotwin-study");
      require_same(stored, wanted, folder_.string());
      fit_ = stored.at("fit").get<bool>();
    } else {
      const Gate gate = check();
      fit_ = gate.fit;
      wanted["fit"] = gate.fit;
      wanted["check"] = parse_check(gate.json);
      twin.save(folder_ / "heart.twin");
      write_text(path, wanted.dump(1) + "\n");
    }
    make_folder(folder_ / "runs");
  } catch (const nlohmann::json::exception& error) {
    throw FileError(fmt::format("\"{}\" is not a study as cardiotwin writes it ({}); use a new folder", path.string(),
                                error.what()));
  } catch (...) {
    // A study that was refused leaves nothing behind.
    if (std::error_code error; !std::filesystem::exists(path, error)) {
      std::filesystem::remove(folder_ / "study.lock", error);
      std::filesystem::remove(folder_, error);  // only where it is empty
    }
    throw;
  }
}

std::optional<Paced> Store::load(const Run& run, const Monitor& monitor) const {
  const auto path = folder_ / "runs" / (run.name + ".json");
  if (!std::filesystem::exists(path)) return {};
  try {
    const auto json = plan_json::parse_file(path, "cardiotwin-run");
    if (json.at("site") != Json(run.site) || json.at("lesions") != lesions_json(run.lesions))
      throw FileError(fmt::format("\"{}\" is of another run", path.string()));
    Paced paced;
    paced.result = plan_json::result(json.at("result"));
    if (!json.at("circuit").is_null()) {
      std::vector<Circuit> circuits{plan_json::circuit(json.at("circuit"))};
      plan_json::load_circuit_maps(folder_ / "runs" / (run.name + ".h5"), circuits);
      plan_json::load_ecg(folder_ / "runs" / (run.name + "_ecg.csv"), circuits.front());
      paced.circuit = std::move(circuits.front());
    }
    return paced;
  } catch (const FileError& error) {
    monitor.warn(fmt::format("{}; the run is done again", error.what()));
  } catch (const nlohmann::json::exception& error) {
    monitor.warn(fmt::format("\"{}\" is damaged ({}); the run is done again", path.string(), error.what()));
  }
  return {};
}

void Store::save(const Run& run, const Paced& paced) const {
  const auto runs = folder_ / "runs";
  Json json{{"schema", "cardiotwin-run"},
            {"schema_version", schema_version},
            {"notice", research_use_only},
            {"site", run.site},
            {"lesions", lesions_json(run.lesions)},
            {"result", plan_json::result(paced.result)},
            {"circuit", paced.circuit ? plan_json::circuit(*paced.circuit) : Json()}};
  if (paced.circuit) {
    plan_json::save_circuit_maps(runs / (run.name + ".h5"), {*paced.circuit});
    plan_json::save_ecg(runs / (run.name + "_ecg.csv"), *paced.circuit);
  }
  write_text(runs / (run.name + ".json"), json.dump(1) + "\n");
}

}  // namespace cardiotwin::study
