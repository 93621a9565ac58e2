#pragma once
/// A problem's conductor over an executor of the elliptic solver: from V to phi and to what phi does to V.

#include <cmath>
#include <utility>

#include "../pulse_schedule.hpp"
#include "../snapshot.hpp"
#include "solver.hpp"

namespace cardiotwin::kernels {

/// The problem's pattern with values of the conductor's, its diagonal absent.
inline SparseMatrix on_pattern(const Problem& p, const std::vector<double>& value, double factor) {
  SparseMatrix m{.row_start = p.row_start, .column = p.column, .value = value};
  for (double& x : m.value) x *= factor;
  return m;
}

}  // namespace cardiotwin::kernels

namespace cardiotwin::kernels::CT_BACKEND {

template <class T, class Executor>
class DeviceConductor {
 public:
  template <class U>
  using Buffer = typename Executor::template Buffer<U>;

  /// `slot_of` says where the engine has node i; `p` still has its matrix's pattern.
  DeviceConductor(const Problem& p, const std::vector<std::int32_t>& slot_of, int members, Executor executor)
      : conductor_(p.conductor),
        dt_(p.dt),
        nodes_(p.nodes()),
        columns_(members),
        solver_(*p.conductor->matrix, members, std::move(executor)),
        intracellular_(solver_.executor(), on_pattern(p, p.conductor->intracellular, -1), {}),
        beyond_(solver_.executor(), on_pattern(p, p.conductor->beyond, -p.dt), {}),
        carried_(of_pattern(on_pattern(p, p.conductor->carried, -p.dt))),
        to_nodes_(solver_.executor(), p.conductor->interpolation, {}, false),
        to_rows_(solver_.executor(), transposed(p.conductor->interpolation, solver_.rows()), {}, false),
        v_(zeros(intracellular_.rows)),
        flow_(zeros(intracellular_.rows)),
        at_nodes_(zeros(intracellular_.rows)),
        injected_(zeros(solver_.padded())),
        one_(zeros(solver_.padded())),
        two_(zeros(solver_.padded())),
        schedule_(std::size_t(members)),
        shares_(std::size_t(members)),
        state_(std::size_t(members)) {
    std::vector<std::int32_t> slots(intracellular_.rows, -1);
    std::copy(slot_of.begin(), slot_of.end(), slots.begin());
    slot_of_ = Buffer<std::int32_t>(solver_.executor(), slots);
    std::vector<double> own(nodes_, 0.0);
    for (std::size_t i = 0; i < nodes_; ++i)
      for (auto k = std::size_t(p.row_start[i]); k < std::size_t(p.row_start[i + 1]); ++k)
        own[i] += p.conductor->intracellular[k];
    double sum = 0;
    for (const double x : own) sum += x * x;
    floor_ = ripple * std::sqrt(sum);
  }

  void use_threads(int threads) { solver_.executor().use_threads(threads); }

  void set_currents(int m, std::vector<Current> currents) {
    std::vector<Pulse> pulses;
    std::vector<std::vector<double>> shares;
    for (auto& c : currents) {
      if (c.rows.size() != c.shares.size())
        throw std::invalid_argument("current: every row needs a share");
      pulses.push_back({std::move(c.rows), c.start, c.duration, c.amplitude, c.biphasic});
      shares.push_back(std::move(c.shares));
    }
    schedule_[std::size_t(m)] = PulseSchedule(std::move(pulses), dt_, solver_.rows());
    shares_[std::size_t(m)] = std::move(shares);
    auto& state = state_[std::size_t(m)];
    if (state.solved >= 0 && strengths(m, state.solved) != state.strengths) state.solved = -1;
  }

  /// First step after `step` at which member m is to be solved for.
  std::int64_t next(int m, std::int64_t step) const {
    const std::int64_t interval = conductor_->interval;
    return std::min((step / interval + 1) * interval, schedule_[std::size_t(m)].next_change(step));
  }
  bool due(int m, std::int64_t step) const {
    return state_[std::size_t(m)].solved != step && (state_[std::size_t(m)].solved < 0 || next(m, step - 1) == step);
  }

  /// Solves for the members given, which are at the steps given, from V in `vd`, and writes what it does to V.
  void solve(const std::vector<int>& members, const std::vector<std::int64_t>& steps, const T* vd, T* source) {
    Asked asked;
    std::vector<std::uint8_t> flags(std::size_t(columns_), 0);
    Recall recall{.rows = std::int64_t(solver_.padded()), .x = solver_.x().data(), .one = one_.data(), .two = two_.data()};
    bool inject = false;
    for (std::size_t k = 0; k < members.size(); ++k) {
      const int m = members[k];
      auto& state = state_[std::size_t(m)];
      asked.of[m] = flags[std::size_t(m)] = 1;
      if (auto now = strengths(m, steps[k]); now != state.strengths) {
        state.strengths = std::move(now);
        state.known = std::min(state.known, 1);  // what was known does not go on
        inject = true;
      }
      extrapolate(state, recall, m);
    }
    recall.asked = asked;
    if (inject) upload_currents();
    run(Take<T>{std::int64_t(v_.size() / std::size_t(columns_)), slot_of_.data(), vd, v_.data()});
    run(Apply<T, double>{intracellular_.args(), nullptr, v_.data(), nullptr, flow_.data()});
    run(Gather<double>{to_rows_.args(), -1, flow_.data(), any_current_ ? injected_.data() : nullptr,
                       solver_.b().data()});
    run(recall);
    const auto solved = solver_.solve(flags, conductor_->tolerance, floor_, most_iterations);
    run(Gather<double>{to_nodes_.args(), 1, solver_.x().data(), nullptr, at_nodes_.data()});
    run(Drive<T>{beyond_.args(), carried_.data(), slot_of_.data(), v_.data(), at_nodes_.data(), asked, source});
    for (std::size_t k = 0; k < members.size(); ++k) {
      auto& state = state_[std::size_t(members[k])];
      state.solved = steps[k];
      state.known = std::min(state.known + 1, 3);
      state.solves.count += 1, state.solves.iterations += solved[std::size_t(members[k])].iterations;
    }
  }

  void potential(int m, std::span<double> out) const {
    const auto x = solver_.x().peek(MemberPart{m, columns_, 1});
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = x[i];
  }
  std::size_t rows() const { return solver_.rows(); }
  Engine::Solves solves(int m) const { return state_[std::size_t(m)].solves; }

  void save(int m, SnapshotWriter& out) const {
    const auto& state = state_[std::size_t(m)];
    out.put(state.solved), out.put(std::int64_t(state.known));
    for (const Buffer<double>* buffer : {&solver_.x(), &one_, &two_}) {
      const auto values = buffer->peek(MemberPart{m, columns_, 1});
      std::vector<double> own(rows());
      for (std::size_t i = 0; i < own.size(); ++i) own[i] = values[i];
      out.put(own);
    }
  }
  void restore(int m, SnapshotReader& in) {
    auto& state = state_[std::size_t(m)];
    state.solved = in.template get<std::int64_t>();
    state.known = int(in.template get<std::int64_t>());
    for (Buffer<double>* buffer : {&solver_.x(), &one_, &two_}) {
      auto own = in.template get<double>(rows());
      own.resize(solver_.padded(), 0.0);
      buffer->put(MemberPart{m, columns_, 1}, own);
    }
    state.strengths = state.solved < 0 ? std::vector<std::pair<std::size_t, double>>{} : strengths(m, state.solved);
    upload_currents();
  }
  void reset(int m) {
    const std::vector<double> zero(solver_.padded(), 0.0);
    for (Buffer<double>* buffer : {&solver_.x(), &one_, &two_}) buffer->put(MemberPart{m, columns_, 1}, zero);
    state_[std::size_t(m)] = {};
    upload_currents();
  }

  /// As CgMultigrid::bytes.
  static std::size_t bytes(const Problem& p, int columns) {
    constexpr auto h = std::size_t(Executor::slice_rows);
    const Conductor& c = *p.conductor;
    const std::size_t width = std::size_t(columns), nodes = (p.nodes() + h - 1) / h * h,
                      rows = (c.matrix->rows() + h - 1) / h * h;
    const SparseMatrix pattern = on_pattern(p, c.intracellular, 1);
    const std::size_t with_index = SlicedRows<T>::bytes(pattern, Executor::slice_rows, true);
    const std::size_t index = (nodes / h + 1) * sizeof(std::int32_t);
    return CgMultigrid<T, Executor>::bytes(*c.matrix, columns) + 3 * (nodes + rows) * width * sizeof(double) +
           2 * with_index + (with_index - index) / (sizeof(T) + sizeof(std::int32_t)) * sizeof(T) +
           SlicedRows<double>::bytes(c.interpolation, Executor::slice_rows, false) +
           SlicedRows<double>::bytes(transposed(c.interpolation, c.matrix->rows()), Executor::slice_rows, false) +
           nodes * sizeof(std::int32_t);
  }

 private:
  /// A ripple of V from node to node that counts as rest [mV]: |b| is taken for no less than it would make it.
  static constexpr double ripple = 1e-3;
  static constexpr int most_iterations = 300;

  struct State {
    std::int64_t solved = -1;  ///< step
    int known = 0;             ///< solutions in a row at equal intervals: x and those before
    std::vector<std::pair<std::size_t, double>> strengths;  ///< of currents at that step
    Engine::Solves solves;
  };

  Buffer<double> zeros(std::size_t rows) {
    return Buffer<double>(solver_.executor(), std::vector<double>(rows * std::size_t(columns_), 0.0));
  }
  Buffer<T> of_pattern(const SparseMatrix& m) {
    return Buffer<T>(solver_.executor(), SlicedRows<T>(m, Executor::slice_rows, true).value);
  }
  template <class Arguments>
  void run(const Arguments& a) {
    solver_.executor().run(a, columns_);
  }

  /// Quadratic in time where three solutions at equal intervals are known. x keeps the latest one.
  void extrapolate(State& state, Recall& recall, int m) {
    static constexpr double weights[4][3] = {{0, 0, 0}, {1, 0, 0}, {2, -1, 0}, {3, -3, 1}};
    const double* w = weights[state.known];
    recall.a.of[m] = w[0], recall.b.of[m] = w[1], recall.c.of[m] = w[2];
  }

  /// Of member m's currents at a step those that flow: which, and how much.
  std::vector<std::pair<std::size_t, double>> strengths(int m, std::int64_t step) const {
    std::vector<std::pair<std::size_t, double>> result;
    const auto& schedule = schedule_[std::size_t(m)];
    for (std::size_t k = 0; k < schedule.pulses().size(); ++k) {
      if (const double strength = schedule.mean_amplitude(k, step); strength != 0) result.push_back({k, strength});
    }
    return result;
  }

  void upload_currents() {
    std::vector<double> all(injected_.size(), 0.0);
    any_current_ = false;
    for (int m = 0; m < columns_; ++m) {
      for (const auto& [k, strength] : state_[std::size_t(m)].strengths) {
        any_current_ = true;
        const auto& rows = schedule_[std::size_t(m)].pulses()[k].nodes;
        for (std::size_t r = 0; r < rows.size(); ++r)
          all[std::size_t(rows[r]) * std::size_t(columns_) + std::size_t(m)] +=
              strength * shares_[std::size_t(m)][k][r];
      }
    }
    injected_.upload(all.data());
  }

  std::shared_ptr<const Conductor> conductor_;
  double dt_;
  std::size_t nodes_;
  int columns_;
  CgMultigrid<T, Executor> solver_;
  DeviceRows<T, Executor> intracellular_, beyond_;
  Buffer<T> carried_;
  DeviceRows<double, Executor> to_nodes_, to_rows_;
  Buffer<double> v_, flow_, at_nodes_, injected_, one_, two_;
  Buffer<std::int32_t> slot_of_;
  std::vector<PulseSchedule> schedule_;
  std::vector<std::vector<std::vector<double>>> shares_;
  std::vector<State> state_;
  double floor_ = 0;
  bool any_current_ = false;
};

}  // namespace cardiotwin::kernels::CT_BACKEND
