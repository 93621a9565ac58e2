#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/meshes/build.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "image_ops.hpp"
#include "voxels.hpp"

// Shape-based interpolation (Raya & Udupa 1990, doi 10.1109/42.52980): signed distances within each slice are
// interpolated along the slice normal. Two levels: first what is left ventricle (all labels but the right ventricle, as
// one filled shape, so that a thin wall cannot break between slices), then which label it is, the one deepest inside
// winning.

namespace cardiotwin::meshes {
namespace {

constexpr double gone = 1e6;  // [mm] a distance no shape survives
constexpr double rim = 1e-4;  // [mm] from there on a point lies inside or outside; between, on the rim

// A voxel centre on a rim is as much in as out, and where the new spacing divides the old one whole surfaces of them
// are: every other one counts as inside, or the wall would lose half a voxel on either side.
bool is_inside(double depth, bool even) { return depth > rim || (depth >= -rim && even); }

// The same image with its thickest axis third, where the slices are expected.
Labels slices_last(const Labels& labels) {
  const Grid& from = labels.grid;
  int axis = 2;
  for (int a = 0; a < 2; ++a) {
    if (from.spacing[a] > 1.5 * from.spacing[axis]) axis = a;
  }
  if (axis == 2) return labels;
  const std::array<int, 3> order{(axis + 1) % 3, (axis + 2) % 3, axis};
  Labels turned;
  turned.grid.origin = from.origin;
  for (int a = 0; a < 3; ++a) {
    turned.grid.size[a] = from.size[order[a]];
    turned.grid.spacing[a] = from.spacing[order[a]];
    turned.grid.direction.col(a) = from.direction.col(order[a]);
  }
  turned.values.reserve(labels.values.size());
  std::array<int, 3> at{};
  int &i = at[order[0]], &j = at[order[1]], &k = at[order[2]];
  for (k = 0; k < turned.grid.size[2]; ++k) {
    for (j = 0; j < turned.grid.size[1]; ++j) {
      for (i = 0; i < turned.grid.size[0]; ++i)
        turned.values.push_back(labels.values[from.offset(at[0], at[1], at[2])]);
    }
  }
  return turned;
}

// The labelled part of the image with one empty pixel around.
struct Window {
  std::array<int, 3> low{}, high{-1, -1, -1};  // first and last labelled voxel
  int nx = 0, ny = 0;
};

Window window_of(const Labels& labels) {
  Window w;
  w.low = labels.grid.size;
  for (int k = 0; k < labels.grid.size[2]; ++k) {
    for (int j = 0; j < labels.grid.size[1]; ++j) {
      for (int i = 0; i < labels.grid.size[0]; ++i) {
        if (!labels.values[labels.grid.offset(i, j, k)]) continue;
        const std::array<int, 3> at{i, j, k};
        for (int a = 0; a < 3; ++a) w.low[a] = std::min(w.low[a], at[a]), w.high[a] = std::max(w.high[a], at[a]);
      }
    }
  }
  w.nx = w.high[0] - w.low[0] + 3, w.ny = w.high[1] - w.low[1] + 3;
  return w;
}

// Signed distances of one shape in every slice of the window.
struct Shape {
  std::vector<std::vector<float>> slice;  // empty where the shape is absent
  std::vector<float> deepest;             // largest distance to the rim
  std::vector<double> area;               // [pixels]

  bool in(std::size_t k) const { return !slice[k].empty(); }
};

template <class Test>
Shape shape_of(const Labels& labels, const Window& w, Test&& test) {
  Shape shape;
  for (int k = w.low[2]; k <= w.high[2]; ++k) {
    Mask mask(std::size_t(w.nx) * w.ny, 0);
    for (int j = w.low[1]; j <= w.high[1]; ++j) {
      for (int i = w.low[0]; i <= w.high[0]; ++i) {
        mask[std::size_t(j - w.low[1] + 1) * w.nx + (i - w.low[0] + 1)] =
            test(labels.values[labels.grid.offset(i, j, k)]);
      }
    }
    shape.area.push_back(double(std::count(mask.begin(), mask.end(), 1)));
    shape.slice.emplace_back();
    if (shape.area.back() > 0)
      shape.slice.back() = signed_distance(mask, w.nx, w.ny, labels.grid.spacing[0], labels.grid.spacing[1]);
    shape.deepest.push_back(
        shape.in(shape.slice.size() - 1) ? *std::max_element(shape.slice.back().begin(), shape.slice.back().end()) : 0);
  }
  return shape;
}

// Where a target slice lies: between the labelled slices `below` and `above`, at `share` of the way; beyond an end both
// are that end and `beyond` is the distance from it, 1 at half a slice.
struct Level {
  std::size_t below = 0, above = 0;
  double share = 0, beyond = 0;
  bool rounded = false;  // beyond the apex, not the base
};

// How much smaller a shape gets on the `way` to where it is absent (1), so that a disc of radius `deepest` closes as
// half an ellipsoid.
double closing(double deepest, double way) { return way >= 1 ? gone : deepest * (1 - std::sqrt(1 - way * way)); }

// Four pixels of the window around a point, with their shares.
struct Bilinear {
  std::array<std::size_t, 4> pixel;
  std::array<double, 4> weight;
  double of(const std::vector<float>& d) const {
    return weight[0] * d[pixel[0]] + weight[1] * d[pixel[1]] + weight[2] * d[pixel[2]] + weight[3] * d[pixel[3]];
  }
};

class Interpolator {
 public:
  Interpolator(const Labels& labels, const Window& w)
      : ventricle_(shape_of(labels, w, [](auto v) { return v != 0 && v != rv_cavity; })),
        right_(shape_of(labels, w, [](auto v) { return v == rv_cavity; })) {
    for (int name = 1; name < 256; ++name) {
      if (name == rv_cavity || std::find(labels.values.begin(), labels.values.end(), name) == labels.values.end())
        continue;
      names_.push_back(std::uint8_t(name));
      shapes_.push_back(shape_of(labels, w, [name](auto v) { return v == name; }));
    }
    const Shape& whole = names_.empty() ? right_ : ventricle_;
    for (std::size_t k = 0; k < whole.slice.size(); ++k) {
      if (whole.in(k)) slices_.push_back(k);
    }
    const double largest = *std::max_element(whole.area.begin(), whole.area.end());
    rounded_ = {whole.area[slices_.front()] < 0.6 * largest, whole.area[slices_.back()] < 0.6 * largest};
    half_slice_ = labels.grid.spacing[2] / 2;
    pixel_ = labels.grid.spacing[0] * labels.grid.spacing[1];
    has_cavity_ = !names_.empty() && names_.front() == lv_cavity && enclosed_share(labels) > 0.5;
  }

  /// `k` counts slices from the window's first.
  Level level(double k) const {
    Level at;
    const double first = double(slices_.front()), last = double(slices_.back());
    if (k <= first || k >= last) {
      at.below = at.above = k <= first ? slices_.front() : slices_.back();
      at.beyond = 2 * (k <= first ? first - k : k - last);
      at.rounded = rounded_[k <= first ? 0 : 1];
      return at;
    }
    const auto next = std::upper_bound(slices_.begin(), slices_.end(), std::size_t(k));
    at.above = *next, at.below = *(next - 1);
    at.share = (k - double(at.below)) / double(at.above - at.below);
    return at;
  }

  /// `even`: the side that a point on a rim is counted to.
  std::uint8_t label(const Level& at, const Bilinear& point, bool even) const {
    if (!names_.empty() && is_inside(depth(ventricle_, at, point, 1), even)) {
      std::size_t best = 0;
      double deepest = -3 * gone;
      for (std::size_t s = 0; s < shapes_.size(); ++s) {
        const double d = depth(shapes_[s], at, point,
                               s == 0 && has_cavity_ ? half_slice_ / std::max(cavity_reach(at.below), 1e-6) : 0);
        if (is_inside(d - deepest, even)) best = s, deepest = d;
      }
      return names_[best];
    }
    return is_inside(depth(right_, at, point, 0), even) ? rv_cavity : background;
  }

 private:
  /// Depth inside a shape [mm]. Beyond the apex it closes `haste` times as fast as the ventricle; 0: not at all.
  double depth(const Shape& shape, const Level& at, const Bilinear& point, double haste) const {
    const bool below = shape.in(at.below), above = shape.in(at.above);
    if (at.below == at.above) {
      if (!below) return -2 * gone;
      const double close = at.rounded && haste > 0 ? closing(shape.deepest[at.below], at.beyond * haste) : 0;
      return point.of(shape.slice[at.below]) - close;
    }
    if (below && above)
      return (1 - at.share) * point.of(shape.slice[at.below]) + at.share * point.of(shape.slice[at.above]);
    if (below) return point.of(shape.slice[at.below]) - closing(shape.deepest[at.below], 2 * at.share);
    if (above) return point.of(shape.slice[at.above]) - closing(shape.deepest[at.above], 2 * (1 - at.share));
    return -2 * gone;
  }

  // How far beyond slice k the cavity (label 1) reaches [mm]: half a slice less the wall, both taken as circles of
  // their area.
  double cavity_reach(std::size_t k) const {
    const auto radius = [&](const Shape& shape) { return std::sqrt(shape.area[k] * pixel_ / std::numbers::pi); };
    return half_slice_ - (radius(ventricle_) - radius(shapes_.front()));
  }

  Shape ventricle_, right_;
  std::vector<std::uint8_t> names_;
  std::vector<Shape> shapes_;        // per name, without the right ventricle
  std::vector<std::size_t> slices_;  // labelled ones; an unlabelled slice between others is a gap to be bridged
  std::array<bool, 2> rounded_{};
  double half_slice_ = 0, pixel_ = 0;
  bool has_cavity_ = false;
};

// Voxels of `spacing` centred on the labelled box with `margin` around.
struct Target {
  Grid grid;
  Vec3 first;  // its first voxel along the axes of the source, from the source's first voxel [mm]; free of the pose, so
               // that a turned image gives the same bits
};

Target target_of(const Grid& from, const Window& w, double spacing, double margin) {
  Target target;
  Grid& grid = target.grid;
  grid.spacing = Vec3::Constant(spacing);
  grid.direction = from.direction;
  double count = 1;
  for (int a = 0; a < 3; ++a) {
    const double length = (w.high[a] - w.low[a] + 1) * from.spacing[a];
    const double n = std::ceil((length + 2 * margin) / spacing - 1e-6);
    target.first[a] = (w.low[a] + w.high[a]) / 2. * from.spacing[a] - (n - 1) / 2 * spacing;
    count *= n;
    if (count > double(1 << 30)) {
      throw InputError(
          fmt::format("interpolation: a spacing of {:g} mm needs more than 2^30 voxels; use a larger one", spacing));
    }
    grid.size[a] = int(n);
  }
  grid.origin = from.origin + from.direction * target.first;
  return target;
}

Labels sample(const Interpolator& shapes, const Window& w, const Grid& from, const Target& target) {
  const Grid& grid = target.grid;
  Labels out{grid, std::vector<std::uint8_t>(grid.count(), 0)};
  const Vec3 start = target.first.cwiseQuotient(from.spacing) - Vec3(w.low[0] - 1, w.low[1] - 1, w.low[2]);
  const Vec3 step = grid.spacing.cwiseQuotient(from.spacing);
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k) {
    const Level level = shapes.level(start[2] + k * step[2]);
    if (level.beyond > 1 + rim) continue;
    const bool at_end = level.beyond >= 1 - rim;
    for (int j = 0; j < grid.size[1]; ++j) {
      const double y = std::clamp(start[1] + j * step[1], 0.0, w.ny - 1.0);
      const auto j0 = std::min(std::size_t(y), std::size_t(w.ny - 2));
      for (int i = 0; i < grid.size[0]; ++i) {
        const double x = std::clamp(start[0] + i * step[0], 0.0, w.nx - 1.0);
        const auto i0 = std::min(std::size_t(x), std::size_t(w.nx - 2));
        const double a = x - double(i0), b = y - double(j0);
        const std::size_t at = j0 * w.nx + i0;
        const Bilinear point{{at, at + 1, at + w.nx, at + w.nx + 1},
                             {(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b}};
        const bool even = (i + j + k) % 2 == 0;
        if (even || !at_end) out.values[grid.offset(i, j, k)] = shapes.label(level, point, even);
      }
    }
  }
  return out;
}

}  // namespace

Labels interpolate_slices(const Labels& given, double spacing, double margin) {
  if (!(spacing >= 0.05 && spacing <= 10))
    throw InputError(fmt::format("interpolation: spacing must lie in [0.05, 10] mm, but it is {:g}", spacing));
  if (!(margin >= 0 && margin <= 100))
    throw InputError(fmt::format("interpolation: margin must lie in [0, 100] mm, but it is {:g}", margin));
  const Labels labels = slices_last(given);
  const Window w = window_of(labels);
  if (w.high[0] < 0) throw InputError("interpolation: there must be a label other than 0, but all voxels are 0");
  return sample(Interpolator(labels, w), w, labels.grid, target_of(labels.grid, w, spacing, margin));
}

}  // namespace cardiotwin::meshes
