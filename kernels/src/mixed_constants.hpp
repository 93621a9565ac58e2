#pragma once
/// Constants of cells where a slice has several sets, or members have parameters of their own.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cstdint>
#include <vector>

#include "layout.hpp"
#include "registry.hpp"
#include "storage.hpp"

namespace cardiotwin::kernels {

/// Slices of one set whose members all have the problem's parameters share broadcast constants. The others get a block
/// of constants, lane by lane; blocks are shared where all slots have the same set.
template <class T>
struct MixedConstants {
  std::vector<std::int32_t> slice_set;  ///< as StepArgs::slice_set
  std::vector<T> blocks;

  MixedConstants(const ModelOperations& ops, const std::vector<std::vector<double>>& parameters,
                 const std::vector<Variation>& members, const Layout& layout, std::size_t lanes) {
    const auto count = std::size_t(ops.constant_count), per_slice = std::size_t(layout.per_slice);
    bool vary = false;
    std::vector<std::vector<T>> of_member;
    for (const auto& v : members) {
      vary = vary || !v.parameters.empty();
      of_member.push_back(set_constants<T>(ops, v.parameters.empty() ? parameters : v.parameters));
    }
    std::vector<std::int32_t> block_of_set(parameters.size(), -1);
    const auto add_block = [&](std::size_t slice) {
      const auto index = std::int32_t(blocks.size() / (count * lanes));
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t l = 0; l < lanes; ++l) {
          const auto set = std::size_t(layout.set[slice * per_slice + l / members.size()]);
          blocks.push_back(of_member[l % members.size()][set * count + k]);
        }
      }
      return index;
    };
    for (std::size_t slice = 0; slice < std::size_t(layout.slices); ++slice) {
      const auto first = layout.set.begin() + std::ptrdiff_t(slice * per_slice);
      const auto set = std::size_t(*first);
      const bool uniform = std::all_of(first, first + std::ptrdiff_t(per_slice), [&](auto x) { return x == *first; });
      if (!uniform) {
        slice_set.push_back(-1 - add_block(slice));
      } else if (!vary) {
        slice_set.push_back(std::int32_t(set));
      } else {
        if (block_of_set[set] < 0) block_of_set[set] = add_block(slice);
        slice_set.push_back(-1 - block_of_set[set]);
      }
    }
  }
};

}  // namespace cardiotwin::kernels
