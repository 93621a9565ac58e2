#pragma once
/// The operations of args.hpp for one tet or node, written once. `Hands` are a thread's: they append to lists and
/// change what several threads may change at once.
///
/// Within a sweep `time` is only read and `proposed` only lowered, so the order of threads does not matter.

#include "../portable.hpp"
#include "args.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// Which of MetricTet::squared the edge of two corners is.
CT_HD constexpr int edge_of(int i, int j) {
  const int low = i < j ? i : j, high = i < j ? j : i;
  return low == 0 ? high - 1 : low + high;
}

/// The wave at a node by way of a face: when, and of which point of the face (weights of its corners).
struct Arrival {
  double time, weight[3];
};

/// e_i . G e_j of the displacements e from the face's corners to the node.
struct FaceProducts {
  double own[3];    ///< 00, 11, 22
  double mixed[3];  ///< 12, 02, 01: opposite to the index
};

template <int D>
CT_HD FaceProducts products(const MetricTet& tet) {
  constexpr int a = (D + 1) % 4, b = (D + 2) % 4, c = (D + 3) % 4;
  const double qa = tet.squared[edge_of(D, a)], qb = tet.squared[edge_of(D, b)], qc = tet.squared[edge_of(D, c)];
  return {{qa, qb, qc},
          {0.5 * (qb + qc - tet.squared[edge_of(b, c)]), 0.5 * (qa + qc - tet.squared[edge_of(a, c)]),
           0.5 * (qa + qb - tet.squared[edge_of(a, b)])}};
}

CT_HD void keep_earlier(Arrival& best, double time, int i, double weight_i, int j, double weight_j) {
  if (!(time < best.time)) return;
  best.time = time;
  best.weight[0] = best.weight[1] = best.weight[2] = 0;
  best.weight[i] = weight_i;
  if (weight_j != 0) best.weight[j] = weight_j;
}

/// By way of the edge between corners i and j. With s = t_j - t_i, M the products and r = |x_i - x_j|^2 the stationary
/// point has t - t_i = (u_j s + sqrt(det M (r - s^2))) / r, u_j = M_ii - M_ij.
CT_HD void arrive_by_edge(const FaceProducts& m, const double* t, int i, int j, Arrival& best) {
  const double ii = m.own[i], jj = m.own[j], ij = m.mixed[3 - i - j];
  const double s = t[j] - t[i], r = ii + jj - 2 * ij, inside = r - s * s;
  if (inside > 0) {
    const double ui = jj - ij, uj = ii - ij, det = ii * jj - ij * ij;
    const double x = (uj * s + sqrt(at_least(det, 0.0) * inside)) / r;
    const double wi = x * ui + ij * s, wj = x * uj - ii * s;
    if (wi >= 0 && wj >= 0 && wi + wj > 0) {
      keep_earlier(best, t[i] + x, i, wi / (wi + wj), j, wj / (wi + wj));
      return;
    }
    // The time is convex along the edge: the minimum is at the end towards which the stationary point lies.
    wi < wj ? keep_earlier(best, t[j] + sqrt(jj), j, 1, i, 0) : keep_earlier(best, t[i] + sqrt(ii), i, 1, j, 0);
    return;
  }
  t[j] < t[i] ? keep_earlier(best, t[j] + sqrt(jj), j, 1, i, 0) : keep_earlier(best, t[i] + sqrt(ii), i, 1, j, 0);
}

/// By way of the whole face, where that is earlier than `best`. The stationary point has weights w = M^-1 (t - t_i) up
/// to a factor and w . M w = 1: a quadratic equation for t. Where a weight is negative, the minimum of the convex
/// function lies on an edge that has this weight 0. All times finite.
CT_HD void arrive_by_face(const FaceProducts& m, const double* t, double first, Arrival& best) {
  const double m00 = m.own[0], m11 = m.own[1], m22 = m.own[2], m12 = m.mixed[0], m02 = m.mixed[1], m01 = m.mixed[2];
  const double a00 = m11 * m22 - m12 * m12, a11 = m00 * m22 - m02 * m02, a22 = m00 * m11 - m01 * m01;
  const double a01 = m02 * m12 - m01 * m22, a02 = m01 * m12 - m02 * m11, a12 = m01 * m02 - m00 * m12;
  const double det = m00 * a00 + m01 * a01 + m02 * a02;
  const double u0 = a00 + a01 + a02, u1 = a01 + a11 + a12, u2 = a02 + a12 + a22, a = u0 + u1 + u2;
  const double late = best.time - first;
  if (!(late * late * a > det)) return;  // the height above the face alone takes as long
  const double s0 = t[0] - first, s1 = t[1] - first, s2 = t[2] - first;
  const double v0 = a00 * s0 + a01 * s1 + a02 * s2, v1 = a01 * s0 + a11 * s1 + a12 * s2,
               v2 = a02 * s0 + a12 * s1 + a22 * s2;
  const double b = u0 * s0 + u1 * s1 + u2 * s2, c = v0 * s0 + v1 * s1 + v2 * s2, inside = b * b - a * (c - det);
  bool on_edge[3] = {true, true, true};
  if (inside > 0 && a > 0) {
    const double x = (b + sqrt(inside)) / a;
    const double w0 = x * u0 - v0, w1 = x * u1 - v1, w2 = x * u2 - v2, sum = w0 + w1 + w2;
    if (w0 >= 0 && w1 >= 0 && w2 >= 0 && sum > 0) {
      if (first + x < best.time) best = {first + x, {w0 / sum, w1 / sum, w2 / sum}};
      return;
    }
    on_edge[0] = w0 < 0, on_edge[1] = w1 < 0, on_edge[2] = w2 < 0;
  }
  if (on_edge[0]) arrive_by_edge(m, t, 1, 2, best);
  if (on_edge[1]) arrive_by_edge(m, t, 0, 2, best);
  if (on_edge[2]) arrive_by_edge(m, t, 0, 1, best);
}

/// The wave at corner D of a tet by way of the others, where that is earlier than `best`.
template <int D>
CT_HD void arrive(const MetricTet& tet, const double* corner_times, Arrival& best) {
  const double t[3] = {corner_times[(D + 1) % 4], corner_times[(D + 2) % 4], corner_times[(D + 3) % 4]};
  const double first = at_most(at_most(t[0], t[1]), t[2]), last = at_least(at_least(t[0], t[1]), t[2]);
  if (!(first < best.time)) return;
  const FaceProducts m = products<D>(tet);
  if (last < 1e300) {
    arrive_by_face(m, t, first, best);
  } else if (t[0] < 1e300 && t[1] < 1e300) {
    arrive_by_edge(m, t, 0, 1, best);
  } else if (t[0] < 1e300 && t[2] < 1e300) {
    arrive_by_edge(m, t, 0, 2, best);
  } else if (t[1] < 1e300 && t[2] < 1e300) {
    arrive_by_edge(m, t, 1, 2, best);
  } else {
    const int i = t[0] < 1e300 ? 0 : t[1] < 1e300 ? 1 : 2;
    keep_earlier(best, t[i] + sqrt(m.own[i]), i, 1, i, 0);
  }
}

CT_HD void measure_tet(const Measure& a, std::int64_t t) {
  MetricTet& tet = a.tet[t];
  const double* g = a.metric + 6 * std::int64_t(a.given[t]);
  for (int i = 0; i < 4; ++i) {
    for (int j = i + 1; j < 4; ++j) {
      const double *p = a.points + 3 * std::int64_t(tet.corner[i]), *q = a.points + 3 * std::int64_t(tet.corner[j]);
      const double x = p[0] - q[0], y = p[1] - q[1], z = p[2] - q[2];
      tet.squared[edge_of(i, j)] =
          g[0] * x * x + g[1] * y * y + g[2] * z * z + 2 * (g[3] * x * y + g[4] * x * z + g[5] * y * z);
    }
  }
}

template <class Hands>
CT_HD void begin_node(const Front& a, Hands& hands, std::int32_t n) {
  a.time[n] = a.again ? a.start[n] : __builtin_huge_val();
  a.proposed[n] = a.start[n];
  a.is_waiting[n] = a.start[n] < 1e300;
  if (a.is_waiting[n]) hands.wait(n), hands.at(a.start[n]);
}

/// A waiting node takes what was proposed to it and, where it is early enough, touches its tets.
template <class Hands>
CT_HD void advance_node(const Front& a, Hands& hands, std::int32_t n, double bound) {
  const double time = a.proposed[n];
  a.time[n] = time;
  if (time > bound) {
    hands.wait(n), hands.at(time);
    return;
  }
  a.is_waiting[n] = 0;
  hands.expanded();
  for (std::int32_t k = a.stars.start[n]; k < a.stars.start[n + 1]; ++k) {
    const std::int32_t entry = a.stars.entry[k];
    if (hands.mark(a.moved + entry / 4, 1u << (entry % 4))) hands.touch(entry / 4);
  }
}

template <int D, class Hands>
CT_HD void relax_corner(const Front& a, Hands& hands, const MetricTet& tet, const double* times) {
  Arrival best = {times[D] * (1 - a.rounding), {}};
  const double before = best.time;
  arrive<D>(tet, times, best);
  if (!(best.time < before)) return;
  const std::int32_t n = tet.corner[D];
  hands.lower(a.proposed + n, best.time);
  hands.at(best.time);
  if (hands.mark(a.is_waiting + n, 1u)) hands.wait(n);
}

/// A touched tet proposes times to its corners, where one of the other corners has moved.
template <class Hands>
CT_HD void relax_tet(const Front& a, Hands& hands, std::int32_t t) {
  const std::uint32_t moved = a.moved[t];
  a.moved[t] = 0;
  const MetricTet& tet = a.tet[t];
  if (!(tet.squared[0] > 0)) return;
  const double times[4] = {a.time[tet.corner[0]], a.time[tet.corner[1]], a.time[tet.corner[2]], a.time[tet.corner[3]]};
  if (moved & ~1u) relax_corner<0>(a, hands, tet, times);
  if (moved & ~2u) relax_corner<1>(a, hands, tet, times);
  if (moved & ~4u) relax_corner<2>(a, hands, tet, times);
  if (moved & ~8u) relax_corner<3>(a, hands, tet, times);
}

template <int D>
CT_HD void depend_corner(const Depend& a, std::int32_t t, const double* times, Arrival& best, std::int32_t n) {
  const double before = best.time;
  arrive<D>(a.tet[t], times, best);
  if (!(best.time < before)) return;
  a.from[n] = t;
  for (int i = 0; i < 3; ++i) a.weight[4 * std::int64_t(n) + (D + 1 + i) % 4] = best.weight[i];
  a.weight[4 * std::int64_t(n) + D] = 0;
}

/// The first of the tets at a node that give the earliest time.
CT_HD void depend_node(const Depend& a, std::int32_t n) {
  const std::int64_t at = n;
  a.from[n] = -1;
  a.arrival[n] = a.time[n];
  for (int i = 0; i < 4; ++i) a.weight[4 * at + i] = 0;
  for (int i = 0; i < 3; ++i) a.displacement[3 * at + i] = 0;
  if (!(a.time[n] < a.start[n])) return;
  Arrival best = {__builtin_huge_val(), {}};
  for (std::int32_t k = a.stars.start[n]; k < a.stars.start[n + 1]; ++k) {
    const std::int32_t t = a.stars.entry[k] / 4;
    const MetricTet& tet = a.tet[t];
    if (!(tet.squared[0] > 0)) continue;
    const double times[4] = {a.time[tet.corner[0]], a.time[tet.corner[1]], a.time[tet.corner[2]],
                             a.time[tet.corner[3]]};
    switch (a.stars.entry[k] % 4) {
      case 0:
        depend_corner<0>(a, t, times, best, n);
        break;
      case 1:
        depend_corner<1>(a, t, times, best, n);
        break;
      case 2:
        depend_corner<2>(a, t, times, best, n);
        break;
      default:
        depend_corner<3>(a, t, times, best, n);
    }
  }
  if (a.from[n] < 0) return;
  a.arrival[n] = best.time;
  for (int c = 0; c < 4; ++c) {
    const double weight = a.weight[4 * at + c];
    const double* p = a.points + 3 * std::int64_t(a.tet[a.from[n]].corner[c]);
    for (int i = 0; i < 3; ++i) a.displacement[3 * at + i] += weight * (a.points[3 * at + i] - p[i]);
  }
}

}  // namespace cardiotwin::kernels::CT_BACKEND
