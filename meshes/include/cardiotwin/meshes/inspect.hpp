#pragma once
/// What an image and its labels are, in words and in pictures, before anything is computed from them.

#include <array>
#include <cardiotwin/finding.hpp>
#include <cardiotwin/meshes/labels.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cardiotwin::meshes {

struct LabelSummary {
  Meaning meaning{};
  std::size_t voxels = 0;
  double volume = 0;              ///< [ml]
  std::vector<double> per_slice;  ///< [ml]
};

struct Inspection {
  ImageSource source;
  Grid grid;
  std::string view;   ///< "short axis", "axial", "coronal", "sagittal", "oblique", by the normal; or that it seems lost
  std::string order;  ///< "base to apex" or "apex to base"; empty where nothing tells
  bool order_by_labels = false;
  float low = 0, high = 0;     ///< of the intensities
  float dark = 0, bright = 0;  ///< their 1st and 99th percentile
  std::string convention;      ///< of the labels; empty without
  std::vector<LabelSummary> labels;
  std::vector<Finding> findings;  ///< by `assess`, where the labels show a left ventricle
};

/// `labels` are on the image's grid and hold a `Meaning` a voxel, or are absent. Slices lie along the third axis. A
/// short axis is within 35 degrees of the usual long axis of the left ventricle; its order is taken from where the
/// labelled left ventricle is widest, else from the direction of the normal.
Inspection inspect(const Image&, const ImageSource&, const std::optional<Labels>& labels,
                   const std::string& convention);

/// A few lines for people, and the same for programs; no name of a file is in either.
std::string in_words(const Inspection&);
std::string to_json(const Inspection&);

/// All slices (at most 48, evenly chosen) as one picture between the 1st and 99th percentile of what is shown, cropped
/// to the labels and with their outlines where there are some; numbered from 1, shown with the patient's left to the
/// right. `regions` (as of segment_scar) are laid over the image, core red and border zone yellow. Carries "research
/// use only" as text. Written atomically; throws FileError.
void write_montage(const std::filesystem::path& png, const Image&, const std::optional<Labels>& labels,
                   const std::optional<Labels>& regions = {});
/// "red": the outline's colour in a montage.
const char* colour_of(Meaning);

}  // namespace cardiotwin::meshes
