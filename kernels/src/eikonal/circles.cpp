#include "circles.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace cardiotwin::kernels {
namespace {

/// Without recursion: chains of dependence are as long as the heart.
class Components {
 public:
  Components(std::span<const std::int32_t> tets, std::span<const std::int32_t> tet, std::span<const double> weight)
      : tets_(tets), tet_(tet), weight_(weight), number_(tet.size(), 0), low_(tet.size(), 0), open_(tet.size(), 0) {
    result_.start = {0};
    for (std::size_t i = 0; i < tet.size(); ++i)
      if (number_[i] == 0) visit(std::int32_t(i));
  }
  DependenceGroups result() { return std::move(result_); }

 private:
  struct Step {
    std::int32_t node;
    int next;  ///< corner to look at
  };

  void enter(std::int32_t n) {
    number_[std::size_t(n)] = low_[std::size_t(n)] = ++count_;
    open_[std::size_t(n)] = 1;
    waiting_.push_back(n), path_.push_back({n, 0});
  }
  void visit(std::int32_t root) {
    enter(root);
    while (!path_.empty()) {
      const auto n = std::size_t(path_.back().node);
      if (path_.back().next == 4 || tet_[n] < 0) {
        leave(n);
        continue;
      }
      const auto c = std::size_t(path_.back().next++);
      if (!(weight_[4 * n + c] > 0)) continue;
      const std::int32_t other = tets_[4 * std::size_t(tet_[n]) + c];
      if (number_[std::size_t(other)] == 0) {
        enter(other);
      } else if (open_[std::size_t(other)]) {
        low_[n] = std::min(low_[n], number_[std::size_t(other)]);
      }
    }
  }
  void leave(std::size_t n) {
    path_.pop_back();
    if (!path_.empty()) {
      std::int32_t& low = low_[std::size_t(path_.back().node)];
      low = std::min(low, low_[n]);
    }
    if (low_[n] != number_[n]) return;
    std::int32_t last;
    do {
      last = waiting_.back();
      waiting_.pop_back();
      open_[std::size_t(last)] = 0;
      result_.node.push_back(last);
    } while (std::size_t(last) != n);
    result_.start.push_back(std::int32_t(result_.node.size()));
  }

  std::span<const std::int32_t> tets_, tet_;
  std::span<const double> weight_;
  std::vector<std::int32_t> number_, low_;  ///< 0: not seen
  std::vector<std::uint8_t> open_;
  std::vector<std::int32_t> waiting_;
  std::vector<Step> path_;
  std::int32_t count_ = 0;
  DependenceGroups result_;
};

/// a x = b by elimination, x in place of b; the largest of a column is the pivot.
void eliminate(std::vector<double>& a, std::vector<double>& b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i)
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    if (!(std::abs(a[pivot * n + k]) > 0))
      throw std::runtime_error("eikonal solver: nodes depend on nothing but each other");
    for (std::size_t j = k; j < n && pivot != k; ++j) std::swap(a[k * n + j], a[pivot * n + j]);
    std::swap(b[k], b[pivot]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      if (factor == 0) continue;
      for (std::size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) b[k] -= a[k * n + j] * b[j];
    b[k] /= a[k * n + k];
  }
}

}  // namespace

DependenceGroups dependence_groups(std::span<const std::int32_t> tets, std::span<const std::int32_t> tet,
                                   std::span<const double> weight) {
  return Components(tets, tet, weight).result();
}

void solve_group(std::span<const std::int32_t> group, std::span<const std::int32_t> tets,
                 std::span<const std::int32_t> tet, std::span<const double> weight, bool transposed,
                 std::vector<double>& b) {
  const std::size_t n = group.size();
  if (n == 1) return;
  if (n > 4000)
    throw std::runtime_error("eikonal solver: " + std::to_string(n) +
                             " nodes depend on each other; the mesh is too "
                             "coarse for so unequal velocities along and across");
  std::vector<double> a(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    a[i * n + i] = 1;
    const auto at = std::size_t(group[i]);
    for (std::size_t c = 0; c < 4; ++c) {
      const double w = weight[4 * at + c];
      if (!(w > 0)) continue;
      const auto found = std::find(group.begin(), group.end(), tets[4 * std::size_t(tet[at]) + c]);
      if (found == group.end()) continue;
      const auto j = std::size_t(found - group.begin());
      a[transposed ? j * n + i : i * n + j] -= w;
    }
  }
  eliminate(a, b);
}

std::vector<double> circles_solved(std::span<const std::int32_t> tets, std::span<const std::int32_t> tet,
                                   std::span<const double> weight, std::span<const double> times,
                                   std::span<const double> arrival) {
  const DependenceGroups groups = dependence_groups(tets, tet, weight);
  std::vector<double> result(times.begin(), times.end()), b;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto group = groups[g];
    b.clear();
    for (const std::int32_t n : group) {
      const auto at = std::size_t(n);
      double sum = tet[at] < 0 ? times[at] : arrival[at];
      for (std::size_t c = 0; c < 4 && tet[at] >= 0; ++c) {
        const double w = weight[4 * at + c];
        if (!(w > 0)) continue;
        const std::int32_t other = tets[4 * std::size_t(tet[at]) + c];
        sum -= w * times[std::size_t(other)];
        // What stands in the group itself is unknown yet.
        if (group.size() == 1 || std::find(group.begin(), group.end(), other) == group.end())
          sum += w * result[std::size_t(other)];
      }
      b.push_back(sum);
    }
    solve_group(group, tets, tet, weight, false, b);
    for (std::size_t i = 0; i < group.size(); ++i) result[std::size_t(group[i])] = b[i];
  }
  return result;
}

}  // namespace cardiotwin::kernels
