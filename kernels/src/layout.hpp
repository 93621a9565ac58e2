#pragma once
/// How the nodes of a problem are laid out for a backend: SELL-C with rows sorted inside windows.

#include <cardiotwin/kernels/engine.hpp>
#include <cstdint>
#include <span>
#include <vector>

namespace cardiotwin::kernels {

/// `per_slice` consecutive slots form a slice, whose rows are padded to the longest among them. Nodes keep their
/// neighbourhood but are sorted inside windows of 512 by parameter set and row length, so that most slices have one set
/// and little padding.
struct Layout {
  Layout(const Problem&, int per_slice);

  int per_slice, slices;
  std::vector<std::int32_t> slot_of_node;  ///< per node
  std::vector<std::int32_t> slice_start;   ///< slices + 1, in columns of `per_slice` entries
  std::vector<std::int32_t> column;        ///< per entry: slot; the row's own where padded
  std::vector<std::int32_t> source;        ///< per entry: non-zero of the problem, -1 where padded
  std::vector<std::int32_t> set;           ///< per slot

  std::size_t slots() const { return std::size_t(slices) * std::size_t(per_slice); }
};

/// Throws std::invalid_argument: which array of the problem does not fit, and why.
void validate(const Problem&);

}  // namespace cardiotwin::kernels
