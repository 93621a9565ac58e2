#pragma once
/// Many simulations of one heart at once: they share mesh, order and matrix and differ in protocol, conductivities,
/// ionic parameters, lesions and starting state. On the CPU a step of sixteen costs half (two-variable cells) to three
/// quarters (ten Tusscher) of sixteen steps one after the other.

#include <cardiotwin/simulation.hpp>
#include <functional>
#include <memory>

namespace cardiotwin {

/// So many simulations of one twin side by side, its members.
class Ensemble {
 public:
  /// `members` in [1, limit()]; throws InputError as Simulation does.
  Ensemble(const Twin&, const SimulationOptions&, int members);
  ~Ensemble();
  Ensemble(Ensemble&&) noexcept;
  Ensemble& operator=(Ensemble&&) noexcept;

  static int limit();
  int size() const;

  /// A simulation like any other, whose bits do not depend on what the others do. Its run() waits until all members at
  /// work want to run, too.
  Simulation& member(int);

  /// Works through jobs 0 ... jobs - 1, as many at a time as there are members: job(number, simulation) is called from
  /// several threads, each time with a simulation nobody else uses. A member takes the next job when it has done one.
  /// After an exception no further job is begun; the first is thrown on.
  void for_each(std::size_t jobs, const std::function<void(std::size_t, Simulation&)>& job);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cardiotwin
