#pragma once
/// Rows that members have of their own, as the step wants them.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "layout.hpp"

namespace cardiotwin::kernels {

/// Throws std::invalid_argument: what of the variation does not fit the problem, whose rows begin at `row_start`.
void validate(const Problem&, std::span<const std::int32_t> row_start, const Variation&);

template <class T>
struct OwnRows {
  int width = 0;                 ///< entries per row
  std::vector<std::int32_t> of;  ///< per number: its row, -1 the shared one, -2 dead; empty where nobody has any
  std::vector<T> diffusion, load, gradient, divergence, share;
  std::vector<std::uint8_t> slices;  ///< per slice: any of its numbers has one

  OwnRows(const Layout& layout, const std::vector<Variation>& members, double dt, bool has_gradient) {
    const std::size_t count = members.size();
    for (const auto& member : members) {
      for (const auto& row : member.rows) width = std::max(width, int(row.diffusion.size()));
      if (!member.rows.empty() || !member.dead.empty()) of.resize(layout.slots() * count, -1);
    }
    if (of.empty()) return;
    slices.resize(std::size_t(layout.slices), 0);
    const auto claim = [&](std::int32_t node, std::size_t m, std::int32_t what) {
      const auto slot = std::size_t(layout.slot_of_node[std::size_t(node)]);
      of[slot * count + m] = what;
      slices[slot / std::size_t(layout.per_slice)] = 1;
    };
    for (std::size_t m = 0; m < count; ++m) {
      for (const auto node : members[m].dead) claim(node, m, -2);
      for (const auto& row : members[m].rows) {
        claim(row.node, m, std::int32_t(share.size()));
        append(diffusion, row.diffusion, dt);
        append(load, row.load, 1);
        if (has_gradient) append(gradient, row.gradient, 1), append(divergence, row.divergence, dt);
        share.push_back(T(dt * row.own_divergence));
      }
    }
  }

 private:
  void append(std::vector<T>& to, const std::vector<double>& values, double factor) const {
    for (const double x : values) to.push_back(T(factor * x));
    to.resize(to.size() + std::size_t(width) - values.size(), T(0));
  }
};

}  // namespace cardiotwin::kernels
