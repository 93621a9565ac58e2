#pragma once
/// Several runs of one mesh at once. They share matrix, order and memory traffic, and differ in pulses and states.

#include <cardiotwin/kernels/engine.hpp>
#include <memory>

namespace cardiotwin::kernels {

/// Members are engines, each driven by a thread of its own. Where many are at work, Engine::advance waits until all of
/// them have asked for steps, then they are advanced together; a few share the processor's cores instead. A member's
/// bits are those of make_engine, whatever the others do.
class Ensemble {
 public:
  virtual ~Ensemble() = default;
  virtual int size() const = 0;
  /// Lives as long as the ensemble. A member that is not at work may be used too.
  virtual Engine& member(int) = 0;

  /// Between these two the others wait for the member's next advance.
  virtual void begin_work(int member) = 0;
  virtual void end_work(int member) = 0;
};

/// Members an ensemble may have, at most.
int ensemble_limit();

/// `members` in [1, ensemble_limit()]. Keeps a copy of the problem. Throws as make_engine.
std::unique_ptr<Ensemble> make_ensemble(const Problem&, int members, const Device&);

}  // namespace cardiotwin::kernels
