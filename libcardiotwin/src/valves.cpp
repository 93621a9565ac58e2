#include <Eigen/Geometry>
#include <algorithm>
#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/valves.hpp>
#include <map>
#include <utility>

namespace cardiotwin {
namespace {

constexpr double smallest_loop = 0.2;  // of the perimeters of all loops of one endocardium

struct Edge {
  Index from, to;
};

// Edges between a face of `tag` and one of the base, in the direction in which the base's face runs through them:
// seen from outside the blood then lies to their right, so loops come out clockwise and are turned round later.
std::vector<Edge> edges_between(const Anatomy& anatomy, Surface tag) {
  std::map<std::pair<Index, Index>, Surface> inner;
  for (const auto& face : anatomy.surface) {
    if (face.tag != tag) continue;
    for (int k = 0; k < 3; ++k) inner[{face.nodes[k], face.nodes[(k + 1) % 3]}] = tag;
  }
  std::vector<Edge> edges;
  for (const auto& face : anatomy.surface) {
    if (face.tag != Surface::base) continue;
    for (int k = 0; k < 3; ++k) {
      const Index a = face.nodes[k], b = face.nodes[(k + 1) % 3];
      if (inner.contains({b, a})) edges.push_back({a, b});
    }
  }
  return edges;
}

// Edges in order, each loop once. Where lines touch in a node the loop that closes first is cut off.
std::vector<std::vector<Index>> loops_of(const std::vector<Edge>& edges) {
  std::map<Index, std::vector<Index>> next;
  for (const auto& edge : edges) next[edge.from].push_back(edge.to);
  for (auto& [node, to] : next) std::sort(to.rbegin(), to.rend());
  std::vector<std::vector<Index>> loops;
  for (auto& [start, unused] : next) {
    while (!unused.empty()) {
      std::vector<Index> way{start};
      std::map<Index, std::size_t> at{{start, 0}};
      for (auto found = next.find(start); found != next.end() && !found->second.empty();
           found = next.find(way.back())) {
        const Index to = found->second.back();
        found->second.pop_back();
        if (const auto seen = at.find(to); seen != at.end()) {
          const std::size_t first = seen->second;
          loops.emplace_back(way.begin() + static_cast<std::ptrdiff_t>(first), way.end());
          for (std::size_t i = first + 1; i < way.size(); ++i) at.erase(way[i]);
          way.resize(first + 1);
        } else {
          at[to] = way.size();
          way.push_back(to);
        }
      }
    }
  }
  return loops;
}

// The line follows edges of faces and so runs in a zigzag; taken out without shrinking the ring (Taubin 1995,
// doi 10.1145/218380.218473).
std::vector<Vec3> smooth_line(std::span<const Vec3> points, const std::vector<Index>& loop) {
  std::vector<Vec3> line;
  for (const Index node : loop) line.push_back(points[node]);
  constexpr double in = 0.5, out = -0.53;
  for (int pass = 0; pass < 20; ++pass) {
    const auto before = line;
    const std::size_t n = line.size();
    for (std::size_t i = 0; i < n; ++i) {
      const Vec3 mean = (before[(i + n - 1) % n] + before[(i + 1) % n]) / 2;
      line[i] = before[i] + (pass % 2 == 0 ? in : out) * (mean - before[i]);
    }
  }
  return line;
}

ValveRing ring_of(std::span<const Vec3> points, std::vector<Index> loop, Surface tag) {
  std::reverse(loop.begin(), loop.end());
  ValveRing ring{.name = {}, .endocardium = tag, .centre = Vec3::Zero(), .normal = Vec3::Zero(), .nodes = {}};
  const auto line = smooth_line(points, loop);
  const std::size_t n = line.size();
  Vec3 middle = Vec3::Zero(), area = Vec3::Zero(), moment = Vec3::Zero();
  for (const Vec3& p : line) middle += p / static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) {
    const Vec3 a = line[i], b = line[(i + 1) % n];
    ring.perimeter += (b - a).norm();
    area += (a - middle).cross(b - middle) / 2;
  }
  ring.area = area.norm(), ring.normal = area.normalized();
  for (std::size_t i = 0; i < n; ++i) {
    const Vec3 a = line[i], b = line[(i + 1) % n];
    moment += ring.normal.dot((a - middle).cross(b - middle)) / 2 * (a + b + middle) / 3;
  }
  ring.centre = moment / std::max(ring.area, 1e-12);
  ring.nodes = std::move(loop);
  return ring;
}

std::vector<ValveRing> rings_of(const Anatomy& anatomy, Surface tag) {
  std::vector<ValveRing> rings;
  double whole = 0;
  for (auto& loop : loops_of(edges_between(anatomy, tag))) {
    if (loop.size() < 3) continue;
    rings.push_back(ring_of(anatomy.mesh.points(), std::move(loop), tag));
    whole += rings.back().perimeter;
  }
  std::erase_if(rings, [&](const ValveRing& r) { return r.perimeter < smallest_loop * whole || !(r.area > 0); });
  std::stable_sort(rings.begin(), rings.end(),
                   [](const ValveRing& a, const ValveRing& b) { return a.perimeter > b.perimeter; });
  return rings;
}

// Of two the one farther `towards` gets the second name; without a direction the smaller one.
void name(std::vector<ValveRing>& rings, const char* both, const char* first, const char* second, const Vec3& towards) {
  if (rings.size() == 1) rings[0].name = both;
  if (rings.size() < 2) return;
  const bool turned = towards.norm() > 0.5 && (rings[0].centre - rings[1].centre).dot(towards) > 0;
  rings[turned ? 1 : 0].name = first, rings[turned ? 0 : 1].name = second;
  for (std::size_t i = 2; i < rings.size(); ++i) rings[i].name = "unknown";
}

}  // namespace

std::vector<ValveRing> valve_rings(const Anatomy& anatomy) {
  const auto has = [&](Surface tag) {
    return std::any_of(anatomy.surface.begin(), anatomy.surface.end(), [&](const auto& f) { return f.tag == tag; });
  };
  if (!has(Surface::endo) || !has(Surface::base))
    throw InputError("Valve rings: no face is tagged as endocardium, or none as base; tag the surface first");
  auto rings = rings_of(anatomy, Surface::endo), right = rings_of(anatomy, Surface::endo_rv);
  const Vec3 axis = anatomy.base_centre - anatomy.apex, septal = anatomy.septum;
  const Vec3 anterior = axis.norm() > 1 ? Vec3(axis.normalized().cross(septal)) : Vec3::Zero();
  name(rings, "mitral_aortic", "mitral", "aortic", axis.norm() > 1 ? septal : Vec3::Zero());
  name(right, "tricuspid_pulmonary", "tricuspid", "pulmonary", anterior);
  rings.insert(rings.end(), std::make_move_iterator(right.begin()), std::make_move_iterator(right.end()));
  return rings;
}

}  // namespace cardiotwin
