#pragma once
/// Nodes of an eikonal solve whose times depend on each other in circles. In obtuse tets a node can have its time from
/// a later one; then times are no order in which one node follows from the others.

#include <cstdint>
#include <span>
#include <vector>

namespace cardiotwin::kernels {

/// Nodes in groups, each of which depends on itself and on groups before it only; most are of one node.
struct DependenceGroups {
  std::vector<std::int32_t> start, node;
  std::size_t size() const { return start.size() - 1; }
  std::span<const std::int32_t> operator[](std::size_t g) const {
    return {node.data() + start[g], std::size_t(start[g + 1] - start[g])};
  }
};

/// tets: 4 corners each; tet and weight as in Dependence. Strongly connected components (Tarjan 1972, doi
/// 10.1137/0201010).
DependenceGroups dependence_groups(std::span<const std::int32_t> tets, std::span<const std::int32_t> tet,
                                   std::span<const double> weight);

/// (I - W) x = b in place of b, or with the transpose of W, where W holds the weights among the nodes of a group.
void solve_group(std::span<const std::int32_t> group, std::span<const std::int32_t> tets,
                 std::span<const std::int32_t> tet, std::span<const double> weight, bool transposed,
                 std::vector<double>& b);

/// The times T = W T + way of the nodes that have a tet, the others keeping theirs; way = arrival - W times.
std::vector<double> circles_solved(std::span<const std::int32_t> tets, std::span<const std::int32_t> tet,
                                   std::span<const double> weight, std::span<const double> times,
                                   std::span<const double> arrival);

}  // namespace cardiotwin::kernels
