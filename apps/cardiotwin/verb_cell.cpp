// cardiotwin cell: one cell of an ionic model, or many, without tissue.

#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/io.hpp>
#include <cardiotwin/units.hpp>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "cell_rows.hpp"
#include "cell_tables.hpp"
#include "job.hpp"

namespace cardiotwin::app {
namespace {

using Json = nlohmann::ordered_json;

struct CellJob {
  Options options{"cell"};
  CellRequest request;
  std::vector<std::string> warnings;
  Monitor monitor;

  void declare() { add_cell_rows(options, request); }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  void run() {
    auto& r = request;
    if (r.list) return say(r.json ? models_json().dump(2) : model_list());
    settle(r);
    monitor = console();
    Cell cell = make_cell(r.model, r.variant, r.set, r.scale);
    if (r.parameters) return say(r.json ? parameters_json(cell).dump(2) : parameter_table(cell));
    if (r.run.dt == 0) r.run.dt = accurate_dt(*cell.model);
    for (const auto& file : {r.csv, r.trace}) {
      if (!file.empty()) require_writable(file);
    }
    const Cell free = cell;
    if (r.concentrations.size() == 1) cell = with_drug(free, r.drug, r.concentrations[0]);
    // The same stimulus whatever the drug does.
    r.twice_threshold = std::isnan(r.pacing.amplitude);
    if (r.twice_threshold) r.pacing.amplitude = 2 * threshold(free);
    if (r.population > 0) return population(cell);
    if (!r.restitution.empty()) return restitution(cell);
    if (r.concentrations.size() > 1) return drug(free);
    plain(cell);
  }

  void warn(const std::string& text) {
    monitor.warn(text);
    warnings.push_back(text);
  }

  void plain(const Cell& cell) {
    const auto& r = request;
    const auto sampling = r.trace.empty() ? CellSampling{} : r.sampling;
    require_room(cell, sampling);
    const auto run = pace_cell(cell, r.pacing, r.run, sampling, monitor);
    const auto& last = run.beats.back();
    const auto captured = std::count_if(run.beats.begin(), run.beats.end(), [](auto& b) { return b.captured; });
    if (captured < static_cast<long>(run.beats.size()))
      warn(fmt::format("{} of {} beats were not captured; a larger --amplitude or a longer --bcl may capture",
                       run.beats.size() - captured, run.beats.size()));
    if (last.captured && std::isnan(last.apd90))
      warn(
          fmt::format("the last beat was not 90 % repolarised within {:g} ms; APDs need a longer --bcl", r.pacing.bcl));
    constexpr double listen = 3000;  // [ms]
    if (const int beats = spontaneous_beats(run.end, listen, r.run); beats > 0)
      warn(
          fmt::format("the cell fires by itself, {} times within {:g} s after the pacing: not every beat is the "
                      "stimulus's",
                      beats, listen / 1000));
    write_csv(r.csv, beat_csv(run));
    if (!r.trace.empty())
      write_csv(r.trace, "# time from the first pulse shown; states in their units\n" + trace_csv(cell, run.trace));
    print(beat_table(r, run), run_json(run));
  }

  void drug(const Cell& free) {
    const auto& r = request;
    std::vector<Cell> cells{free};
    for (const double c : r.concentrations) cells.push_back(with_drug(free, r.drug, c));
    const auto runs = pace_cells(cells, r.pacing, r.run, {}, monitor);
    Json rows = Json::array();
    for (std::size_t k = 0; k < runs.size(); ++k) {
      const auto& last = runs[k].beats.back();
      const double c = k == 0 ? 0 : r.concentrations[k - 1];
      const auto where = format_quantity(c, "uM");
      if (!last.captured) warn(fmt::format("at {} the last beat was not captured", where));
      if (last.captured && std::isnan(last.apd90))
        warn(fmt::format("at {} the last beat was not 90 % repolarised within {:g} ms", where, r.pacing.bcl));
      if (k == 0) continue;
      Json row = run_json(runs[k]);
      row.erase("beats");
      row["concentration_uM"] = c / units::uM;
      row["change_percent"] = 100 * (last.apd90 / runs[0].beats.back().apd90 - 1);
      rows.push_back(std::move(row));
    }
    write_csv(r.csv, drug_csv(r, runs));
    print(drug_table(r, runs), {{"without_drug", run_json(runs[0])["last"]}, {"concentrations", rows}});
  }

  void restitution(const Cell& cell) {
    const auto& r = request;
    const RestitutionOptions intervals{r.from, r.to, r.by};
    const auto curve = r.restitution == "s1s2" ? s1s2_restitution(cell, r.pacing, intervals, r.run, monitor)
                                               : dynamic_restitution(cell, r.pacing, intervals, r.run, monitor);
    if (curve.erp == r.from || !curve.points.front().captured)
      warn("the longest interval already does not capture; raise --amplitude or --from");
    write_csv(r.csv, restitution_csv(curve));
    print(restitution_table(r, curve), restitution_json(curve));
  }

  void population(const Cell& cell) {
    const auto& r = request;
    const auto begin = std::chrono::steady_clock::now();
    PopulationSummary summary;
    if (r.csv.empty()) {
      summary = pace_population(cell, r.pacing, r.spread, r.run, monitor);
    } else {
      write_atomically(r.csv, [&](const std::filesystem::path& file) {
        std::ofstream out(file, std::ios::binary);
        out << head() << population_csv_header(r);
        summary = pace_population(
            cell, r.pacing, r.spread, r.run, monitor,
            [&](long index, const PopulationCell& member) { out << population_csv_row(index, member); });
        out.close();
        if (!out) throw FileError(std::generic_category().message(errno ? errno : EIO));
      });
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    print(population_table(r, summary, seconds), population_json(summary));
  }

  /// Of the cell at rest [A/F].
  double threshold(const Cell& cell) const {
    const double found = capture_threshold(cell, request.pacing.duration, request.run);
    if (std::isnan(found))
      throw InputError(
          fmt::format("--amplitude: no stimulus of {:g} ms captures \"{}\" from rest; give one to pace it "
                      "all the same",
                      request.pacing.duration, request.model));
    return found;
  }

  /// A trace is kept in memory and written as text.
  void require_room(const Cell& cell, const CellSampling& sampling) const {
    constexpr double most = 5e7;
    const auto& r = request;
    const double numbers = std::min(sampling.beats, r.pacing.beats) * r.pacing.bcl /
                           std::max(sampling.interval, r.run.dt) * static_cast<double>(cell.states.size() + 2);
    if (numbers > most)
      throw InputError(
          fmt::format("--trace: {:.2g} numbers are too many; lengthen --sample or lower --trace-beats", numbers));
  }

  Step step() const {
    auto effective = options.effective();
    const auto leave_out = [&](bool unused, std::initializer_list<const char*> keys) {
      for (const char* key : keys) {
        if (unused) effective.erase(key);
      }
    };
    leave_out(true, {"threads"});  // no result depends on it
    leave_out(request.restitution.empty(), {"from", "to", "by"});
    leave_out(request.population == 0, {"population", "seed", "spread"});
    leave_out(request.trace.empty(), {"trace_beats", "sample"});
    std::erase_if(effective, [](const auto& entry) { return entry.second.empty(); });
    return {.verb = "cell",
            .version = version(),
            .backend = "cpu/" + request.precision,
            .seed = request.population > 0 ? request.spread.seed : 0,
            .options = effective,
            .warnings = warnings};
  }

  /// The lines that every text file begins with.
  std::string head() const {
    const Step origin = step();
    std::string text = fmt::format("# {}\n# cardiotwin {} cell:", research_use_only, origin.version);
    for (const auto& [key, value] : origin.options) text += fmt::format(" {}=\"{}\"", key, value);
    return text + "\n";
  }

  void write_csv(const std::filesystem::path& path, const std::string& table) const {
    if (!path.empty()) write_text(path, head() + table);
  }

  void print(const std::string& table, const Json& results) const {
    if (!request.json) return say(table);
    Json all{{"model", request.model}};
    all.update(results);
    all["provenance"] = Json::parse(to_json(Provenance{{step()}}));
    say(all.dump(2));
  }
};

}  // namespace

void add_cell(CLI::App& app) {
  add_verb<CellJob>(app, "cell", "Paces one cell, or many, of an ionic model alone.", "the name of an ionic model",
                    "a table, or JSON, on stdout and, if asked for, CSV files");
}

}  // namespace cardiotwin::app
