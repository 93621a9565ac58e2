// An ensemble: members of one core, each driven by a thread of its own, advanced together by one driving thread. The
// core is as wide as there are members at work, so that the last of a queue does not pay for lanes nobody uses.
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
using Widths = std::vector<int>;  ///< that cores can have, ascending

class EnsembleImpl final : public Ensemble {
 public:
  EnsembleImpl(MakeCore make, Widths widths, int members) : make_(std::move(make)), widths_(std::move(widths)) {
    for (int m = 0; m < members; ++m) members_.push_back(std::make_unique<Member>(*this, m));
    build(members);
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

    /// Calls f(core, lane) with the ensemble held still and this member in a lane.
    template <class F>
    auto with_lane(F f) const {
      const std::lock_guard hold(ensemble.mutex_);
      ensemble.bring_back(*this);
      return f(*ensemble.core_, lane);
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
      const std::lock_guard hold(ensemble.mutex_);
      return ensemble.core_->name();
    }

    EnsembleImpl& ensemble;
    const int m;
    bool at_work = false;
    std::int64_t wanted = 0;
    std::exception_ptr failure;  ///< of the latest advance
    std::vector<Pulse> pulses;
    Variation variation;
    mutable int lane = -1;                 ///< -1 while set aside
    mutable std::vector<std::byte> aside;  ///< its state then; empty where it never ran
  };

  int width_for(std::size_t members) const {
    return *std::find_if(widths_.begin(), widths_.end(), [&](int w) { return std::size_t(w) >= members; });
  }

  /// A new core for so many members; all members are set aside.
  void build(int members) {
    for (const auto& member : members_) set_aside(*member);
    core_.reset();  // first, so that two are never in memory
    lanes_.clear();
    const int width = width_for(std::size_t(members));
    core_ = make_(width);
    lanes_.assign(std::size_t(width), nullptr);
  }

  void set_aside(const Member& member) const {
    if (member.lane < 0) return;
    member.aside = core_->save(member.lane);
    lanes_[std::size_t(member.lane)] = nullptr;
    member.lane = -1;
  }

  /// Into a lane, which one that is not at work may have to leave.
  void bring_back(const Member& member) {
    if (member.lane >= 0) return;
    auto free = std::find(lanes_.begin(), lanes_.end(), nullptr);
    if (free == lanes_.end()) {
      const auto idle = std::find_if(lanes_.begin(), lanes_.end(),
                                     [](const Member* other) { return !other->at_work && other->wanted == 0; });
      if (idle != lanes_.end()) {
        set_aside(**idle);
      } else {
        build(int(lanes_.size()) + 1);
      }
      free = std::find(lanes_.begin(), lanes_.end(), nullptr);
    }
    const int lane = int(free - lanes_.begin());
    if (member.aside.empty()) {
      core_->reset(lane);
    } else {
      core_->restore(lane, member.aside);
    }
    core_->set_pulses(lane, member.pulses);
    core_->vary(lane, member.variation);
    member.aside = {};
    member.lane = lane;
    *free = &member;
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
      if (member->wanted == 0) set_aside(*member);
    }
    if (width_for(asking.size()) != int(lanes_.size())) build(int(asking.size()));
    std::int64_t steps = INT64_MAX;
    std::vector<int> lanes;
    for (Member* member : asking) {
      bring_back(*member);
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
  Widths widths_;
  std::unique_ptr<Core> core_;
  std::vector<std::unique_ptr<Member>> members_;
  mutable std::vector<const Member*> lanes_;  ///< who is in each; nullptr where nobody is
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
  const auto problem = std::make_shared<const Problem>(p);
  if (device.cuda) {
    if (const auto reason = cuda_unavailable(device.index); !reason.empty()) throw std::runtime_error(reason);
    const auto make = [=](int width) { return make_cuda_core(*problem, width, device.index); };
    return std::make_unique<EnsembleImpl>(make, Widths{1, 16}, members);
  }
  const auto make = [=](int width) {
    return device.checked ? make_checked_core(*problem, width) : make_cpu_core(*problem, width, device.index);
  };
  return std::make_unique<EnsembleImpl>(make, Widths{1, 4, 8, 16}, members);
}

}  // namespace cardiotwin::kernels
