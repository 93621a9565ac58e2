// Placements, landmarks, and reading a field where points were laid.
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/registration.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cmath>

namespace cardiotwin {
namespace {

constexpr double thinnest = 0.05;  // second extent of landmarks over their first; below, they lie on a line
constexpr double disagreement = 8, reconciled = 0.4;  // [mm] rms; of it, without one pair
constexpr double another_unit = 1.2;                  // factor by which a scale may miss that of a unit

struct Cloud {
  Vec3 centre = Vec3::Zero();
  double variance = 0;  // mean squared distance from the centre
  double thin = 0;      // second principal extent over the first
};

Cloud cloud_of(std::span<const Vec3> points) {
  Cloud cloud;
  const auto n = static_cast<double>(points.size());
  for (const auto& p : points) cloud.centre += p / n;
  Mat3 spread = Mat3::Zero();
  for (const auto& p : points) spread += (p - cloud.centre) * (p - cloud.centre).transpose() / n;
  cloud.variance = spread.trace();
  const Vec3 own = Eigen::SelfAdjointEigenSolver<Mat3>(spread).eigenvalues().cwiseMax(0);
  cloud.thin = own[2] > 0 ? std::sqrt(own[1] / own[2]) : 0;
  return cloud;
}

void require_landmarks(std::span<const Vec3> from, std::span<const Vec3> to) {
  if (from.size() != to.size())
    throw InputError(
        fmt::format("Landmarks: {} points cannot be paired with {}; give one for each", from.size(), to.size()));
  if (from.size() < 3)
    throw InputError(fmt::format("Landmarks: {} pairs are too few; at least three are needed", from.size()));
  for (std::size_t i = 0; i < from.size(); ++i)
    if (!from[i].allFinite() || !to[i].allFinite())
      throw InputError(fmt::format("Landmarks: pair {} is not finite; leave it out", i));
}

void require_spread(const Cloud& cloud, const char* whose) {
  if (!(cloud.thin >= thinnest))
    throw InputError(
        fmt::format("Landmarks: the {} points lie on one line (second extent {:.2g} of the first, at least "
                    "{:g} is needed), about which they leave the heart free to turn; add one beside it",
                    whose, cloud.thin, thinnest));
}

void require_same_unit(double scale) {
  for (const auto& [factor, unit] : {std::pair{10.0, "cm"}, {1000.0, "m"}, {0.1, "tenths of a mm"}, {0.001, "um"}}) {
    const double off = scale / factor;
    if (off < another_unit && off > 1 / another_unit)
      throw InputError(
          fmt::format("Landmarks: the heart's are {:.4g} times as far apart as the given ones, which look "
                      "like {}; convert them to mm",
                      scale, unit));
  }
}

// Umeyama's equations 40 to 42.
Placement least_squares(std::span<const Vec3> from, std::span<const Vec3> to, const Cloud& a, const Cloud& b,
                        double& scale) {
  Mat3 mixed = Mat3::Zero();
  for (std::size_t i = 0; i < from.size(); ++i)
    mixed += (to[i] - b.centre) * (from[i] - a.centre).transpose() / static_cast<double>(from.size());
  // On the heap: of a fixed size g++ 12 sees numbers used that were not set.
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(mixed, Eigen::ComputeFullU | Eigen::ComputeFullV);
  Vec3 sign = Vec3::Ones();
  if (svd.matrixU().determinant() * svd.matrixV().determinant() < 0) sign[2] = -1;
  scale = svd.singularValues().dot(sign) / a.variance;
  return {.rotation = svd.matrixU() * sign.asDiagonal() * svd.matrixV().transpose()};
}

}  // namespace

std::vector<Vec3> Placement::apply(std::span<const Vec3> points) const {
  std::vector<Vec3> placed;
  placed.reserve(points.size());
  for (const auto& p : points) placed.push_back(apply(p));
  return placed;
}

Placement Placement::inverse() const {
  return {.rotation = rotation.transpose(),
          .translation = -(rotation.transpose() * translation) / scale,
          .scale = 1 / scale};
}

void Placement::validate() const {
  if (!rotation.allFinite() || !translation.allFinite() || !std::isfinite(scale))
    throw InputError("Placement: it is not finite; give a rotation, a shift in mm and a scale");
  if ((rotation * rotation.transpose() - Mat3::Identity()).cwiseAbs().maxCoeff() > 1e-6 || rotation.determinant() < 0)
    throw InputError("Placement: the rotation is none (it stretches or mirrors); put a scale into `scale`");
  if (!(scale > 0)) throw InputError(fmt::format("Placement: a scale of {:g} is not positive", scale));
}

namespace {

// Of sound pairs; says nothing about them.
LandmarkPlacement fitted(std::span<const Vec3> from, std::span<const Vec3> to, bool with_scale) {
  const Cloud a = cloud_of(from), b = cloud_of(to);
  LandmarkPlacement result;
  double scale = 1;
  result.placement = least_squares(from, to, a, b, scale);
  if (with_scale) result.placement.scale = scale;
  result.placement.translation = b.centre - result.placement.scale * (result.placement.rotation * a.centre);
  double sum = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    result.distances.push_back((result.placement.apply(from[i]) - to[i]).norm());
    sum += result.distances.back() * result.distances.back() / static_cast<double>(from.size());
  }
  result.rms = std::sqrt(sum);
  return result;
}

// The pair without which the others agree far better; least squares alone spread its error over all.
void find_odd_pair(std::span<const Vec3> from, std::span<const Vec3> to, bool with_scale, LandmarkPlacement& result) {
  if (from.size() < 5) {
    result.findings.push_back({Severity::warning, fmt::format("The landmarks disagree by {:.1f} mm (root mean square): "
                                                              "check whether two are exchanged.",
                                                              result.rms)});
    return;
  }
  double least = result.rms;
  std::size_t odd = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::vector<Vec3> fewer_from(from.begin(), from.end()), fewer_to(to.begin(), to.end());
    fewer_from.erase(fewer_from.begin() + static_cast<std::ptrdiff_t>(i));
    fewer_to.erase(fewer_to.begin() + static_cast<std::ptrdiff_t>(i));
    if (cloud_of(fewer_from).thin < thinnest || cloud_of(fewer_to).thin < thinnest) continue;
    if (const double rms = fitted(fewer_from, fewer_to, with_scale).rms; rms < least) least = rms, odd = i;
  }
  result.findings.push_back(
      {Severity::warning,
       least < reconciled * result.rms
           ? fmt::format(
                 "The landmarks disagree by {:.1f} mm (root mean square), without landmark {} by {:.1f} mm: it is "
                 "another structure, leave it out.",
                 result.rms, odd, least)
           : fmt::format("The landmarks disagree by {:.1f} mm (root mean square): check whether two are exchanged.",
                         result.rms)});
}

}  // namespace

LandmarkPlacement place_by_landmarks(std::span<const Vec3> from, std::span<const Vec3> to, bool with_scale) {
  require_landmarks(from, to);
  const Cloud a = cloud_of(from), b = cloud_of(to);
  require_spread(a, "given");
  require_spread(b, "heart's");
  require_same_unit(std::sqrt(b.variance / a.variance));
  auto result = fitted(from, to, with_scale);
  if (!(result.placement.scale > 0))
    throw InputError("Landmarks: no scale above 0 brings the pairs together; they are paired wrongly");
  if (result.rms > disagreement) find_odd_pair(from, to, with_scale, result);
  return result;
}

MappedSurface mapped_surface(const Anatomy& anatomy, const std::vector<Surface>& tags) {
  constexpr std::array names{"endo", "epi", "base", "endo_rv"};
  MappedSurface mapped{.points = anatomy.mesh.points(), .triangles = {}};
  for (const Surface tag : tags) {
    if (std::ranges::none_of(anatomy.surface, [&](const SurfaceFace& face) { return face.tag == tag; }))
      throw InputError(fmt::format("Mapped surface: the anatomy has no face tagged \"{}\"; choose another side",
                                   names[static_cast<std::size_t>(tag) - 1]));
  }
  for (const auto& face : anatomy.surface)
    if (tags.empty() || std::ranges::find(tags, face.tag) != tags.end()) mapped.triangles.push_back(face.nodes);
  if (mapped.triangles.empty()) throw InputError("Mapped surface: the anatomy has no tagged boundary; tag it first");
  return mapped;
}

std::vector<double> MeasuredSites::values(std::span<const double> field) const {
  std::vector<double> result;
  result.reserve(size());
  for (std::size_t i = 0; i < size(); ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const auto node = static_cast<std::size_t>(nodes[i][k]);
      if (node >= field.size())
        throw InputError(fmt::format("Measured sites: a field of {} values has none for node {}; it is of another mesh",
                                     field.size(), node));
      if (weights[i][k] > 0) sum += weights[i][k] * field[node];  // 0 times NaN would be NaN
    }
    result.push_back(sum);
  }
  return result;
}

namespace {

// Of a point on the triangle; a flat one's foot is shared by the two corners that span it.
std::array<double, 3> weights_at(const Vec3& foot, const Vec3& a, const Vec3& b, const Vec3& c) {
  Eigen::Matrix<double, 3, 2> sides;
  sides << b - a, c - a;
  const Eigen::Vector2d along = sides.completeOrthogonalDecomposition().solve(foot - a);
  Vec3 w = Vec3(1 - along.sum(), along[0], along[1]).cwiseMax(0);
  w /= w.sum();
  return {w[0], w[1], w[2]};
}

}  // namespace

MeasuredSites sites_on(const MappedSurface& surface, std::span<const Vec3> points, const SurfacePlacement& placed) {
  if (placed.distances.size() != points.size())
    throw InputError(fmt::format("Measured sites: {} points were placed, but {} are given; give the same ones",
                                 placed.distances.size(), points.size()));
  const SurfaceDistance distance(surface.points, surface.triangles);
  MeasuredSites sites;
  for (const std::size_t i : placed.kept) {
    if (i >= points.size())
      throw InputError(fmt::format("Measured sites: point {} was kept of {}; give the same ones", i, points.size()));
    const auto foot = distance.nearest(placed.placement.apply(points[i]));
    const Triangle& t = distance.triangle(foot.triangle);
    const auto corner = [&](std::size_t k) -> const Vec3& { return surface.points[static_cast<std::size_t>(t[k])]; };
    sites.points.push_back(i), sites.nodes.push_back(t);
    sites.weights.push_back(weights_at(foot.point, corner(0), corner(1), corner(2)));
  }
  return sites;
}

}  // namespace cardiotwin
