#pragma once
/// The members of an ensemble at once.

#include <cardiotwin/kernels/ensemble.hpp>
#include <thread>
#include <vector>

namespace cardiotwin::test {

/// `drive(engine, m)` for every member, each in a thread of its own.
template <class Drive>
void drive_together(kernels::Ensemble& ensemble, const Drive& drive) {
  for (int m = 0; m < ensemble.size(); ++m) ensemble.begin_work(m);
  std::vector<std::jthread> threads;
  for (int m = 0; m < ensemble.size(); ++m) {
    threads.emplace_back([&, m] {
      drive(ensemble.member(m), m);
      ensemble.end_work(m);
    });
  }
}

}  // namespace cardiotwin::test
