#include "lesions.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace cardiotwin::kernels {
namespace {

[[noreturn]] void reject(const std::string& what) { throw std::invalid_argument("engine: variation: " + what); }

void validate_parameters(const Problem& p, const Variation& v) {
  const std::size_t sets = p.parameters.size();
  if (!v.conductivity.empty() && v.conductivity.size() != sets) {
    reject("conductivity needs one factor per parameter set, " + std::to_string(sets));
  }
  for (const double f : v.conductivity) {
    if (!(f >= 0) || !std::isfinite(f)) reject("a factor of conductivity is negative or not a number");
  }
  if (!v.parameters.empty() && v.parameters.size() != sets) {
    reject("parameters needs one list per parameter set, " + std::to_string(sets));
  }
  for (const auto& list : v.parameters) {
    if (list.size() != p.model->parameters.size()) {
      reject(p.model->name + " has " + std::to_string(p.model->parameters.size()) + " parameters");
    }
    for (std::size_t k = 0; k < list.size(); ++k) {
      if (!std::isfinite(list[k])) reject("parameter " + p.model->parameters[k].name + " is not a finite number");
    }
  }
}

}  // namespace

void validate(const Problem& p, std::span<const std::int32_t> row_start, const Variation& v) {
  validate_parameters(p, v);
  const auto known = [&](std::int32_t i) { return i >= 0 && std::size_t(i) < p.nodes(); };
  if (!std::is_sorted(v.dead.begin(), v.dead.end())) reject("dead nodes must be ascending");
  for (const auto i : v.dead) {
    if (!known(i)) reject("dead node " + std::to_string(i) + " is not one of the problem's");
  }
  for (const auto& row : v.rows) {
    if (!known(row.node)) reject("a row of node " + std::to_string(row.node) + ", which is not one of the problem's");
    const auto length = std::size_t(row_start[std::size_t(row.node) + 1] - row_start[std::size_t(row.node)]);
    const auto fits = [&](const std::vector<double>& values, bool may_be_empty) {
      return (may_be_empty && values.empty()) || values.size() == length;
    };
    if (!fits(row.diffusion, false) || !fits(row.load, false) || !fits(row.gradient, true) ||
        !fits(row.divergence, true) || row.gradient.size() != row.divergence.size()) {
      reject("the row of node " + std::to_string(row.node) + " needs " + std::to_string(length) + " entries");
    }
  }
}

}  // namespace cardiotwin::kernels
