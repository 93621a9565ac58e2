#include "lesions.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace cardiotwin::kernels {

std::vector<std::int32_t> Graph::rim(const std::vector<std::int32_t>& dead) const {
  std::vector<std::int32_t> result;
  for (const auto i : dead) {
    for (auto k = row_start_[std::size_t(i)]; k < row_start_[std::size_t(i) + 1]; ++k) {
      const auto j = column_[std::size_t(k)];
      if (!std::binary_search(dead.begin(), dead.end(), j)) result.push_back(j);
    }
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

void validate(const Problem& p, const Variation& v) {
  const auto reject = [](const std::string& what) { throw std::invalid_argument("engine: variation: " + what); };
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
  if (!std::is_sorted(v.dead.begin(), v.dead.end())) reject("dead nodes must be ascending");
  for (const auto i : v.dead) {
    if (i < 0 || std::size_t(i) >= p.nodes()) reject("dead node " + std::to_string(i) + " is not one of the problem's");
  }
}

}  // namespace cardiotwin::kernels
