// Ensemble on the CPU: members side by side in every cache line, advanced together by one driving thread.
#include <omp.h>

#include <algorithm>
#include <cardiotwin/kernels/ensemble.hpp>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "cpu_variants.hpp"
#include "host_buffer.hpp"
#include "layout.hpp"
#include "pulse_schedule.hpp"
#include "registry.hpp"
#include "snapshot.hpp"
#include "storage.hpp"

namespace cardiotwin::kernels {
namespace {

constexpr int width = ensemble_width;

void expect(std::size_t got, std::size_t wanted, const char* what) {
  if (got == wanted) return;
  throw std::invalid_argument(std::string("engine: ") + what + " needs room for " + std::to_string(wanted) +
                              " numbers, got " + std::to_string(got));
}

/// The numbers of all members and the step itself; knows nothing of threads that wait for each other.
template <class T>
class Lanes {
 public:
  Lanes(const Problem& p, AdvanceMembers<T> kernel, int threads)
      : problem_(cells_of(p)),
        ops_(operations(*p.model)),
        layout_(p, 1),
        advance_(kernel),
        threads_(threads > 0 ? threads : omp_get_max_threads()),
        row_start_(layout_.slice_start),
        column_(layout_.column),
        diffusion_scale_(row_scales<T>(layout_, p, p.diffusion, p.dt)),
        load_scale_(row_scales<T>(layout_, p, p.load, 1)),
        diffusion_(stored_weights<T>(layout_, p, p.diffusion, p.dt)),
        load_(has_load(p) ? stored_weights<T>(layout_, p, p.load, 1) : std::vector<Weight<T>>{}),
        constants_(set_constants<T>(ops_, p)),
        set_(layout_.set),
        stimulus_row_(layout_.slots()),
        v_{HostBuffer<T>(numbers()), HostBuffer<T>(numbers())},
        d_{HostBuffer<T>(numbers()), HostBuffer<T>(numbers())},
        states_(numbers() * state_count()),
        activations_(numbers() * depth()),
        repolarizations_(numbers()),
        excited_(numbers()) {
    layout_.column = {}, layout_.source = {};
    args_.slots = int(layout_.slots());
    args_.row_start = row_start_.data(), args_.column = column_.data();
    args_.diffusion = diffusion_.data(), args_.load = load_.data();
    args_.diffusion_scale = diffusion_scale_.data(), args_.load_scale = load_scale_.data();
    args_.constants = constants_.data(), args_.set = set_.data();
    args_.stimulus_row = stimulus_row_.data();
    args_.states = states_.data();
    for (int k = 0; k < 2; ++k) args_.v[k] = v_[k].data(), args_.d[k] = d_[k].data();
    args_.threshold = T(p.activation_threshold), args_.repolarization_level = T(p.repolarization_level);
    args_.dt = p.dt, args_.depth = p.activation_depth;
    args_.lead = lead_;
    args_.activations = activations_.data(), args_.repolarizations = repolarizations_.data();
    args_.excited = excited_.data();
    for (int m = 0; m < width; ++m) reset(m);
  }

  std::size_t nodes() const { return problem_.nodes(); }
  double dt() const { return problem_.dt; }
  std::int64_t step(int m) const { return common_ + lead_[m]; }

  void set_pulses(int m, std::vector<Pulse> pulses) {
    schedule_[m] = PulseSchedule(std::move(pulses), problem_.dt, nodes());
    stale_ = true;
  }

  /// All lanes; those of members that did not ask must have been saved before.
  void advance(std::int64_t steps, const std::vector<int>& asking) {
    const std::int64_t end = common_ + steps;
    if (asking != stimulated_) stale_ = true;
    while (common_ < end) {
      if (stale_) refresh_stimulus(asking);
      std::int64_t change = INT64_MAX;
      for (const int m : asking) {
        const std::int64_t own = schedule_[m].next_change(step(m));
        if (own != INT64_MAX) change = std::min(change, own - lead_[m]);
      }
      const std::int64_t stop = std::min(end, change);
      advance_(args_, common_, stop - common_, std::clamp(args_.slots / 128, 1, threads_));
      common_ = stop;
      if (common_ == change) stale_ = true;
    }
  }

  double max_voltage(int m) const {
    const T* v = v_[now()].data();
    double largest = -std::numeric_limits<double>::infinity();
    bool finite = true;
    for (std::size_t slot = 0; slot < nodes(); ++slot) {
      const double x = double(v[slot * width + std::size_t(m)]);
      finite = finite && std::isfinite(x);
      largest = std::max(largest, x);
    }
    return finite ? largest : std::numeric_limits<double>::quiet_NaN();
  }

  void voltage(int m, std::span<double> out) const {
    expect(out.size(), nodes(), "voltage");
    each_node([&](std::size_t i, std::size_t at) { out[i] = double(v_[now()].data()[at]); }, m);
  }
  void activations(int m, std::span<double> out) const {
    expect(out.size(), nodes() * depth(), "activations");
    each_node(
        [&](std::size_t i, std::size_t at) {
          for (std::size_t k = 0; k < depth(); ++k) out[i * depth() + k] = activations_.data()[at * depth() + k];
        },
        m);
  }
  void repolarizations(int m, std::span<double> out) const {
    expect(out.size(), nodes(), "repolarizations");
    each_node([&](std::size_t i, std::size_t at) { out[i] = repolarizations_.data()[at]; }, m);
  }

  /// As EngineImpl::save: node order, so that any engine of this precision can go on from it.
  std::vector<std::byte> save(int m) const {
    const std::size_t n = nodes();
    std::vector<Pair<T>> vd(n);
    std::vector<T> w(n * state_count());
    std::vector<double> lat(n * depth()), repolarized(n);
    std::vector<std::uint8_t> excited(n);
    each_node(
        [&](std::size_t i, std::size_t at) {
          vd[i] = {v_[now()].data()[at], d_[now()].data()[at]};
          for (std::size_t s = 0; s < state_count(); ++s) w[s * n + i] = states_.data()[state_at(at, s)];
          excited[i] = excited_.data()[at];
        },
        m);
    activations(m, lat);
    repolarizations(m, repolarized);
    SnapshotWriter out(header());
    out.put(step(m));
    out.put(vd), out.put(w), out.put(lat), out.put(repolarized), out.put(excited);
    return std::move(out).bytes();
  }

  void restore(int m, std::span<const std::byte> bytes) {
    SnapshotReader in(bytes, header());
    const std::size_t n = nodes();
    const auto own_step = in.get<std::int64_t>();
    const auto vd = in.get<Pair<T>>(n);
    const auto w = in.get<T>(n * state_count());
    const auto lat = in.get<double>(n * depth());
    const auto repolarized = in.get<double>(n);
    const auto excited = in.get<std::uint8_t>(n);
    fill(
        m, own_step, [&](std::size_t i, std::size_t s) { return w[s * n + i]; }, vd, lat, repolarized, excited);
  }

  void reset(int m) {
    const std::size_t n = nodes();
    std::vector<Pair<T>> vd(n);
    for (std::size_t i = 0; i < n; ++i) vd[i] = {T(problem_.initial_voltage[problem_.parameter_set[i]]), T(0)};
    const double none = std::numeric_limits<double>::quiet_NaN();
    const auto initial = [&](std::size_t i, std::size_t s) {
      return T(problem_.initial_states[problem_.parameter_set[i]][s] - ops_.reference(int(s)));
    };
    fill(m, 0, initial, vd, std::vector<double>(n * depth(), none), std::vector<double>(n, none),
         std::vector<std::uint8_t>(n, 0));
  }

 private:
  std::size_t numbers() const { return layout_.slots() * width; }
  std::size_t state_count() const { return problem_.model->states.size(); }
  std::size_t depth() const { return std::size_t(problem_.activation_depth); }
  std::size_t now() const { return std::size_t(common_ & 1); }
  std::size_t state_at(std::size_t at, std::size_t s) const {
    return (at / width * state_count() + s) * width + at % width;
  }
  SnapshotHeader header() const { return {nodes(), state_count(), depth(), sizeof(T), ops_.index}; }

  template <class F>
  void each_node(const F& f, int m) const {
    for (std::size_t i = 0; i < nodes(); ++i) {
      f(i, std::size_t(layout_.slot_of_node[i]) * width + std::size_t(m));
    }
  }

  template <class States>
  void fill(int m, std::int64_t own_step, const States& state, const std::vector<Pair<T>>& vd,
            const std::vector<double>& lat, const std::vector<double>& repolarized,
            const std::vector<std::uint8_t>& excited) {
    lead_[m] = own_step - common_;
    stale_ = true;
    each_node(
        [&](std::size_t i, std::size_t at) {
          v_[now()].data()[at] = vd[i].v;
          d_[now()].data()[at] = vd[i].d;
          for (std::size_t s = 0; s < state_count(); ++s) states_.data()[state_at(at, s)] = state(i, s);
          for (std::size_t k = 0; k < depth(); ++k) activations_.data()[at * depth() + k] = lat[i * depth() + k];
          repolarizations_.data()[at] = repolarized[i];
          excited_.data()[at] = excited[i];
        },
        m);
  }

  void refresh_stimulus(const std::vector<int>& asking) {
    stimulus_.clear();
    std::vector<double> sum;
    std::fill_n(stimulus_row_.data(), layout_.slots(), -1);
    for (const int m : asking) {
      const auto& schedule = schedule_[m];
      for (std::size_t k = 0; k < schedule.pulses().size(); ++k) {
        const double amplitude = schedule.mean_amplitude(k, step(m));
        if (amplitude == 0) continue;
        for (const auto node : schedule.pulses()[k].nodes) {
          std::int32_t& row = stimulus_row_.data()[layout_.slot_of_node[std::size_t(node)]];
          if (row < 0) row = std::int32_t(sum.size() / width), sum.resize(sum.size() + width, 0.0);
          sum[std::size_t(row) * width + std::size_t(m)] += amplitude * problem_.dt;
        }
      }
    }
    stimulus_.assign(sum.begin(), sum.end());
    args_.stimulus = stimulus_.data();
    stimulated_ = asking;
    stale_ = false;
  }

  Problem problem_;
  const ModelOperations& ops_;
  Layout layout_;
  AdvanceMembers<T> advance_;
  int threads_;
  HostBuffer<std::int32_t> row_start_, column_;
  HostBuffer<T> diffusion_scale_, load_scale_;
  HostBuffer<Weight<T>> diffusion_, load_;
  HostBuffer<T> constants_;
  HostBuffer<std::uint8_t> set_;
  HostBuffer<std::int32_t> stimulus_row_;
  HostBuffer<T> v_[2], d_[2], states_;
  HostBuffer<double> activations_, repolarizations_;
  HostBuffer<std::uint8_t> excited_;
  std::vector<T> stimulus_;
  std::vector<int> stimulated_;  ///< whose pulses stimulus_ holds
  PulseSchedule schedule_[width];
  std::int64_t lead_[width] = {};
  std::int64_t common_ = 0;
  bool stale_ = true;
  MembersArgs<T> args_;
};

/// Threads that drive members meet here. One lock guards all; the long work happens under it because nobody could go on
/// meanwhile: every member at work waits for these very steps.
template <class T>
class EnsembleImpl final : public Ensemble {
 public:
  EnsembleImpl(const Problem& p, int members, AdvanceMembers<T> advance, int threads, std::string name)
      : lanes_(p, advance, threads), name_(std::move(name)) {
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
      return f(ensemble.lanes_);
    }
    void bring_back() const {
      if (aside.empty()) return;
      ensemble.lanes_.restore(m, aside);
      aside = {};
    }

    void set_pulses(std::vector<Pulse> pulses) override {
      with_lane([&](Lanes<T>& lanes) { lanes.set_pulses(m, std::move(pulses)); });
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
      return with_lane([&](Lanes<T>& lanes) { return lanes.step(m); });
    }
    double max_voltage() const override {
      return with_lane([&](Lanes<T>& lanes) { return lanes.max_voltage(m); });
    }
    void voltage(std::span<double> out) const override {
      with_lane([&](Lanes<T>& lanes) { lanes.voltage(m, out); });
    }
    void activations(std::span<double> out) const override {
      with_lane([&](Lanes<T>& lanes) { lanes.activations(m, out); });
    }
    void repolarizations(std::span<double> out) const override {
      with_lane([&](Lanes<T>& lanes) { lanes.repolarizations(m, out); });
    }
    std::vector<std::byte> save() const override {
      return with_lane([&](Lanes<T>& lanes) { return lanes.save(m); });
    }
    void restore(std::span<const std::byte> bytes) override {
      with_lane([&](Lanes<T>& lanes) { lanes.restore(m, bytes); });
    }
    void reset() override {
      const std::lock_guard hold(ensemble.mutex_);
      aside = {};
      ensemble.lanes_.reset(m);
    }
    std::string name() const override { return ensemble.name_; }

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
          member->aside = lanes_.save(member->m);
        }
      }
      lanes_.advance(steps, asking);
      for (const int m : asking) members_[std::size_t(m)]->wanted -= steps;
      changed_.notify_all();
    }
  }

  Lanes<T> lanes_;
  std::string name_;
  std::vector<std::unique_ptr<Member>> members_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::jthread driver_;  // last: it stops before the rest goes
};

}  // namespace

int ensemble_limit() { return width; }

std::unique_ptr<Ensemble> make_ensemble(const Problem& p, int members, const Device& device) {
  validate(p);
  if (device.cuda) throw std::runtime_error("ensembles run on the CPU only");
  if (members < 1 || members > width) {
    throw std::invalid_argument("ensemble: " + std::to_string(members) + " members are outside [1, " +
                                std::to_string(width) + "]");
  }
  const CpuVariant& variant = cpu_variants().front();
  const int model = operations(*p.model).index;
  const std::string name = std::string("cpu/") + variant.name + (p.real == Real::fp32 ? "/fp32" : "/fp64");
  if (p.real == Real::fp32) {
    return std::make_unique<EnsembleImpl<float>>(p, members, variant.members_fp32(model, has_load(p)), device.index,
                                                 name);
  }
  return std::make_unique<EnsembleImpl<double>>(p, members, variant.members_fp64(model, has_load(p)), device.index,
                                                name);
}

}  // namespace cardiotwin::kernels
