#include "mesher_octree.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cardiotwin::meshes::stuffing {
namespace {

using Place = Octree::Place;
constexpr int brick = 4;  // roots along the edge of a brick

Place child_place(const Place& parent, int m) {
  return {2 * parent[0] + (m & 1), 2 * parent[1] + (m >> 1 & 1), 2 * parent[2] + (m >> 2 & 1)};
}

template <class Body>
void for_box(const Place& low, const Place& high, const Body& body) {
  for (int k = low[2]; k < high[2]; ++k) {
    for (int j = low[1]; j < high[1]; ++j) {
      for (int i = low[0]; i < high[0]; ++i) body(Place{i, j, k});
    }
  }
}

}  // namespace

Octree::Octree(const Image& inside, double cell, int levels, const std::function<double(const Vec3&)>& cell_wanted)
    : cell_(cell), levels_(levels) {
  place_roots(inside);
  for (Index o = 0; o < static_cast<Index>(octants_.size()); ++o) {  // grows meanwhile
    if (octants_[o].level == levels_) continue;
    const Place at = octants_[o].at;
    const double size = std::ldexp(cell_, levels_ - octants_[o].level);
    double least = cell_wanted(size * Vec3(at[0] + 0.5, at[1] + 0.5, at[2] + 0.5));
    for (int m = 0; m < 8; ++m) {
      least = std::min(least, cell_wanted(size * Vec3(at[0] + (m & 1), at[1] + (m >> 1 & 1), at[2] + (m >> 2))));
    }
    if (size > std::numbers::sqrt2 * least) refine(o);
  }
  balance();
  for_box({0, 0, 0}, {(size_[0] + brick - 1) / brick, (size_[1] + brick - 1) / brick, (size_[2] + brick - 1) / brick},
          [&](const Place& b) {
            Place from, to;
            for (int d = 0; d < 3; ++d) from[d] = brick * b[d], to[d] = std::min(from[d] + brick, size_[d]);
            for_box(from, to, [&](const Place& p) {
              const Index root = roots_[(std::size_t(p[2]) * size_[1] + p[1]) * size_[0] + p[0]];
              if (root >= 0) collect(root);
            });
          });
}

Index Octree::find(const Place& at, int level) const {
  Place root;
  for (int d = 0; d < 3; ++d) {
    root[d] = (at[d] >> level) - low_[d];
    if (root[d] < 0 || root[d] >= size_[d]) return -1;
  }
  Index o = roots_[(std::size_t(root[2]) * size_[1] + root[1]) * size_[0] + root[0]];
  for (int l = level - 1; l >= 0 && o >= 0 && octants_[o].child >= 0; --l) {
    o = octants_[o].child + (at[0] >> l & 1) + 2 * (at[1] >> l & 1) + 4 * (at[2] >> l & 1);
  }
  return o;
}

/// Roots within two of a voxel inside, and of what trilinear sampling adds to it.
void Octree::place_roots(const Image& inside) {
  const double size = std::ldexp(cell_, levels_);
  const auto& n = inside.grid.size;
  const int reach = 2 + static_cast<int>(std::ceil(inside.grid.spacing.maxCoeff() / size));
  for (int d = 0; d < 3; ++d) {
    low_[d] = -reach;
    size_[d] = static_cast<int>(std::floor((n[d] - 1) * inside.grid.spacing[d] / size)) + 1 + 2 * reach;
  }
  std::vector<std::uint8_t> near(std::size_t(size_[0]) * size_[1] * size_[2], 0), wider;
  const auto offset = [&](const Place& p) { return (std::size_t(p[2]) * size_[1] + p[1]) * size_[0] + p[0]; };
  for_box({0, 0, 0}, n, [&](const Place& v) {
    if (!(inside.values[inside.grid.offset(v[0], v[1], v[2])] > 0)) return;
    Place p;
    for (int d = 0; d < 3; ++d) p[d] = static_cast<int>(v[d] * inside.grid.spacing[d] / size) + reach;
    near[offset(p)] = 1;
  });
  for (int step = 0; step < reach; ++step) {
    wider = near;
    for_box({0, 0, 0}, size_, [&](const Place& p) {
      if (!near[offset(p)]) return;
      Place from, to;
      for (int d = 0; d < 3; ++d) from[d] = std::max(0, p[d] - 1), to[d] = std::min(size_[d], p[d] + 2);
      for_box(from, to, [&](const Place& q) { wider[offset(q)] = 1; });
    });
    near.swap(wider);
  }
  roots_.assign(near.size(), -1);
  for_box({0, 0, 0}, size_, [&](const Place& p) {
    if (!near[offset(p)]) return;
    roots_[offset(p)] = static_cast<Index>(octants_.size());
    octants_.push_back({.at = {p[0] + low_[0], p[1] + low_[1], p[2] + low_[2]}});
  });
}

void Octree::refine(Index octant) {
  const Octant parent = octants_[octant];
  octants_[octant].child = static_cast<Index>(octants_.size());
  for (int m = 0; m < 8; ++m) octants_.push_back({.at = child_place(parent.at, m), .level = parent.level + 1});
}

/// An octant with children needs all 26 octants of its own size around it: then what touches its children is at most
/// one level coarser than they are. Going from fine to coarse, what is refined on the way is seen in its turn.
void Octree::balance() {
  for (int level = levels_ - 1; level > 0; --level) {
    for (Index o = 0; o < static_cast<Index>(octants_.size()); ++o) {
      if (octants_[o].level != level || octants_[o].child < 0) continue;
      const Place at = octants_[o].at;
      for_box({at[0] - 1, at[1] - 1, at[2] - 1}, {at[0] + 2, at[1] + 2, at[2] + 2}, [&](const Place& p) {
        for (;;) {
          const Index there = find(p, level);
          if (there < 0 || octants_[there].level == level) break;
          refine(there);
        }
      });
    }
  }
}

void Octree::collect(Index octant) {
  const Index child = octants_[octant].child;
  if (child < 0) return leaves_.push_back(octant);
  for (int m = 0; m < 8; ++m) collect(child + m);
}

namespace {

/// Numbers of the corners, by place: open addressing, a power of two of slots, at most half of them taken.
class Corners {
 public:
  Index& at(const Place& p) {
    if (2 * (count_ + 1) > key_.size()) grow();
    const std::uint64_t key = key_of(p);
    std::size_t slot = first(key);
    while (key_[slot] != none && key_[slot] != key) slot = (slot + 1) & (key_.size() - 1);
    if (key_[slot] == none) key_[slot] = key, value_[slot] = -1, ++count_;
    return value_[slot];
  }
  Index find(const Place& p) const {
    const std::uint64_t key = key_of(p);
    for (std::size_t slot = first(key); key_[slot] != none; slot = (slot + 1) & (key_.size() - 1)) {
      if (key_[slot] == key) return value_[slot];
    }
    return -1;
  }

 private:
  static constexpr std::uint64_t none = ~std::uint64_t(0);
  static std::uint64_t key_of(const Place& p) {
    std::uint64_t key = 0;
    for (const int x : p) key = key << 21 | (std::uint64_t(x + (1 << 20)) & 0x1fffff);
    return key;
  }
  std::size_t first(std::uint64_t key) const {
    key *= 0x9e3779b97f4a7c15ull;
    return (key ^ key >> 32) & (key_.size() - 1);
  }
  void grow() {
    std::vector<std::uint64_t> keys(std::max<std::size_t>(1024, 2 * key_.size()), none);
    std::vector<Index> values(keys.size());
    keys.swap(key_), values.swap(value_);
    for (std::size_t old = 0; old < keys.size(); ++old) {
      if (keys[old] == none) continue;
      std::size_t slot = first(keys[old]);
      while (key_[slot] != none) slot = (slot + 1) & (key_.size() - 1);
      key_[slot] = keys[old], value_[slot] = values[old];
    }
  }
  std::vector<std::uint64_t> key_;
  std::vector<Index> value_;
  std::size_t count_ = 0;
};

class LatticeMaker {
 public:
  explicit LatticeMaker(const Octree& tree) : tree_(tree), centre_of_(0) { lattice_.half = 0.5 * tree.cell(); }

  GradedLattice run() {
    number_vertices();
    for (const Index leaf : tree_.leaves()) {
      for (int axis = 0; axis < 3; ++axis) {
        for (const int way : {-1, 1}) face(leaf, axis, way);
      }
    }
    return std::move(lattice_);
  }

 private:
  /// Of an octant's edge, in halves of the finest cell.
  int width(Index octant) const { return 2 << (tree_.levels() - tree_[octant].level); }
  Place corner(Index octant, int m) const {
    const auto& at = tree_[octant].at;
    const int w = width(octant);
    return {(at[0] + (m & 1)) * w, (at[1] + (m >> 1 & 1)) * w, (at[2] + (m >> 2 & 1)) * w};
  }

  Index add(const Place& p, float size) {
    lattice_.place.push_back(p), lattice_.size.push_back(size);
    return static_cast<Index>(lattice_.place.size() - 1);
  }
  void number_vertices() {
    Index last = 0;
    for (const Index leaf : tree_.leaves()) last = std::max(last, leaf);
    centre_of_.assign(std::size_t(last) + 1, -1);
    for (const Index leaf : tree_.leaves()) {
      const int w = width(leaf);
      const auto size = static_cast<float>(w * lattice_.half * (1 / bcc_cell_per_edge));
      Place centre = corner(leaf, 0);
      for (int& x : centre) x += w / 2;
      centre_of_[leaf] = add(centre, size);
      for (int m = 0; m < 8; ++m) {
        const Place p = corner(leaf, m);
        Index& known = corners_.at(p);
        if (known < 0)
          known = add(p, size);
        else
          lattice_.size[known] = std::min(lattice_.size[known], size);
      }
    }
  }

  void emit(Index a, Index b, Index c, Index d) {
    const auto &o = lattice_.place[a], &p = lattice_.place[b], &q = lattice_.place[c], &r = lattice_.place[d];
    long x[3], y[3], z[3];
    for (int k = 0; k < 3; ++k) x[k] = p[k] - o[k], y[k] = q[k] - o[k], z[k] = r[k] - o[k];
    const long sixfold =
        x[0] * (y[1] * z[2] - y[2] * z[1]) + x[1] * (y[2] * z[0] - y[0] * z[2]) + x[2] * (y[0] * z[1] - y[1] * z[0]);
    if (sixfold > 0)
      lattice_.tets.push_back({a, b, c, d});
    else
      lattice_.tets.push_back({a, b, d, c});
  }

  /// What lies between a leaf and its neighbour across one face; each pair is seen to once.
  void face(Index leaf, int axis, int way) {
    Place beyond = tree_[leaf].at;
    beyond[axis] += way;
    const int level = tree_[leaf].level;
    const Index other = tree_.find(beyond, level);
    if (other < 0 || tree_[other].child >= 0) return;  // smaller leaves see to it themselves
    const int u = 1 << (axis + 1) % 3, v = 1 << (axis + 2) % 3, side = way > 0 ? 1 << axis : 0;
    const std::array<int, 4> ring{side, side | u, side | u | v, side | v};
    const Index near = centre_of_[leaf], far = centre_of_[other];
    if (tree_[other].level == level) {
      if (way < 0) return;
      for (int m = 0; m < 4; ++m) around(near, far, corner(leaf, ring[m]), corner(leaf, ring[(m + 1) % 4]), level);
      return;
    }
    // The corner in the middle of the larger face has odd numbers in both directions of the face.
    int start = 0;
    const auto middle = [&](int m) {
      const Place p = corner(leaf, ring[m]);
      const int w = 2 * width(leaf);
      return p[(axis + 1) % 3] % w != 0 && p[(axis + 2) % 3] % w != 0;
    };
    while (!middle(start)) ++start;
    std::array<Index, 4> node{};
    for (int m = 0; m < 4; ++m) node[m] = corners_.find(corner(leaf, ring[(start + m) % 4]));
    for (const Index apex : {near, far}) {
      emit(apex, node[0], node[1], node[2]);
      emit(apex, node[0], node[2], node[3]);
    }
  }
  /// The tets between two centres and an edge, which may have a vertex in its middle.
  void around(Index near, Index far, const Place& a, const Place& b, int level) {
    const Index from = corners_.find(a), to = corners_.find(b);
    const Index middle =
        level == tree_.levels() ? -1 : corners_.find({(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2});
    if (middle < 0) return emit(near, far, from, to);
    emit(near, far, from, middle);
    emit(near, far, middle, to);
  }

  const Octree& tree_;
  Corners corners_;
  std::vector<Index> centre_of_;
  GradedLattice lattice_;
};

}  // namespace

GradedLattice make_graded_lattice(const Octree& tree) { return LatticeMaker(tree).run(); }

}  // namespace cardiotwin::meshes::stuffing
