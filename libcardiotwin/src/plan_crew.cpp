#include "plan_crew.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace cardiotwin::study {
namespace {

constexpr auto patience = std::chrono::milliseconds(50);  // between looks at progress and cancellation

/// Sites for which half of the machine's memory is enough: V, states and LATs of a node, and seventeen snapshots of
/// them.
int sites_in_memory(const Twin& twin) {
  const double states = double(ionic_model(twin.tissue.model).states.size());
  const double per_node = 18 * (8 + 4 * states + 8 * (Simulation::activation_depth + 1) + 1);
  const double memory = 0.5 * double(sysconf(_SC_PHYS_PAGES)) * double(sysconf(_SC_PAGE_SIZE));
  return int(std::clamp(memory / (per_node * double(twin.anatomy.mesh.node_count())), 1.0, 1e6));
}

}  // namespace

/// What workers and caller share while a list of sites is paced.
struct Crew::Shift {
  std::mutex mutex;
  std::condition_variable changed;
  bool working = true;
  std::deque<std::pair<std::size_t, Paced>> done;  ///< not yet handed over
  std::exception_ptr error;
  std::atomic<bool> stop = false;
  std::vector<std::atomic<double>> share;  ///< of each site [0, 1]

  explicit Shift(std::size_t sites) : share(sites) {}
};

Crew::Crew(const Twin& twin, const PlanOptions& options)
    : twin_(twin), options_(options), most_(std::min(Ensemble::limit(), sites_in_memory(twin))) {}

void Crew::pace(const std::vector<std::string>& sites, const SimulationOptions& options, const Monitor& monitor,
                const Watch& watch) {
  if (sites.empty()) return;
  const int members = int(std::min<std::size_t>(std::size_t(most_), sites.size()));
  if (!ensemble_ || ensemble_->size() < members) {
    ensemble_.reset();  // first, so that two are never in memory
    SimulationOptions whole = options;
    whole.lesions = {};
    ensemble_.emplace(twin_, whole, members);
  }
  Shift shift(sites.size());
  std::optional<LeadFields> leads;
  if (options_.leads) leads = with_lesions(*options_.leads, twin_, options.lesions);
  const auto pace_one = [&](std::size_t i, Simulation& simulation) {
    Monitor inner;
    inner.cancelled = [&shift] { return shift.stop.load(); };
    simulation.vary({.lesions = options.lesions});
    Paced paced = pace_site(simulation, twin_, twin_.anatomy.site(sites[i]), options_, leads ? &*leads : nullptr, inner,
                            [&](double share) { shift.share[i] = share; });
    shift.share[i] = 1;
    const std::lock_guard hold(shift.mutex);
    shift.done.emplace_back(i, std::move(paced));
    shift.changed.notify_one();
  };
  bool interrupted = false;
  {
    const std::jthread foreman([&] {
      std::exception_ptr error;
      try {
        ensemble_->for_each(sites.size(), pace_one);
      } catch (...) {
        error = std::current_exception();
      }
      const std::lock_guard hold(shift.mutex);
      if (!shift.stop) shift.error = error;  // of those told to stop, the Interrupted is no news
      shift.working = false;
      shift.changed.notify_one();
    });
    std::exception_ptr failure;
    std::unique_lock hold(shift.mutex);
    while (shift.working || !shift.done.empty()) {
      shift.changed.wait_for(hold, patience, [&] { return !shift.done.empty() || !shift.working; });
      std::deque<std::pair<std::size_t, Paced>> done;
      done.swap(shift.done);
      hold.unlock();
      try {
        for (auto& [site, paced] : done) watch.finished(site, std::move(paced));
        double sum = 0;
        for (const auto& share : shift.share) sum += share;
        watch.progress(sum);
        if (!interrupted && monitor.cancelled && monitor.cancelled()) interrupted = shift.stop = true;
      } catch (...) {  // a full disk, say: the workers must be home before it goes on
        if (!failure) failure = std::current_exception();
        shift.stop = true;
      }
      hold.lock();
    }
    if (!shift.error) shift.error = failure;
  }
  if (shift.error) std::rethrow_exception(shift.error);
  if (interrupted) throw Interrupted("interrupted by the user");
}

}  // namespace cardiotwin::study
