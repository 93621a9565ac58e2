#include "active.hpp"

#include <fmt/core.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <tuple>

namespace cardiotwin {

// Skilling 2004 (doi 10.1063/1.1751381): transposed Hilbert index by Gray decoding of the coordinates' bits.
std::uint64_t hilbert_key(const Vec3& point, const Vec3& low, double per_side) {
  constexpr int bits = 16;
  std::array<std::uint32_t, 3> x;
  for (int k = 0; k < 3; ++k)
    x[k] = static_cast<std::uint32_t>(std::clamp((point[k] - low[k]) * per_side, 0.0, 1.0) * 65535.0);
  for (std::uint32_t q = 1u << (bits - 1); q > 1; q >>= 1) {
    const std::uint32_t p = q - 1;
    for (int k = 0; k < 3; ++k) {
      if (x[k] & q) {
        x[0] ^= p;
      } else {
        const std::uint32_t swap = (x[0] ^ x[k]) & p;
        x[0] ^= swap, x[k] ^= swap;
      }
    }
  }
  x[1] ^= x[0], x[2] ^= x[1];
  std::uint32_t flip = 0;
  for (std::uint32_t q = 1u << (bits - 1); q > 1; q >>= 1)
    if (x[2] & q) flip ^= q - 1;
  for (auto& value : x) value ^= flip;
  std::uint64_t key = 0;
  for (int bit = bits - 1; bit >= 0; --bit)
    for (int k = 0; k < 3; ++k) key = (key << 1) | ((x[k] >> bit) & 1u);
  return key;
}

namespace {

// Index into region_names per label, -1 for a label that does not conduct or does not occur.
std::array<int, 256> conducting_regions(const Twin& twin, ActivePart& part) {
  std::array<bool, 256> occurs{};
  for (const Label label : twin.anatomy.mesh.labels()) occurs[label] = true;
  std::array<int, 256> index;
  index.fill(-1);
  for (int label = 0; label < 256; ++label) {
    if (!occurs[label]) continue;
    const auto name = twin.anatomy.regions.find(static_cast<Label>(label));
    if (name == twin.anatomy.regions.end())
      throw InputError(fmt::format("Simulation: the mesh has label {}, which no region names", label));
    if (!twin.tissue[name->second].conducts) continue;
    index[label] = static_cast<int>(part.region_names.size());
    part.region_names.push_back(name->second);
  }
  return index;
}

// Region of each mesh node by the volume of its conducting tets; -1 where there are none. Equal shares go to the lower
// label.
std::vector<int> node_regions(const Mesh& mesh, const ActivePart& part) {
  const std::size_t kinds = part.region_names.size();
  std::vector<float> share(mesh.node_count() * kinds, 0.0f);
  std::vector<int> region(mesh.node_count(), -1);
  for (std::size_t k = 0; k < part.mesh_tet.size(); ++k) {
    const auto volume = static_cast<float>(mesh.volume(part.mesh_tet[k]));
    for (const Index node : mesh.tets()[part.mesh_tet[k]]) share[node * kinds + part.tet_region[k]] += volume;
  }
  for (std::size_t i = 0; i < region.size(); ++i) {
    float most = 0;
    // A margin of round-off keeps ties from depending on the order of summation.
    for (std::size_t r = 0; r < kinds; ++r)
      if (share[i * kinds + r] > most * 1.0001f) most = share[i * kinds + r], region[i] = static_cast<int>(r);
  }
  return region;
}

void number_nodes(const Mesh& mesh, const std::vector<int>& region, ActivePart& part) {
  const auto points = mesh.points();
  Vec3 low = points[0], high = points[0];
  for (const Vec3& p : points) low = low.cwiseMin(p), high = high.cwiseMax(p);
  const double per_side = 1.0 / std::max(1e-12, (high - low).maxCoeff());
  struct Entry {
    std::uint64_t key;  // region above the curve's 48 bits
    Index node;
  };
  std::vector<Entry> order;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (region[i] >= 0)
      order.push_back({(static_cast<std::uint64_t>(region[i]) << 48) | hilbert_key(points[i], low, per_side),
                       static_cast<Index>(i)});
  std::sort(order.begin(), order.end(), [&](const Entry& a, const Entry& b) {
    if (a.key != b.key) return a.key < b.key;
    const Vec3 &p = points[a.node], &q = points[b.node];
    return std::tie(p.x(), p.y(), p.z(), a.node) < std::tie(q.x(), q.y(), q.z(), b.node);
  });
  part.engine_node.assign(points.size(), -1);
  for (const Entry& entry : order) {
    part.engine_node[entry.node] = static_cast<Index>(part.mesh_node.size());
    part.mesh_node.push_back(entry.node);
    part.points.push_back(points[entry.node]);
    part.region.push_back(static_cast<std::uint8_t>(entry.key >> 48));
  }
}

// Corners ascending but for the last two, which are swapped where the volume asks for it; tets by their corners.
void number_tets(const Mesh& mesh, ActivePart& part) {
  struct Entry {
    Tet sorted;
    Index tet;
    std::uint8_t region;
  };
  std::vector<Index> start(part.points.size() + 1, 0);
  std::vector<Entry> entries(part.mesh_tet.size());
  for (std::size_t k = 0; k < part.mesh_tet.size(); ++k) {
    Tet tet = mesh.tets()[part.mesh_tet[k]];
    for (Index& node : tet) node = part.engine_node[node];
    std::sort(tet.begin(), tet.end());
    ++start[tet[0] + 1];
    entries[k] = {tet, part.mesh_tet[k], part.tet_region[k]};
  }
  for (std::size_t i = 0; i + 1 < start.size(); ++i) start[i + 1] += start[i];
  std::vector<Entry> sorted(entries.size());
  auto fill = start;
  for (const Entry& entry : entries) sorted[fill[entry.sorted[0]]++] = entry;
  entries.clear();
  entries.shrink_to_fit();
  for (std::size_t i = 0; i + 1 < start.size(); ++i)
    std::sort(sorted.begin() + start[i], sorted.begin() + start[i + 1],
              [](const Entry& a, const Entry& b) { return a.sorted < b.sorted; });
  part.tets.resize(sorted.size());
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    Tet tet = sorted[k].sorted;
    const auto& p = part.points;
    if ((p[tet[1]] - p[tet[0]]).dot((p[tet[2]] - p[tet[0]]).cross(p[tet[3]] - p[tet[0]])) < 0)
      std::swap(tet[2], tet[3]);
    part.tets[k] = tet;
    part.mesh_tet[k] = sorted[k].tet;
    part.tet_region[k] = sorted[k].region;
  }
}

}  // namespace

ActivePart active_part(const Twin& twin) {
  const Mesh& mesh = twin.anatomy.mesh;
  ActivePart part;
  const auto region_of_label = conducting_regions(twin, part);
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const int region = region_of_label[mesh.labels()[t]];
    if (region < 0) continue;
    part.mesh_tet.push_back(static_cast<Index>(t));
    part.tet_region.push_back(static_cast<std::uint8_t>(region));
  }
  if (part.mesh_tet.empty()) throw InputError("Simulation: no tet conducts; every region is dead tissue");
  number_nodes(mesh, node_regions(mesh, part), part);
  number_tets(mesh, part);
  for (const Index t : part.mesh_tet) part.fiber.push_back(twin.anatomy.fibers.f[t]);
  return part;
}

}  // namespace cardiotwin
