#pragma once
/// A problem without a mesh: the body-centred cubic lattice the mesher cuts its tets from, 14 neighbours to a node.

#include <algorithm>
#include <cmath>

#include "cases.hpp"

namespace cardiotwin::bench {

/// Two interleaved cubic lattices, cells in blocks of 8 x 8 x 8 so that neighbours lie close in memory, as a
/// space-filling curve would have it.
class Lattice {
 public:
  struct Place {
    int s, x, y, z;  ///< which of the two lattices, and the cell
  };

  explicit Lattice(int nodes) {
    const double blocks = nodes / 1024.0;
    a_ = at_least_one(std::cbrt(blocks));
    b_ = at_least_one(std::sqrt(blocks / a_));
    c_ = at_least_one(blocks / (a_ * b_));
  }

  std::int32_t nodes() const { return 1024 * a_ * b_ * c_; }

  Place place(std::int32_t node) const {
    const int cell = node / 2 % 512, block = node / 1024;
    return {node % 2, block / (b_ * c_) * 8 + cell / 64, block / c_ % b_ * 8 + cell / 8 % 8, block % c_ * 8 + cell % 8};
  }

  bool inside(const Place& p) const {
    return std::min({p.x, p.y, p.z}) >= 0 && p.x < 8 * a_ && p.y < 8 * b_ && p.z < 8 * c_;
  }

  std::int32_t node(const Place& p) const {
    const int block = (p.x / 8 * b_ + p.y / 8) * c_ + p.z / 8;
    return ((block * 8 + p.x % 8) * 8 + p.y % 8) * 16 + p.z % 8 * 2 + p.s;
  }

  /// Neighbours of a node, ascending.
  std::vector<std::int32_t> neighbours(std::int32_t of) const {
    const Place p = place(of);
    std::vector<std::int32_t> result;
    const auto add = [&](const Place& q) {
      if (inside(q)) result.push_back(node(q));
    };
    for (int corner = 0; corner < 8; ++corner) {  // of the other lattice, around this point
      const int back = p.s - 1;
      add({1 - p.s, p.x + back + (corner & 1), p.y + back + (corner >> 1 & 1), p.z + back + (corner >> 2)});
    }
    for (const int step : {-1, 1}) {
      add({p.s, p.x + step, p.y, p.z});
      add({p.s, p.x, p.y + step, p.z});
      add({p.s, p.x, p.y, p.z + step});
    }
    std::sort(result.begin(), result.end());
    return result;
  }

  /// Component of the way between two nodes along a fibre askew to the lattice, in cells.
  double along_fiber(std::int32_t from, std::int32_t to) const {
    const Place p = place(from), q = place(to);
    const double half = 0.5 * (q.s - p.s);
    return 0.8 * (q.x - p.x + half) + 0.48 * (q.y - p.y + half) + 0.36 * (q.z - p.z + half);
  }

 private:
  static int at_least_one(double x) { return std::max(1, int(std::lround(x))); }
  int a_, b_, c_;  // blocks along each edge
};

/// The matrix: times depend on its pattern alone, so its numbers are no more than stable.
inline kernels::Problem matrix(int nodes, Scheme scheme) {
  const Lattice lattice(nodes);
  kernels::Problem p;
  p.stages = scheme == Scheme::two_stages ? 2 : 1;
  p.row_start = {0};
  for (std::int32_t i = 0; i < lattice.nodes(); ++i) {
    double own = 0;
    for (const auto j : lattice.neighbours(i)) {
      p.column.push_back(j);
      p.diffusion.push_back(0.08 + 0.001 * double(j % 7));
      p.load.push_back(0.02);
      if (scheme != Scheme::nodal_gradient) continue;
      // p = B V with b_ij odd in the direction, b_ii = -sum b_ij; the divergence is -D B^T, D = 0.1 / ms.
      const double b = 0.2 * lattice.along_fiber(i, j);
      p.gradient.push_back(b);
      p.divergence.push_back(0.1 * b);
      own += 0.1 * b;
    }
    if (scheme == Scheme::nodal_gradient) p.own_divergence.push_back(own);
    p.row_start.push_back(std::int32_t(p.column.size()));
  }
  p.parameter_set.assign(std::size_t(lattice.nodes()), 0);
  return p;
}

/// One set of default cells on every node.
inline void set_cells(kernels::Problem& p, const kernels::ModelInfo& model, kernels::Real real) {
  p.model = &model;
  p.real = real;
  p.activation_threshold = model.activation_threshold;
  p.repolarization_level = model.repolarization_level;
  p.parameters.assign(1, {});
  for (const auto& q : model.parameters) p.parameters[0].push_back(q.value);
  p.initial_states.assign(1, {});
  for (const auto& q : model.states) p.initial_states[0].push_back(q.initial);
  p.initial_voltage = {model.rest};
}

/// The problem of a case. Large matrices take a second, so the latest is kept for the next case.
class ProblemMaker {
 public:
  const kernels::Problem& operator()(const Case& c) {
    if (c.nodes != nodes_ || c.scheme != scheme_) problem_ = matrix(c.nodes, c.scheme);
    nodes_ = c.nodes;
    scheme_ = c.scheme;
    set_cells(problem_, *c.model, c.real);
    return problem_;
  }

 private:
  kernels::Problem problem_;
  int nodes_ = 0;
  Scheme scheme_ = Scheme::p1;
};

}  // namespace cardiotwin::bench
