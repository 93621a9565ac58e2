#pragma once
/// The core of core.hpp over an executor. An executor supplies
///
///   lanes                     lanes per slice
///   Buffer<U>                 memory: Buffer(), Buffer(executor, n), Buffer(executor, vector), size(), data(),
///                             upload(const U*), put(part, vector); peek(part), indexable until the next such call
///   advance(args, first, n)   runs the fused step n times; returns what largest() would afterwards where that
///                             costs next to nothing, else nothing
///   largest(args, k)          largest V in vd[k] of each member's living nodes, NaN where any is not finite
///   name()                    "cpu/avx512"
///   Elliptic, elliptic()      executor of the elliptic solver, on the same memory (elliptic/solver.hpp)
///
/// Host arrays are in node order and in true units; on the device they are in slot order, V and states as offsets. The
/// host touches device memory through Buffer's functions alone (tested by the checked backend).

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "core.hpp"
#include "elliptic/conductor.hpp"
#include "layout.hpp"
#include "lesions.hpp"
#include "member_part.hpp"
#include "memory.hpp"
#include "mixed_constants.hpp"
#include "portable.hpp"
#include "pulse_schedule.hpp"
#include "registry.hpp"
#include "snapshot.hpp"
#include "storage.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class T, class Executor>
class CoreImpl final : public Core {
 public:
  CoreImpl(const Problem& p, int members, Executor executor)
      : CoreImpl(p, members, std::move(executor), layout(p, members)) {}

  static Layout layout(const Problem& p, int members) { return Layout(p, Executor::lanes / members); }

  /// `layout` is layout(p, members).
  CoreImpl(const Problem& p, int members, Executor executor, Layout layout)
      : problem_(cells_of(p)),
        ops_(operations(*p.model)),
        members_(std::size_t(members)),
        layout_(std::move(layout)),
        row_start_(p.row_start),
        executor_(std::move(executor)),
        schedule_(members_),
        variation_(members_),
        lead_host_(members_, 0),
        slice_start_(executor_, layout_.slice_start),
        column_(executor_, layout_.column),
        weight_(executor_, stored_pairs<T>(layout_, p)),
        diffusion_scale_(executor_, row_scales<T>(layout_, p, p.diffusion, p.dt)),
        load_scale_(executor_, row_scales<T>(layout_, p, p.load, 1)),
        gradient_(executor_, layout_, p, p.gradient, 1),
        divergence_(executor_, layout_, p, p.divergence, p.dt),
        own_share_(executor_, own_shares(p)),
        along_(executor_, p.gradient.empty() ? 0 : numbers()),
        slice_set_(executor_, std::size_t(layout_.slices)),
        constants_(executor_, set_constants<T>(ops_, p.parameters)),
        vd_{Buffer<T>(executor_, 2 * numbers()), Buffer<T>(executor_, 2 * numbers())},
        stage_{Buffer<T>(executor_, p.stages > 1 ? 2 * numbers() : 0),
               Buffer<T>(executor_, p.stages > 2 ? 2 * numbers() : 0)},
        states_(executor_, numbers() * state_count()),
        stimulus_row_(executor_, std::size_t(layout_.slices)),
        lead_(executor_, members_),
        activations_(executor_, numbers() * depth()),
        repolarizations_(executor_, numbers()),
        excited_(executor_, numbers()) {
    std::vector<std::int32_t>().swap(layout_.column);  // the device has them
    std::vector<std::int32_t>().swap(layout_.source);
    if (p.conductor) {
      conductor_ = std::make_unique<OwnConductor>(p, layout_.slot_of_node, members, executor_.elliptic());
      source_ = Buffer<T>(executor_, std::vector<T>(numbers(), T(0)));
    }
    fill_args();
    refresh_variations();
    for (int m = 0; m < int(members_); ++m) reset(m);
  }

  /// What the buffers, see the end of this class, take at most, but for stimuli and lesions' rows. Factors of
  /// conductivity and which rows are whose count though no member may ever have any: a study that began must not end
  /// for want of them.
  static CoreBytes bytes(const Problem& p, const Layout& layout) {
    constexpr std::size_t real = sizeof(T), weight = sizeof(Weight<T>), index = sizeof(std::int32_t);
    const std::size_t slots = layout.slots(), slices = std::size_t(layout.slices), entries = layout.column.size(),
                      sets = p.parameters.size(), set_bytes = std::size_t(operations(*p.model).constant_count) * real;
    const bool gradient = !p.gradient.empty();
    std::size_t mixed = 0;  // slices of several sets
    for (auto first = layout.set.begin(); first != layout.set.end(); first += layout.per_slice) {
      mixed += !std::all_of(first, first + layout.per_slice, [&](auto set) { return set == *first; });
    }
    CoreBytes result;
    result.shared = (slices + 1) * index + entries * (index + sizeof(WeightPair<T>)) + 2 * slots * real +
                    (gradient ? 2 * entries * weight + 3 * slots * real : 0) + slices * (2 * index + 1) +
                    sets * set_bytes + (mixed + std::min(sets, slices)) * std::size_t(Executor::lanes) * set_bytes;
    const std::size_t reals = p.model->states.size() + 4 + (p.stages > 1 ? 2 : 0) + (p.stages > 2 ? 2 : 0) + gradient;
    const std::size_t noted = (std::size_t(p.activation_depth) + 1) * sizeof(double) + 1;
    if (p.conductor) {
      const std::size_t own = OwnConductor::bytes(p, 1) - OwnConductor::bytes(p, 0);
      result.shared += OwnConductor::bytes(p, 0);
      result.per_member += own + slots * real;
    }
    result.per_member += slots * (reals * real + noted + real + index) + sizeof(std::int64_t);
    return result;
  }

  void set_pulses(int m, std::vector<Pulse> pulses) override {
    schedule_[std::size_t(m)] = PulseSchedule(std::move(pulses), problem_.dt, nodes());
    stimulus_stale_ = true;
  }

  void vary(int m, const Variation& variation) override {
    validate(problem_, row_start_, variation);
    if (conductor_ && !(variation.conductivity.empty() && variation.dead.empty() && variation.rows.empty()))
      throw std::invalid_argument("with a conductor, runs share their conductivities and have no lesions");
    variation_[std::size_t(m)] = variation;
    largest_.clear();  // nodes may have died
    refresh_variations();
  }

  void advance(std::int64_t steps, std::span<const int> asking) override {
    const std::int64_t end = common_ + steps;
    largest_.clear();
    if (!std::equal(asking.begin(), asking.end(), stimulated_.begin(), stimulated_.end())) stimulus_stale_ = true;
    solve_where_due(asking);
    while (common_ < end) {
      if (stimulus_stale_) refresh_stimulus(asking);
      std::int64_t change = INT64_MAX, solve = INT64_MAX;
      for (const int m : asking) {
        const std::int64_t own = schedule_[std::size_t(m)].next_change(step(m));
        if (own != INT64_MAX) change = std::min(change, own - lead_host_[std::size_t(m)]);
        if (conductor_) solve = std::min(solve, conductor_->next(m, step(m)) - lead_host_[std::size_t(m)]);
      }
      const std::int64_t stop = std::min({end, change, solve});
      largest_ = executor_.advance(args_, common_, stop - common_);
      common_ = stop;
      if (common_ == change) stimulus_stale_ = true;
      solve_where_due(asking);
    }
  }

  void set_currents(int m, std::vector<Current> currents) override { conductor().set_currents(m, std::move(currents)); }
  void potential(int m, std::span<double> out) const override {
    expect(out.size(), conductor().rows(), "potential");
    conductor().potential(m, out);
  }
  Engine::Solves solves(int m) const override { return conductor().solves(m); }

  std::int64_t step(int m) const override { return common_ + lead_host_[std::size_t(m)]; }

  /// One pass over V serves all members.
  double max_voltage(int m) const override {
    if (largest_.empty()) largest_ = executor_.largest(args_, int(now()));
    return largest_[std::size_t(m)] + rest();
  }

  void voltage(int m, std::span<double> out) const override {
    expect(out.size(), nodes(), "voltage");
    const auto vd = vd_[now()].peek(part(m));
    for (std::size_t i = 0; i < nodes(); ++i) out[i] = double(vd[2 * slot(i)]) + rest();
  }

  void states(int m, std::span<double> out) const override {
    const std::size_t count = state_count();
    expect(out.size(), nodes() * count, "states");
    const auto stored = states_.peek(part(m));
    for (std::size_t s = 0; s < count; ++s) {
      const double reference = ops_.reference(int(s));
      for (std::size_t i = 0; i < nodes(); ++i)
        out[i * count + s] = double(stored[state_index(slot(i), s)]) + reference;
    }
  }

  void activations(int m, std::span<double> out) const override {
    expect(out.size(), nodes() * depth(), "activations");
    copy_out(activations_, m, depth(), out.data());
  }

  void repolarizations(int m, std::span<double> out) const override {
    expect(out.size(), nodes(), "repolarizations");
    copy_out(repolarizations_, m, 1, out.data());
  }

  std::vector<std::byte> save(int m) const override {
    const std::size_t n = nodes();
    std::vector<Pair<T>> pairs(n);
    std::vector<T> w(n * state_count());
    std::vector<double> lat(n * depth()), repolarized(n);
    std::vector<std::uint8_t> excited(n);
    const auto vd = vd_[now()].peek(part(m));
    for (std::size_t i = 0; i < n; ++i) pairs[i] = {vd[2 * slot(i)], vd[2 * slot(i) + 1]};
    const auto states = states_.peek(part(m));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t s = 0; s < state_count(); ++s) w[s * n + i] = states[state_index(slot(i), s)];
    }
    copy_out(activations_, m, depth(), lat.data());
    copy_out(repolarizations_, m, 1, repolarized.data());
    copy_out(excited_, m, 1, excited.data());
    SnapshotWriter out(header());
    out.put(step(m));
    out.put(pairs), out.put(w), out.put(lat), out.put(repolarized), out.put(excited);
    if (conductor_) {
      std::vector<T> source(n);
      copy_out(source_, m, 1, source.data());
      out.put(source);
      conductor_->save(m, out);
    }
    return std::move(out).bytes();
  }

  void restore(int m, std::span<const std::byte> bytes) override {
    SnapshotReader in(bytes, header());
    const std::size_t n = nodes();
    const auto own_step = in.template get<std::int64_t>();
    const auto vd = in.template get<Pair<T>>(n);
    const auto w = in.template get<T>(n * state_count());
    const auto lat = in.template get<double>(n * depth());
    const auto repolarized = in.template get<double>(n);
    const auto excited = in.template get<std::uint8_t>(n);
    fill(
        m, own_step, vd, [&](std::size_t i, std::size_t s) { return w[s * n + i]; }, lat, repolarized, excited);
    if (conductor_) {
      const auto source = in.template get<T>(n);
      put_source(m, source);
      conductor_->restore(m, in);
    }
  }

  void reset(int m) override {
    const std::size_t n = nodes();
    std::vector<Pair<T>> vd(n);
    for (std::size_t i = 0; i < n; ++i) vd[i] = {T(problem_.initial_voltage[set_of(i)] - rest()), T(0)};
    const double none = std::numeric_limits<double>::quiet_NaN();
    const auto initial = [&](std::size_t i, std::size_t s) {
      return T(problem_.initial_states[set_of(i)][s] - ops_.reference(int(s)));
    };
    fill(m, 0, vd, initial, std::vector<double>(n * depth(), none), std::vector<double>(n, none),
         std::vector<std::uint8_t>(n, 0));
    if (conductor_) {
      put_source(m, std::vector<T>(n, T(0)));
      conductor_->reset(m);
    }
  }

  std::string name() const override { return executor_.name() + (sizeof(T) == 4 ? "/fp32" : "/fp64"); }
  void use_threads(int threads) override {
    executor_.use_threads(threads);
    if (conductor_) conductor_->use_threads(threads);
  }

 private:
  template <class U>
  using Buffer = typename Executor::template Buffer<U>;
  using OwnConductor = DeviceConductor<T, typename Executor::Elliptic>;

  struct StoredWeights {
    StoredWeights(const Executor& e, const Layout& layout, const Problem& p, const std::vector<double>& values,
                  double factor)
        : entry(e, stored_weights<T>(layout, p, values, factor)),
          scale(e, values.empty() && !p.column.empty() ? std::vector<T>{} : row_scales<T>(layout, p, values, factor)) {}
    Buffer<Weight<T>> entry;
    Buffer<T> scale;
    Weights<T> args() { return {entry.size() ? entry.data() : nullptr, scale.data()}; }
  };

  std::size_t nodes() const { return problem_.nodes(); }
  std::size_t slots() const { return layout_.slots(); }
  std::size_t numbers() const { return slots() * members_; }
  std::size_t state_count() const { return problem_.model->states.size(); }
  double rest() const { return problem_.model->rest; }
  std::size_t depth() const { return std::size_t(problem_.activation_depth); }
  std::size_t now() const { return std::size_t(common_ & 1); }  ///< which of the ping-pong buffers holds the present
  SnapshotHeader header() const {
    return {nodes(), state_count(), depth(), sizeof(T), ops_.index, conductor_ ? conductor_->rows() : 0};
  }

  std::size_t set_of(std::size_t i) const { return std::size_t(problem_.parameter_set[i]); }

  // Where node i of member m is.
  std::size_t slot(std::size_t i) const { return std::size_t(layout_.slot_of_node[i]); }
  std::size_t number(std::size_t i, int m) const { return slot(i) * members_ + std::size_t(m); }
  /// Member m's numbers of a buffer. V and d are at 2 slot and 2 slot + 1 of it, states at state_index.
  MemberPart part(int m, std::size_t length = 1) const { return {m, std::int64_t(members_), std::int64_t(length)}; }
  std::size_t state_index(std::size_t slot, std::size_t s) const {
    const auto per_slice = std::size_t(layout_.per_slice);
    return (slot / per_slice * state_count() + s) * per_slice + slot % per_slice;
  }

  std::vector<T> own_shares(const Problem& p) const {
    std::vector<T> result(p.own_divergence.empty() ? 0 : slots(), T(0));
    for (std::size_t i = 0; i < p.own_divergence.size(); ++i) result[slot(i)] = T(p.dt * p.own_divergence[i]);
    return result;
  }

  void fill_args() {
    args_.slices = layout_.slices;
    args_.nodes = int(nodes());
    args_.members = int(members_);
    args_.slice_start = slice_start_.data();
    args_.column = column_.data();
    args_.weight = weight_.data();
    args_.diffusion_scale = diffusion_scale_.data();
    args_.load_scale = load_scale_.data();
    args_.gradient = gradient_.args();
    args_.divergence = divergence_.args();
    args_.own_share = own_share_.data();
    args_.along = along_.data();
    args_.source = source_.size() ? source_.data() : nullptr;
    args_.constants = constants_.data();
    args_.slice_set = slice_set_.data();
    args_.stimulus_row = stimulus_row_.data();
    args_.states = states_.data();
    args_.state_count = int(state_count());
    args_.constant_count = ops_.constant_count;
    args_.dt_cells = T(problem_.dt);
    for (int k = 0; k < 2; ++k) args_.vd[k] = vd_[k].data(), args_.stage[k] = stage_[k].data();
    args_.stages = problem_.stages;
    // L = (s^2 + s) / 2 explicit steps in one: Meyer et al. 2014, equations 16 and 17.
    const double s = problem_.stages, reach = 2 / (s * s + s);
    for (int j = 1; j <= problem_.stages; ++j) {
      const double mu = (2.0 * j - 1) / j;
      args_.mu[j - 1] = T(mu);
      args_.share[j - 1] = T(mu * reach);
    }
    args_.rest = T(rest());
    args_.threshold = T(problem_.activation_threshold - rest());
    args_.repolarization_level = T(problem_.repolarization_level - rest());
    args_.dt = problem_.dt;
    args_.depth = problem_.activation_depth;
    args_.lead = lead_.data();
    args_.activations = activations_.data();
    args_.repolarizations = repolarizations_.data();
    args_.excited = excited_.data();
  }

  OwnConductor& conductor() const {
    if (!conductor_) throw std::logic_error("engine: has no conductor");
    return *conductor_;
  }
  void solve_where_due(std::span<const int> asking) {
    if (!conductor_) return;
    std::vector<int> due;
    std::vector<std::int64_t> at;
    for (const int m : asking) {
      if (conductor_->due(m, step(m))) due.push_back(m), at.push_back(step(m));
    }
    if (!due.empty()) conductor_->solve(due, at, vd_[now()].data(), source_.data());
  }
  void put_source(int m, const std::vector<T>& of_node) {
    std::vector<T> own(slots(), T(0));
    for (std::size_t i = 0; i < nodes(); ++i) own[slot(i)] = of_node[i];
    source_.put(part(m), own);
  }

  /// A function of the step alone, so a restored member is stimulated as the saved one was.
  void refresh_stimulus(std::span<const int> asking) {
    constexpr auto lanes = std::size_t(Executor::lanes);
    std::vector<std::int32_t> row(std::size_t(layout_.slices), -1);
    std::vector<double> sum;
    for (const int m : asking) {
      const auto& schedule = schedule_[std::size_t(m)];
      for (std::size_t k = 0; k < schedule.pulses().size(); ++k) {
        const double amplitude = schedule.mean_amplitude(k, step(m));
        if (amplitude == 0) continue;
        for (const auto node : schedule.pulses()[k].nodes) {
          const std::size_t n = number(std::size_t(node), m);
          auto& here = row[n / lanes];
          if (here < 0) here = std::int32_t(sum.size() / lanes), sum.resize(sum.size() + lanes, 0.0);
          sum[std::size_t(here) * lanes + n % lanes] += amplitude * problem_.dt;
        }
      }
    }
    stimulus_row_.upload(row.data());
    std::vector<T> values(sum.begin(), sum.end());
    if (stimulus_.size() < values.size()) stimulus_ = Buffer<T>(executor_, 2 * values.size());
    values.resize(stimulus_.size());
    stimulus_.upload(values.data());
    args_.stimulus = stimulus_.data();
    stimulated_.assign(asking.begin(), asking.end());
    stimulus_stale_ = false;
  }

  /// Constants, conductivities and rows of every member.
  void refresh_variations() {
    refresh_constants();
    const bool any_factor =
        std::any_of(variation_.begin(), variation_.end(), [](const auto& v) { return !v.conductivity.empty(); });
    std::vector<T> half(any_factor ? numbers() : 0, T(0.5));
    for (std::size_t m = 0; m < members_; ++m) {
      const auto& factors = variation_[m].conductivity;
      if (factors.empty()) continue;
      for (std::size_t i = 0; i < nodes(); ++i) half[number(i, int(m))] = T(0.5 * factors[set_of(i)]);
    }
    OwnRows<T> own(layout_, variation_, problem_.dt, along_.size() > 0);
    half_factor_ = Buffer<T>(executor_, half);
    own_row_ = Buffer<std::int32_t>(executor_, own.of);
    has_own_ = Buffer<std::uint8_t>(executor_, own.slices);
    own_diffusion_ = Buffer<T>(executor_, own.diffusion);
    own_load_ = Buffer<T>(executor_, own.load);
    own_gradient_ = Buffer<T>(executor_, own.gradient);
    own_divergence_ = Buffer<T>(executor_, own.divergence);
    own_row_share_ = Buffer<T>(executor_, own.share);
    args_.half_factor = any_factor ? half_factor_.data() : nullptr;
    args_.own_row = own.of.empty() ? nullptr : own_row_.data();
    args_.has_own = own.slices.empty() ? nullptr : has_own_.data();
    args_.own_width = own.width;
    args_.own_diffusion = own_diffusion_.data();
    args_.own_load = own_load_.data();
    args_.own_gradient = own_gradient_.data();
    args_.own_divergence = own_divergence_.data();
    args_.own_row_share = own_row_share_.data();
  }

  void refresh_constants() {
    const MixedConstants<T> own(ops_, problem_.parameters, variation_, layout_, std::size_t(Executor::lanes));
    slice_set_.upload(own.slice_set.data());
    mixed_constants_ = Buffer<T>(executor_, own.blocks);
    args_.mixed_constants = mixed_constants_.data();
  }

  static void expect(std::size_t got, std::size_t wanted, const char* what) {
    if (got == wanted) return;
    throw std::invalid_argument(std::string("engine: ") + what + " needs room for " + std::to_string(wanted) +
                                " numbers, got " + std::to_string(got));
  }

  /// `per` numbers per node, which stand together on the device, to node order.
  template <class U, class Out>
  void copy_out(const Buffer<U>& from, int m, std::size_t per, Out* out) const {
    const auto values = from.peek(part(m, per));
    for (std::size_t i = 0; i < nodes(); ++i) {
      for (std::size_t k = 0; k < per; ++k) out[i * per + k] = Out(values[slot(i) * per + k]);
    }
  }

  /// f(node, slot) for all slots; those beyond the last node repeat the last slot's node, so that they stay at rest
  /// harmlessly.
  template <class F>
  void each_slot(const F& f) const {
    std::size_t last = 0;
    for (std::size_t i = 0; i < nodes(); ++i) {
      f(i, slot(i));
      if (slot(i) == nodes() - 1) last = i;
    }
    for (std::size_t s = nodes(); s < slots(); ++s) f(last, s);
  }

  template <class States>
  void fill(int m, std::int64_t own_step, const std::vector<Pair<T>>& vd, const States& state,
            const std::vector<double>& lat, const std::vector<double>& repolarized,
            const std::vector<std::uint8_t>& excited) {
    largest_.clear();
    lead_host_[std::size_t(m)] = own_step - common_;
    lead_.upload(lead_host_.data());
    stimulus_stale_ = true;
    std::vector<T> own_vd(2 * slots()), own_states(slots() * state_count());
    std::vector<double> own_lat(slots() * depth()), own_repolarized(slots());
    std::vector<std::uint8_t> own_excited(slots());
    each_slot([&](std::size_t i, std::size_t s) {
      own_vd[2 * s] = vd[i].v;
      own_vd[2 * s + 1] = vd[i].d;
      for (std::size_t k = 0; k < state_count(); ++k) own_states[state_index(s, k)] = state(i, k);
      std::copy_n(&lat[i * depth()], depth(), &own_lat[s * depth()]);
      own_repolarized[s] = repolarized[i];
      own_excited[s] = excited[i];
    });
    for (auto& buffer : vd_) buffer.put(part(m), own_vd);
    states_.put(part(m), own_states);
    activations_.put(part(m, depth()), own_lat);
    repolarizations_.put(part(m), own_repolarized);
    excited_.put(part(m), own_excited);
  }

  // Buffers are counted in bytes().
  Problem problem_;
  const ModelOperations& ops_;
  std::size_t members_;
  Layout layout_;
  std::vector<std::int32_t> row_start_;
  Executor executor_;
  std::vector<PulseSchedule> schedule_;
  std::vector<Variation> variation_;
  std::vector<std::int64_t> lead_host_;
  Buffer<std::int32_t> slice_start_, column_;
  Buffer<WeightPair<T>> weight_;
  Buffer<T> diffusion_scale_, load_scale_;
  StoredWeights gradient_, divergence_;
  Buffer<T> own_share_, along_;
  Buffer<std::int32_t> slice_set_;
  Buffer<T> constants_, mixed_constants_, half_factor_;
  Buffer<std::int32_t> own_row_;
  Buffer<std::uint8_t> has_own_;
  Buffer<T> own_diffusion_, own_load_, own_gradient_, own_divergence_, own_row_share_;
  Buffer<T> vd_[2], stage_[2];
  Buffer<T> states_;
  Buffer<std::int32_t> stimulus_row_;
  Buffer<T> stimulus_;
  std::unique_ptr<OwnConductor> conductor_;
  Buffer<T> source_;  ///< what it does to V
  Buffer<std::int64_t> lead_;
  Buffer<double> activations_, repolarizations_;
  Buffer<std::uint8_t> excited_;
  StepArgs<T> args_;
  std::vector<int> stimulated_;
  mutable std::vector<double> largest_;  ///< V of each member now; empty where not known
  bool stimulus_stale_ = true;
  std::int64_t common_ = 0;
};

}  // namespace cardiotwin::kernels::CT_BACKEND
