#pragma once
/// What engines and ensembles stand on: B members of one problem on one backend, all advanced by the caller's thread.

#include <cardiotwin/kernels/engine.hpp>
#include <memory>
#include <span>

#include "cpu_variant.hpp"

namespace cardiotwin::kernels {

/// Members of an ensemble that go alone on the CPU, at most: a step of 16 lanes costs what 8 (two-variable cells, 0.25
/// M nodes) to 12 (the same, 9 000 nodes) steps alone cost, whoever uses the lanes.
inline constexpr int alone_on_cpu = 11;

class Core {
 public:
  virtual ~Core() = default;
  virtual void set_pulses(int member, std::vector<Pulse>) = 0;
  virtual void vary(int member, const Variation&) = 0;
  /// Advances all members; only what `asking` ones get of it counts, so the others must have been saved before.
  virtual void advance(std::int64_t steps, std::span<const int> asking) = 0;
  virtual std::int64_t step(int member) const = 0;
  // As Engine's functions.
  virtual double max_voltage(int member) const = 0;
  virtual void voltage(int member, std::span<double> out) const = 0;
  virtual void states(int member, std::span<double> out) const = 0;
  virtual void activations(int member, std::span<double> out) const = 0;
  virtual void repolarizations(int member, std::span<double> out) const = 0;
  virtual std::vector<std::byte> save(int member) const = 0;
  virtual void restore(int member, std::span<const std::byte>) = 0;
  virtual void reset(int member) = 0;
  virtual std::string name() const = 0;
  virtual void set_currents(int member, std::vector<Current>) = 0;
  virtual void potential(int member, std::span<double> out) const = 0;
  virtual Engine::Solves solves(int member) const = 0;
  /// Of the CPU, for the steps to come; the bits do not depend on it.
  virtual void use_threads(int) = 0;
};

/// The one member of a core as an engine.
std::unique_ptr<Engine> engine_alone(std::unique_ptr<Core>);

/// One factory per backend. `members` in {1, 16}.
std::unique_ptr<Core> make_cpu_core(const Problem&, int members, int threads, const CpuVariant&);
std::unique_ptr<Core> make_cpu_core(const Problem&, int members, int threads);
std::unique_ptr<Core> make_checked_core(const Problem&, int members);
std::unique_ptr<Core> make_cuda_core(const Problem&, int members, int device);

/// An engine without a core; throws std::invalid_argument where the problem does not name capacities.
std::unique_ptr<Engine> make_reference_engine(const Problem&, int threads);

}  // namespace cardiotwin::kernels
