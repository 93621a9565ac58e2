#pragma once
/// The engine of engine.hpp over an executor. An executor supplies
///
///   lanes                     slots per slice
///   Buffer<U>                 memory: Buffer(n), size(), data(), upload(const U*), download(U*)
///   advance(args, first, n)   runs the fused step n times
///   max(vd, n)                largest V of n pairs of a buffer, NaN if any is not finite
///   name()                    "cpu/avx512"
///
/// Host arrays are in node order and in true units; on the device they are in slot order, states as offsets.

#include <algorithm>
#include <cardiotwin/kernels/engine.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "layout.hpp"
#include "portable.hpp"
#include "pulse_schedule.hpp"
#include "registry.hpp"
#include "snapshot.hpp"
#include "step_args.hpp"
#include "storage.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T, class Executor>
class EngineImpl final : public Engine {
 public:
  EngineImpl(const Problem& p, Executor executor)
      : problem_(cells_of(p)),
        ops_(operations(*p.model)),
        layout_(p, Executor::lanes),
        executor_(std::move(executor)),
        slice_start_(layout_.slice_start),
        column_(layout_.column),
        slice_set_(layout_.slice_set),
        diffusion_scale_(row_scales<T>(layout_, p, p.diffusion, p.dt)),
        load_scale_(row_scales<T>(layout_, p, p.load, 1)),
        diffusion_(stored_weights<T>(layout_, p, p.diffusion, p.dt)),
        load_(has_load(p) ? stored_weights<T>(layout_, p, p.load, 1) : std::vector<Weight<T>>{}),
        constants_(set_constants<T>(ops_, p)),
        mixed_constants_(mixed_constants()),
        vd_{Buffer<Pair<T>>(slots()), Buffer<Pair<T>>(slots())},
        states_(slots() * state_count()),
        stimulus_(slots()),
        stimulated_(std::size_t(layout_.slices)),
        activations_(slots() * std::size_t(p.activation_depth)),
        repolarizations_(slots()),
        excited_(slots()) {
    fill_args(p);
    layout_.column = {};  // the device has them
    layout_.source = {};
    reset();
  }

  void set_pulses(std::vector<Pulse> pulses) override {
    schedule_ = PulseSchedule(std::move(pulses), problem_.dt, problem_.nodes());
    stimulus_stale_ = true;
  }

  void advance(std::int64_t steps) override {
    if (steps < 0) throw std::invalid_argument("engine: cannot advance by a negative number of steps");
    const std::int64_t end = step_ + steps;
    while (step_ < end) {
      if (stimulus_stale_) refresh_stimulus();
      const std::int64_t change = schedule_.next_change(step_);
      const std::int64_t stop = std::min(end, change);
      executor_.advance(args_, step_, stop - step_);
      step_ = stop;
      if (step_ == change) stimulus_stale_ = true;
    }
  }

  std::int64_t step_count() const override { return step_; }

  double max_voltage() const override { return executor_.max(vd_[now()], problem_.nodes()); }

  void voltage(std::span<double> out) const override {
    expect(out.size(), problem_.nodes(), "voltage");
    const auto pairs = gathered(vd_[now()], 1);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = double(pairs[i].v);
  }

  void activations(std::span<double> out) const override {
    expect(out.size(), problem_.nodes() * depth(), "activations");
    scatter_out(activations_, out, depth());
  }

  void repolarizations(std::span<double> out) const override {
    expect(out.size(), problem_.nodes(), "repolarizations");
    scatter_out(repolarizations_, out, 1);
  }

  std::vector<std::byte> save() const override {
    SnapshotWriter out(header());
    out.put(step_);
    out.put(gathered(vd_[now()], 1));
    out.put(gathered_states());
    out.put(gathered(activations_, depth()));
    out.put(gathered(repolarizations_, 1));
    out.put(gathered(excited_, 1));
    return std::move(out).bytes();
  }

  void restore(std::span<const std::byte> bytes) override {
    SnapshotReader in(bytes, header());
    const auto n = problem_.nodes();
    step_ = in.template get<std::int64_t>();
    spread(in.template get<Pair<T>>(n), 1, vd_[now()]);
    spread_states(in.template get<T>(n * state_count()));
    spread(in.template get<double>(n * depth()), depth(), activations_);
    spread(in.template get<double>(n), 1, repolarizations_);
    spread(in.template get<std::uint8_t>(n), 1, excited_);
    stimulus_stale_ = true;
  }

  void reset() override {
    const auto n = problem_.nodes();
    step_ = 0;
    std::vector<Pair<T>> vd(n);
    std::vector<T> w(n * state_count());
    for (std::size_t i = 0; i < n; ++i) {
      const auto set = problem_.parameter_set[i];
      vd[i] = {T(problem_.initial_voltage[set]), T(0)};
      for (std::size_t s = 0; s < state_count(); ++s) {
        w[s * n + i] = T(problem_.initial_states[set][s] - ops_.reference(int(s)));
      }
    }
    const double none = std::numeric_limits<double>::quiet_NaN();
    for (auto& b : vd_) spread(vd, 1, b);
    spread_states(w);
    spread(std::vector<double>(n * depth(), none), depth(), activations_);
    spread(std::vector<double>(n, none), 1, repolarizations_);
    spread(std::vector<std::uint8_t>(n, 0), 1, excited_);
    stimulus_stale_ = true;
  }

  std::string name() const override { return executor_.name() + (sizeof(T) == 4 ? "/fp32" : "/fp64"); }

 private:
  template <class U>
  using Buffer = typename Executor::template Buffer<U>;

  std::size_t slots() const { return layout_.slots(); }
  std::size_t state_count() const { return problem_.model->states.size(); }
  std::size_t depth() const { return std::size_t(problem_.activation_depth); }
  std::size_t now() const { return std::size_t(step_ & 1); }  ///< which of the ping-pong buffers holds the present
  SnapshotHeader header() const { return {problem_.nodes(), state_count(), depth(), sizeof(T), ops_.index}; }

  std::vector<T> mixed_constants() const {
    const auto per_set = set_constants<T>(ops_, problem_);
    const auto count = std::size_t(ops_.constant_count), lanes = std::size_t(layout_.lanes);
    std::vector<T> result;
    for (const auto slice : layout_.mixed_slices) {
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t l = 0; l < lanes; ++l) {
          result.push_back(per_set[layout_.set[std::size_t(slice) * lanes + l] * count + k]);
        }
      }
    }
    return result;
  }

  void fill_args(const Problem& p) {
    args_.slices = layout_.slices;
    args_.slice_start = slice_start_.data();
    args_.column = column_.data();
    args_.diffusion = diffusion_.data();
    args_.load = load_.size() ? load_.data() : nullptr;
    args_.constants = constants_.data();
    args_.mixed_constants = mixed_constants_.data();
    args_.slice_set = slice_set_.data();
    args_.stimulus = stimulus_.data();
    args_.stimulated = stimulated_.data();
    args_.states = states_.data();
    args_.diffusion_scale = diffusion_scale_.data();
    args_.load_scale = load_scale_.data();
    for (int k = 0; k < 2; ++k) args_.vd[k] = vd_[k].data();
    args_.threshold = T(p.activation_threshold);
    args_.repolarization_level = T(p.repolarization_level);
    args_.dt = p.dt;
    args_.depth = p.activation_depth;
    args_.activations = activations_.data();
    args_.repolarizations = repolarizations_.data();
    args_.excited = excited_.data();
  }

  /// A function of the step alone, so a restored engine is stimulated as the saved one was.
  void refresh_stimulus() {
    std::vector<double> sum(slots(), 0.0);
    for (std::size_t i = 0; i < schedule_.pulses().size(); ++i) {
      const double amplitude = schedule_.mean_amplitude(i, step_);
      if (amplitude == 0) continue;
      for (const auto node : schedule_.pulses()[i].nodes) {
        sum[std::size_t(layout_.slot_of_node[std::size_t(node)])] += amplitude * problem_.dt;
      }
    }
    std::vector<T> values(sum.begin(), sum.end());
    std::vector<std::uint8_t> any(std::size_t(layout_.slices), 0);
    for (std::size_t slot = 0; slot < sum.size(); ++slot) {
      if (values[slot] != 0) any[slot / std::size_t(layout_.lanes)] = 1;
    }
    stimulus_.upload(values.data());
    stimulated_.upload(any.data());
    stimulus_stale_ = false;
  }

  static void expect(std::size_t got, std::size_t wanted, const char* what) {
    if (got != wanted) {
      throw std::invalid_argument(std::string("engine: ") + what + " needs room for " + std::to_string(wanted) +
                                  " numbers, got " + std::to_string(got));
    }
  }

  // Slot order <-> node order; `per` numbers per node stand together.
  template <class U>
  std::vector<U> gathered(const Buffer<U>& from, std::size_t per) const {
    std::vector<U> raw(from.size()), result(problem_.nodes() * per);
    from.download(raw.data());
    for (std::size_t i = 0; i < problem_.nodes(); ++i) {
      const auto slot = std::size_t(layout_.slot_of_node[i]);
      for (std::size_t k = 0; k < per; ++k) result[i * per + k] = raw[slot * per + k];
    }
    return result;
  }

  template <class U>
  void scatter_out(const Buffer<U>& from, std::span<double> out, std::size_t per) const {
    const auto values = gathered(from, per);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = double(values[i]);
  }

  /// Slots beyond the last node repeat the last slot's values, so that they stay at rest harmlessly.
  template <class U>
  void spread(const std::vector<U>& values, std::size_t per, Buffer<U>& to) {
    std::vector<U> raw(to.size());
    for (std::size_t i = 0; i < problem_.nodes(); ++i) {
      const auto slot = std::size_t(layout_.slot_of_node[i]);
      for (std::size_t k = 0; k < per; ++k) raw[slot * per + k] = values[i * per + k];
    }
    const auto last = problem_.nodes() * per;
    for (std::size_t k = last; k < raw.size(); ++k) raw[k] = raw[k - per];
    to.upload(raw.data());
  }

  /// Index of state s of a slot on the device.
  std::size_t state_index(std::size_t slot, std::size_t s) const {
    const auto lanes = std::size_t(layout_.lanes);
    return (slot / lanes * state_count() + s) * lanes + slot % lanes;
  }

  std::vector<T> gathered_states() const {
    const auto n = problem_.nodes();
    std::vector<T> raw(states_.size()), result(n * state_count());
    states_.download(raw.data());
    for (std::size_t s = 0; s < state_count(); ++s) {
      for (std::size_t i = 0; i < n; ++i) {
        result[s * n + i] = raw[state_index(std::size_t(layout_.slot_of_node[i]), s)];
      }
    }
    return result;
  }

  void spread_states(const std::vector<T>& values) {
    const auto n = problem_.nodes();
    std::vector<T> raw(states_.size());
    for (std::size_t s = 0; s < state_count(); ++s) {
      for (std::size_t i = 0; i < n; ++i) {
        raw[state_index(std::size_t(layout_.slot_of_node[i]), s)] = values[s * n + i];
      }
      for (std::size_t slot = n; slot < slots(); ++slot) raw[state_index(slot, s)] = raw[state_index(slot - 1, s)];
    }
    states_.upload(raw.data());
  }

  Problem problem_;
  const ModelOperations& ops_;
  Layout layout_;
  Executor executor_;
  Buffer<std::int32_t> slice_start_, column_;
  Buffer<std::int32_t> slice_set_;
  Buffer<T> diffusion_scale_, load_scale_;
  Buffer<Weight<T>> diffusion_, load_;
  Buffer<T> constants_, mixed_constants_;
  Buffer<Pair<T>> vd_[2];
  Buffer<T> states_, stimulus_;
  Buffer<std::uint8_t> stimulated_;
  Buffer<double> activations_, repolarizations_;
  Buffer<std::uint8_t> excited_;
  StepArgs<T> args_;
  PulseSchedule schedule_;
  bool stimulus_stale_ = true;
  std::int64_t step_ = 0;
};

}  // namespace cardiotwin::kernels::CT_BACKEND
