// The options of `cardiotwin cell`: parameters, drugs and concentrations as text.
#include "cell_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/units.hpp>
#include <cmath>

namespace cardiotwin::app {
namespace {

bool is_bare(const std::string& text) {
  try {
    parse_quantity(text, dimension::none);
    return text.find('%') == std::string::npos;
  } catch (const InputError&) {
    return false;
  }
}

double plain_number(const std::string& text, const std::string& what) {
  if (!is_bare(text))
    throw InputError(
        fmt::format("{} = \"{}\" is not a plain finite number; parameters are in the units that "
                    "--parameters shows",
                    what, text));
  return parse_quantity(text, dimension::none);
}

std::pair<std::string, std::string> halves(const std::string& item, char separator, const std::string& example) {
  const auto at = item.find(separator);
  const auto name = split(item.substr(0, at), separator);
  const auto value = at == std::string::npos ? std::vector<std::string>{} : split(item.substr(at + 1), separator);
  if (name.size() != 1 || value.size() != 1)
    throw InputError(fmt::format("\"{}\" is not of the form {}", item, example));
  return {name[0], value[0]};
}

std::map<std::string, double> read_values(const std::string& text) {
  std::map<std::string, double> values;
  for (const auto& item : split(text)) {
    const auto [name, value] = halves(item, '=', "g_Kr=0.1");
    if (!values.emplace(name, plain_number(value, name)).second)
      throw InputError(fmt::format("{} is given twice; give it once", name));
  }
  return values;
}

std::string write_values(const std::map<std::string, double>& values) {
  std::string text;
  for (const auto& [name, value] : values) text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, value);
  return text;
}

double read_concentration(const std::string& text, const std::string& unit) {
  const double c = parse_quantity(is_bare(text) ? text + " " + unit : text, dimension::concentration);
  if (!(c >= 0)) throw InputError(fmt::format("a concentration of \"{}\" is negative", text));
  return c;
}

/// "g_Kr: ic50=0.1 uM, hill=1, g_CaL: ic50=2 uM"
std::vector<DrugEffect> read_drug(const std::string& text) {
  const std::string form = "\"g_Kr: ic50=0.1 uM, hill=1, g_CaL: ic50=2 uM\"";
  std::vector<DrugEffect> effects;
  for (std::string item : split(text)) {
    if (const auto colon = item.find(':'); colon != std::string::npos) {
      const auto [name, rest] = halves(item, ':', form);
      for (const auto& known : effects) {
        if (known.parameter == name) throw InputError(fmt::format("{} is blocked twice; name it once", name));
      }
      effects.push_back({.parameter = name, .ic50 = NAN});
      item = rest;
    }
    if (effects.empty()) throw InputError(fmt::format("\"{}\" is not of the form {}", text, form));
    DrugEffect& effect = effects.back();
    const auto [key, value] = halves(item, '=', form);
    if (key == "ic50") {
      effect.ic50 = parse_quantity(is_bare(value) ? value + " uM" : value, dimension::concentration);
      if (!(effect.ic50 > 0))
        throw InputError(fmt::format("{}: an ic50 of \"{}\" must be above 0", effect.parameter, value));
    } else if (key == "hill") {
      effect.hill = plain_number(value, "hill");
      if (!(effect.hill > 0))
        throw InputError(fmt::format("{}: a hill of \"{}\" must be above 0", effect.parameter, value));
    } else {
      throw InputError(fmt::format("{}: \"{}\" is neither ic50 nor hill", effect.parameter, key));
    }
  }
  for (const auto& effect : effects) {
    if (std::isnan(effect.ic50))
      throw InputError(fmt::format("{} has no ic50; the form is {}", effect.parameter, form));
  }
  return effects;
}

std::string write_drug(const std::vector<DrugEffect>& effects) {
  std::string text;
  for (const auto& e : effects)
    text += fmt::format("{}{}: ic50={}, hill={}", text.empty() ? "" : ", ", e.parameter, format_quantity(e.ic50, "uM"),
                        e.hill);
  return text;
}

/// "0, 0.1, 0.3 uM": a unit at the end counts for those before that have none.
std::vector<double> read_concentrations(const std::string& text) {
  const auto items = split(text);
  std::string unit = "uM";
  if (!items.empty() && !is_bare(items.back())) {
    const auto letter = items.back().find_last_of("0123456789.");
    if (letter != std::string::npos) unit = items.back().substr(letter + 1);
  }
  std::vector<double> values;
  for (const auto& item : items) values.push_back(read_concentration(item, unit));
  return values;
}

std::string write_concentrations(const std::vector<double>& values) {
  std::string text;
  for (const double c : values) text += fmt::format("{}{}", text.empty() ? "" : ", ", format_quantity(c, "uM"));
  return text;
}

void add_protocol_rows(Options& rows, CellRequest& r) {
  rows.quantity("bcl", r.pacing.bcl, "ms", 10, 1e5, "basic cycle length");
  rows.integer("beats", r.pacing.beats, 1, 10000, "beats; of the S1 train; at each cycle length of dynamic");
  rows.custom(
      "amplitude", "auto | A/F",
      [&r](const std::string& text) {
        r.pacing.amplitude =
            text == "auto" ? NAN : parse_quantity(is_bare(text) ? text + " A/F" : text, dimension::ionic_current);
        if (r.pacing.amplitude < 0)
          throw InputError(fmt::format("\"{}\" is negative; a stimulus depolarises, give it above 0", text));
      },
      [&r] {
        return std::isnan(r.pacing.amplitude) ? std::string("auto") : format_quantity(r.pacing.amplitude, "A/F");
      },
      "of the stimulus; auto: twice the threshold of the cell at rest");
  rows.quantity("duration", r.pacing.duration, "ms", 0.05, 100, "of the stimulus");
  rows.time_step("dt", r.run.dt, "time step; auto: one that resolves the model's upstroke well");
  rows.text("precision", r.precision, "of the arithmetic", {"fp32", "fp64"});
  rows.integer("threads", r.run.threads, 0, 1024, "CPU threads of a population, 0 for all; no result depends on it");
}

void add_study_rows(Options& rows, CellRequest& r) {
  rows.text("restitution", r.restitution, "protocol of a restitution curve", {"s1s2", "dynamic"});
  rows.quantity("from", r.from, "ms", 0, 1e5, "longest interval; 0: --bcl for s1s2, 1000 ms for dynamic");
  rows.quantity("to", r.to, "ms", 0, 1e5, "shortest interval; 0: 50 ms for s1s2, 250 ms for dynamic");
  rows.quantity("by", r.by, "ms", 0, 1e4, "step of the intervals; 0: 20 ms for s1s2, 50 ms for dynamic");
  rows.custom(
      "drug", "NAME: ic50=C, hill=H, ...", [&r](const std::string& text) { r.drug = read_drug(text); },
      [&r] { return write_drug(r.drug); }, "conductances that are multiplied by 1 / (1 + (c / ic50)^hill); hill is 1");
  rows.custom(
      "concentration", "C,... uM", [&r](const std::string& text) { r.concentrations = read_concentrations(text); },
      [&r] { return write_concentrations(r.concentrations); }, "of the drug; several give a row each");
  rows.integer("population", r.population, 0, 100'000'000, "cells with parameters of their own, 0 for none");
  rows.list("vary", r.spread.vary, "parameters that vary in the population");
  rows.number("spread", r.spread.spread, 0, 2,
              "coefficient of variation of each one's factor, which is log-normal with mean 1");
  rows.seed("seed", r.spread.seed, "of the population");
}

}  // namespace

void add_cell_rows(Options& rows, CellRequest& r) {
  rows.text("model", r.model, "ionic model; --list shows them"), rows.positional();
  rows.text("variant", r.variant, "of the model, such as epi; none: the model's default values");
  const auto values = [&rows](const char* key, std::map<std::string, double>& map, const char* doc) {
    rows.custom(
        key, "NAME=NUMBER,...", [&map](const std::string& text) { map = read_values(text); },
        [&map] { return write_values(map); }, doc);
  };
  values("set", r.set, "parameters, in the units that --parameters shows");
  values("scale", r.scale, "parameters that are multiplied, after --set");
  add_protocol_rows(rows, r);
  rows.path("trace", r.trace, "CSV of V and all states over the last beats");
  rows.integer("trace_beats", r.sampling.beats, 1, 10000, "so many");
  rows.quantity("sample", r.sampling.interval, "ms", 0.001, 1000, "between samples of the trace");
  add_study_rows(rows, r);
  rows.path("csv", r.csv, "the table as CSV: beats, concentrations, intervals or members");
  rows.flag("list", r.list, "list the models, and do nothing else", true);
  rows.flag("parameters", r.parameters, "list the model's parameters as set here, and do nothing else", true);
  rows.flag("json", r.json, "print JSON", true);
}

void settle(CellRequest& r) {
  const bool several = r.concentrations.size() > 1;
  if (r.model.empty())
    throw InputError(fmt::format("model must be given: one of {}", fmt::join(ionic_model_names(), ", ")));
  if (r.parameters) return;
  if (!r.restitution.empty() && r.population > 0)
    throw InputError("--restitution and --population cannot go together; leave one out");
  if (r.drug.empty() != r.concentrations.empty())
    throw InputError(r.drug.empty() ? "--concentration needs --drug, such as --drug \"g_Kr: ic50=0.1 uM\""
                                    : "--drug needs --concentration, such as --concentration \"0.3 uM\"");
  if (several && (!r.restitution.empty() || r.population > 0))
    throw InputError(fmt::format("--concentration: {} of them go with neither --restitution nor --population; give one",
                                 r.concentrations.size()));
  if (!r.trace.empty() && (several || !r.restitution.empty() || r.population > 0))
    throw InputError(
        "--trace is of one cell, paced plainly; leave out --restitution, --population or all "
        "concentrations but one");
  if (r.population == 0 && !r.spread.vary.empty()) throw InputError("--vary needs --population, such as 1000");
  if (r.population > 0 && r.spread.vary.empty())
    throw InputError("--population needs --vary, such as --vary g_Kr,g_CaL");
  if (r.restitution.empty() && (r.from > 0 || r.to > 0 || r.by > 0))
    throw InputError("--from, --to and --by need --restitution s1s2 or dynamic");
  if (!r.restitution.empty()) {
    const bool s1s2 = r.restitution == "s1s2";
    if (r.from == 0) r.from = s1s2 ? r.pacing.bcl : 1000;
    if (r.to == 0) r.to = s1s2 ? 50 : 250;
    if (r.by == 0) r.by = s1s2 ? 20 : 50;
  }
  r.run.precision = r.precision == "fp32" ? Precision::fp32 : Precision::fp64;
  r.spread.cells = r.population;
}

}  // namespace cardiotwin::app
