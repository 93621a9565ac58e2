#pragma once
/// A sparse matrix as the operations want it.

#include <algorithm>
#include <cardiotwin/kernels/multigrid.hpp>
#include <cstdint>
#include <vector>

namespace cardiotwin::kernels {

/// See Rows. Of a square matrix the diagonal is left out and entries change sign: w_ij = -a_ij.
template <class V>
class SlicedRows {
 public:
  std::size_t rows;  ///< padded
  int slices;
  std::vector<std::int32_t> slice_start, column = {};
  std::vector<V> value = {};

  SlicedRows(const SparseMatrix& m, int height, bool square) : slice_start(starts(m, height, square)) {
    const auto h = std::size_t(height), n = m.rows();
    slices = int(slice_start.size()) - 1;
    rows = std::size_t(slices) * h;
    const std::size_t entries = std::size_t(slice_start.back()) * h;
    column.resize(entries), value.assign(entries, V(0));
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t slice = i / h, end = std::size_t(slice_start[slice + 1]);
      std::size_t k = std::size_t(slice_start[slice]);
      for (auto from = i < n ? m.row_start[i] : 0; from < (i < n ? m.row_start[i + 1] : 0); ++from) {
        const auto j = m.column[std::size_t(from)];
        if (square && std::size_t(j) == i) continue;
        column[k * h + i % h] = j;
        value[k++ * h + i % h] = V(square ? -m.value[std::size_t(from)] : m.value[std::size_t(from)]);
      }
      for (; k < end; ++k) column[k * h + i % h] = square ? std::int32_t(i) : 0;
    }
  }

  /// What it takes [B], without being made.
  static std::size_t bytes(const SparseMatrix& m, int height, bool square) {
    const auto start = starts(m, height, square);
    return start.size() * sizeof(std::int32_t) +
           std::size_t(start.back()) * std::size_t(height) * (sizeof(std::int32_t) + sizeof(V));
  }

 private:
  static std::vector<std::int32_t> starts(const SparseMatrix& m, int height, bool square) {
    const auto h = std::size_t(height), n = m.rows();
    std::vector<std::int32_t> result{0};
    for (std::size_t first = 0; first < n; first += h) {
      std::int32_t longest = 0;
      for (std::size_t i = first; i < std::min(n, first + h); ++i) {
        const auto begin = m.column.begin() + m.row_start[i], end = m.column.begin() + m.row_start[i + 1];
        const auto diagonal = square ? std::count(begin, end, std::int32_t(i)) : 0;
        longest = std::max(longest, std::int32_t(end - begin - diagonal));
      }
      result.push_back(result.back() + longest);
    }
    return result;
  }
};

}  // namespace cardiotwin::kernels
