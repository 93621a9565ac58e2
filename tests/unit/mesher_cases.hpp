#pragma once
/// Shapes to be meshed, and what may be wrong with a mesh.

#include <algorithm>
#include <cardiotwin/meshes/mesher.hpp>
#include <cardiotwin/random.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace cardiotwin::tests {

using namespace cardiotwin::meshes;

using Shape = std::function<double(const Vec3&)>;

/// A cube of n^3 voxels centred a fraction of a voxel off the origin, so that nothing falls on lattice planes.
inline Grid cube(int n, double spacing) {
  Grid grid;
  grid.size = {n, n, n};
  grid.spacing = Vec3::Constant(spacing);
  grid.origin = Vec3::Constant(-0.5 * spacing * (n - 1)) + Vec3(0.13, 0.21, 0.37);
  return grid;
}

template <class T, class F>
Volume<T> fill(const Grid& grid, const F& value) {
  Volume<T> volume{grid, std::vector<T>(grid.count())};
  for (int k = 0; k < grid.size[2]; ++k) {
    for (int j = 0; j < grid.size[1]; ++j) {
      for (int i = 0; i < grid.size[0]; ++i) {
        volume.values[grid.offset(i, j, k)] = static_cast<T>(value(grid.position(Vec3(i, j, k))));
      }
    }
  }
  return volume;
}

inline Labels ones(const Grid& grid) {
  return fill<std::uint8_t>(grid, [](const Vec3&) { return 1; });
}

inline Shape ball(double radius, const Vec3& centre = Vec3::Zero()) {
  return [=](const Vec3& p) { return radius - (p - centre).norm(); };
}

/// About the signed distance to an ellipsoid of revolution; exact on it.
inline double ellipsoid(const Vec3& p, double across, double along) {
  const Vec3 scaled(p[0] / across, p[1] / across, p[2] / along);
  const Vec3 slope(scaled[0] / across, scaled[1] / across, scaled[2] / along);
  return -scaled.norm() * (scaled.norm() - 1) / std::max(slope.norm(), 1e-6);
}

/// Ventricle at a third of life size: a truncated shell of wall 5 mm.
inline double ventricle(const Vec3& p) {
  const Vec3 q = p - Vec3(0, 0, 10);
  return std::min({ellipsoid(q, 14, 26), -ellipsoid(q, 9, 21), 3 - q[2]});
}

inline double volume_of(const std::function<bool(const Vec3&)>& inside, double half) {
  const double step = 0.25;
  std::size_t hits = 0;
  for (double z = -half; z < half; z += step) {
    for (double y = -half; y < half; y += step) {
      for (double x = -half; x < half; x += step) hits += inside(Vec3(x + 0.011, y + 0.037, z + 0.053));
    }
  }
  return double(hits) * step * step * step;
}

/// Volume of {image > 0}, trilinear between voxels 1 mm apart.
inline double volume_of(const Image& image) {
  constexpr int fine = 6;
  double sum = 0;
  for (int k = 0; k + 1 < image.grid.size[2]; ++k) {
    for (int j = 0; j + 1 < image.grid.size[1]; ++j) {
      for (int i = 0; i + 1 < image.grid.size[0]; ++i) {
        std::array<float, 8> v{};
        for (int c = 0; c < 8; ++c) v[c] = image.values[image.grid.offset(i + c % 2, j + c / 2 % 2, k + c / 4)];
        const auto [low, high] = std::ranges::minmax(v);
        if (low > 0 || high <= 0) {
          sum += low > 0;
          continue;
        }
        int hits = 0;
        for (int s = 0; s < fine * fine * fine; ++s) {
          const double x = (s % fine + 0.5) / fine, y = (s / fine % fine + 0.5) / fine,
                       z = (s / (fine * fine) + 0.5) / fine;
          hits += std::lerp(std::lerp(std::lerp(v[0], v[1], x), std::lerp(v[2], v[3], x), y),
                            std::lerp(std::lerp(v[4], v[5], x), std::lerp(v[6], v[7], x), y), z) > 0;
        }
        sum += double(hits) / (fine * fine * fine);
      }
    }
  }
  return sum;
}

inline double label_volume(const Mesh& mesh, Label label) {
  double sum = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) sum += mesh.labels()[t] == label ? mesh.volume(t) : 0;
  return sum;
}

inline std::array<Triangle, 4> sorted_faces(const Tet& tet) {
  std::array<Triangle, 4> faces;
  for (int skip = 0; skip < 4; ++skip) {
    for (int c = 0, m = 0; c < 4; ++c) {
      if (c != skip) faces[skip][m++] = tet[c];
    }
    std::ranges::sort(faces[skip]);
  }
  return faces;
}

/// What is wrong with the connections of a mesh; all zero for a manifold whose boundary is closed.
struct Faults {
  std::size_t crowded_faces = 0;  ///< in three or more tets
  std::size_t open_edges = 0;     ///< boundary edges not in exactly two boundary faces
  std::size_t pinched_nodes = 0;  ///< boundary nodes whose boundary faces form more than one fan
  long euler = 0;                 ///< of the boundary: 2 per sphere
  bool none() const { return crowded_faces + open_edges + pinched_nodes == 0; }
};

inline Faults faults(const Mesh& mesh) {
  Faults result;
  std::vector<Triangle> all;
  for (const Tet& t : mesh.tets()) {
    for (const Triangle& f : sorted_faces(t)) all.push_back(f);
  }
  std::ranges::sort(all);
  for (std::size_t i = 0; i + 2 < all.size(); ++i) result.crowded_faces += all[i] == all[i + 2];

  const auto boundary = boundary_faces(mesh);
  std::map<std::pair<Index, Index>, int> edge;
  std::map<Index, std::map<Index, Index>> fan;  // node -> (next node -> the one after, around it)
  std::map<Index, int> faces;
  for (const auto& face : boundary) {
    for (int c = 0; c < 3; ++c) {
      const Index a = face.nodes[c], b = face.nodes[(c + 1) % 3], d = face.nodes[(c + 2) % 3];
      ++edge[std::minmax(a, b)];
      fan[a][b] = d;
      ++faces[a];
    }
  }
  for (const auto& [_, count] : edge) result.open_edges += count != 2;
  for (const auto& [node, next] : fan) {
    const Index first = next.begin()->first;
    Index at = first;
    int steps = 0;
    do {
      const auto step = next.find(at);
      if (step == next.end()) break;
      at = step->second;
      ++steps;
    } while (at != first && steps <= faces[node]);
    result.pinched_nodes += steps != faces[node];
  }
  result.euler = long(fan.size()) - long(edge.size()) + long(boundary.size());
  return result;
}

/// Collects warnings.
struct Ear {
  std::vector<std::string> warnings;
  Monitor monitor;
  Ear() {
    monitor.warning = [this](std::string_view text) { warnings.emplace_back(text); };
  }
};

inline Image blobs(std::uint64_t seed, int n) {
  Random random(seed);
  struct Blob {
    Vec3 centre;
    double width, sign;
  };
  const Grid grid = cube(n, 1.0);
  std::vector<Blob> all;
  for (int b = 0; b < 12; ++b) {
    Vec3 c;
    for (int d = 0; d < 3; ++d) c[d] = random.uniform(-0.25, 0.25) * n;
    const double width = random.uniform(0.08, 0.18) * n;
    all.push_back({c, width, random.uniform() < 0.75 ? 1.0 : -1.0});
  }
  return fill<float>(grid, [&](const Vec3& p) {
    double value = -0.4;
    for (const Blob& b : all) value += b.sign * std::exp(-(p - b.centre).squaredNorm() / (2 * b.width * b.width));
    return std::min(5 * value, 0.5 * n - 2 - p.cwiseAbs().maxCoeff());  // keeps clear of the edge of the image
  });
}

/// Wedge of the ventricle, with a plane across for its lower end.
inline int wedge(const Vec3& p) {
  if (ventricle(p) < -1) return 0;
  return std::abs(std::atan2(p[1], p[0])) < 0.8 && p[2] > -2 ? 3 : 1;
}

}  // namespace cardiotwin::tests
