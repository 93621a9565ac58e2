#pragma once
/// The parts of `assess`; private to the picture room.

#include <fmt/format.h>

#include <cardiotwin/meshes/assess.hpp>
#include <cardiotwin/meshes/scar.hpp>

namespace cardiotwin::meshes {

class Findings {
 public:
  void add(Severity severity, std::string text) { list_.push_back({severity, std::move(text)}); }
  /// Severe beyond `severe`, a warning beyond `warning`, nothing below.
  void above(double value, double warning, double severe, std::string text) {
    if (value > warning) add(value > severe ? Severity::severe : Severity::warning, std::move(text));
  }
  void below(double value, double warning, double severe, std::string text) {
    above(-value, -warning, -severe, std::move(text));
  }
  std::vector<Finding> take() { return std::move(list_); }

 private:
  std::vector<Finding> list_;
};

/// What each slice shows of the left ventricle.
struct SliceAreas {
  std::vector<double> muscle, cavity;  ///< [mm2]
  int first = -1, last = -1;           ///< with either; -1: none
  bool apex_first = false;             ///< the heart is smaller there
  bool shown(int k) const { return muscle[std::size_t(k)] > 0 || cavity[std::size_t(k)] > 0; }
};
SliceAreas slice_areas(const Labels& canonical);

/// Thickness of the wall within its slices, at the voxels half way through it, ascending [mm].
std::vector<float> wall_thickness(const Labels& canonical);

void assess_stack(const Labels& canonical, const SliceAreas&, double wall, const AssessOptions&, Findings&);
void assess_coverage(const Labels& canonical, const SliceAreas&, Findings&);
void assess_shape(const Labels& canonical, const Monitor&, Findings&);
/// The numbers of one line, and what is wrong with them.
void assess_signal(const Image&, const Labels& canonical, const ScarStatistics&, Findings&);
void assess_alignment(const Image&, const Labels& canonical, const ScarStatistics&, Findings&);

}  // namespace cardiotwin::meshes
