#include "scar_statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "voxels.hpp"

namespace cardiotwin::meshes {

double percentile(std::vector<float>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = share * double(values.size() - 1);
  const auto low = std::size_t(at);
  const auto high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - double(low)) * (values[high] - values[low]);
}

bool thick_slices(const Grid& grid) { return grid.spacing[2] > 2 * std::max(grid.spacing[0], grid.spacing[1]); }

namespace {

Mask interior_of(const Labels& labels) {
  const bool in_plane = thick_slices(labels.grid);
  Mask interior(labels.values.size(), 0);
  for (std::size_t at = 0; at < interior.size(); ++at) {
    if (!is_muscle(labels.values[at])) continue;
    bool inside = true;
    for_faces(labels.grid, at, [&](std::size_t next, int axis) {
      if (!(in_plane && axis == 2)) inside &= is_muscle(labels.values[next]);
    });
    interior[at] = inside;
  }
  return interior;
}

template <class Visit>
void for_box(const Grid& grid, std::size_t at, const std::array<int, 3>& reach, Visit&& visit) {
  const std::size_t nx = grid.size[0];
  const int i = int(at % nx), j = int(at / nx % grid.size[1]), k = int(at / (nx * grid.size[1]));
  for (int c = std::max(0, k - reach[2]); c <= std::min(grid.size[2] - 1, k + reach[2]); ++c) {
    for (int b = std::max(0, j - reach[1]); b <= std::min(grid.size[1] - 1, j + reach[1]); ++b) {
      for (int a = std::max(0, i - reach[0]); a <= std::min(grid.size[0] - 1, i + reach[0]); ++a) {
        visit(grid.offset(a, b, c), a - i, b - j, c - k);
      }
    }
  }
}

// A wall of two or three voxels, as an atrium's, hardly has an interior. Is more than a fifth of it out of its reach?
bool is_thin(const Labels& labels, const Mask& interior) {
  std::size_t muscles = 0, lone = 0;
  for (std::size_t at = 0; at < interior.size(); ++at) {
    if (!is_muscle(labels.values[at])) continue;
    bool near = false;
    for_box(labels.grid, at, {1, 1, 1}, [&](std::size_t next, int, int, int) { near |= interior[next] != 0; });
    ++muscles, lone += !near;
  }
  return 5 * lone > muscles;
}

// The middle layer of a thin wall: voxels none of whose neighbours lies deeper in muscle.
Mask middle_of(const Labels& labels) {
  Mask outside(labels.values.size());
  for (std::size_t at = 0; at < outside.size(); ++at) outside[at] = !is_muscle(labels.values[at]);
  const auto depth = nearest_of(labels.grid, outside);
  Mask middle(outside.size(), 0);
  for (std::size_t at = 0; at < middle.size(); ++at) {
    if (outside[at]) continue;
    float deepest = 0;
    for_box(labels.grid, at, {1, 1, 1},
            [&](std::size_t next, int, int, int) { deepest = std::max(deepest, depth.squared[next]); });
    middle[at] = depth.squared[at] > 0.99f * deepest;
  }
  return middle;
}

// Is a voxel in the inner half of the wall, nearer to the cavity than to the outside within its slice?
Mask inner_half_of(const Labels& canonical) {
  const Grid& grid = canonical.grid;
  const std::size_t slab = std::size_t(grid.size[0]) * grid.size[1];
  Mask inner(canonical.values.size(), 0), cavity(slab), ventricle(slab);
  for (int k = 0; k < grid.size[2]; ++k) {
    const std::uint8_t* label = canonical.values.data() + k * slab;
    for (std::size_t i = 0; i < slab; ++i)
      cavity[i] = label[i] == 1, ventricle[i] = label[i] == 1 || is_muscle(label[i]);
    const auto to_cavity = signed_distance(cavity, grid.size[0], grid.size[1], grid.spacing[0], grid.spacing[1]);
    const auto to_outside = signed_distance(ventricle, grid.size[0], grid.size[1], grid.spacing[0], grid.spacing[1]);
    for (std::size_t i = 0; i < slab; ++i) inner[k * slab + i] = is_muscle(label[i]) && -to_cavity[i] < to_outside[i];
  }
  return inner;
}

// The most frequent value: highest point of a kernel density with Silverman's bandwidth; of several peaks the lowest
// that reaches 0.4 of the highest, because scar is the brighter one.
double mode_of(std::vector<float> values) {
  const double q1 = percentile(values, 0.25), q3 = percentile(values, 0.75);
  const double low = values.front(), high = values.back();
  const double width =
      std::max({0.9 * (q3 - q1) / 1.34 * std::pow(double(values.size()), -0.2), (high - low) * 1e-4, 1e-9});
  constexpr int bins = 512;
  const double from = low - 3 * width, step = (high - low + 6 * width) / bins;
  std::vector<double> histogram(bins + 1, 0), density(bins + 1, 0);
  for (float v : values) ++histogram[std::size_t((v - from) / step)];
  const int reach = std::min(bins, int(3 * width / step) + 1);
  for (int i = 0; i <= bins; ++i) {
    for (int j = std::max(0, i - reach); j <= std::min(bins, i + reach); ++j) {
      const double x = (i - j) * step / width;
      density[i] += histogram[j] * std::exp(-0.5 * x * x);
    }
  }
  const double peak = *std::max_element(density.begin(), density.end());
  int at = 1;
  while (at < bins && !(density[at] >= 0.4 * peak && density[at] >= density[at - 1] && density[at] > density[at + 1]))
    ++at;
  return from + (at + 0.5) * step;
}

// Standard deviation of single voxels, from differences of neighbours in the slice that show the same: a slow change
// of the coil's sensitivity or of the tissue does not count. 1.4826 as below, sqrt(2) for the difference of two.
double noise_of(const Image& image, const Labels& canonical, const Mask& interior) {
  std::vector<float> steps;
  for (std::size_t at = 0; at < interior.size(); ++at) {
    const auto label = canonical.values[at];
    if (!interior[at] && label != 1) continue;
    for_faces(image.grid, at, [&](std::size_t next, int axis) {
      if (next > at && axis < 2 && canonical.values[next] == label)
        steps.push_back(std::abs(image.values[next] - image.values[at]));
    });
  }
  return 1.4826 * percentile(steps, 0.5) / std::sqrt(2.0);
}

// Phase-sensitive reconstructions are stored with a constant added so that no value is negative: then blood and muscle
// differ by a small part of their value, and blood is brighter than the noise by more than any magnitude image shows.
// The constant is a power of two in the files seen.
double offset_of(double healthy, double blood, double noise) {
  if (!(healthy > 512) || std::abs(blood - healthy) > 0.3 * healthy || blood < implausible_signal * noise) return 0;
  const double power = std::exp2(std::floor(std::log2(healthy)));
  return healthy - power < 0.3 * power ? power : 0;
}

// The muscle that is said to be healthy, without its rim where there is enough left.
void measure_remote(const Image& image, const MuscleImage& muscle, const Labels& canonical, const Labels& remote,
                    ScarStatistics& found) {
  require_same_grid(image.grid, remote.grid);
  std::vector<float> inside, all;
  for (std::size_t at = 0; at < remote.values.size(); ++at) {
    if (remote.values[at] == 0 || !is_muscle(canonical.values[at])) continue;
    all.push_back(image.values[at]);
    if (muscle.interior[at]) inside.push_back(image.values[at]);
  }
  if (all.size() < 50)
    throw InputError(fmt::format(
        "scar: the remote region must hold at least 50 voxels of muscle, but it has {}; choose a larger one",
        all.size()));
  const auto& values = inside.size() < 50 ? all : inside;
  double sum = 0, squares = 0;
  for (const float v : values) sum += v;
  found.healthy_mean = sum / double(values.size());
  for (const float v : values) squares += (v - found.healthy_mean) * (v - found.healthy_mean);
  found.healthy_sd = std::sqrt(squares / double(values.size() - 1));
  found.remote_volume = double(all.size()) * voxel_ml(image.grid);
}

}  // namespace

MuscleImage muscle_image(const Image& image, const Labels& canonical) {
  const Grid& grid = image.grid;
  MuscleImage muscle{image.values, interior_of(canonical), inner_half_of(canonical)};
  if (!thick_slices(grid) && is_thin(canonical, muscle.interior)) muscle.interior = middle_of(canonical);
  // A voxel of the rim is partly blood, fat or air; what the muscle there measures is told by the nearest voxels
  // inside, those that share a face before those that share an edge or a corner.
  const std::array<int, 3> next{1, 1, thick_slices(grid) ? 0 : 1};
  std::vector<float> filled = image.values;
  for (std::size_t at = 0; at < filled.size(); ++at) {
    if (!is_muscle(canonical.values[at]) || muscle.interior[at]) continue;
    std::array<double, 4> sum{}, n{};
    for_box(grid, at, next, [&](std::size_t other, int a, int b, int c) {
      const int steps = std::abs(a) + std::abs(b) + std::abs(c);
      if (muscle.interior[other]) sum[steps] += image.values[other], n[steps] += 1;
    });
    for (int steps = 3; steps >= 1; --steps) {
      if (n[steps] > 0) filled[at] = float(sum[steps] / n[steps]);
    }
  }
  // A median takes the noise and leaves edges where they are, so that a surviving channel keeps its width.
#pragma omp parallel for schedule(static)
  for (std::size_t at = 0; at < filled.size(); ++at) {
    if (!is_muscle(canonical.values[at])) continue;
    std::array<float, 27> near;
    std::size_t n = 0;
    for_box(grid, at, next, [&](std::size_t other, int, int, int) {
      if (is_muscle(canonical.values[other])) near[n++] = filled[other];
    });
    std::nth_element(near.begin(), near.begin() + n / 2, near.begin() + n);
    muscle.value[at] = near[n / 2];
  }
  return muscle;
}

ScarStatistics measure(const Image& image, const Labels& canonical, const MuscleImage& muscle,
                       const std::optional<Labels>& remote) {
  const Grid& grid = image.grid;
  const std::size_t slab = std::size_t(grid.size[0]) * grid.size[1];
  // The first and the last thick slice hold more fat, valve and blood than others.
  std::size_t first = muscle.value.size(), last = 0;
  for (std::size_t at = 0; at < muscle.value.size(); ++at) {
    if (is_muscle(canonical.values[at])) first = std::min(first, at), last = at;
  }
  const std::size_t k0 = first / slab, k1 = last / slab, skip = thick_slices(grid) && k1 - k0 >= 4 ? 1 : 0;
  std::vector<float> values, inner, noisy, blood, all;
  for (std::size_t at = 0; at < muscle.value.size(); ++at) {
    const std::size_t k = at / slab;
    if (is_muscle(canonical.values[at])) all.push_back(muscle.value[at]);
    if (muscle.interior[at] && k >= k0 + skip && k + skip <= k1) {
      values.push_back(muscle.value[at]);
      noisy.push_back(image.values[at]);
      if (muscle.inner[at]) inner.push_back(muscle.value[at]);
    }
    if (canonical.values[at] == 1) blood.push_back(image.values[at]);
  }
  if (inner.size() < 50) noisy = values = inner = all;  // a wall too thin to have an interior
  ScarStatistics found;
  found.blood_mean = percentile(blood, 0.5);
  const double mode = mode_of(values);
  // Spread of single voxels about the mode, from the side where there is no scar; 1.4826 makes it that of a normal law.
  std::vector<float> below;
  for (float v : noisy) {
    if (v <= mode) below.push_back(float(mode - v));
  }
  found.healthy_sd = 1.4826 * percentile(below, 0.5);
  double sum = 0, n = 0;
  for (float v : values) {
    if (std::abs(v - mode) <= 2 * found.healthy_sd) sum += v, n += 1;
  }
  found.healthy_mean = n > 0 ? sum / n : mode;
  found.p99 = percentile(values, 0.99);
  found.p99_inner = percentile(inner, 0.99);
  if (remote) measure_remote(image, muscle, canonical, *remote, found);
  found.noise = noise_of(image, canonical, muscle.interior);
  found.offset = offset_of(found.healthy_mean, found.blood_mean, found.noise);
  return found;
}

}  // namespace cardiotwin::meshes
