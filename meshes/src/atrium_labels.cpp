#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>

#include "atrium.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double thickest_wall = 6;       // [mm]
constexpr double leaflets = 3;            // [mm] of valve that may lie between the blood of both chambers
constexpr double smallest_contact = 100;  // [mm2]

constexpr auto la_cavity = std::uint8_t(Meaning::la_blood);

Mask where(const Labels& labels, std::uint8_t which) {
  Mask mask(labels.values.size());
  for (std::size_t v = 0; v < mask.size(); ++v) mask[v] = labels.values[v] == which;
  return mask;
}

// The plane through the cavity's voxels next to the left ventricle's blood.
std::optional<Plane> contact_of(const Grid& g, const Mask& cavity, const Nearest& to_ventricle) {
  const double reach = leaflets + g.spacing.maxCoeff();
  Mask near(cavity.size());
  for (std::size_t v = 0; v < near.size(); ++v) near[v] = cavity[v] && to_ventricle.squared[v] <= reach * reach;
  keep_largest_piece(g, near, Neighbours::corners);
  Vec3 centre = Vec3::Zero(), out = Vec3::Zero();
  std::vector<Vec3> points;
  for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
    if (!near[v]) return;
    const auto other = static_cast<std::size_t>(to_ventricle.voxel[v]);
    const std::size_t nx = g.size[0], ny = g.size[1];
    points.push_back(g.position(Vec3(i, j, k)));
    centre += points.back();
    out += g.position(Vec3(double(other % nx), double(other / nx % ny), double(other / nx / ny))) - points.back();
  });
  if (double(points.size()) * g.spacing.prod() / reach < smallest_contact) return std::nullopt;
  centre /= double(points.size());
  Mat3 scatter = Mat3::Zero();
  for (const Vec3& p : points) scatter += (p - centre) * (p - centre).transpose();
  Vec3 normal = Eigen::SelfAdjointEigenSolver<Mat3>(scatter).eigenvectors().col(0);
  if (normal.dot(out) < 0) normal = -normal;
  return Plane{centre, normal};
}

void warn_at_edges(const Labels& labels, const Monitor& monitor) {
  const auto& n = labels.grid.size;
  bool touches = false;
  for_each_voxel(labels.grid, [&](int i, int j, int k, std::size_t v) {
    if (labels.values[v] == lv_cavity)
      touches |= i == 0 || j == 0 || k == 0 || i == n[0] - 1 || j == n[1] - 1 || k == n[2] - 1;
  });
  if (touches)
    monitor.warn(
        "labels: the left atrium reaches the image's edge; what lies beyond is missing, and its wall is closed there "
        "unless a vein ends there");
}

}  // namespace

AtrialLabels atrial_labels(const LabelValues& values, const std::string& text, const Monitor& monitor) {
  const Convention convention = text == "guess" ? guess_convention(values) : convention_of(text);
  Labels meaning = meanings(values, convention);
  if (text == "guess") monitor.tell(fmt::format("labels: taken as {}", convention.source));
  const Grid& g = meaning.grid;
  Mask cavity = where(meaning, la_cavity);
  if (std::find(cavity.begin(), cavity.end(), 1) == cavity.end()) {
    throw InputError(
        fmt::format("labels: a left atrium needs the label of its cavity, but {} has none; say which value it is, for "
                    "example --convention \"1=la_blood\"",
                    convention.source));
  }
  const double dropped = double(keep_largest_piece(g, cavity, Neighbours::faces)) * ml_per_voxel(g);
  if (dropped > 0.05)
    monitor.warn(fmt::format("{:.2f} ml of cavity label are not connected to the rest and were left out", dropped));

  const Mask ventricle = where(meaning, lv_cavity);
  const auto to_ventricle = nearest_of(g, ventricle), to_cavity = nearest_of(g, cavity);
  AtrialLabels out{
      .labels = {g, std::vector<std::uint8_t>(cavity.size(), background)}, .has_wall = false, .contact = {}};
  for (std::size_t v = 0; v < cavity.size(); ++v) {
    if (cavity[v]) out.labels.values[v] = lv_cavity;
    const auto what = Meaning(meaning.values[v]);
    const bool scar = what == Meaning::scar || what == Meaning::no_reflow;
    if (!scar && what != Meaning::myocardium && what != Meaning::oedema) continue;
    if (to_cavity.squared[v] > thickest_wall * thickest_wall || to_cavity.squared[v] > to_ventricle.squared[v])
      continue;
    out.labels.values[v] = scar ? infarct : muscle;
    out.has_wall = true;
  }
  warn_at_edges(out.labels, monitor);
  out.contact = contact_of(g, cavity, to_ventricle);
  return out;
}

}  // namespace cardiotwin::meshes
