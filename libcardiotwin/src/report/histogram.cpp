#include "report/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "report/json_view.hpp"

namespace cardiotwin::report {

Html dihedral_histogram(const Json& check) {
  constexpr double bar = 18, height = 90;  // of the drawing
  std::vector<double> count;
  double all = 0;
  for (const auto& n : member(member(check, "mesh"), "dihedral_histogram")) {
    count.push_back(n.is_number() ? std::max(0.0, n.get<double>()) : 0.0);
    all += count.back();
  }
  if (count.size() != 18 || !(all > 0)) return {};
  const double highest = *std::ranges::max_element(count);
  std::string svg = fmt::format(
      "<svg viewBox=\"-6 -4 {} {}\" role=\"img\" aria-label=\"Dihedral angles of the mesh\" style=\"max-width:24rem\">",
      18 * bar + 12, height + 22);
  for (std::size_t b = 0; b < count.size(); ++b) {
    const double tall = count[b] > 0 ? std::max(1.0, height * count[b] / highest) : 0;
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"#5b6675\"><title>{} to {} degrees: "
        "{:.3g} %</title></rect>",
        bar * b + 1, height - tall, bar - 2, tall, 10 * b, 10 * b + 10, 100 * count[b] / all);
  }
  svg += fmt::format("<path d=\"M0 {0}H{1}\" stroke=\"#5b6675\"/>", height, 18 * bar);
  for (int angle = 0; angle <= 180; angle += 30) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" font-size=\"10\" fill=\"#536072\" text-anchor=\"middle\">{}</text>",
                       bar * angle / 10, height + 13, angle);
  }
  return {"<figure style=\"margin:0\">" + svg +
          "</svg><figcaption class=\"note\">Dihedral angles of the tetrahedra [degrees]</figcaption></figure>"};
}

}  // namespace cardiotwin::report
