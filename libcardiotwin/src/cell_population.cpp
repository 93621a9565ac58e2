// Populations: block by block, so that memory does not grow with them.
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cardiotwin/error.hpp>
#include <cardiotwin/random.hpp>
#include <exception>

#include "cell_pacer.hpp"

namespace cardiotwin {
namespace {

/// Which parameters vary and by how much; the same for a member wherever it is computed.
class Spread {
 public:
  Spread(const Cell& cell, const PopulationOptions& options)
      : cell_(cell),
        seed_(Random(options.seed).bits()),
        sigma_(std::sqrt(std::log1p(options.spread * options.spread))) {
    for (const auto& name : options.vary) {
      const auto at = parameter_index(*cell.model, name);
      if (std::find(varied_.begin(), varied_.end(), at) != varied_.end())
        throw InputError(fmt::format("Population: {} is to vary twice; name it once", name));
      if (!(cell.parameters[at] > 0))
        throw InputError(fmt::format("Population: {} is {:g} and cannot vary by factors", name, cell.parameters[at]));
      varied_.push_back(at);
    }
  }

  Cell draw(long index, std::vector<double>& factors) const {
    constexpr std::uint64_t odd = 0xd1342543de82ef95ULL;
    constexpr int patience = 1000;
    Random random(seed_ ^ (static_cast<std::uint64_t>(index + 1) * odd));
    Cell member = cell_;
    for (const auto at : varied_) {
      const auto& info = cell_.model->parameters[at];
      for (int tries = 0;; ++tries) {
        const double factor = std::exp(sigma_ * random.normal() - 0.5 * sigma_ * sigma_);  // mean 1
        const double value = cell_.parameters[at] * factor;
        if (tries == patience)
          throw InputError(
              fmt::format("Population: {} = {:g} {} spread so widely leaves its range [{:g}, {:g}]; lower "
                          "--spread",
                          info.name, cell_.parameters[at], info.unit, info.low, info.high));
        if (value < info.low || value > info.high) continue;
        member.parameters[at] = value;
        factors.push_back(factor);
        break;
      }
    }
    return member;
  }

 private:
  const Cell& cell_;
  std::uint64_t seed_;
  double sigma_;  // of the factors' logarithm
  std::vector<std::size_t> varied_;
};

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void summarise(PopulationSummary& s, std::vector<double>& apd) {
  if (apd.empty()) return;
  std::sort(apd.begin(), apd.end());
  double sum = 0, squares = 0;
  for (const double x : apd) sum += x;
  const auto n = static_cast<double>(apd.size());
  s.mean = sum / n;
  for (const double x : apd) squares += (x - s.mean) * (x - s.mean);
  s.sd = apd.size() > 1 ? std::sqrt(squares / (n - 1)) : NAN;
  s.p5 = quantile(apd, 0.05), s.p50 = quantile(apd, 0.5), s.p95 = quantile(apd, 0.95);
}

/// Members [first, first + count).
std::vector<PopulationCell> pace_block(const Spread& spread, long first, long count, const PacerPlan& plan, double dt,
                                       Precision precision, const std::function<void(double)>& alive) {
  std::vector<PopulationCell> members(static_cast<std::size_t>(count));
  std::vector<Cell> cells;
  for (long i = 0; i < count; ++i)
    cells.push_back(spread.draw(first + i, members[static_cast<std::size_t>(i)].factors));
  run_plan(
      cells, plan, dt, precision,
      [&](std::size_t cell, std::size_t, const CellBeat& beat) {
        PopulationCell& member = members[cell];
        member.captured += beat.captured;
        member.alternans = beat.apd90 - member.last.apd90;
        member.last = beat;
      },
      alive);
  return members;
}

void require_population(const PopulationOptions& o) {
  if (o.cells < 1 || o.cells > 100'000'000)
    throw InputError(fmt::format("Population: {} cells are outside [1, 100000000]", o.cells));
  if (!(o.spread >= 0 && o.spread <= 2))
    throw InputError(fmt::format("Population: a spread of {} is outside [0, 2]", o.spread));
  if (o.vary.empty()) throw InputError("Population: no parameter varies; name some, such as g_Kr,g_CaL");
  if (o.block < 1) throw InputError(fmt::format("Population: a block of {} cells must have at least 1", o.block));
}

}  // namespace

PopulationSummary pace_population(const Cell& cell, const CellPacing& wanted, const PopulationOptions& options,
                                  const CellOptions& run, const Monitor& monitor,
                                  const std::function<void(long, const PopulationCell&)>& row) {
  require_population(options);
  const Spread spread(cell, options);
  const CellPacing pacing = settled_pacing(cell, wanted, run);
  const double dt = step_of(cell, run);
  const PacerPlan plan{.pulses = {train(pacing.bcl, pacing.beats)},
                       .amplitude = {pacing.amplitude},
                       .duration = pacing.duration,
                       .end = pacing.bcl * pacing.beats};
  PopulationSummary summary;
  summary.cells = options.cells;
  summary.amplitude = pacing.amplitude;
  summary.cell_steps = std::round(plan.end / dt) * static_cast<double>(options.cells);
  std::vector<double> apd;
  const long block = options.block, blocks = (options.cells + block - 1) / block;
  const int threads = run.threads > 0 ? run.threads : omp_get_max_threads();
  std::atomic<bool> stop = false;
  std::exception_ptr failure;
  for (long wave = 0; wave < blocks; wave += threads) {
    const long width = std::min<long>(threads, blocks - wave);
    std::vector<std::vector<PopulationCell>> done(static_cast<std::size_t>(width));
#pragma omp parallel for num_threads(static_cast <int>(width)) schedule(static, 1)
    for (long k = 0; k < width; ++k) {
      const long first = (wave + k) * block, count = std::min(block, options.cells - first);
      // The calling thread speaks for all; the others only listen.
      const auto alive = [&](double share) {
        if (stop) throw Interrupted("stopped");
        if (omp_get_thread_num() != 0) return;
        monitor.poll();
        monitor.report(fmt::format("pacing {} cells", options.cells),
                       (static_cast<double>(wave) + share * static_cast<double>(width)) / static_cast<double>(blocks));
      };
      try {
        done[static_cast<std::size_t>(k)] = pace_block(spread, first, count, plan, dt, run.precision, alive);
      } catch (...) {
#pragma omp critical
        if (!stop.exchange(true)) failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
    long index = wave * block;
    for (const auto& members : done) {
      for (const auto& member : members) {
        if (!member.last.captured)
          ++summary.not_captured;
        else if (std::isnan(member.last.apd90))
          ++summary.not_repolarized;
        else
          apd.push_back(member.last.apd90);
        if (row) row(index, member);
        ++index;
      }
    }
  }
  summarise(summary, apd);
  return summary;
}

}  // namespace cardiotwin
