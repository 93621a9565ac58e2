#include "layout.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>

#include "step_args.hpp"

namespace cardiotwin::kernels {
namespace {

constexpr std::size_t window = 512;

std::vector<std::int32_t> sorted_nodes(const Problem& p) {
  std::vector<std::int32_t> order(p.nodes());
  std::iota(order.begin(), order.end(), 0);
  const auto key = [&](std::int32_t i) {
    const auto n = std::size_t(i);
    return std::tuple(p.parameter_set[n], -(p.row_start[n + 1] - p.row_start[n]));
  };
  for (std::size_t from = 0; from < order.size(); from += window) {
    const auto to = std::min(from + window, order.size());
    std::stable_sort(order.begin() + std::ptrdiff_t(from), order.begin() + std::ptrdiff_t(to),
                     [&](std::int32_t a, std::int32_t b) { return key(a) < key(b); });
  }
  return order;
}

[[noreturn]] void reject(const std::string& what) { throw std::invalid_argument("engine: " + what); }

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

void validate_matrix(const Problem& p) {
  const auto n = p.nodes();
  if (p.row_start.size() != n + 1 || p.row_start.front() != 0) reject("row_start must have nodes + 1 entries from 0");
  if (!std::is_sorted(p.row_start.begin(), p.row_start.end())) reject("row_start must not decrease");
  const auto entries = std::size_t(p.row_start.back());
  if (p.column.size() != entries || p.diffusion.size() != entries || p.load.size() != entries) {
    reject("column, diffusion and load must have " + std::to_string(entries) + " entries, as row_start ends");
  }
  for (const auto c : p.column) {
    if (c < 0 || std::size_t(c) >= n)
      reject("column " + std::to_string(c) + " is outside [0, " + std::to_string(n) + ")");
  }
  if (!all_finite(p.diffusion) || !all_finite(p.load)) reject("diffusion and load must be finite");
  if (p.gradient.empty() && p.divergence.empty() && p.own_divergence.empty()) return;
  if (p.gradient.size() != entries || p.divergence.size() != entries || p.own_divergence.size() != n) {
    reject("gradient and divergence must have an entry per non-zero, own_divergence one per node, or all be empty");
  }
  if (!all_finite(p.gradient) || !all_finite(p.divergence) || !all_finite(p.own_divergence)) {
    reject("gradient and divergence must be finite");
  }
}

void validate_sets(const Problem& p) {
  const auto sets = p.parameters.size();
  if (p.initial_voltage.size() != sets || p.initial_states.size() != sets) {
    reject("parameters, initial_voltage and initial_states must have one entry per parameter set");
  }
  for (const auto s : p.parameter_set) {
    if (s < 0 || std::size_t(s) >= sets)
      reject("parameter set " + std::to_string(s) + " is not among the " + std::to_string(sets) + " given");
  }
  for (std::size_t s = 0; s < sets; ++s) {
    if (p.parameters[s].size() != p.model->parameters.size() || p.initial_states[s].size() != p.model->states.size()) {
      reject("set " + std::to_string(s) + ": " + p.model->name + " has " + std::to_string(p.model->parameters.size()) +
             " parameters and " + std::to_string(p.model->states.size()) + " states");
    }
    if (!all_finite(p.parameters[s]) || !all_finite(p.initial_states[s]) || !std::isfinite(p.initial_voltage[s])) {
      reject("set " + std::to_string(s) + ": parameters and initial values must be finite");
    }
  }
}

void validate_conductor(const Problem& p) {
  const Conductor& c = *p.conductor;
  if (!c.matrix) reject("the conductor has no matrix");
  if (c.intracellular.size() != p.column.size() || c.beyond.size() != p.column.size() ||
      c.carried.size() != p.column.size())
    reject("the conductor needs one number per non-zero in intracellular, beyond and carried");
  if (c.interpolation.rows() != p.nodes()) reject("the conductor's interpolation needs a row per node");
  for (const auto row : c.interpolation.column) {
    if (row < 0 || std::size_t(row) >= c.matrix->rows())
      reject("the conductor's interpolation names row " + std::to_string(row) + ", which it does not have");
  }
  if (c.interval < 1) reject("the conductor's interval must be at least one step");
  if (!(c.tolerance > 0 && c.tolerance < 1)) reject("the conductor's tolerance must be in (0, 1)");
}

}  // namespace

void validate(const Problem& p) {
  if (!p.model) reject("no ionic model given");
  if (!(p.dt > 0) || !std::isfinite(p.dt)) reject("dt = " + std::to_string(p.dt) + " ms must be positive");
  if (p.stages < 1 || p.stages > stage_limit) {
    reject("stages = " + std::to_string(p.stages) + " is outside [1, " + std::to_string(stage_limit) + "]");
  }
  if (p.activation_depth < 1) reject("activation_depth must be at least 1");
  if (!p.capacity.empty() && (p.capacity.size() != p.nodes() ||
                              !std::all_of(p.capacity.begin(), p.capacity.end(), [](double c) { return c > 0; }))) {
    reject("capacity needs one positive number per node");
  }
  if (p.nodes() == 0) reject("the problem has no nodes");
  if (p.nodes() > std::size_t(INT32_MAX) - window) reject("too many nodes for 32-bit indices");
  validate_matrix(p);
  validate_sets(p);
  if (p.conductor) validate_conductor(p);
}

Layout::Layout(const Problem& p, int c) : per_slice(c), slices(int((p.nodes() + std::size_t(c) - 1) / std::size_t(c))) {
  const auto order = sorted_nodes(p);
  const auto n = order.size();
  const auto width = std::size_t(per_slice);
  slot_of_node.resize(n);
  for (std::size_t slot = 0; slot < n; ++slot) slot_of_node[std::size_t(order[slot])] = std::int32_t(slot);

  set.assign(slots(), p.parameter_set[std::size_t(order.back())]);
  for (std::size_t slot = 0; slot < n; ++slot) set[slot] = p.parameter_set[std::size_t(order[slot])];

  const auto row_length = [&](std::size_t slot) {
    if (slot >= n) return 0;
    const auto node = std::size_t(order[slot]);
    return p.row_start[node + 1] - p.row_start[node];
  };
  slice_start.assign(1, 0);
  for (std::size_t first = 0; first < slots(); first += width) {
    int longest = 0;
    for (std::size_t slot = first; slot < first + width; ++slot) longest = std::max(longest, row_length(slot));
    for (int k = 0; k < longest; ++k) {
      for (std::size_t slot = first; slot < first + width; ++slot) {
        const bool real = k < row_length(slot);
        const auto entry = real ? p.row_start[std::size_t(order[slot])] + k : -1;
        source.push_back(entry);
        column.push_back(real ? slot_of_node[std::size_t(p.column[std::size_t(entry)])] : std::int32_t(slot));
      }
    }
    slice_start.push_back(slice_start.back() + longest);
  }
}

}  // namespace cardiotwin::kernels
