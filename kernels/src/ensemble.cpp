// An ensemble: members of one core, each driven by a thread of its own, advanced together by one driving thread.
#include <algorithm>
#include <cardiotwin/kernels/ensemble.hpp>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "core.hpp"
#include "layout.hpp"

namespace cardiotwin::kernels {
namespace {

class EnsembleImpl final : public Ensemble {
 public:
  EnsembleImpl(std::unique_ptr<Core> core, int members) : core_(std::move(core)) {
    for (int m = 0; m < members; ++m) members_.push_back(std::make_unique<Member>(*this, m));
    driver_ = std::jthread([this](std::stop_token stop) { drive(stop); });
  }

  int size() const override { return int(members_.size()); }
  Engine& member(int m) override { return *members_.at(std::size_t(m)); }
  void begin_work(int m) override {
    const std::lock_guard hold(mutex_);
    members_.at(std::size_t(m))->at_work = true;
  }
  void end_work(int m) override {
    const std::lock_guard hold(mutex_);
    members_.at(std::size_t(m))->at_work = false;
    changed_.notify_all();
  }

 private:
  struct Member final : Engine {
    Member(EnsembleImpl& e, int number) : ensemble(e), m(number) {}

    /// Calls f with the ensemble held still and this member's lane filled.
    template <class F>
    auto with_lane(F f) const {
      const std::lock_guard hold(ensemble.mutex_);
      bring_back();
      return f(*ensemble.core_);
    }
    void bring_back() const {
      if (aside.empty()) return;
      ensemble.core_->restore(m, aside);
      aside = {};
    }

    void set_pulses(std::vector<Pulse> pulses) override {
      with_lane([&](Core& core) { core.set_pulses(m, std::move(pulses)); });
    }
    void vary(const Variation& variation) override {
      with_lane([&](Core& core) { core.vary(m, variation); });
    }
    void advance(std::int64_t steps) override {
      if (steps < 0) throw std::invalid_argument("engine: cannot advance by a negative number of steps");
      if (steps == 0) return;
      std::unique_lock hold(ensemble.mutex_);
      bring_back();
      wanted = steps;
      ensemble.changed_.notify_all();
      ensemble.changed_.wait(hold, [&] { return wanted == 0; });
    }
    std::int64_t step_count() const override {
      return with_lane([&](Core& core) { return core.step(m); });
    }
    double max_voltage() const override {
      return with_lane([&](Core& core) { return core.max_voltage(m); });
    }
    void voltage(std::span<double> out) const override {
      with_lane([&](Core& core) { core.voltage(m, out); });
    }
    void states(std::span<double> out) const override {
      with_lane([&](Core& core) { core.states(m, out); });
    }
    void activations(std::span<double> out) const override {
      with_lane([&](Core& core) { core.activations(m, out); });
    }
    void repolarizations(std::span<double> out) const override {
      with_lane([&](Core& core) { core.repolarizations(m, out); });
    }
    std::vector<std::byte> save() const override {
      return with_lane([&](Core& core) { return core.save(m); });
    }
    void restore(std::span<const std::byte> bytes) override {
      with_lane([&](Core& core) { core.restore(m, bytes); });
    }
    void reset() override {
      const std::lock_guard hold(ensemble.mutex_);
      aside = {};
      ensemble.core_->reset(m);
    }
    std::string name() const override { return ensemble.core_->name(); }

    EnsembleImpl& ensemble;
    const int m;
    bool at_work = false;
    std::int64_t wanted = 0;
    mutable std::vector<std::byte> aside;  ///< its state while others advance without it; empty where it is in its lane
  };

  bool ready() const {
    bool any = false;
    for (const auto& member : members_) {
      if (member->wanted > 0) any = true;
      if (member->at_work && member->wanted == 0) return false;
    }
    return any;
  }

  void drive(std::stop_token stop) {
    std::unique_lock hold(mutex_);
    const std::stop_callback wake(stop, [this] { changed_.notify_all(); });
    for (;;) {
      changed_.wait(hold, [&] { return stop.stop_requested() || ready(); });
      if (stop.stop_requested()) return;
      std::vector<int> asking;
      std::int64_t steps = INT64_MAX;
      for (auto& member : members_) {
        if (member->wanted > 0) {
          asking.push_back(member->m);
          steps = std::min(steps, member->wanted);
        } else if (member->aside.empty()) {
          member->aside = core_->save(member->m);
        }
      }
      core_->advance(steps, asking);
      for (const int m : asking) members_[std::size_t(m)]->wanted -= steps;
      changed_.notify_all();
    }
  }

  std::unique_ptr<Core> core_;
  std::vector<std::unique_ptr<Member>> members_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::jthread driver_;  // last: it stops before the rest goes
};

}  // namespace

int ensemble_limit() { return 16; }

std::unique_ptr<Ensemble> make_ensemble(const Problem& p, int members, const Device& device) {
  validate(p);
  if (members < 1 || members > ensemble_limit()) {
    throw std::invalid_argument("ensemble: " + std::to_string(members) + " members are outside [1, " +
                                std::to_string(ensemble_limit()) + "]");
  }
  if (device.cuda) {
    if (const auto reason = cuda_unavailable(device.index); !reason.empty()) throw std::runtime_error(reason);
    return std::make_unique<EnsembleImpl>(make_cuda_core(p, members > 1 ? 16 : 1, device.index), members);
  }
  const int width = members > 8 ? 16 : members > 4 ? 8 : members > 1 ? 4 : 1;
  return std::make_unique<EnsembleImpl>(
      device.checked ? make_checked_core(p, width) : make_cpu_core(p, width, device.index), members);
}

}  // namespace cardiotwin::kernels
