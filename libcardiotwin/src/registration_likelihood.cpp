// The likelihood of a placement, after Granger & Pennec 2002 (doi 10.1007/3-540-47979-1_28) and Myronenko & Song 2010
// (doi 10.1109/TPAMI.2010.46): a point is seen at q with density (1 - strays) s^3 <exp(-|q - y|^2 / 2 noise^2)> / (2 pi
// noise^2)^1.5 + strays / volume, the mean over all y of the surface; s^3, since it is seen before the scaling.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "point_grid.hpp"
#include "registration_parts.hpp"

namespace cardiotwin::registration {
namespace {

constexpr double spacing = 0.8;  // of samples on the surface, in units of the noise
constexpr double most_samples = 30000;
constexpr double headroom = 1.3;  // by which the noise may turn out larger than it is begun with
constexpr double hasten = 2.5;    // the noise alone would come to rest slowly, as two thirds of it are not seen
constexpr double reach = 4;       // standard deviations that are looked at
constexpr double least_strays = 0.01, most_strays = 0.5;
constexpr double at_rest = 1e-6;  // [mm] root mean square step

struct Samples {
  std::vector<Vec3> points;
  std::vector<double> shares;  // of the area
};

// Centres of equal parts of the triangles, about `step` apart.
Samples samples_of(const Target& target, double step) {
  Samples samples;
  double area = 0;
  for (const auto& t : target.triangles) {
    const Vec3 &a = target.points[t[0]], u = target.points[t[1]] - a, v = target.points[t[2]] - a;
    const double longest = std::max({u.norm(), v.norm(), (u - v).norm()}), own = u.cross(v).norm() / 2;
    const int n = std::clamp(static_cast<int>(std::ceil(longest / step)), 1, 64);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < 2 * (n - i) - 1; ++j) {
        const double third = j % 2 ? 2.0 / 3 : 1.0 / 3;  // upright parts and those between them
        samples.points.push_back(a + (i + third) / n * u + (j / 2 + third) / n * v);
        samples.shares.push_back(own / (n * n));
      }
    }
    area += own;
  }
  for (double& share : samples.shares) share /= area;
  return samples;
}

double area_of(const Target& target) {
  double area = 0;
  for (const auto& t : target.triangles)
    area += (target.points[t[1]] - target.points[t[0]]).cross(target.points[t[2]] - target.points[t[0]]).norm() / 2;
  return area;
}

// What the surface is to one placed point.
struct Sight {
  double density = 0;          // of the surface's part, without (1 - strays)
  Vec3 mean = Vec3::Zero();    // where on the surface the point probably is
  Mat3 spread = Mat3::Zero();  // about that
  double squared = 0;          // mean squared distance [mm2]
};

class Likelihood {
 public:
  Likelihood(const Cloud& cloud, const Target& target, const SurfaceOptions& options, double noise)
      : cloud_(cloud),
        options_(options),
        samples_(samples_of(target, std::max(spacing * noise, std::sqrt(area_of(target) / most_samples)))),
        grid_(samples_.points, reach * noise),
        most_noise_(noise),
        noise_(noise),
        volume_(4.0 / 3 * std::numbers::pi * std::pow(2 * cloud.radius(), 3)) {}

  /// One step to where `p` is likelier, and to the noise and strays it suggests; gives back how far it went: [mm] in
  /// root mean square, and the share by which the noise changed.
  std::pair<double, double> improve(Placement& p);
  double loosest(const Placement& p) const;  ///< as fit_likelihood's

 private:
  Sight sight(const Placement& p, const Vec3& q) const;
  std::vector<Sight> sights(const Placement& p) const;
  double total(const Sight& sight) const { return (1 - strays_) * sight.density + strays_ / volume_; }
  double likelihood(const std::vector<Sight>& sights) const;  // of all points, in nats
  void picture(const Placement& p, const std::vector<Sight>& sights, Curvature& curvature, Step& slope) const;
  double suggested_noise(const std::vector<Sight>& sights);

  const Cloud& cloud_;
  SurfaceOptions options_;
  Samples samples_;
  PointGrid grid_;
  double most_noise_;  // for which the grid's cells are wide enough
  double noise_, strays_ = 0.1;
  double volume_;  // [mm3] over which strays are spread
};

Sight Likelihood::sight(const Placement& p, const Vec3& q) const {
  Sight sight;
  double sum = 0;
  Mat3 second = Mat3::Zero();
  const double squared_reach = std::pow(reach * noise_, 2);
  grid_.near(q, [&](std::size_t j) {
    const Vec3 to = samples_.points[j] - q;
    const double squared = to.squaredNorm();
    if (squared > squared_reach) return;
    const double w = samples_.shares[j] * std::exp(-squared / (2 * noise_ * noise_));
    sum += w, sight.mean += w * to, second += w * to * to.transpose(), sight.squared += w * squared;
  });
  if (sum <= 0) return {};
  sight.mean /= sum, sight.squared /= sum;
  sight.spread = second / sum - sight.mean * sight.mean.transpose();
  sight.mean += q;
  sight.density = std::pow(p.scale / (noise_ * std::sqrt(2 * std::numbers::pi)), 3) * sum;
  return sight;
}

std::vector<Sight> Likelihood::sights(const Placement& p) const {
  std::vector<Sight> all(cloud_.points().size());
#pragma omp parallel for schedule(static)
  for (std::ptrdiff_t i = 0; i < std::ssize(all); ++i) all[i] = sight(p, p.apply(cloud_.points()[i]));
  return all;
}

double Likelihood::likelihood(const std::vector<Sight>& sights) const {
  double sum = 0;
  for (const auto& one : sights) sum += std::log(total(one));
  return sum;
}

// I - spread / noise^2: what of a point's motion the surface opposes. Negative where it lies between two sheets.
Mat3 opposed(const Sight& sight, double noise) {
  const Eigen::SelfAdjointEigenSolver<Mat3> own(Mat3::Identity() - sight.spread / (noise * noise));
  return own.eigenvectors() * own.eigenvalues().cwiseMax(0).asDiagonal() * own.eigenvectors().transpose();
}

// Of second order, of minus the logarithm, times the noise squared.
void Likelihood::picture(const Placement& p, const std::vector<Sight>& sights, Curvature& curvature,
                         Step& slope) const {
  curvature.setZero(), slope.setZero();
  for (std::size_t i = 0; i < sights.size(); ++i) {
    const double weight = (1 - strays_) * sights[i].density / total(sights[i]);
    if (weight <= 0) continue;
    const Vec3 q = p.apply(cloud_.points()[i]);
    const auto motion = cloud_.motion(p, q, options_);
    slope += weight * motion.transpose() * (q - sights[i].mean);
    curvature += weight * motion.transpose() * opposed(sights[i], noise_) * motion;
    if (options_.with_scale) slope[6] -= weight * 3 * noise_ * noise_ / (cloud_.radius() * p.scale);
  }
}

// By the scatter of the single points' slopes: the curvature at a maximum is that of noise where nothing holds.
double Likelihood::loosest(const Placement& p) const {
  Curvature information = Curvature::Zero();
  const auto all = sights(p);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double weight = (1 - strays_) * all[i].density / total(all[i]);
    if (weight <= 0) continue;
    const Vec3 q = p.apply(cloud_.points()[i]);
    Step slope = weight * cloud_.motion(p, q, options_).transpose() * (q - all[i].mean);
    if (options_.with_scale) slope[6] -= weight * 3 * noise_ * noise_ / (cloud_.radius() * p.scale);
    information += slope * slope.transpose() / std::pow(noise_, 4);
  }
  const Eigen::Index moves = options_.with_scale ? 7 : 6;
  const Eigen::MatrixXd held = information.topLeftCorner(moves, moves);
  return 1 / std::sqrt(std::max(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(held).eigenvalues()[0], 1e-6));
}

// Of expectation and maximisation, and beyond; sets the strays on the way.
double Likelihood::suggested_noise(const std::vector<Sight>& sights) {
  double on_surface = 0, squared = 0;
  for (const auto& one : sights) {
    const double weight = (1 - strays_) * one.density / total(one);
    on_surface += weight, squared += weight * one.squared;
  }
  if (on_surface <= 0) return noise_;
  strays_ = std::clamp(1 - on_surface / static_cast<double>(sights.size()), least_strays, most_strays);
  const double ratio = std::sqrt(squared / (3 * on_surface)) / noise_;
  return std::clamp(noise_ * std::pow(ratio, hasten), most_noise_ / 4, most_noise_);
}

std::pair<double, double> Likelihood::improve(Placement& p) {
  constexpr int most_halvings = 6;
  auto now = sights(p);
  const double before = likelihood(now);
  Curvature curvature;
  Step slope;
  picture(p, now, curvature, slope);
  Step move = newton(curvature, slope);
  double moved = 0;
  for (int halvings = 0; halvings < most_halvings; ++halvings, move /= 2) {
    const Placement next = cloud_.advanced(p, move, options_);
    auto there = sights(next);
    if (likelihood(there) < before) continue;
    moved = rms_between(cloud_.points(), p, next);
    p = next, now = std::move(there);
    break;
  }
  const double noise = suggested_noise(now), change = std::abs(noise / noise_ - 1);
  noise_ = noise;
  return {moved, change};
}

}  // namespace

bool fit_likelihood(Placement& p, const Cloud& cloud, const Target& target, const SurfaceOptions& options, double noise,
                    double& loosest) {
  Likelihood likelihood(cloud, target, options, headroom * noise);
  for (int k = 0; k < options.most_steps; ++k) {
    const auto [moved, change] = likelihood.improve(p);
    if (moved < at_rest && change < 1e-5) return loosest = likelihood.loosest(p), true;
  }
  return false;
}

}  // namespace cardiotwin::registration
