// Points onto a surface: Gauss-Newton on their distances, from one start or from many.
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/registration.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>
#include <map>

#include "registration_parts.hpp"

namespace cardiotwin {
namespace {

constexpr std::size_t least_points = 10;
constexpr std::size_t scouts = 250;  // points that try a start
constexpr int scout_steps = 25;
constexpr std::size_t finalists = 4;       // starts that are refined with all points
constexpr double tukey = 4.685;            // times the standard deviation: 95 % efficient for Gaussian noise
constexpr double from_median = 1.4826;     // standard deviation over median distance of Gaussian noise
constexpr double sharpest = 0.05;          // [mm] standard deviation below which points are not doubted
constexpr double least_noise = 0.1;        // [mm] below, closest points are as good
constexpr double damping = 1e-6;           // of the mean curvature: keeps what the surface leaves open
constexpr double close = 0.01;             // [mm] root mean square step from which the likelihood goes on
constexpr double at_rest = 1e-7;           // [mm] the same at the end
constexpr double alike = 1.15, apart = 5;  // of the best median; [mm] from where it puts the points
constexpr double loose = 1.5;              // [mm] standard deviation of a movement that is told
constexpr double overhang = 5;             // [mm] a map may reach beyond where the heart is cut

}  // namespace

namespace registration {
namespace {

// Rim sides in the direction in which their triangle runs through them.
std::map<Index, Index> rim_of(const MappedSurface& surface) {
  std::map<std::pair<Index, Index>, int> count;
  for (const auto& t : surface.triangles)
    for (std::size_t k = 0; k < 3; ++k) ++count[std::minmax(t[k], t[(k + 1) % 3])];
  std::map<Index, Index> next;
  for (const auto& t : surface.triangles)
    for (std::size_t k = 0; k < 3; ++k)
      if (count[std::minmax(t[k], t[(k + 1) % 3])] == 1) next[t[k]] = t[(k + 1) % 3];
  return next;
}

// At each node of the rim, out of the surface and in its plane: rims zigzag, so neighbours are averaged.
std::map<Index, Vec3> ways_out(const MappedSurface& surface, const std::map<Index, Index>& rim) {
  std::map<Index, Vec3> out;
  for (const auto& t : surface.triangles) {
    const auto at = [&](std::size_t k) -> const Vec3& { return surface.points[static_cast<std::size_t>(t[k % 3])]; };
    const Vec3 normal = (at(1) - at(0)).cross(at(2) - at(0));
    for (std::size_t k = 0; k < 3; ++k) {
      const auto side = rim.find(t[k]);
      if (side == rim.end() || side->second != t[(k + 1) % 3]) continue;
      const Vec3 way = (at(k + 1) - at(k)).cross(normal).normalized();
      for (const Index node : {t[k], t[(k + 1) % 3]}) out.try_emplace(node, Vec3::Zero()).first->second += way;
    }
  }
  for (int pass = 0; pass < 8; ++pass) {
    auto smooth = out;
    for (const auto& [a, b] : rim)
      if (out.contains(b)) smooth[a] += out.at(b), smooth[b] += out.at(a);
    for (auto& [node, way] : smooth) out[node] = way.squaredNorm() > 0 ? Vec3(way.normalized()) : way;
  }
  return out;
}

}  // namespace

Target extended(const MappedSurface& surface, double width) {
  Target target{.points = {surface.points.begin(), surface.points.end()}, .triangles = surface.triangles};
  if (width <= 0) return target;
  const auto rim = rim_of(surface);
  std::map<Index, Index> beyond;
  for (const auto& [node, way] : ways_out(surface, rim)) {
    beyond[node] = static_cast<Index>(target.points.size());
    target.points.push_back(surface.points[static_cast<std::size_t>(node)] + width * way);
  }
  for (const auto& [a, b] : rim) {
    if (!beyond.contains(a) || !beyond.contains(b)) continue;
    target.triangles.push_back({b, a, beyond[a]});
    target.triangles.push_back({b, beyond[a], beyond[b]});
  }
  return target;
}

Cloud::Cloud(std::span<const Vec3> points) : points_(points) {
  const auto n = static_cast<double>(points.size());
  for (const auto& p : points) centre_ += p / n;
  for (const auto& p : points) radius_ += (p - centre_).squaredNorm() / n;
  radius_ = std::sqrt(radius_);
}

Placement Cloud::advanced(const Placement& p, const Step& step, const SurfaceOptions& options) const {
  const double arm = radius_ * p.scale;
  const Vec3 turn = step.head<3>() / arm;
  const double angle = turn.norm();
  Placement next = p;
  if (angle > 0) next.rotation = Eigen::AngleAxisd(angle, turn / angle).toRotationMatrix() * p.rotation;
  next.rotation = Eigen::Quaterniond(next.rotation).normalized().toRotationMatrix();  // products of many stay one
  if (options.with_scale)
    next.scale = std::clamp(p.scale * std::exp(step[6] / arm), options.least_scale, options.most_scale);
  next.translation = p.apply(centre_) + step.segment<3>(3) - next.scale * (next.rotation * centre_);
  return next;
}

Eigen::Matrix<double, 3, 7> Cloud::motion(const Placement& p, const Vec3& placed, const SurfaceOptions& options) const {
  const Vec3 from = (placed - p.apply(centre_)) / (radius_ * p.scale);
  Eigen::Matrix<double, 3, 7> motion;
  for (int k = 0; k < 3; ++k) motion.col(k) = Vec3::Unit(k).cross(from);
  motion.middleCols<3>(3).setIdentity();
  motion.col(6) = options.with_scale ? from : Vec3::Zero();
  return motion;
}

Step newton(Curvature curvature, const Step& slope) {
  curvature.diagonal().array() += damping * std::max(curvature.trace() / 7, 1e-300);
  return -curvature.ldlt().solve(slope);
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double rms_between(std::span<const Vec3> points, const Placement& a, const Placement& b) {
  double sum = 0;
  for (const auto& p : points) sum += (a.apply(p) - b.apply(p)).squaredNorm();
  return std::sqrt(sum / static_cast<double>(points.size()));
}

}  // namespace registration

namespace {

using namespace registration;

// Closest points: robust, from far off.
class Fitter {
 public:
  Fitter(std::span<const Vec3> points, const MappedSurface& surface, const SurfaceOptions& options)
      : cloud_(points),
        target_(extended(surface, overhang)),
        seen_(extended(surface, options.beyond)),
        surface_(surface.points, surface.triangles),
        distance_(target_.points, target_.triangles),
        options_(options) {}

  /// Closest points from afar; then the likeliest placement nearby, false where that does not come to rest.
  void approach(Placement& p) const { refine(p, cloud_.points(), options_.most_steps, close); }
  bool finish(Placement& p, double& loosest) const;
  /// [mm] to the surface itself.
  std::vector<double> distances(const Placement& p) const { return distances(p, cloud_.points(), surface_); }
  Placement best_of_many(std::size_t& others) const;

 private:
  using Feet = std::vector<SurfaceDistance::Nearest>;
  static std::vector<double> distances(const Placement& p, std::span<const Vec3> points, const SurfaceDistance& to);
  bool refine(Placement& p, std::span<const Vec3> points, int steps, double enough) const;
  std::vector<Placement> starts() const;
  Step step(const Placement& p, std::span<const Vec3> points, const Feet& feet, double width) const;
  double cost(const Placement& p, std::span<const Vec3> points, double width) const;

  Cloud cloud_;
  Target target_, seen_;                // a wide strip leads closest points home, a true one is likely
  SurfaceDistance surface_, distance_;  // without and with what lies beyond the rims
  SurfaceOptions options_;
};

std::vector<double> Fitter::distances(const Placement& p, std::span<const Vec3> points, const SurfaceDistance& to) {
  std::vector<double> all(points.size());
#pragma omp parallel for schedule(static)
  for (std::ptrdiff_t i = 0; i < std::ssize(points); ++i) all[i] = to(p.apply(points[i]));
  return all;
}

Step Fitter::step(const Placement& p, std::span<const Vec3> points, const Feet& feet, double width) const {
  Curvature curvature = Curvature::Zero();
  Step slope = Step::Zero();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double rest = 1 - std::min(1.0, std::pow(feet[i].distance / width, 2));
    if (rest == 0 || feet[i].distance < 1e-12) continue;
    const Vec3 at = p.apply(points[i]), away = (at - feet[i].point) / feet[i].distance;
    const Step row = cloud_.motion(p, at, options_).transpose() * away;
    curvature += rest * rest * row * row.transpose();
    slope += rest * rest * feet[i].distance * row;
  }
  return newton(curvature, slope);
}

// Tukey's loss, of which the weighted squares are the local picture.
double Fitter::cost(const Placement& p, std::span<const Vec3> points, double width) const {
  double sum = 0;
  for (const double d : distances(p, points, distance_)) {
    const double rest = 1 - std::min(1.0, d * d / (width * width));
    sum += 1 - rest * rest * rest;
  }
  return sum;
}

// The width follows the median down; each step is halved until the loss at that width does not grow.
bool Fitter::refine(Placement& p, std::span<const Vec3> points, int steps, double enough) const {
  for (int k = 0; k < steps; ++k) {
    Feet feet(points.size());
#pragma omp parallel for schedule(static)
    for (std::ptrdiff_t i = 0; i < std::ssize(points); ++i) feet[i] = distance_.nearest(p.apply(points[i]));
    std::vector<double> distances;
    for (const auto& foot : feet) distances.push_back(foot.distance);
    const double width = tukey * std::max(sharpest, from_median * median_of(distances));
    const double before = cost(p, points, width);
    Step move = step(p, points, feet, width);
    Placement next = cloud_.advanced(p, move, options_);
    int halvings = 0;
    for (; halvings < 6 && cost(next, points, width) > before; ++halvings) {
      move /= 2;
      next = cloud_.advanced(p, move, options_);
    }
    if (halvings == 6) return true;  // no way down: at rest but for the surface's edges
    const double moved = rms_between(points, p, next);
    p = next;
    if (moved < enough) return true;
  }
  return false;
}

bool Fitter::finish(Placement& p, double& loosest) const {
  const double noise = from_median * median_of(distances(p, cloud_.points(), distance_));
  if (noise < least_noise) return refine(p, cloud_.points(), options_.most_steps, at_rest);
  return fit_likelihood(p, cloud_, seen_, options_, noise, loosest);
}

// Principal axes of a cloud, the longest first.
Mat3 axes_of(std::span<const Vec3> points, const Vec3& centre) {
  Mat3 spread = Mat3::Zero();
  for (const auto& p : points) spread += (p - centre) * (p - centre).transpose();
  Mat3 axes = Eigen::SelfAdjointEigenSolver<Mat3>(spread).eigenvectors().rowwise().reverse();
  if (axes.determinant() < 0) axes.col(2) *= -1;
  return axes;
}

// All turns that bring axes onto axes, the centre of the points onto that of the surface.
std::vector<Placement> Fitter::starts() const {
  std::vector<Vec3> middles;
  Vec3 centre = Vec3::Zero();
  double area = 0;
  for (const auto& t : target_.triangles) {
    const Vec3 &a = target_.points[t[0]], &b = target_.points[t[1]], &c = target_.points[t[2]];
    const double own = (b - a).cross(c - a).norm();
    middles.push_back((a + b + c) / 3);
    centre += own * middles.back(), area += own;
  }
  centre /= area;
  const Mat3 to = axes_of(middles, centre), from = axes_of(cloud_.points(), cloud_.centre());
  std::vector<Placement> all;
  std::array order{0, 1, 2};
  do {
    for (int signs = 0; signs < 8; ++signs) {
      Mat3 turned;
      for (int k = 0; k < 3; ++k)
        turned.col(k) = (signs >> k & 1 ? -1 : 1) * to.col(order[static_cast<std::size_t>(k)]);
      if (turned.determinant() < 0) continue;
      const Mat3 rotation = turned * from.transpose();
      all.push_back({.rotation = rotation, .translation = centre - rotation * cloud_.centre()});
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return all;
}

Placement Fitter::best_of_many(std::size_t& others) const {
  std::vector<Vec3> few;
  const std::size_t all = cloud_.points().size(), count = std::min(scouts, all);
  for (std::size_t i = 0; i < count; ++i) few.push_back(cloud_.points()[i * all / count]);
  struct Try {
    Placement placement;
    double median;
  };
  std::vector<Try> tries;
  for (auto p : starts()) {
    refine(p, few, scout_steps, close);
    tries.push_back({p, median_of(distances(p, few, distance_))});
  }
  const auto better = [](const Try& a, const Try& b) { return a.median < b.median; };
  std::ranges::stable_sort(tries, better);
  tries.resize(std::min(finalists, tries.size()));
  for (auto& t : tries) {
    approach(t.placement);
    t.median = median_of(distances(t.placement, cloud_.points(), distance_));
  }
  std::ranges::stable_sort(tries, better);
  others = static_cast<std::size_t>(std::ranges::count_if(tries, [&](const Try& t) {
    return t.median < alike * tries[0].median && rms_between(cloud_.points(), t.placement, tries[0].placement) > apart;
  }));
  return tries[0].placement;
}

void require_sound(std::span<const Vec3> points, const SurfaceOptions& options) {
  if (points.size() < least_points)
    throw InputError(fmt::format("Registration: {} points are too few for a surface; at least {} are needed",
                                 points.size(), least_points));
  for (std::size_t i = 0; i < points.size(); ++i)
    if (!points[i].allFinite()) throw InputError(fmt::format("Registration: point {} is not finite; leave it out", i));
  if (!(options.least_scale > 0 && options.least_scale <= 1 && options.most_scale >= 1 &&
        std::isfinite(options.most_scale)))
    throw InputError(fmt::format("Registration: scales from {:g} to {:g} do not hold 1; widen the bounds",
                                 options.least_scale, options.most_scale));
  if (!(options.beyond >= 0 && options.beyond <= 50))
    throw InputError(fmt::format(
        "Registration: beyond = {:g} mm is outside [0, 50]; say how far maps reach past the cut", options.beyond));
  if (!(options.far > 0) || options.most_steps < 0)
    throw InputError(fmt::format("Registration: far = {:g} mm must be positive and {} steps not negative", options.far,
                                 options.most_steps));
}

// Distances and what is kept; throws where that is too little.
void judge(SurfacePlacement& result, const SurfaceOptions& options) {
  const std::size_t count = result.distances.size();
  double sum = 0;
  result.kept.clear();
  for (std::size_t i = 0; i < count; ++i) {
    if (result.distances[i] > options.far) continue;
    result.kept.push_back(i);
    sum += result.distances[i] * result.distances[i];
  }
  result.median = median_of(result.distances);
  result.set_aside = count - result.kept.size();
  if (result.median > options.far || 2 * result.set_aside > count)
    throw InputError(
        fmt::format("Registration: once placed, {} of {} points are farther than {:g} mm from the surface "
                    "(median {:.3g} mm), so they are in another frame, of another chamber or another unit; "
                    "give three or more pairs of landmarks",
                    result.set_aside, count, options.far, result.median));
  result.rms = std::sqrt(sum / static_cast<double>(result.kept.size()));
}

void tell(SurfacePlacement& result, bool started, std::size_t others, const SurfaceOptions& options) {
  const auto say = [&](Severity severity, std::string text) { result.findings.push_back({severity, std::move(text)}); };
  if (!started)
    say(others > 0 ? Severity::severe : Severity::warning,
        others > 0
            ? fmt::format("Without landmarks {} other placements fit as well as the one chosen: give three pairs.",
                          others)
            : "Placed without landmarks, by shape alone: a chamber looks alike from several sides, check the result.");
  if (started && result.moved > options.far)
    say(Severity::warning,
        fmt::format("The surface moved the points by {:.1f} mm from where the landmarks put them: check "
                    "the landmarks.",
                    result.moved));
  if (result.loosest > loose)
    say(Severity::warning,
        fmt::format(
            "The surface leaves a movement of {:.1f} mm open (standard deviation), as a round one does about its "
            "axis: along it, the placement is the start's.",
            std::min(result.loosest, 99.0)));
  if (result.set_aside > 0)
    say(4 * result.set_aside > result.distances.size() ? Severity::warning : Severity::info,
        fmt::format("{} of {} points are farther than {:g} mm from the surface and were set aside.", result.set_aside,
                    result.distances.size(), options.far));
  const double s = result.placement.scale;
  if (options.with_scale && (s <= options.least_scale * 1.001 || s >= options.most_scale * 0.999))
    say(Severity::warning,
        fmt::format("The scale came to rest at its bound, {:.3g}: the points are of another chamber or "
                    "cover too little of it; place them without scale.",
                    s));
}

}  // namespace

SurfacePlacement place_on_surface(std::span<const Vec3> points, const MappedSurface& surface,
                                  const std::optional<Placement>& start, const SurfaceOptions& options) {
  require_sound(points, options);
  const Fitter fitter(points, surface, options);
  SurfacePlacement result;
  std::size_t others = 0;
  if (start) {
    start->validate();
    const double median = median_of(fitter.distances(*start));
    if (median > options.astray)
      throw InputError(
          fmt::format("Registration: the start puts the points {:.3g} mm from the surface (median, at most {:g} "
                      "mm), so they are in another frame; give three or more pairs of landmarks",
                      median, options.astray));
    result.placement = *start;
  } else {
    result.placement = fitter.best_of_many(others);
  }
  if (options.most_steps > 0) fitter.approach(result.placement);
  result.distances = fitter.distances(result.placement);
  judge(result, options);
  if (options.most_steps == 0) return result;
  if (!fitter.finish(result.placement, result.loosest))
    throw NumericalError(fmt::format("Registration: it does not come to rest in {} steps", options.most_steps));
  result.distances = fitter.distances(result.placement);
  judge(result, options);
  if (start) result.moved = rms_between(points, *start, result.placement);
  tell(result, start.has_value(), others, options);
  return result;
}

}  // namespace cardiotwin
