#pragma once
#include <cardiotwin/fibers.hpp>
#include <optional>
#include <string>

#include "options.hpp"

namespace cardiotwin::app {

/// Rule and angles, shared by `build` and `convert`; an angle that is not given is the rule's own.
struct FiberChoice {
  std::string rule = "bayer";
  std::optional<double> alpha_endo, alpha_epi, alpha_endo_rv, alpha_epi_rv, beta_endo, beta_epi;
  FiberAngles angles() const;
};
void add_fiber_rows(Options&, FiberChoice&);

}  // namespace cardiotwin::app
