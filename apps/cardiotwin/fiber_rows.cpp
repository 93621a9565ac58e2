#include "fiber_rows.hpp"

namespace cardiotwin::app {

FiberAngles FiberChoice::angles() const {
  FiberAngles a = FiberAngles::of(fiber_rule_of(rule));
  a.alpha_endo = alpha_endo.value_or(a.alpha_endo), a.alpha_epi = alpha_epi.value_or(a.alpha_epi);
  a.alpha_endo_rv = alpha_endo_rv.value_or(a.alpha_endo_rv), a.alpha_epi_rv = alpha_epi_rv.value_or(a.alpha_epi_rv);
  a.beta_endo = beta_endo.value_or(a.beta_endo), a.beta_epi = beta_epi.value_or(a.beta_epi);
  return a;
}

void add_fiber_rows(Options& rows, FiberChoice& fibers) {
  rows.text("fiber_rule", fibers.rule, "fibres of Bayer et al. 2012 or Doste et al. 2019", {"bayer", "doste"});
  rows.optional_number("alpha_endo", fibers.alpha_endo, -90, 90,
                       "helix angle at the endocardium, degrees; else the rule's own: bayer 60, doste 60");
  rows.optional_number("alpha_epi", fibers.alpha_epi, -90, 90, "at the epicardium; bayer -60, doste -60");
  rows.optional_number("alpha_endo_rv", fibers.alpha_endo_rv, -90, 90,
                       "at the right ventricle's endocardium; bayer 60, doste 90");
  rows.optional_number("alpha_epi_rv", fibers.alpha_epi_rv, -90, 90,
                       "at the right ventricle's epicardium; bayer -60, doste -25");
  rows.optional_number("beta_endo", fibers.beta_endo, -90, 90,
                       "sheet angle at the endocardium, degrees; bayer -65, doste 0");
  rows.optional_number("beta_epi", fibers.beta_epi, -90, 90, "sheet angle at the epicardium; bayer 25, doste 0");
}

}  // namespace cardiotwin::app
