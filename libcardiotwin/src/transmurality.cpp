#include <algorithm>
#include <cardiotwin/transmurality.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <queue>
#include <unordered_map>

namespace cardiotwin {
namespace {

constexpr std::size_t layers = 8, layers_needed = 6;

struct Column {
  std::array<double, layers> volume{}, scar{};
  std::array<double, 18> in_segment{};

  double total() const {
    double sum = 0;
    for (const double v : volume) sum += v;
    return sum;
  }
  std::size_t filled() const {
    return std::size_t(std::ranges::count_if(volume, [](double v) { return v > 0; }));
  }
  double share() const {
    double sum = 0;
    for (std::size_t l = 0; l < layers; ++l) sum += volume[l] > 0 ? scar[l] / volume[l] : 0;
    return sum / double(filled());
  }
  std::size_t segment() const {
    return std::size_t(std::max_element(in_segment.begin(), in_segment.end()) - in_segment.begin());
  }
};

// For each node the endocardial node nearest to it along the mesh's edges; -1 where none can be reached.
std::vector<Index> foot_of(const Mesh& mesh, const std::vector<Index>& endo) {
  const Adjacency edges = node_adjacency(mesh);
  const auto points = mesh.points();
  std::vector<double> length(mesh.node_count(), std::numeric_limits<double>::infinity());
  std::vector<Index> foot(mesh.node_count(), -1);
  using Entry = std::pair<double, Index>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> front;
  for (const Index node : endo) length[node] = 0, foot[node] = node, front.emplace(0, node);
  while (!front.empty()) {
    const auto [here, node] = front.top();
    front.pop();
    if (here > length[node]) continue;
    for (const Index next : edges.of(std::size_t(node))) {
      const double there = here + (points[next] - points[node]).norm();
      if (there >= length[next]) continue;
      length[next] = there, foot[next] = foot[node];
      front.emplace(there, next);
    }
  }
  return foot;
}

}  // namespace

std::array<Transmurality, 18> transmurality(std::span<const WallPiece> pieces) {
  std::map<std::uint32_t, Column> columns;
  for (const auto& piece : pieces) {
    Column& column = columns[piece.column];
    const auto layer = std::size_t(std::clamp(piece.depth * layers, 0.0, layers - 1.0));
    column.volume[layer] += piece.volume, column.scar[layer] += piece.scar * piece.volume;
    column.in_segment[piece.segment <= 17 ? piece.segment : 0] += piece.volume;
  }
  std::array<Transmurality, 18> found;
  std::array<double, 18> weight{};
  for (const auto& [number, column] : columns) {
    const double share = column.share(), total = column.total();
    const auto add = [&](std::size_t segment) {
      found[segment].mean += share * total, weight[segment] += total, ++found[segment].columns;
      if (column.filled() >= layers_needed) found[segment].max = std::max(found[segment].max, share);
    };
    add(0);
    if (const auto segment = column.segment()) add(segment);
  }
  for (std::size_t s = 0; s < found.size(); ++s) {
    if (weight[s] > 0) found[s].mean /= weight[s];
  }
  return found;
}

std::vector<std::uint32_t> patches_of(std::span<const Vec3> points, double patch) {
  // Centres lie in cubes as wide as a patch, so that only the 27 around a point have to be asked.
  const auto key = [&](const Vec3& p, int i, int j, int k) {
    const auto cell = [&](int axis, int step) { return std::int64_t(std::floor(p[axis] / patch)) + step + (1 << 20); };
    return (cell(0, i) << 42) ^ (cell(1, j) << 21) ^ cell(2, k);
  };
  std::unordered_map<std::int64_t, std::vector<std::uint32_t>> cells;
  std::vector<Vec3> centres;
  const auto nearest = [&](const Vec3& p) {
    std::pair<double, std::uint32_t> best{std::numeric_limits<double>::infinity(), 0};
    for (int n = 0; n < 27; ++n) {
      const auto found = cells.find(key(p, n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1));
      if (found == cells.end()) continue;
      for (const auto c : found->second) best = std::min(best, {(p - centres[c]).norm(), c});
    }
    return best;
  };
  for (const Vec3& p : points) {
    if (nearest(p).first <= patch) continue;
    cells[key(p, 0, 0, 0)].push_back(std::uint32_t(centres.size()));
    centres.push_back(p);
  }
  std::vector<std::uint32_t> of;
  of.reserve(points.size());
  for (const Vec3& p : points) of.push_back(nearest(p).second);
  return of;
}

std::array<Transmurality, 18> transmurality(const Anatomy& anatomy, double patch) {
  const Mesh& mesh = anatomy.mesh;
  std::vector<Index> endo;
  for (const auto& face : anatomy.surface) {
    if (face.tag == Surface::endo) endo.insert(endo.end(), face.nodes.begin(), face.nodes.end());
  }
  if (endo.empty() || anatomy.depth.empty() || anatomy.aha.empty()) return {};
  std::sort(endo.begin(), endo.end());
  endo.erase(std::unique(endo.begin(), endo.end()), endo.end());
  std::vector<Vec3> places;
  for (const Index node : endo) places.push_back(mesh.points()[node]);
  const auto patches = patches_of(places, patch);
  const auto foot = foot_of(mesh, endo);
  std::vector<WallPiece> pieces;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const Tet& tet = mesh.tets()[t];
    if (anatomy.aha[t] == 0 || foot[tet[0]] < 0) continue;
    double depth = 0;
    for (const Index node : tet) depth += anatomy.depth[node] / 4;
    const auto at = std::lower_bound(endo.begin(), endo.end(), foot[tet[0]]) - endo.begin();
    const Label label = mesh.labels()[t];
    const bool scar = label == region::core || label == region::border_zone || label == region::channel;
    pieces.push_back({patches[std::size_t(at)], depth, mesh.volume(t), scar ? 1.0 : 0.0, anatomy.aha[t]});
  }
  return transmurality(pieces);
}

}  // namespace cardiotwin
