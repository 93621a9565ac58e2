#pragma once
/// A sparse matrix as the operations want it.

#include <algorithm>
#include <cardiotwin/kernels/elliptic.hpp>
#include <cstdint>
#include <vector>

namespace cardiotwin::kernels {

/// See Rows. Of a square matrix the diagonal is left out and entries change sign: w_ij = -a_ij.
template <class V>
struct SlicedRows {
  std::size_t rows;  ///< padded
  int slices;
  std::vector<std::int32_t> slice_start, column;
  std::vector<V> value;

  SlicedRows(const SparseMatrix& m, int height, bool square) {
    const auto h = std::size_t(height), n = m.rows();
    slices = int((n + h - 1) / h);
    rows = std::size_t(slices) * h;
    slice_start.push_back(0);
    std::vector<std::int32_t> own;
    for (std::size_t slice = 0; slice < std::size_t(slices); ++slice) {
      std::int32_t longest = 0;
      for (std::size_t i = slice * h; i < std::min(n, (slice + 1) * h); ++i) {
        const auto first = m.column.begin() + m.row_start[i], last = m.column.begin() + m.row_start[i + 1];
        const auto diagonal = square ? std::count(first, last, std::int32_t(i)) : 0;
        longest = std::max(longest, std::int32_t(last - first - diagonal));
      }
      slice_start.push_back(slice_start.back() + longest);
    }
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
};

}  // namespace cardiotwin::kernels
