// Labels against the image: signal, contrast, and whether the one lies on the other.

#include <algorithm>
#include <cmath>

#include "assess_parts.hpp"
#include "image_ops.hpp"
#include "voxels.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double search = 10;          // [mm] to either side
constexpr double worth = 3, much = 6;  // [mm] by which labels may be off without a word, and at all

// Mean of what the labels call infarct, NaN without; the no-reflow in it is dark.
double infarct_mean(const Image& image, const Labels& canonical) {
  double sum = 0, n = 0;
  for (std::size_t v = 0; v < image.values.size(); ++v) {
    if (canonical.values[v] == infarct) sum += image.values[v], n += 1;
  }
  return n > 0 ? sum / n : NAN;
}

struct Border {
  int i, j, k;  // in the cavity
  int di, dj;   // to the muscle beside it
};

// In-plane faces between cavity and muscle that is not labelled as infarct: there blood is the brighter side.
std::vector<Border> borders_of(const Labels& canonical) {
  std::vector<Border> borders;
  for_each_voxel(canonical.grid, [&](int i, int j, int k, std::size_t v) {
    if (canonical.values[v] != lv_cavity) return;
    for (int s = 0; s < 4; ++s) {
      const int di = face_steps[s][0], dj = face_steps[s][1];
      if (label_at(canonical, i + di, j + dj, k) == muscle) borders.push_back({i, j, k, di, dj});
    }
  });
  return borders;
}

// Mean step of the intensity over the borders moved by (a, b) pixels, intensities kept within [low, high] so that lungs
// and fat do not count for more than muscle and blood.
double step_at(const Image& image, const std::vector<Border>& borders, int a, int b, double low, double high) {
  double sum = 0, n = 0;
  for (const auto& at : borders) {
    const int i = at.i + a, j = at.j + b;
    if (!holds(image.grid, i, j, at.k) || !holds(image.grid, i + at.di, j + at.dj, at.k)) continue;
    const double blood = image.values[image.grid.offset(i, j, at.k)],
                 wall = image.values[image.grid.offset(i + at.di, j + at.dj, at.k)];
    sum += std::clamp(blood, low, high) - std::clamp(wall, low, high), n += 1;
  }
  return n > 0 ? sum / n : 0;
}

}  // namespace

void assess_signal(const Image& image, const Labels& canonical, const ScarStatistics& s, Findings& findings) {
  const double blood = s.blood_mean - s.offset, step = s.blood_mean - s.healthy_mean;
  const double labelled = infarct_mean(image, canonical) - s.healthy_mean;
  if (step <= 0) {
    findings.add(
        Severity::severe,
        fmt::format("blood ({:.0f}) is no brighter than muscle ({:.0f}), as it is in late enhancement: the labels "
                    "are of another image, mean something else, or blood was suppressed; check image, "
                    "--convention and alignment",
                    s.blood_mean, s.healthy_mean));
  }
  if (!(s.noise > 0)) return;
  std::string numbers = fmt::format(
      "noise is {:.1f} of the image's units; above it blood is {:.1f} times, blood over muscle "
      "{:.1f} times",
      s.noise, blood / s.noise, step / s.noise);
  if (std::isfinite(labelled))
    numbers += fmt::format(", labelled infarct over muscle {:.1f} times", labelled / s.noise);
  findings.add(Severity::info, numbers);
  if (step > 0) {
    findings.below(
        blood / s.noise, 5, 2,
        fmt::format("blood is only {:.1f} times the noise (5 are needed to tell anything by eye); image with more "
                    "averages or larger voxels",
                    blood / s.noise));
    findings.below(
        step / s.noise, 5, 1,
        fmt::format("blood differs from muscle by only {:.1f} times the noise (5 are wanted): the labels' borders "
                    "cannot be verified; check the inversion time, and the labels",
                    step / s.noise));
  }
  if (std::isfinite(labelled)) {
    findings.below(labelled / s.noise, 5, 2,
                   fmt::format("labelled infarct differs from muscle by only {:.1f} times the noise (5 are wanted), so "
                               "thresholds there sort noise; check the labels, or take --scar-method labels",
                               labelled / s.noise));
  }
}

void assess_alignment(const Image& image, const Labels& canonical, const ScarStatistics& s, Findings& findings) {
  const auto borders = borders_of(canonical);
  const double low = s.healthy_mean - s.healthy_sd, high = s.blood_mean + s.healthy_sd;
  if (borders.empty() || !(s.blood_mean > s.healthy_mean)) return;
  const Vec3& spacing = image.grid.spacing;
  const int across = int(search / spacing[0]), down = int(search / spacing[1]);
  const double here = step_at(image, borders, 0, 0, low, high);
  double best = here, shift = 0;
  for (int b = -down; b <= down; ++b) {
    for (int a = -across; a <= across; ++a) {
      const double there = step_at(image, borders, a, b, low, high), way = std::hypot(a * spacing[0], b * spacing[1]);
      if (way <= search && there > best) best = there, shift = way;
    }
  }
  if (shift < worth || here > 0.7 * best) return;
  findings.add(
      shift > much ? Severity::severe : Severity::warning,
      fmt::format("moved by {:.1f} mm within their slices, the labels' inner border would follow the image better "
                  "(a step of {:.0f} instead of {:.0f}): they are probably not aligned; check both geometries",
                  shift, best, here));
}

}  // namespace cardiotwin::meshes
