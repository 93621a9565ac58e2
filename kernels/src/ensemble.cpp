// An ensemble: members, each driven by a thread of its own. Many go in lockstep, side by side in the lanes of one core
// that a driving thread advances; a few go alone, each in a core of its own, as many at once as there are threads.
#include <omp.h>

#include <algorithm>
#include <cardiotwin/kernels/ensemble.hpp>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "core.hpp"
#include "layout.hpp"

namespace cardiotwin::kernels {
namespace {

using MakeCore = std::function<std::unique_ptr<Core>(int width)>;

constexpr int lockstep_width = 16;

/// How many go alone at most (see alone_on_cpu; on a GPU a step alone leaves most of it idle), on how many threads.
struct Policy {
  int alone = 1;
  int threads = 1;
};

class EnsembleImpl final : public Ensemble {
 public:
  EnsembleImpl(MakeCore make, Policy policy, int members) : make_(std::move(make)), policy_(policy) {
    for (int m = 0; m < members; ++m) members_.push_back(std::make_unique<Member>(*this));
    if (members > policy_.alone) {  // what cannot be made is said here
      enter_lane(*members_[0]);
    } else {
      enter_alone(*members_[0]);
    }
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
    explicit Member(EnsembleImpl& e) : ensemble(e) {}

    /// Calls f(core, lane); in lockstep with the ensemble held still.
    template <class F>
    auto with_lane(F f) const {
      std::unique_lock hold(ensemble.mutex_);
      if (lane < 0 && !own_core) ensemble.goes_alone() ? ensemble.enter_alone(*this) : ensemble.enter_lane(*this);
      if (lane >= 0) return f(*ensemble.core_, lane);
      hold.unlock();
      return f(*own_core, 0);
    }

    void set_pulses(std::vector<Pulse> list) override {
      with_lane([&](Core& core, int l) { core.set_pulses(l, list); });
      pulses = std::move(list);
    }
    void vary(const Variation& own) override {
      with_lane([&](Core& core, int l) { core.vary(l, own); });
      variation = own;
    }
    void advance(std::int64_t steps) override {
      if (steps < 0) throw std::invalid_argument("engine: cannot advance by a negative number of steps");
      if (steps == 0) return;
      std::unique_lock hold(ensemble.mutex_);
      if (ensemble.goes_alone()) {
        ensemble.enter_alone(*this);
        ensemble.advance_alone(*this, steps, hold);
        return;
      }
      wanted = steps;
      ensemble.changed_.notify_all();
      ensemble.changed_.wait(hold, [&] { return wanted == 0; });
      if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    }
    std::int64_t step_count() const override {
      return with_lane([&](Core& core, int l) { return core.step(l); });
    }
    double max_voltage() const override {
      return with_lane([&](Core& core, int l) { return core.max_voltage(l); });
    }
    void voltage(std::span<double> out) const override {
      with_lane([&](Core& core, int l) { core.voltage(l, out); });
    }
    void states(std::span<double> out) const override {
      with_lane([&](Core& core, int l) { core.states(l, out); });
    }
    void activations(std::span<double> out) const override {
      with_lane([&](Core& core, int l) { core.activations(l, out); });
    }
    void repolarizations(std::span<double> out) const override {
      with_lane([&](Core& core, int l) { core.repolarizations(l, out); });
    }
    std::vector<std::byte> save() const override {
      return with_lane([&](Core& core, int l) { return core.save(l); });
    }
    void restore(std::span<const std::byte> bytes) override {
      with_lane([&](Core& core, int l) { core.restore(l, bytes); });
    }
    void reset() override {
      with_lane([&](Core& core, int l) { core.reset(l); });
    }
    std::string name() const override {
      return with_lane([](Core& core, int) { return core.name(); });
    }
    void set_currents(std::vector<Current> list) override {
      with_lane([&](Core& core, int l) { core.set_currents(l, list); });
      currents = std::move(list);
    }
    void potential(std::span<double> out) const override {
      with_lane([&](Core& core, int l) { core.potential(l, out); });
    }
    Solves solves() const override {
      return with_lane([](Core& core, int l) { return core.solves(l); });
    }

    EnsembleImpl& ensemble;
    bool at_work = false;
    std::int64_t wanted = 0;
    std::exception_ptr failure;  ///< of the latest advance
    std::vector<Pulse> pulses;
    std::vector<Current> currents;
    Variation variation;
    // Where it is: in a lane, in a core of its own, or as bytes, which are empty where it never ran.
    mutable int lane = -1;
    mutable std::unique_ptr<Core> own_core;
    mutable std::vector<std::byte> aside;
  };

  bool goes_alone() const {
    const auto busy = std::count_if(members_.begin(), members_.end(),
                                    [](const auto& member) { return member->at_work || member->wanted > 0; });
    return busy <= policy_.alone;
  }

  void set_aside(const Member& member) const {
    if (member.own_core) member.aside = member.own_core->save(0), member.own_core.reset();
    if (member.lane < 0) return;
    member.aside = core_->save(member.lane);
    lanes_[std::size_t(member.lane)] = nullptr;
    member.lane = -1;
  }

  static void put(const Member& member, Core& core, int lane) {
    // Before the state, which then finds the currents of its latest solve.
    if (!member.currents.empty()) core.set_currents(lane, member.currents);
    if (member.aside.empty()) {
      core.reset(lane);
    } else {
      core.restore(lane, member.aside);
    }
    core.set_pulses(lane, member.pulses);
    core.vary(lane, member.variation);
    member.aside = {};
  }

  /// Into a core of its own. The last to leave the lanes frees them.
  void enter_alone(const Member& member) {
    if (member.own_core) return;
    set_aside(member);
    if (std::all_of(lanes_.begin(), lanes_.end(), [](const Member* m) { return m == nullptr; })) core_.reset();
    auto core = make_(1);
    put(member, *core, 0);
    member.own_core = std::move(core);
  }

  /// Into a lane: there are as many as members.
  void enter_lane(const Member& member) {
    if (member.lane >= 0) return;
    set_aside(member);
    if (!core_) {
      core_ = make_(lockstep_width);
      lanes_.assign(lockstep_width, nullptr);
    }
    const auto free = std::find(lanes_.begin(), lanes_.end(), nullptr);
    put(member, *core_, int(free - lanes_.begin()));
    member.lane = int(free - lanes_.begin());
    *free = &member;
  }

  /// With its share of the threads, once they are free.
  void advance_alone(const Member& member, std::int64_t steps, std::unique_lock<std::mutex>& hold) {
    const auto busy = std::count_if(members_.begin(), members_.end(), [](const auto& m) { return m->at_work; });
    const int threads = std::max(1, policy_.threads / std::max(1, int(busy)));
    changed_.wait(hold, [&] { return threads_taken_ + threads <= policy_.threads; });
    threads_taken_ += threads;
    hold.unlock();
    const auto give_back = [&] {
      hold.lock();
      threads_taken_ -= threads;
      changed_.notify_all();
    };
    try {
      static constexpr int only[] = {0};
      member.own_core->use_threads(threads);
      member.own_core->advance(steps, only);
    } catch (...) {
      give_back();
      throw;
    }
    give_back();
  }

  bool ready() const {
    bool any = false;
    for (const auto& member : members_) {
      if (member->wanted > 0) any = true;
      if (member->at_work && member->wanted == 0) return false;
    }
    return any;
  }

  /// Advances those that ask by the least number of steps among them.
  void advance(const std::vector<Member*>& asking) {
    for (const auto& member : members_) {
      if (member->wanted == 0 && member->lane >= 0) set_aside(*member);
    }
    std::int64_t steps = INT64_MAX;
    std::vector<int> lanes;
    for (Member* member : asking) {
      enter_lane(*member);
      lanes.push_back(member->lane);
      steps = std::min(steps, member->wanted);
    }
    std::sort(lanes.begin(), lanes.end());
    core_->advance(steps, lanes);
    for (Member* member : asking) member->wanted -= steps;
  }

  void drive(std::stop_token stop) {
    std::unique_lock hold(mutex_);
    const std::stop_callback wake(stop, [this] { changed_.notify_all(); });
    for (;;) {
      changed_.wait(hold, [&] { return stop.stop_requested() || ready(); });
      if (stop.stop_requested()) return;
      std::vector<Member*> asking;
      for (auto& member : members_) {
        if (member->wanted > 0) asking.push_back(member.get());
      }
      try {
        advance(asking);
      } catch (...) {
        for (Member* member : asking) member->failure = std::current_exception(), member->wanted = 0;
      }
      changed_.notify_all();
    }
  }

  MakeCore make_;
  Policy policy_;
  std::unique_ptr<Core> core_;  ///< of those in lockstep; made when first needed
  std::vector<std::unique_ptr<Member>> members_;
  mutable std::vector<const Member*> lanes_;  ///< who is in each; nullptr where nobody is
  int threads_taken_ = 0;                     ///< by members that go alone
  std::mutex mutex_;
  std::condition_variable changed_;
  std::jthread driver_;  // last: it stops before the rest goes
};

}  // namespace

int ensemble_limit() { return lockstep_width; }

std::unique_ptr<Ensemble> make_ensemble(const Problem& p, int members, const Device& device) {
  validate(p);
  if (members < 1 || members > ensemble_limit()) {
    throw std::invalid_argument("ensemble: " + std::to_string(members) + " members are outside [1, " +
                                std::to_string(ensemble_limit()) + "]");
  }
  using Kind = Device::Kind;
  if (device.kind == Kind::reference) throw std::invalid_argument("ensemble: the reference runs alone");
  const auto problem = std::make_shared<const Problem>(p);
  if (device.kind == Kind::cuda) {
    if (const auto reason = cuda_unavailable(device.index); !reason.empty()) throw std::runtime_error(reason);
    const auto make = [=](int width) { return make_cuda_core(*problem, width, device.index); };
    return std::make_unique<EnsembleImpl>(make, Policy{.alone = 1, .threads = 1}, members);
  }
  const auto make = [=](int width) {
    return device.kind == Kind::checked ? make_checked_core(*problem, width)
                                        : make_cpu_core(*problem, width, device.index);
  };
  const int threads = device.index > 0 ? device.index : omp_get_max_threads();
  return std::make_unique<EnsembleImpl>(make, Policy{.alone = alone_on_cpu, .threads = threads}, members);
}

}  // namespace cardiotwin::kernels
