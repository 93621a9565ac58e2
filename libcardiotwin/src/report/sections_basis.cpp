// What it rests on: scar, numerics, tissue, provenance.
#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/ionic.hpp>
#include <cmath>

#include "report/bullseye.hpp"
#include "report/histogram.hpp"
#include "report/json_view.hpp"
#include "report/sections.hpp"

namespace cardiotwin::report {

namespace {

// An atrium has no segments: scar of the wall around each site.
Html scar_by_site(const Study& study) {
  const auto& sites = study.twin.anatomy.sites;
  const auto volumes = volumes_by_site(study.twin.anatomy);
  Table table("scar-table", {words("Wall nearest to"), words("Volume [ml]", "num"), words("Dense scar [ml]", "num"),
                             words("Fibrosis [ml]", "num"), words("Share of both", "num")});
  for (std::size_t k = 0; k < sites.size(); ++k) {
    const auto& v = volumes[k];
    table.row({words(sites[k].name), figure(v.muscle / 1000, 1), figure(v.core / 1000, 2),
               figure((v.border_zone + v.channel) / 1000, 2), words(fixed(100 * v.scar_share(), 0) + " %", "num")});
  }
  return tag("div", table.html());
}

}  // namespace

Html scar_section(const Study& study) {
  const auto whole = segment_volumes(study.twin.anatomy)[0];
  const auto millilitres = [](double mm3) { return fixed(mm3 / 1000, 1) + " ml"; };
  Facts volumes;
  volumes.add("Muscle", millilitres(whole.muscle));
  volumes.add("Dead core", millilitres(whole.core));
  volumes.add(study.twin.anatomy.chamber == Chamber::left_atrium ? "Fibrosis (border zone)" : "Border zone",
              millilitres(whole.border_zone));
  volumes.add("Channels (surviving, inside core)", millilitres(whole.channel));
  volumes.add("Core, border zone and channels",
              fmt::format("{} ({} %)", millilitres(whole.core + whole.border_zone + whole.channel),
                          fixed(100 * whole.scar_share(), 1)));
  volumes.add("Scar mass (density 1.05 g/ml)",
              fixed((whole.core + whole.border_zone + whole.channel) * 1.05e-3, 1) + " g");
  const auto add_cavity = [&](const char* name, const char* volume, const char* wall_name, const char* thickness) {
    const double cavity = number_in(study.check, {volume});
    if (std::isfinite(cavity)) volumes.add(name, fixed(cavity, 1) + " ml");
    const auto& wall = member(study.check, thickness);
    if (const double mean = number_in(wall, {"mean"}); std::isfinite(mean))
      volumes.add(wall_name, fmt::format("{} / {} / {} mm", fixed(number_in(wall, {"percentile_1"}), 1), fixed(mean, 1),
                                         fixed(number_in(wall, {"percentile_99"}), 1)));
  };
  add_cavity("Cavity", "cavity_volume_ml", "Wall thickness: thin, mean, thick", "wall_mm");
  add_cavity("Right ventricle's cavity", "right_cavity_volume_ml", "Its free wall: thin, mean, thick", "right_wall_mm");
  Facts measured;
  add_facts(measured, study.measurements);
  Html right = tag("h3", text("In the model")) + volumes.html();
  if (!measured.empty()) right += tag("h3", text("Measured in the image")) + measured.html();
  if (study.twin.anatomy.chamber == Chamber::left_atrium)
    return tag("section", tag("h2", text("Scar")) + tag("div", scar_by_site(study) + tag("div", right), "two"));
  const Html bull =
      Html{"<figure style=\"margin:0\">"} + bullseye_svg(study) +
      Html{
          "<figcaption class=\"note\" style=\"text-align:center\">Share of scar (core, border zone, channels) of each "
          "AHA segment. "
          "Numbered discs: targets. Dots: paced sites, filled where a re-entry was induced.</figcaption></figure>"};
  return tag("section", tag("h2", text("Scar")) + tag("div", bull + tag("div", right), "two"));
}

namespace {

struct AxisView {
  double wanted = NAN, mean = NAN, low = NAN, high = NAN, blocked = NAN;
  std::string why;
  double error() const {  // largest relative departure over the directions
    return wanted > 0 ? std::max(std::abs(low - wanted), std::abs(high - wanted)) / wanted : NAN;
  }
};

// The check's figures for one region and axis; NaN where the study holds none.
AxisView axis_view(const Json& check, std::string_view region, std::string_view axis) {
  for (const auto& v : member(check, "velocities")) {
    if (text_in(v, "region") != region || text_in(v, "axis") != axis) continue;
    return {.wanted = number_in(v, {"wanted_m_per_s"}),
            .mean = number_in(v, {"mean_m_per_s"}),
            .low = number_in(v, {"low_m_per_s"}),
            .high = number_in(v, {"high_m_per_s"}),
            .blocked = number_in(v, {"blocked_directions"}),
            .why = text_in(v, "why")};
  }
  return {};
}

double worst_velocity_error(const Json& check) {
  double worst = NAN;
  for (const auto& v : member(check, "velocities")) {
    const auto view = axis_view(check, text_in(v, "region"), text_in(v, "axis"));
    if (std::isfinite(view.error())) worst = std::isfinite(worst) ? std::max(worst, view.error()) : view.error();
  }
  return worst;
}

std::string backend_of(const Study& study) {
  std::string backend = text_in(study.options, "backend");
  for (const auto& step : study.provenance.steps)
    if (!step.backend.empty()) backend = step.backend;
  return backend;
}

}  // namespace

Html trust_section(const Study& study) {
  const auto& mesh = member(study.check, "mesh");
  Facts facts;
  const auto add = [&](const char* name, double value, int digits, const char* unit) {
    if (std::isfinite(value)) facts.add(name, fixed(value, digits) + unit);
  };
  facts.add("Mesh", fmt::format("{} nodes, {} tetrahedra", study.twin.anatomy.mesh.node_count(),
                                study.twin.anatomy.mesh.tet_count()));
  add("Mean edge", number_in(mesh, {"mean_edge_mm"}), 2, " mm");
  const Json& edges = member(mesh, "edges_mm");
  for (const auto& [name, region] : study.twin.tissue.regions) {
    const Json& own = member(edges, name.c_str());
    const double mean = number_in(own, {"mean"});
    if (std::isfinite(mean))
      facts.add("Edge in " + readable(name) + ": mean (5 to 95 % of it)",
                fmt::format("{} ({} to {}) mm", fixed(mean, 2), fixed(number_in(own, {"percentile_5"}), 2),
                            fixed(number_in(own, {"percentile_95"}), 2)));
  }
  add("Smallest dihedral angle", number_in(mesh, {"min_dihedral_deg"}), 1, " degrees");
  add("Largest dihedral angle", number_in(mesh, {"max_dihedral_deg"}), 1, " degrees");
  add("Time step", number_in(study.options, {"dt_ms"}), 3, " ms");
  add("Stability limit of the time step", number_in(study.check, {"stable_dt_ms"}), 3, " ms");
  facts.add("Scheme", "explicit, diffusion then reaction, P1 tetrahedra");
  if (study.twin.tissue.calibrated_edge > 0) {
    facts.add("Partly consistent ionic load g", fixed(study.twin.tissue.calibrated_load, 3));
    const bool own = std::ranges::any_of(study.twin.tissue.regions,
                                         [](const auto& region) { return region.second.calibrated_edge > 0; });
    facts.add("Conductivities fitted at",
              own ? std::string("each region's mean edge")
                  : "a mean edge of " + fixed(study.twin.tissue.calibrated_edge, 2) + " mm");
  } else {
    facts.add("Conductivities", "not fitted to this mesh");
  }
  if (const auto precision = text_in(study.options, "precision"); !precision.empty())
    facts.add("Number type", precision);
  if (const auto backend = backend_of(study); !backend.empty()) facts.add("Backend", backend);
  const double worst = worst_velocity_error(study.check);
  if (std::isfinite(worst)) facts.add("Largest velocity error, any region and direction", fixed(100 * worst, 1) + " %");
  Html list;
  for (const auto& warning : warnings(study)) list += tag("li", text(warning));
  if (list.empty()) list = tag("li", text("None was raised."));
  return tag("section",
             tag("h2", text("How far it can be trusted")) +
                 tag("div",
                     tag("div", tag("h3", text("Warnings raised on the way")) + tag("ul", list, "warnings")) +
                         tag("div", tag("h3", text("Numerics and their error")) + facts.html() +
                                        dihedral_histogram(study.check)),
                     "two"));
}

namespace {

Html velocity_cell(const AxisView& v) {
  if (!std::isfinite(v.mean)) return text("not measured");
  if (v.mean <= 0) return text("blocked in every direction");
  Html cell = text(fmt::format("{} ({}\u2013{})", fixed(v.mean, 3), fixed(v.low, 3), fixed(v.high, 3)));
  if (v.blocked > 0)
    cell += tag("span", text(fmt::format("blocked in {}", count(static_cast<std::size_t>(v.blocked), "direction"))),
                "small");
  if (!v.why.empty()) cell += tag("span", text(v.why), "small why");
  return cell;
}

std::string error_text(const AxisView& v) {
  return std::isfinite(v.error()) ? fixed(100 * v.error(), 1) + " %" : "\u2013";
}

void axis_row(Table& table, const Study& study, const std::string& name, const RegionTissue& tissue, bool along) {
  const auto view = axis_view(study.check, name, along ? "along" : "across");
  const double wanted = std::isfinite(view.wanted) ? view.wanted : along ? tissue.wanted.along : tissue.wanted.across;
  table.row({words(along ? readable(name) : ""),
             words(along ? "along the fibre" : "across"),
             figure(along ? tissue.conductivity.along : tissue.conductivity.across, 4),
             figure(wanted > 0 ? wanted : NAN, 2),
             {velocity_cell(view), "num"},
             words(error_text(view), "num")});
}

// Parameters of every conducting region side by side; a value that departs from the first region's is set in bold.
Html parameters_table(const Study& study) {
  const auto& tissue = study.twin.tissue;
  const auto* model = kernels::find_model(tissue.model);
  if (!model) return tag("p", text(fmt::format("Ionic model {}, unknown to this version.", tissue.model)));
  std::vector<Cell> headings{words("Parameter"), words("Unit")};
  std::vector<std::vector<double>> columns;
  for (const auto& [name, region] : tissue.regions) {
    if (!region.conducts) continue;
    headings.push_back(
        {text(readable(name)) + (region.variant.empty() ? Html{} : tag("span", text(region.variant), "small")), "num"});
    columns.push_back(ionic_parameters(*model, region.variant, region.parameters));
  }
  Table table("parameters-table", headings);
  for (std::size_t p = 0; p < model->parameters.size(); ++p) {
    const auto& info = model->parameters[p];
    std::vector<Cell> cells{{text(info.name) + (info.doc.empty() ? Html{} : tag("span", text(info.doc), "small"))},
                            words(info.unit)};
    for (const auto& column : columns) {
      const Html value = text(fmt::format("{:.6g}", column[p]));
      cells.push_back({column[p] == info.value ? value : tag("b", value), "num"});
    }
    table.row(cells);
  }
  return table.html();
}

}  // namespace

Html tissue_section(const Study& study) {
  const auto& tissue = study.twin.tissue;
  Table table("tissue-table", {words("Region"), words("Axis"), words("Conductivity [S/m]", "num"),
                               words("Wanted velocity [m/s]", "num"),
                               words("Expected: mean (low\u2013high) [m/s]", "num"), words("Largest error", "num")});
  for (const auto& [name, region] : tissue.regions) {
    if (region.conducts)
      axis_row(table, study, name, region, true), axis_row(table, study, name, region, false);
    else
      table.row({words(readable(name)), {text("does not conduct"), "", 5}});
  }
  const auto* model = kernels::find_model(tissue.model);
  const auto model_text = fmt::format(
      "Ionic model {}{}; surface-to-volume ratio {:.6g} /mm, membrane capacitance {:.6g} uF/mm2. Values that depart "
      "from the "
      "model's defaults are bold.",
      tissue.model, model && !model->doi.empty() ? " (doi " + model->doi + ")" : "", tissue.beta, tissue.capacitance);
  return tag("section", tag("h2", text("Tissue")) + table.html() +
                            tag("p",
                                text("Expected velocities are measured on blocks of this mesh's own lattice, in "
                                     "several directions; monodomain "
                                     "conductivities."),
                                "note") +
                            Html{"<details open><summary>Ionic parameters</summary>"} +
                            tag("p", text(model_text), "note") + parameters_table(study) + Html{"</details>"});
}

namespace {

Html step_html(const Step& step) {
  Facts facts;
  if (!step.version.empty()) facts.add("version", step.version);
  if (!step.backend.empty()) facts.add("backend", step.backend);
  facts.add("seed", std::to_string(step.seed));
  for (const auto& [name, value] : step.options) facts.add(name, value);
  Html inputs;
  for (const auto& [role, hash] : step.inputs) inputs += tag("p", text(role + " SHA-256 ") + tag("code", text(hash)));
  return tag("h3", text(step.verb)) + inputs + facts.html();
}

}  // namespace

Html provenance_section(const Study& study) {
  Html body = tag("p", text("Twin studied: SHA-256 ") + tag("code", text(study.twin_sha256))) +
              tag("p", text("Study run by cardiotwin " + study.version + ", this page written by cardiotwin " +
                            version() + "."));
  for (const auto& step : study.provenance.steps) body += step_html(step);
  Facts options;
  add_facts(options, study.options);
  if (!options.empty()) body += tag("h3", text("Effective options of the study")) + options.html();
  return tag("section", tag("h2", text("Provenance")) + body);
}

}  // namespace cardiotwin::report
