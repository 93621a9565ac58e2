#pragma once
/// An electrocardiogram as a doctor knows it: on millimetre paper, at true size.

#include <cardiotwin/ecg.hpp>
#include <string>

namespace cardiotwin {

/// What is written around the traces, and how tall they may be.
struct EcgPaper {
  std::string title = {};     ///< above the paper
  std::string note = {};      ///< below the title: where the record comes from
  EcgMeasures measures = {};  ///< those that are not NaN are written above the paper
  double gain = 10;           ///< [mm/mV] to begin with: 20, 10, 5 or 2.5
};

/// One SVG of its own, without outside fonts or styles, its units millimetres: print it at 100 %. 25 mm/s. The twelve
/// leads stand in three rows of four columns above a strip of II. Up to 4 s, all columns show the same stretch; longer
/// records run on from column to column, up to 2.5 s in each. Other channels stand one below the other, each drawn
/// about its median. What is later than 10 s is left out, and said to be. Where the gain would make a row taller than
/// 40 mm, the next smaller that fits is chosen, and said to be. Throws InputError for a record that is not valid, has
/// fewer than two samples or more than 1e6 mV, or a gain that is none of the four.
std::string ecg_paper(const Ecg& leads, const EcgPaper& options = {});

}  // namespace cardiotwin
