#include "plan_crew.hpp"

#include <omp.h>

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

constexpr std::size_t nodes_in_memory = 2'000'000;  // of all workers together: about 1 kB each, snapshots included
constexpr auto patience = std::chrono::milliseconds(50);  // between looks at progress and cancellation

bool same(const std::vector<Lesion>& a, const std::vector<Lesion>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Lesion& x, const Lesion& y) { return x.position == y.position && x.radius == y.radius; });
}

}  // namespace

/// What workers and caller share while a list of sites is paced.
struct Crew::Shift {
  const std::vector<std::string>& sites;
  const SimulationOptions& options;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t next = 0;                            ///< first site nobody has taken
  std::size_t working = 0;                         ///< workers still at it
  std::deque<std::pair<std::size_t, Paced>> done;  ///< not yet handed over
  std::exception_ptr error;
  std::atomic<bool> stop = false;
  std::vector<std::atomic<double>> share;  ///< of each site [0, 1]

  Shift(const std::vector<std::string>& s, const SimulationOptions& o) : sites(s), options(o), share(s.size()) {}

  bool take(std::size_t& site) {
    const std::lock_guard hold(mutex);
    if (stop || next == sites.size()) return false;
    site = next++;
    return true;
  }
};

Crew::Crew(const Twin& twin, const PlanOptions& options) : twin_(twin), options_(options), backend_(options.backend) {
  if (!options.backend.is_cuda()) {
    const std::size_t cores = options.backend.threads() > 0 ? options.backend.threads() : omp_get_max_threads();
    const std::size_t fit =
        std::max<std::size_t>(1, nodes_in_memory / std::max<std::size_t>(1, twin.anatomy.mesh.node_count()));
    workers_ = std::min(cores, fit);
    backend_ = Backend::cpu(int(cores / workers_));
  }
  desks_.resize(workers_);
}

Crew::~Crew() = default;

Simulation& Crew::simulation(std::size_t worker, const SimulationOptions& options) {
  Desk& desk = desks_[worker];
  if (!desk.simulation || !same(desk.lesions, options.lesions)) {
    desk.simulation.reset();  // first, so that two are never in memory
    SimulationOptions own = options;
    own.backend = backend_;
    desk.simulation = std::make_unique<Simulation>(twin_, own);
    desk.lesions = options.lesions;
  }
  return *desk.simulation;
}

void Crew::work(std::size_t worker, Shift& shift) {
  Monitor monitor;
  monitor.cancelled = [&shift] { return shift.stop.load(); };
  try {
    for (std::size_t i = 0; shift.take(i);) {
      const auto progress = [&](double share) { shift.share[i] = share; };
      Paced paced = pace_site(simulation(worker, shift.options), twin_, twin_.anatomy.site(shift.sites[i]), options_,
                              monitor, progress);
      shift.share[i] = 1;
      const std::lock_guard hold(shift.mutex);
      shift.done.emplace_back(i, std::move(paced));
      shift.changed.notify_one();
    }
  } catch (...) {
    const std::lock_guard hold(shift.mutex);
    if (!shift.stop) shift.error = std::current_exception();  // of those told to stop, the Interrupted is no news
    shift.stop = true;
  }
  const std::lock_guard hold(shift.mutex);
  --shift.working;
  shift.changed.notify_one();
}

void Crew::pace(const std::vector<std::string>& sites, const SimulationOptions& options, const Monitor& monitor,
                const Watch& watch) {
  Shift shift(sites, options);
  bool interrupted = false;
  {
    std::vector<std::jthread> threads;
    shift.working = std::min(workers_, sites.size());
    for (std::size_t w = 0; w < std::min(workers_, sites.size()); ++w)
      threads.emplace_back([this, w, &shift] { work(w, shift); });
    std::exception_ptr failure;
    std::unique_lock hold(shift.mutex);
    while (shift.working > 0 || !shift.done.empty()) {
      shift.changed.wait_for(hold, patience, [&] { return !shift.done.empty() || shift.working == 0; });
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
