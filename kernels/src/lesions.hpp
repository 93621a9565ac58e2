#pragma once
/// Which nodes a member's lesions concern.

#include <cardiotwin/kernels/engine.hpp>
#include <cstdint>
#include <vector>

#include "layout.hpp"

namespace cardiotwin::kernels {

/// Who is whose neighbour, on the host.
class Graph {
 public:
  explicit Graph(const Problem& p) : row_start_(p.row_start), column_(p.column) {}

  /// Living neighbours of dead nodes, ascending.
  std::vector<std::int32_t> rim(const std::vector<std::int32_t>& dead) const;

  /// Calls mark(slot) for every slot that is dead or at a rim for any member, and for those next to a rim: a negative
  /// edge is cut at both its ends.
  template <class Mark>
  void mark_around(const std::vector<std::uint32_t>& dead, const std::vector<std::uint32_t>& rim, const Layout& layout,
                   const Mark& mark) const {
    for (std::size_t i = 0; i < layout.slot_of_node.size(); ++i) {
      const auto slot = std::size_t(layout.slot_of_node[i]);
      if (!(dead[slot] | rim[slot])) continue;
      mark(slot);
      for (auto k = row_start_[i]; k < row_start_[i + 1]; ++k) {
        mark(std::size_t(layout.slot_of_node[std::size_t(column_[std::size_t(k)])]));
      }
    }
  }

 private:
  std::vector<std::int32_t> row_start_, column_;
};

/// Throws std::invalid_argument: what of the variation does not fit the problem.
void validate(const Problem&, const Variation&);

}  // namespace cardiotwin::kernels
