#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <numbers>

#include "atrium.hpp"
#include "atrium_parts.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr double smallest_atrium = 8;  // [mm] inner radius
constexpr double lobe_parts = 8;       // [mm] from the body: what parts later from the appendage is a lobe of it

// The cavity alone, fine enough that steps of voxels hide neither a cut nor a vein.
Labels coarse_cavity(const Labels& labels) {
  Labels cavity = labels;
  for (auto& v : cavity.values) v = v == lv_cavity ? lv_cavity : background;
  return interpolate_slices(cavity, 0.8, 3);
}

// Where the section along the part's direction begins to end: sections thinner than most of the next inward are the
// rounding of the end, or what an oblique cut left.
Opening end_of(const Grid& g, const Protrusion& part, const std::vector<Vec3>& points) {
  const double slab = 1.5 * g.spacing.x();
  double far = 0;
  for (const Vec3& p : points) far = std::max(far, (p - part.base).dot(part.direction));
  const int slabs = std::max(1, int(far / slab) + 1);
  std::vector<double> area(std::size_t(slabs), 0.0);
  const auto slab_of = [&](const Vec3& p) { return int(std::floor((p - part.base).dot(part.direction) / slab)); };
  for (const Vec3& p : points)
    if (const int s = slab_of(p); s >= 0) area[std::size_t(std::min(s, slabs - 1))] += g.spacing.prod() / slab;
  constexpr double full = 0.88;
  int end = slabs - 1;
  while (end > 2 && area[std::size_t(end)] < full * area[std::size_t(end - 2)]) --end;
  Opening opening{.name = "", .plane = {Vec3::Zero(), part.direction}, .radius = 0, .part = 0};
  double count = 0;
  for (const Vec3& p : points)
    if (slab_of(p) == end) opening.plane.centre += p, ++count;
  opening.plane.centre = count > 0 ? Vec3(opening.plane.centre / count) : part.tip;
  // Half a voxel inside the slab's outer side.
  const double height = (end + 1) * slab - 0.5 * g.spacing.x();
  opening.plane.centre += (height - (opening.plane.centre - part.base).dot(part.direction)) * part.direction;
  opening.radius = std::sqrt(area[std::size_t(end)] / std::numbers::pi);
  return opening;
}

// The protrusion that leaves nearest to the valve, where its tip lies before the others'; -1 else.
int appendage_of(const std::vector<Protrusion>& parts, const Vec3& valve, const Vec3& centre) {
  constexpr double before = 5;  // [mm]
  int best = -1;
  double nearest = INFINITY, others = 0;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (const double distance = (parts[k].base - valve).norm(); distance < nearest) nearest = distance, best = int(k);
  }
  for (std::size_t k = 0; k < parts.size(); ++k)
    if (int(k) != best) others += parts[k].tip.y() / double(parts.size() - 1);
  if (parts.size() == 1) others = centre.y();
  return best >= 0 && parts[std::size_t(best)].tip.y() < others - before ? best : -1;
}

// "lspv", "lipv"; of a single one on its side "lcpv" (common), of three the middle one "lmpv".
std::string vein_name(bool left, std::size_t rank, std::size_t count) {
  const char* side = left ? "l" : "r";
  if (count == 1) return fmt::format("{}cpv", side);
  if (rank == 0) return fmt::format("{}spv", side);
  if (rank + 1 == count) return fmt::format("{}ipv", side);
  return count == 3 ? fmt::format("{}mpv", side) : fmt::format("{}mpv{}", side, rank);
}

void name_veins(std::vector<Opening>& veins, const Vec3& centre) {
  for (const bool left : {true, false}) {
    std::vector<Opening*> side;
    for (auto& v : veins)
      if ((v.plane.centre.x() > centre.x()) == left) side.push_back(&v);
    std::stable_sort(side.begin(), side.end(),
                     [](const Opening* a, const Opening* b) { return a->plane.centre.z() > b->plane.centre.z(); });
    for (std::size_t r = 0; r < side.size(); ++r) side[r]->name = vein_name(left, r, side.size());
  }
  std::stable_sort(veins.begin(), veins.end(), [](const Opening& a, const Opening& b) { return a.name < b.name; });
}

void judge_veins(const AtrialShape& shape, const Monitor& monitor) {
  std::string names;
  std::size_t left = 0;
  for (std::size_t k = 1; k < shape.openings.size(); ++k) {
    names += (k > 1 ? ", " : "") + shape.openings[k].name;
    left += shape.openings[k].name[0] == 'l';
  }
  const std::size_t count = shape.openings.size() - 1;
  monitor.tell(fmt::format("left atrium: {} found{}{}{}",
                           count == 1 ? "1 pulmonary vein" : fmt::format("{} pulmonary veins", count),
                           count > 0 ? " (" : "", names, count > 0 ? ")" : ""));
  if (left == 0 || left == count) {
    monitor.warn(
        fmt::format("left atrium: no pulmonary vein was found on the {}{}; fibres there follow the body's ends "
                    "instead; label the veins at least 5 mm beyond the body",
                    left == 0 ? "left" : "right", count == 0 ? " nor on the right" : ""));
  } else if (count < 3 || count > 5) {
    monitor.warn(fmt::format("left atrium: {} pulmonary veins are unusual; look at the labels near {}", count, names));
  }
  if (!shape.appendage_tip)
    monitor.warn("left atrium: no appendage could be told from the veins; its end is not marked and none is paced");
}

}  // namespace

int AtrialShape::part_at(const Vec3& p) const {
  const auto [i, j, k] = nearest_voxel(parts.grid, p);
  const auto inside = [&](int at, int axis) { return std::clamp(at, 0, parts.grid.size[axis] - 1); };
  return parts.values[parts.grid.offset(inside(i, 0), inside(j, 1), inside(k, 2))];
}

bool AtrialShape::is_cut(const Vec3& p, double wall) const {
  const int part = part_at(p);
  for (const Opening& o : openings) {
    const double height = o.plane.height(p);
    if (o.part != part || height <= 0) continue;
    // The body may bulge beyond the plane of the valve, to the side of it.
    if (part > 0 || (p - o.plane.centre - height * o.plane.normal).norm() < 1.3 * o.radius + wall + 3) return true;
  }
  return false;
}

AtrialShape atrial_shape(const AtrialLabels& labels, const std::optional<Vec3>& mitral, const Monitor& monitor) {
  const Labels cavity = coarse_cavity(labels.labels);
  Protrusions found = protrusions_of(cavity, smallest_atrium);
  monitor.poll();
  AtrialShape shape{.parts = {}, .openings = {}, .ostia = {}, .appendage_tip = {}, .centre = found.centre};
  shape.openings.push_back(mitral_of(cavity, found, labels.contact, mitral, shape.mitral_source, monitor));
  const int appendage = appendage_of(found.parts, shape.openings.front().plane.centre, shape.centre);
  std::vector<Opening> veins;
  for (std::size_t k = 0; k < found.parts.size(); ++k) {
    const Protrusion& part = found.parts[k];
    const bool lobe =
        appendage >= 0 && part.family == found.parts[std::size_t(appendage)].family && part.parting >= lobe_parts;
    if (int(k) == appendage || lobe) continue;
    std::vector<Vec3> points;
    for_each_voxel(cavity.grid, [&](int i, int j, int l, std::size_t v) {
      if (found.of[v] == int(k) + 1) points.push_back(cavity.grid.position(Vec3(i, j, l)));
    });
    veins.push_back(end_of(cavity.grid, part, points));
    veins.back().part = int(k) + 1;
  }
  name_veins(veins, shape.centre);
  for (auto& vein : veins) shape.ostia.emplace_back(vein.name, found.parts[std::size_t(vein.part) - 1].base);
  if (appendage >= 0) {
    const Protrusion& part = found.parts[std::size_t(appendage)];
    shape.appendage_tip = part.tip;
    shape.ostia.emplace_back("laa", part.base);
  }
  std::move(veins.begin(), veins.end(), std::back_inserter(shape.openings));
  judge_veins(shape, monitor);

  Mask inside(cavity.values.size());
  for (std::size_t v = 0; v < inside.size(); ++v) inside[v] = cavity.values[v] == lv_cavity;
  const auto nearest = nearest_of(cavity.grid, inside);
  shape.parts = {cavity.grid, std::vector<std::uint8_t>(inside.size())};
  for (std::size_t v = 0; v < inside.size(); ++v)
    shape.parts.values[v] = std::uint8_t(found.of[std::size_t(nearest.voxel[v])]);
  return shape;
}

}  // namespace cardiotwin::meshes
