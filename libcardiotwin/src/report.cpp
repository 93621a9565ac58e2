#include <fmt/format.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/report.hpp>

#include "report/files.hpp"

namespace cardiotwin {

void write_report(const std::filesystem::path& folder, const Monitor& monitor) {
  monitor.report("reading the study", 0);
  const auto study = report::load_study(folder);
  std::vector<Map> maps;
  for (std::size_t i = 0; i < study.plan.circuits.size(); ++i) {
    maps.push_back(study.plan.circuits[i].lat);
    maps.back().name = fmt::format("LAT circuit {}", i + 1);
  }
  monitor.poll();
  monitor.report("writing surface and volume", 0.3);
  save_surface(folder / "surface.vtu", study.twin.anatomy, maps);
  save(folder / "volume.vtu", study.twin.anatomy, maps);
  monitor.poll();
  monitor.report("writing targets and page", 0.7);
  write_text(folder / "targets.json", report::targets_json(study));
  write_text(folder / "targets.csv", report::targets_csv(study));
  for (std::size_t i = 0; i < study.plan.circuits.size(); ++i)
    if (const auto ecg = report::circuit_ecg(study, i); !ecg.empty())
      write_text(folder / fmt::format("circuit_{}_ecg.svg", i + 1), ecg);
  write_text(folder / "report.html", report::page(study));
  monitor.report("report written", 1);
}

}  // namespace cardiotwin
