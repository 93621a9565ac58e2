// The reference in time: Strang's splitting of the same semi-discrete equations in fp64. Half a step of diffusion by
// Crank-Nicolson, the cells, half a step of diffusion. Takes any step without growing unstable, costs some 25 times
// the explicit one, and shares none of its code but the cells.
//
//   (1 - h/2 L) V' = (1 + h/2 L) V,  L V = sum_j a_ij (V_j - V_i) + nodal gradients
//
// L is self-adjoint in the inner product weighted with the nodes' capacities, so conjugate gradients in that product
// solve it, preconditioned by the diagonal: the operator is close to the identity at usual steps.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "core.hpp"
#include "cpu_variants.hpp"
#include "layout.hpp"
#include "lesions.hpp"
#include "pulse_schedule.hpp"
#include "registry.hpp"
#include "snapshot.hpp"
#include "storage.hpp"

namespace cardiotwin::kernels {
namespace {

using Vector = std::vector<double>;

constexpr double tolerance = 1e-10;  ///< of the residual, relative to V: some 1e-8 mV
constexpr int most_iterations = 500;
constexpr std::size_t lanes = 16;  ///< the cells are written for that many
constexpr int smallest = 2048;     ///< nodes for which other threads are woken

class Reference final : public Engine {
 public:
  Reference(const Problem& p, int threads)
      : problem_(p),
        ops_(operations(*p.model)),
        react_(cpu_variants().front().react_fp64(ops_.index)),
        threads_(threads > 0 ? threads : omp_get_max_threads()),
        padded_((p.nodes() + lanes - 1) / lanes * lanes) {
    if (p.conductor) throw std::invalid_argument("engine: the reference computes the monodomain only");
    if (p.capacity.empty()) throw std::invalid_argument("engine: the reference needs the nodes' capacities");
    vary({});
    reset();
  }

  void set_pulses(std::vector<Pulse> pulses) override {
    schedule_ = PulseSchedule(std::move(pulses), problem_.dt, nodes());
  }

  void vary(const Variation& v) override {
    if (!v.rows.empty() || !v.dead.empty()) throw std::invalid_argument("engine: the reference takes no lesions");
    validate(problem_, problem_.row_start, v);
    factor_.assign(nodes(), 1.0);
    for (std::size_t i = 0; i < nodes() && !v.conductivity.empty(); ++i) factor_[i] = v.conductivity[set_of(i)];
    const auto of_set = set_constants<double>(ops_, v.parameters.empty() ? problem_.parameters : v.parameters);
    const auto count = std::size_t(ops_.constant_count);
    constants_.resize(padded_ * count);
    for (std::size_t i = 0; i < padded_; ++i) {
      for (std::size_t k = 0; k < count; ++k) constants_[lane_index(i, k, count)] = of_set[set_of(i) * count + k];
    }
    diagonal_.assign(nodes(), 1.0);
    for (std::size_t i = 0; i < nodes(); ++i) {
      each_entry(i, [&](std::size_t k, std::size_t j) {
        diagonal_[i] += problem_.dt / 4 * edge_factor(i, j) * std::abs(problem_.diffusion[k]);
      });
    }
  }

  void advance(std::int64_t steps) override {
    if (steps < 0) throw std::invalid_argument("engine: cannot advance by a negative number of steps");
    for (std::int64_t k = 0; k < steps; ++k) one_step();
  }

  std::int64_t step_count() const override { return step_; }
  double max_voltage() const override {
    double largest = -INFINITY;
    for (std::size_t i = 0; i < nodes(); ++i) {
      if (!std::isfinite(v_[i])) return NAN;
      largest = std::max(largest, v_[i]);
    }
    return largest + rest();
  }
  void voltage(std::span<double> out) const override {
    copy(v_, nodes(), out, "voltage");
    for (double& v : out) v += rest();
  }
  void states(std::span<double> out) const override {
    const std::size_t count = state_count();
    expect(out.size(), nodes() * count, "states");
    for (std::size_t i = 0; i < nodes(); ++i) {
      for (std::size_t s = 0; s < count; ++s)
        out[i * count + s] = states_[lane_index(i, s, count)] + ops_.reference(int(s));
    }
  }
  void activations(std::span<double> out) const override { copy(lat_, lat_.size(), out, "activations"); }
  void repolarizations(std::span<double> out) const override {
    copy(repolarized_, repolarized_.size(), out, "repolarizations");
  }

  std::vector<std::byte> save() const override {
    std::vector<Pair<double>> pairs(nodes());
    Vector w(nodes() * state_count());
    for (std::size_t i = 0; i < nodes(); ++i) {
      pairs[i] = {v_[i], 0};
      for (std::size_t s = 0; s < state_count(); ++s) w[s * nodes() + i] = states_[lane_index(i, s, state_count())];
    }
    SnapshotWriter out(header());
    out.put(step_), out.put(pairs), out.put(w), out.put(lat_), out.put(repolarized_), out.put(excited_);
    return std::move(out).bytes();
  }
  void restore(std::span<const std::byte> bytes) override {
    SnapshotReader in(bytes, header());
    step_ = in.get<std::int64_t>();
    const auto pairs = in.get<Pair<double>>(nodes());
    const auto w = in.get<double>(nodes() * state_count());
    lat_ = in.get<double>(lat_.size());
    repolarized_ = in.get<double>(nodes());
    excited_ = in.get<std::uint8_t>(nodes());
    for (std::size_t i = 0; i < padded_; ++i) {
      const std::size_t from = std::min(i, nodes() - 1);
      v_[i] = pairs[from].v;
      for (std::size_t s = 0; s < state_count(); ++s) states_[lane_index(i, s, state_count())] = w[s * nodes() + from];
    }
  }
  void reset() override {
    const double none = std::numeric_limits<double>::quiet_NaN();
    step_ = 0;
    lat_.assign(nodes() * depth(), none);
    repolarized_.assign(nodes(), none);
    excited_.assign(nodes(), 0);
    v_.resize(padded_), d_.assign(padded_, 0.0), states_.resize(padded_ * state_count());
    for (std::size_t i = 0; i < padded_; ++i) {
      v_[i] = problem_.initial_voltage[set_of(i)] - rest();
      for (std::size_t s = 0; s < state_count(); ++s)
        states_[lane_index(i, s, state_count())] = problem_.initial_states[set_of(i)][s] - ops_.reference(int(s));
    }
  }
  std::string name() const override { return "reference/fp64"; }
  void set_currents(std::vector<Current>) override { throw std::logic_error("engine: has no conductor"); }
  void potential(std::span<double>) const override { throw std::logic_error("engine: has no conductor"); }
  Solves solves() const override { throw std::logic_error("engine: has no conductor"); }

 private:
  std::size_t nodes() const { return problem_.nodes(); }
  double rest() const { return problem_.model->rest; }
  std::size_t depth() const { return std::size_t(problem_.activation_depth); }
  std::size_t state_count() const { return problem_.model->states.size(); }
  /// Lanes beyond the last node repeat it.
  std::size_t set_of(std::size_t i) const { return std::size_t(problem_.parameter_set[std::min(i, nodes() - 1)]); }
  static std::size_t lane_index(std::size_t i, std::size_t k, std::size_t count) {
    return (i / lanes * count + k) * lanes + i % lanes;
  }
  SnapshotHeader header() const { return {nodes(), state_count(), depth(), sizeof(double), ops_.index}; }
  double edge_factor(std::size_t i, std::size_t j) const { return (factor_[i] + factor_[j]) / 2; }

  template <class F>
  void each_entry(std::size_t i, const F& f) const {
    for (auto k = std::size_t(problem_.row_start[i]); k < std::size_t(problem_.row_start[i + 1]); ++k)
      f(k, std::size_t(problem_.column[k]));
  }
  template <class F>
  void each_node(const F& f) const {
#pragma omp parallel for schedule(static) num_threads(threads_) if (nodes() > smallest)
    for (std::size_t i = 0; i < nodes(); ++i) f(i);
  }
  /// sum_i capacity_i x_i y_i, added up in blocks, so that the bits do not depend on the threads.
  double inner(const Vector& x, const Vector& y) const {
    constexpr std::size_t block = 1024;
    Vector part((nodes() + block - 1) / block, 0.0);
#pragma omp parallel for schedule(static) num_threads(threads_) if (nodes() > smallest)
    for (std::size_t b = 0; b < part.size(); ++b) {
      const std::size_t last = std::min(nodes(), (b + 1) * block);
      for (std::size_t i = b * block; i < last; ++i) part[b] += problem_.capacity[i] * x[i] * y[i];
    }
    double sum = 0;
    for (const double p : part) sum += p;
    return sum;
  }

  /// out = x + share L x
  void apply(const Vector& x, double share, Vector& out) {
    const Problem& p = problem_;
    const bool nodal = !p.gradient.empty();
    along_.resize(nodes());
    if (nodal) {
      each_node([&](std::size_t i) {
        double sum = 0;
        each_entry(i, [&](std::size_t k, std::size_t j) { sum += p.gradient[k] * (x[j] - x[i]); });
        along_[i] = factor_[i] * sum;
      });
    }
    each_node([&](std::size_t i) {
      double sum = nodal ? p.own_divergence[i] * along_[i] : 0.0;
      each_entry(i, [&](std::size_t k, std::size_t j) {
        sum += p.diffusion[k] * edge_factor(i, j) * (x[j] - x[i]);
        if (nodal) sum += p.divergence[k] * along_[j];
      });
      out[i] = x[i] + share * sum;
    });
  }

  void diffuse(double h) {
    Vector right(nodes()), r(nodes()), z(nodes()), q(nodes()), p;
    apply(v_, h / 2, right);
    apply(v_, -h / 2, q);
    each_node([&](std::size_t i) { r[i] = right[i] - q[i], z[i] = r[i] / diagonal_[i]; });
    p = z;
    const double enough = tolerance * tolerance * inner(right, right);
    double rz = inner(r, z);
    for (int iteration = 0; !(inner(r, r) <= enough); ++iteration) {
      if (iteration == most_iterations || !std::isfinite(rz))
        throw std::runtime_error("the reference's conjugate gradients did not converge in " +
                                 std::to_string(iteration) + " iterations at step " + std::to_string(step_));
      apply(p, -h / 2, q);
      const double alpha = rz / inner(p, q);
      each_node([&](std::size_t i) { v_[i] += alpha * p[i], r[i] -= alpha * q[i], z[i] = r[i] / diagonal_[i]; });
      const double before = rz;
      rz = inner(r, z);
      each_node([&](std::size_t i) { p[i] = z[i] + rz / before * p[i]; });
    }
  }

  void react() {
    const auto count = std::size_t(ops_.constant_count);
#pragma omp parallel for schedule(static) num_threads(threads_) if (nodes() > smallest)
    for (std::size_t first = 0; first < padded_; first += lanes) {
      double v[lanes];
      for (std::size_t l = 0; l < lanes; ++l) v[l] = v_[first + l] + rest();
      react_(problem_.dt, v, &d_[first], &states_[first * state_count()], &constants_[first * count], true);
    }
    for (std::size_t k = 0; k < schedule_.pulses().size(); ++k) {
      const double amplitude = schedule_.mean_amplitude(k, step_);
      if (amplitude == 0) continue;
      for (const auto node : schedule_.pulses()[k].nodes) d_[std::size_t(node)] += problem_.dt * amplitude;
    }
    each_node([&](std::size_t i) {
      double load = 0;
      each_entry(i, [&](std::size_t k, std::size_t j) { load += problem_.load[k] * (d_[j] - d_[i]); });
      v_[i] += d_[i] + load;
    });
  }

  void one_step() {
    const Vector before = v_;
    diffuse(problem_.dt / 2);
    react();
    diffuse(problem_.dt / 2);
    each_node([&](std::size_t i) { note_crossings(i, before[i], v_[i]); });
    ++step_;
  }

  void note_crossings(std::size_t i, double prev, double next) {
    const auto moment = [&](double level) { return (double(step_) + (level - prev) / (next - prev)) * problem_.dt; };
    const double up = problem_.activation_threshold - rest(), down = problem_.repolarization_level - rest();
    if (prev < up && next >= up) {
      std::copy_backward(&lat_[i * depth()], &lat_[i * depth() + depth() - 1], &lat_[i * depth()] + depth());
      lat_[i * depth()] = moment(up);
      excited_[i] = 1;
    }
    if (excited_[i] && prev >= down && next < down) repolarized_[i] = moment(down), excited_[i] = 0;
  }

  static void expect(std::size_t got, std::size_t wanted, const char* what) {
    if (got == wanted) return;
    throw std::invalid_argument(std::string("engine: ") + what + " needs room for " + std::to_string(wanted) +
                                " numbers, got " + std::to_string(got));
  }
  static void copy(const Vector& from, std::size_t n, std::span<double> out, const char* what) {
    expect(out.size(), n, what);
    std::copy_n(from.begin(), n, out.begin());
  }

  const Problem problem_;
  const ModelOperations& ops_;
  const React<double> react_;
  const int threads_;
  const std::size_t padded_;  ///< nodes, up to whole slices of cells
  PulseSchedule schedule_;
  std::int64_t step_ = 0;
  Vector v_, d_, states_, constants_;  ///< V above rest, as the cores store it
  Vector lat_, repolarized_;
  std::vector<std::uint8_t> excited_;
  Vector factor_, diagonal_, along_;
};

}  // namespace

std::unique_ptr<Engine> make_reference_engine(const Problem& p, int threads) {
  return std::make_unique<Reference>(p, threads);
}

}  // namespace cardiotwin::kernels
