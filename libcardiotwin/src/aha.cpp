#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/aha.hpp>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "connected.hpp"

namespace cardiotwin {
namespace {

// Height of the endocardium's lowest node above the apex [mm]; infinity without one.
double lowest_endocardium(const Anatomy& anatomy) {
  const Vec3 up = (anatomy.base_centre - anatomy.apex).normalized();
  double low = std::numeric_limits<double>::infinity();
  for (const auto& face : anatomy.surface) {
    if (face.tag != Surface::endo) continue;
    for (const Index node : face.nodes) low = std::min(low, (anatomy.mesh.points()[node] - anatomy.apex).dot(up));
  }
  return low;
}

std::vector<Index> nodes_of(const Anatomy& anatomy, Surface tag) {
  std::vector<Index> nodes;
  for (const auto& face : anatomy.surface) {
    if (face.tag == tag) nodes.insert(nodes.end(), face.nodes.begin(), face.nodes.end());
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

// The node of `candidates` with the least cost; -1 where there is none of finite cost. Ties, up to rounding, go to the
// lower index: symmetric hearts have them, and a turned image must not decide them otherwise.
template <class Cost>
Index cheapest(const std::vector<Index>& candidates, const Cost& cost) {
  Index best = -1;
  double least = std::numeric_limits<double>::infinity();
  for (const Index node : candidates) {
    if (const double c = cost(node); c < least - 1e-9 * (1 + c)) least = c, best = node;
  }
  return best;
}

}  // namespace

LongAxis::LongAxis(const Vec3& apex, const Vec3& base_centre, const Vec3& septum, double cavity_low)
    : apex_(apex), low_(cavity_low), high_((base_centre - apex).norm()) {
  if (!(high_ > 1e-6)) throw InputError("AHA segments: apex and base centre coincide; tag the surface first");
  up_ = (base_centre - apex) / high_;
  const Vec3 across = septum - septum.dot(up_) * up_;
  if (!(across.norm() > 0.05 * septum.norm())) {
    throw InputError("AHA segments: the septum's direction lies along the long axis; name a point towards the septum");
  }
  septal_ = across.normalized();
  // Seen from the apex towards the base, with the anterior wall up, the septum is on the left (the bull's eye): that is
  // the patient's right, and makes septum, anterior, apex-to-base a right-handed triad.
  anterior_ = up_.cross(septal_);
  if (!(low_ < high_)) {
    throw InputError("AHA segments: no endocardium lies between apex and base; tag the surface first");
  }
}

LongAxis::LongAxis(const Anatomy& anatomy)
    : LongAxis(anatomy.apex, anatomy.base_centre, anatomy.septum, lowest_endocardium(anatomy)) {}

double LongAxis::angle(const Vec3& p) const {
  const Vec3 r = p - apex_;
  const double degrees = std::atan2(r.dot(anterior_), r.dot(septal_)) * 180.0 / std::numbers::pi;
  return degrees < 0 ? degrees + 360.0 : degrees;
}

std::uint8_t LongAxis::segment(const Vec3& p) const {
  // By sectors of 60 degrees from the septum's middle: anteroseptal, anterior, anterolateral, inferolateral, inferior,
  // inferoseptal.
  constexpr std::array<std::uint8_t, 6> ring{2, 1, 6, 5, 4, 3};
  // By sectors of 90 degrees centred on the septum: septal, anterior, lateral, inferior.
  constexpr std::array<std::uint8_t, 4> apical{14, 13, 16, 15};
  const double along = share(p), degrees = angle(p);
  if (along < 0) return 17;
  if (along < 1.0 / 3.0) return apical[static_cast<std::size_t>((degrees + 45.0) / 90.0) % 4];
  const std::uint8_t basal = ring[static_cast<std::size_t>(degrees / 60.0) % 6];
  return along < 2.0 / 3.0 ? basal + 6 : basal;
}

std::vector<std::uint8_t> aha_segments(const Anatomy& anatomy) {
  const LongAxis axis(anatomy);
  std::vector<std::uint8_t> segments(anatomy.mesh.tet_count());
  const auto in_right_wall = [&](std::size_t t) {
    if (anatomy.right.empty()) return false;
    double sum = 0;
    for (const Index node : anatomy.mesh.tets()[t]) sum += anatomy.right[node];
    return sum > 2;
  };
  for (std::size_t t = 0; t < segments.size(); ++t) {
    if (!in_right_wall(t)) segments[t] = axis.segment(anatomy.mesh.centroid(t));
  }
  return segments;
}

std::vector<Site> standard_sites(const Anatomy& anatomy, double radius) {
  const Mesh& mesh = anatomy.mesh;
  if (anatomy.aha.size() != mesh.tet_count())
    throw InputError("Pacing sites: the anatomy has no AHA segments; assign them first");
  const LongAxis axis(anatomy);
  const auto endo = nodes_of(anatomy, Surface::endo), epi = nodes_of(anatomy, Surface::epi);
  if (epi.empty()) throw InputError("Pacing sites: no face is tagged as epicardium");

  const auto component = largest_conducting_component(anatomy);
  std::array<Vec3, 18> centroid;
  centroid.fill(Vec3::Zero());
  std::array<double, 18> volume{};
  std::vector<std::uint32_t> segments_at(mesh.node_count(), 0);  // bit k: the node is on a tet of segment k
  std::vector<std::uint8_t> alive(mesh.node_count(), 0);
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const double v = mesh.volume(t);
    centroid[anatomy.aha[t]] += v * mesh.centroid(t);
    volume[anatomy.aha[t]] += v;
    for (const Index node : mesh.tets()[t]) {
      segments_at[node] |= 1u << anatomy.aha[t];
      if (component[t]) alive[node] = 1;
    }
  }

  const auto points = mesh.points();
  std::vector<Site> sites;
  const auto add = [&](std::string name, Index node) {
    if (node < 0)
      throw InputError(fmt::format("Pacing sites: no conducting tissue for \"{}\"; is all of the muscle core?", name));
    sites.push_back(make_site(anatomy, std::move(name), points[node], radius));
  };
  for (int k = 1; k <= 17; ++k) {
    if (!(volume[k] > 0)) continue;
    const Vec3 centre = centroid[k] / volume[k];
    const auto distance = [&](Index node, bool in_segment) {
      const bool usable = alive[node] && (!in_segment || (segments_at[node] >> k & 1u));
      return usable ? (points[node] - centre).norm() : std::numeric_limits<double>::infinity();
    };
    Index node = cheapest(endo, [&](Index i) { return distance(i, true); });
    if (node < 0) node = cheapest(endo, [&](Index i) { return distance(i, false); });
    add(fmt::format("aha{}", k), node);
  }
  // A catheter in the RV apex touches the septum from its right side, a sixth of the cavity's length above its apex.
  const auto right = nodes_of(anatomy, Surface::endo_rv);
  const auto of_left = [&](Index i) { return anatomy.right.empty() || anatomy.right[i] < 0.5; };
  add("rv_apex", cheapest(right.empty() ? epi : right, [&](Index i) {
        const Vec3 r = points[i] - axis.apex();
        const double up = (axis.share(points[i]) - 1.0 / 6.0) * (axis.cavity_high() - axis.cavity_low());
        return alive[i] && of_left(i) && r.dot(axis.septal()) > 0 ? std::hypot(up, r.dot(axis.anterior()))
                                                                  : std::numeric_limits<double>::infinity();
      }));
  add("apex", cheapest(epi, [&](Index i) {
        return alive[i] ? (points[i] - anatomy.apex).norm() : std::numeric_limits<double>::infinity();
      }));
  return sites;
}

}  // namespace cardiotwin
