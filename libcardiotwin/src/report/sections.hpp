#pragma once
/// The page's parts, each a pure function of the study.

#include "report/html.hpp"
#include "report/study.hpp"

namespace cardiotwin::report {

Html key_figures(const Study&);
Html targets_section(const Study&);  ///< empty where there is no target
Html inducibility_section(const Study&);
Html circuits_section(const Study&);  ///< empty where there is no circuit
Html ecg_section(const Study&);       ///< empty where no circuit has an ECG
Html scar_section(const Study&);      ///< bull's-eye and measurements
Html trust_section(const Study&);     ///< numerics and their error, warnings
Html tissue_section(const Study&);
Html provenance_section(const Study&);

Html circuit_controls(const Study&);  ///< of the viewer
Html show_boxes(const Study&);
Html legend_extra(const Study&);

}  // namespace cardiotwin::report
