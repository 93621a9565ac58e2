#pragma once
/// The problems of Pathmanathan & Gray 2014 (doi 10.1002/cnm.2615), see test_pathmanathan_gray.cpp.

#include <cardiotwin/mesh.hpp>
#include <cmath>
#include <numbers>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin::pathmanathan_gray {

constexpr double pi = std::numbers::pi, capacitance = 2, chi = 3;

struct Exact {
  int dimensions;
  double b() const { return -(1.1 + (dimensions > 1 ? 4 * 1.2 : 0) + (dimensions > 2 ? 9 * 0.3 : 0)); }
  double f(const Vec3& p) const {
    double product = 1;
    for (int k = 0; k < dimensions; ++k) product *= std::cos((k + 1) * pi * p[k]);
    return product;
  }
  double g(const Vec3& p) const {
    double product = 1;
    for (int k = 0; k < dimensions; ++k) product *= std::pow(p[k], k + 1);
    return 1 + product;
  }
};

struct Cells {
  std::vector<double> u1, u2;
  double b;
  /// `share` of the intracellular conductivity moves V: 1 in the monodomain.
  Cells(std::span<const Vec3> points, const Exact& exact, double share = 1) : b(share * exact.b()) {
    for (const Vec3& p : points) u1.push_back(exact.g(p) + exact.f(p)), u2.push_back(1 / std::sqrt(exact.g(p)));
  }
  double current(double v, double first, double second) const {
    return -capacitance * (first - v) * second * second * v / 2 + b * v / chi;
  }
  // Advances the cell by dt at fixed V (midpoint rule) and returns I_ion before.
  double step(std::size_t i, double v, double dt) {
    const auto rates = [v](double a, double c, double& da, double& dc) {
      const double w = a - v;
      da = w * w * c * c + w * c * c * v / 2, dc = -w * c * c * c;
    };
    const double before = current(v, u1[i], u2[i]);
    double da, dc;
    rates(u1[i], u2[i], da, dc);
    rates(u1[i] + dt / 2 * da, u2[i] + dt / 2 * dc, da, dc);
    u1[i] += dt * da, u2[i] += dt * dc;
    return before;
  }
};

/// L2 norm of u_h - u, by the four-point rule of degree 2 on every tet, per cross-section of lines and plates, over the
/// tets that `counts`.
template <class Solution, class Counts>
double l2_error(const Mesh& mesh, std::span<const double> values, const Solution& exact, const Counts& counts) {
  constexpr double near = 0.58541020, far = 0.13819660;
  double sum = 0, volume = 0;
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    if (!counts(t)) continue;
    volume += mesh.volume(t);
    const Tet& tet = mesh.tets()[t];
    for (int q = 0; q < 4; ++q) {
      Vec3 point = Vec3::Zero();
      double value = 0;
      for (int k = 0; k < 4; ++k) {
        const double weight = k == q ? near : far;
        point += weight * mesh.points()[tet[k]], value += weight * values[tet[k]];
      }
      const double difference = value - exact(point);
      sum += mesh.volume(t) / 4 * difference * difference;
    }
  }
  return std::sqrt(sum / volume);
}
template <class Solution>
double l2_error(const Mesh& mesh, std::span<const double> values, const Solution& exact) {
  return l2_error(mesh, values, exact, [](std::size_t) { return true; });
}

inline double order(double coarse, double fine, double ratio = 2) { return std::log(coarse / fine) / std::log(ratio); }

inline std::string list(std::initializer_list<double> errors) {
  std::string text;
  for (const double e : errors) text += std::to_string(e) + " ";
  return text;
}

}  // namespace cardiotwin::pathmanathan_gray
