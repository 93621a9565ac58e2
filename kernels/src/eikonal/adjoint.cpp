// Derivatives of what the eikonal solver found: on the host, in a fixed order.
#include <algorithm>
#include <cardiotwin/kernels/eikonal.hpp>
#include <cmath>
#include <stdexcept>
#include <string>

#include "circles.hpp"

namespace cardiotwin::kernels {
namespace {

void expect(std::size_t got, std::size_t wanted, const char* what) {
  if (got == wanted) return;
  throw std::invalid_argument(std::string("eikonal solver: ") + what + " needs " + std::to_string(wanted) +
                              " numbers, got " + std::to_string(got));
}

}  // namespace

std::vector<double> carried_back(std::span<const std::int32_t> tets, std::span<const double> times, const Dependence& d,
                                 std::span<const double> gradient) {
  const std::size_t nodes = times.size();
  expect(d.tet.size(), nodes, "the dependence"), expect(d.weight.size(), 4 * nodes, "the dependence's weights");
  expect(gradient.size(), nodes, "the gradient");
  std::vector<double> carried(gradient.begin(), gradient.end()), b;
  for (std::size_t i = 0; i < nodes; ++i) {
    if (!std::isfinite(gradient[i]) || (gradient[i] != 0 && !std::isfinite(times[i])))
      throw std::invalid_argument("eikonal solver: the gradient at node " + std::to_string(i) +
                                  " is not finite, or no wave arrives there");
  }
  const DependenceGroups groups = dependence_groups(tets, d.tet, d.weight);
  for (std::size_t g = groups.size(); g-- > 0;) {  // those nobody waits for first
    const auto group = groups[g];
    b.clear();
    for (const std::int32_t n : group) b.push_back(carried[std::size_t(n)]);
    solve_group(group, tets, d.tet, d.weight, true, b);
    for (std::size_t i = 0; i < group.size(); ++i) {
      const auto at = std::size_t(group[i]);
      for (std::size_t c = 0; c < 4 && d.tet[at] >= 0; ++c)
        carried[std::size_t(tets[4 * std::size_t(d.tet[at]) + c])] += d.weight[4 * at + c] * b[i];
    }
    for (std::size_t i = 0; i < group.size(); ++i) carried[std::size_t(group[i])] = b[i];
  }
  return carried;
}

std::vector<double> carried_forward(std::span<const std::int32_t> tets, std::span<const double> times,
                                    const Dependence& d, std::span<const double> own, std::size_t width) {
  const std::size_t nodes = times.size();
  expect(d.tet.size(), nodes, "the dependence"), expect(d.weight.size(), 4 * nodes, "the dependence's weights");
  expect(own.size(), nodes * width, "what changes by itself");
  const DependenceGroups groups = dependence_groups(tets, d.tet, d.weight);
  std::vector<double> carried(own.begin(), own.end()), b;
  for (std::size_t g = 0; g < groups.size(); ++g) {  // those that wait for nobody first
    const auto group = groups[g];
    const auto inside = [&](std::int32_t n) { return std::find(group.begin(), group.end(), n) != group.end(); };
    for (const std::int32_t n : group) {
      const auto at = std::size_t(n);
      for (std::size_t c = 0; c < 4 && d.tet[at] >= 0; ++c) {
        const std::int32_t other = tets[4 * std::size_t(d.tet[at]) + c];
        const double w = d.weight[4 * at + c];
        if (w == 0 || inside(other)) continue;
        for (std::size_t k = 0; k < width; ++k) carried[at * width + k] += w * carried[std::size_t(other) * width + k];
      }
    }
    if (group.size() == 1) continue;
    for (std::size_t k = 0; k < width; ++k) {
      b.clear();
      for (const std::int32_t n : group) b.push_back(carried[std::size_t(n) * width + k]);
      solve_group(group, tets, d.tet, d.weight, false, b);
      for (std::size_t i = 0; i < group.size(); ++i) carried[std::size_t(group[i]) * width + k] = b[i];
    }
  }
  return carried;
}

std::vector<double> metric_gradient(std::span<const double> metric, const Dependence& d,
                                    std::span<const double> carried) {
  expect(d.tet.size(), carried.size(), "the dependence");
  std::vector<double> result(metric.size(), 0.0);
  for (std::size_t i = 0; i < carried.size(); ++i) {
    if (d.tet[i] < 0 || carried[i] == 0) continue;
    const double *e = &d.displacement[3 * i], *g = &metric[6 * std::size_t(d.tet[i])];
    const double outer[6] = {e[0] * e[0], e[1] * e[1], e[2] * e[2], 2 * e[0] * e[1], 2 * e[0] * e[2], 2 * e[1] * e[2]};
    double squared = 0;
    for (int k = 0; k < 6; ++k) squared += g[k] * outer[k];
    for (std::size_t k = 0; k < 6; ++k)
      result[6 * std::size_t(d.tet[i]) + k] += carried[i] * outer[k] / (2 * std::sqrt(squared));
  }
  return result;
}

}  // namespace cardiotwin::kernels
