#pragma once
/// A problem's numbers as the fused step stores them.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "layout.hpp"
#include "registry.hpp"
#include "step_args.hpp"

namespace cardiotwin::kernels {

/// The problem without its matrix.
inline Problem cells_of(const Problem& p) {
  Problem cells;
  cells.model = p.model;
  cells.real = p.real;
  cells.dt = p.dt;
  cells.activation_threshold = p.activation_threshold;
  cells.repolarization_level = p.repolarization_level;
  cells.activation_depth = p.activation_depth;
  cells.parameter_set = p.parameter_set;
  cells.parameters = p.parameters;
  cells.initial_voltage = p.initial_voltage;
  cells.initial_states = p.initial_states;
  cells.stages = p.stages;
  return cells;
}

/// Per slot: what a stored weight of its row is to be multiplied by.
template <class T>
std::vector<T> row_scales(const Layout& layout, const Problem& p, const std::vector<double>& values, double factor) {
  std::vector<T> result(layout.slots(), T(1));
  if (values.empty()) return result;
  if constexpr (!std::is_same_v<Weight<T>, T>) {
    for (std::size_t i = 0; i < p.nodes(); ++i) {
      double largest = 0;
      for (auto k = std::size_t(p.row_start[i]); k < std::size_t(p.row_start[i + 1]); ++k) {
        largest = std::max(largest, std::abs(factor * values[k]));
      }
      result[std::size_t(layout.slot_of_node[i])] = T(largest / WeightOf<T>::largest);
    }
  }
  return result;
}

/// Per entry of the layout; 0 where padded.
template <class T>
std::vector<Weight<T>> stored_weights(const Layout& layout, const Problem& p, const std::vector<double>& values,
                                      double factor) {
  if (values.empty()) return {};
  const auto scale = row_scales<T>(layout, p, values, factor);
  const auto lanes = std::size_t(layout.per_slice);
  std::vector<Weight<T>> result(layout.source.size());
  for (std::size_t slice = 0; slice < std::size_t(layout.slices); ++slice) {
    const auto last = std::size_t(layout.slice_start[slice + 1]) * lanes;
    for (auto k = std::size_t(layout.slice_start[slice]) * lanes; k < last; ++k) {
      const auto from = layout.source[k];
      const double divisor = double(scale[slice * lanes + k % lanes]);
      if (from < 0 || !(divisor > 0)) continue;
      const double x = factor * values[std::size_t(from)] / divisor;
      if constexpr (std::is_same_v<Weight<T>, T>) {
        result[k] = x;
      } else {
        result[k] = Weight<T>(std::lround(x));
      }
    }
  }
  return result;
}

/// Per entry: both weights of the step.
template <class T>
std::vector<WeightPair<T>> stored_pairs(const Layout& layout, const Problem& p) {
  const auto diffusion = stored_weights<T>(layout, p, p.diffusion, p.dt),
             load = stored_weights<T>(layout, p, p.load, 1);
  std::vector<WeightPair<T>> result(diffusion.size());
  for (std::size_t k = 0; k < result.size(); ++k) {
    if constexpr (std::is_same_v<T, double>) {
      result[k] = {diffusion[k], load[k]};
    } else {
      const auto low = std::uint32_t(std::uint16_t(diffusion[k])), high = std::uint32_t(std::uint16_t(load[k]));
      result[k] = std::int32_t(high << 16 | low);
    }
  }
  return result;
}

/// Per parameter set: the model's constants.
template <class T>
std::vector<T> set_constants(const ModelOperations& ops, const std::vector<std::vector<double>>& sets) {
  std::vector<T> result;
  std::vector<double> c(std::size_t(ops.constant_count));
  for (const auto& parameters : sets) {
    ops.prepare(parameters.data(), c.data());
    for (const double x : c) result.push_back(T(x));
  }
  return result;
}

}  // namespace cardiotwin::kernels
