#include <atomic>
#include <cardiotwin/ensemble.hpp>
#include <cardiotwin/kernels/ensemble.hpp>
#include <exception>
#include <mutex>
#include <thread>

#include "simulation_impl.hpp"

namespace cardiotwin {

struct Ensemble::Impl {
  std::shared_ptr<kernels::Ensemble> engines;
  std::vector<Simulation> members;
};

Ensemble::Ensemble(const Twin& twin, const SimulationOptions& options, int members) : impl_(std::make_unique<Impl>()) {
  if (members < 1 || members > limit())
    throw InputError(fmt::format("Ensemble: {} members are outside [1, {}]", members, limit()));
  if (options.backend.is_reference())
    throw InputError("Ensemble: the reference backend runs one simulation at a time; use \"cpu\" or \"cuda\"");
  Prepared prepared = prepare(twin, options);
  const auto heart = std::make_shared<const Heart>(std::move(prepared.heart));
  impl_->engines = made_by_kernels(options.backend, [&](const kernels::Device& device) {
    return kernels::make_ensemble(prepared.problem, members, device);
  });
  for (int m = 0; m < members; ++m) {
    auto impl = std::make_unique<Simulation::Impl>();
    impl->heart = heart;
    impl->engine = {impl_->engines, &impl_->engines->member(m)};
    impl_->members.push_back(Simulation(std::move(impl)));
    if (!options.lesions.empty() && options.model == TissueModel::monodomain)
      impl_->members.back().vary({.lesions = options.lesions});
  }
}
Ensemble::~Ensemble() = default;
Ensemble::Ensemble(Ensemble&&) noexcept = default;
Ensemble& Ensemble::operator=(Ensemble&&) noexcept = default;

int Ensemble::limit() { return kernels::ensemble_limit(); }
int Ensemble::size() const { return static_cast<int>(impl_->members.size()); }

Simulation& Ensemble::member(int m) {
  if (m < 0 || m >= size()) throw InputError(fmt::format("Ensemble: member {} is outside [0, {})", m, size()));
  return impl_->members[m];
}

void Ensemble::for_each(std::size_t jobs, const std::function<void(std::size_t, Simulation&)>& job) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  const int workers = static_cast<int>(std::min<std::size_t>(jobs, impl_->members.size()));
  // All at work before the first runs, so that none starts alone.
  for (int m = 0; m < workers; ++m) impl_->engines->begin_work(m);
  {
    std::vector<std::jthread> threads;
    for (int m = 0; m < workers; ++m)
      threads.emplace_back([&, m] {
        try {
          for (std::size_t i = next++; i < jobs; i = next++) job(i, impl_->members[m]);
        } catch (...) {
          const std::lock_guard hold(mutex);
          if (!error) error = std::current_exception();
          next = jobs;
        }
        impl_->engines->end_work(m);
      });
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace cardiotwin
