#include "bind.hpp"

namespace cardiotwin::python {
namespace {

py::array column(const std::vector<CellBeat>& beats, double CellBeat::*member) {
  std::vector<double> values;
  for (const auto& beat : beats) values.push_back(beat.*member);
  return give(std::move(values));
}

py::dict as_dict(CellRun run, const Cell& cell) {
  std::vector<double> captured;
  for (const auto& beat : run.beats) captured.push_back(beat.captured);
  py::list names;
  for (const auto& state : cell.model->states) names.append(state.name);
  py::dict result;
  result["start"] = column(run.beats, &CellBeat::start);
  result["rest"] = column(run.beats, &CellBeat::rest);
  result["peak"] = column(run.beats, &CellBeat::peak);
  result["max_slope"] = column(run.beats, &CellBeat::max_slope);
  result["apd30"] = column(run.beats, &CellBeat::apd30);
  result["apd50"] = column(run.beats, &CellBeat::apd50);
  result["apd90"] = column(run.beats, &CellBeat::apd90);
  result["captured"] = give(std::move(captured)).attr("astype")("bool");
  result["amplitude"] = run.amplitude;
  const std::size_t samples = run.trace.time.size();
  result["time"] = give(std::move(run.trace.time));
  result["voltage"] = give(std::move(run.trace.voltage));
  result["states"] = give(std::move(run.trace.states), {samples, cell.states.size()});
  result["state_names"] = names;
  return result;
}

py::dict as_dict(const Restitution& r) {
  const auto column = [&](double RestitutionPoint::*member) {
    std::vector<double> values;
    for (const auto& point : r.points) values.push_back(point.*member);
    return give(std::move(values));
  };
  py::dict result;
  result["interval"] = column(&RestitutionPoint::interval);
  result["di"] = column(&RestitutionPoint::di);
  result["apd"] = column(&RestitutionPoint::apd);
  std::vector<double> captured;
  for (const auto& point : r.points) captured.push_back(point.captured);
  result["captured"] = give(std::move(captured)).attr("astype")("bool");
  result["max_slope"] = r.max_slope, result["max_slope_di"] = r.max_slope_di, result["erp"] = r.erp;
  return result;
}

py::dict model_description(const std::string& name) {
  const IonicModel& model = ionic_model(name);
  py::dict parameters, states;
  for (const auto& p : model.parameters)
    parameters[py::str(p.name)] =
        py::dict("default"_a = p.value, "low"_a = p.low, "high"_a = p.high, "unit"_a = p.unit);
  for (const auto& s : model.states) states[py::str(s.name)] = s.unit;
  py::list variants;
  for (const auto& v : model.variants) variants.append(v.name);
  return py::dict("name"_a = model.name, "doi"_a = model.doi, "parameters"_a = parameters, "states"_a = states,
                  "variants"_a = variants);
}

using Values = std::map<std::string, double>;
using Drug = std::map<std::string, std::pair<double, double>>;

// A cell as keywords say it. A drug is {"G_Kr": (IC50 [uM], Hill)}.
Cell cell_of(const std::string& model, const std::string& variant, const Values& parameters, const Values& scale,
             const Drug& drug, double concentration) {
  std::vector<DrugEffect> effects;
  for (const auto& [name, block] : drug)
    effects.push_back({.parameter = name, .ic50 = block.first / 1000, .hill = block.second});
  return with_drug(make_cell(model, variant, parameters, scale), effects, concentration / 1000);
}

constexpr auto who_is_paced =
    " model, variant: ionic_model_names(), ionic_model(name); parameters replace the variant's, in their units, then "
    "scale multiplies; drug: {\"G_Kr\": (IC50 [uM], Hill coefficient)}, blocking 1 - 1 / (1 + (c / IC50)^Hill) of each "
    "at concentration [uM].";

py::dict as_dict(const PopulationSummary& summary, const std::vector<std::string>& vary, std::vector<double> factors,
                 std::vector<CellBeat> last, std::vector<double> alternans) {
  py::dict result = py::dict("mean"_a = summary.mean, "sd"_a = summary.sd, "p5"_a = summary.p5, "p50"_a = summary.p50,
                             "p95"_a = summary.p95, "not_captured"_a = summary.not_captured,
                             "not_repolarized"_a = summary.not_repolarized, "amplitude"_a = summary.amplitude);
  const std::size_t cells = last.size();
  result["vary"] = vary;
  result["factors"] = give(std::move(factors), {cells, vary.size()});
  result["apd90"] = column(last, &CellBeat::apd90), result["apd50"] = column(last, &CellBeat::apd50);
  result["peak"] = column(last, &CellBeat::peak), result["rest"] = column(last, &CellBeat::rest);
  result["max_slope"] = column(last, &CellBeat::max_slope);
  result["alternans"] = give(std::move(alternans));
  return result;
}

void bind_populations(py::module_& m) {
  m.def(
      "pace_population",
      [](const std::string& model, const std::vector<std::string>& vary, const std::string& variant,
         const Values& parameters, const Values& scale, const Drug& drug, double concentration, long cells,
         double spread, std::uint64_t seed, double bcl, int beats, std::optional<double> amplitude, double duration,
         double dt, const py::object& progress) {
        const Cell cell = cell_of(model, variant, parameters, scale, drug, concentration);
        std::vector<double> factors, alternans;
        std::vector<CellBeat> last;
        const auto summary = long_call(progress, [&](const Monitor& monitor) {
          return pace_population(
              cell, {.bcl = bcl, .beats = beats, .duration = duration, .amplitude = amplitude.value_or(NAN)},
              {.cells = cells, .spread = spread, .vary = vary, .seed = seed}, {.dt = dt}, monitor,
              [&](long, const PopulationCell& one) {
                factors.insert(factors.end(), one.factors.begin(), one.factors.end());
                last.push_back(one.last), alternans.push_back(one.alternans);
              });
        });
        return as_dict(summary, vary, std::move(factors), std::move(last), std::move(alternans));
      },
      "model"_a, "vary"_a, py::kw_only(), "variant"_a = "", "parameters"_a = Values{}, "scale"_a = Values{},
      "drug"_a = Drug{}, "concentration"_a = 0.0, "cells"_a = 1000, "spread"_a = 0.2, "seed"_a = 1, "bcl"_a = 1000.0,
      "beats"_a = 100, "amplitude"_a = py::none(), "duration"_a = 1.0, "dt"_a = 0.0, "progress"_a = py::none(),
      (std::string("Paces cells whose parameters `vary` have log-normal factors of mean 1 and coefficient of variation "
                   "`spread`. A dict: factors (cells, vary); of the last beat apd90, apd50 [ms], peak, rest [mV], "
                   "max_slope [mV/ms]; alternans [ms]; mean, sd, p5, p50, p95 of APD90; counts of cells not captured "
                   "and not repolarized.") +
       who_is_paced)
          .c_str());
  m.def(
      "capture_threshold",
      [](const std::string& model, const std::string& variant, const Values& parameters, const Values& scale,
         const Drug& drug, double concentration, double duration, double dt) {
        const Cell cell = cell_of(model, variant, parameters, scale, drug, concentration);
        py::gil_scoped_release free;
        return capture_threshold(cell, duration, {.dt = dt});
      },
      "model"_a, py::kw_only(), "variant"_a = "", "parameters"_a = Values{}, "scale"_a = Values{}, "drug"_a = Drug{},
      "concentration"_a = 0.0, "duration"_a = 1.0, "dt"_a = 0.0,
      (std::string(doc("capture_threshold")) + who_is_paced).c_str());
  m.def(
      "spontaneous_beats",
      [](const std::string& model, const std::string& variant, const Values& parameters, const Values& scale,
         const Drug& drug, double concentration, double duration, double dt) {
        const Cell cell = cell_of(model, variant, parameters, scale, drug, concentration);
        py::gil_scoped_release free;
        return spontaneous_beats(cell, duration, {.dt = dt});
      },
      "model"_a, py::kw_only(), "variant"_a = "", "parameters"_a = Values{}, "scale"_a = Values{}, "drug"_a = Drug{},
      "concentration"_a = 0.0, "duration"_a = 1000.0, "dt"_a = 0.0,
      (std::string(doc("spontaneous_beats")) + who_is_paced).c_str());
}

}  // namespace

void bind_cell(py::module_& m) {
  m.def("ionic_model_names", &ionic_model_names);
  m.def("ionic_model", &model_description, "name"_a,
        "Name, DOI, parameters (default, low, high, unit), states and their units, variants.");
  m.def(
      "pace_cell",
      [](const std::string& model, const std::string& variant, const Values& parameters, const Values& scale,
         const Drug& drug, double concentration, double bcl, int beats, std::optional<double> amplitude,
         double duration, double dt, int trace_beats, double sample, const py::object& progress) {
        const Cell cell = cell_of(model, variant, parameters, scale, drug, concentration);
        return as_dict(
            long_call(progress,
                      [&](const Monitor& monitor) {
                        return pace_cell(
                            cell,
                            {.bcl = bcl, .beats = beats, .duration = duration, .amplitude = amplitude.value_or(NAN)},
                            {.dt = dt}, {.beats = trace_beats, .interval = sample}, monitor);
                      }),
            cell);
      },
      "model"_a, py::kw_only(), "variant"_a = "", "parameters"_a = Values{}, "scale"_a = Values{}, "drug"_a = Drug{},
      "concentration"_a = 0.0, "bcl"_a = 1000.0, "beats"_a = 100, "amplitude"_a = py::none(), "duration"_a = 1.0,
      "dt"_a = 0.0, "trace_beats"_a = 1, "sample"_a = 0.5, "progress"_a = py::none(),
      (std::string(
           "Paces one cell. A dict of arrays: per beat start, rest, peak, max_slope [mV/ms], apd30, apd50, apd90 [ms] "
           "(NaN "
           "where there is none), captured; of the last trace_beats beats time [ms], voltage [mV] and states (samples, "
           "states) in their units, named by state_names. amplitude [A/F]: None is twice the threshold. dt 0: "
           "accurate.") +
       who_is_paced)
          .c_str());
  m.def(
      "restitution",
      [](const std::string& model, const std::string& variant, const Values& parameters, const Values& scale,
         const Drug& drug, double concentration, const std::string& protocol, double s1, int beats, double from,
         double to, double by, const py::object& progress) {
        if (protocol != "s1s2" && protocol != "dynamic")
          throw InputError(fmt::format("restitution: protocol must be \"s1s2\" or \"dynamic\", not \"{}\"", protocol));
        const Cell cell = cell_of(model, variant, parameters, scale, drug, concentration);
        return as_dict(long_call(progress, [&](const Monitor& monitor) {
          const CellPacing pacing{.bcl = s1, .beats = beats};
          const RestitutionOptions range{from, to, by};
          return protocol == "s1s2" ? s1s2_restitution(cell, pacing, range, {}, monitor)
                                    : dynamic_restitution(cell, pacing, range, {}, monitor);
        }));
      },
      "model"_a, py::kw_only(), "variant"_a = "", "parameters"_a = Values{}, "scale"_a = Values{}, "drug"_a = Drug{},
      "concentration"_a = 0.0, "protocol"_a = "s1s2", "s1"_a = 600.0, "beats"_a = 20, "start"_a = 1000.0,
      "stop"_a = 250.0, "step"_a = 50.0, "progress"_a = py::none(),
      (std::string(
           "Restitution of a cell: arrays interval, di, apd [ms], captured, and max_slope, max_slope_di, erp.") +
       who_is_paced)
          .c_str());
  bind_populations(m);
}

}  // namespace cardiotwin::python
