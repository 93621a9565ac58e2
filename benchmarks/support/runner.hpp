#pragma once
/// A case at work, and how long it takes.

#include <algorithm>
#include <cardiotwin/kernels/ensemble.hpp>
#include <chrono>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <thread>

#include "cases.hpp"
#include "cpu_variants.hpp"

namespace cardiotwin::bench {

template <class F>
double seconds(const F& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// One engine, or an ensemble whose members are driven as a study drives them: by a thread each.
class Runner {
 public:
  Runner(const kernels::Problem& p, const Case& c) : members_(c.members) {
    const int threads = c.threads ? c.threads : int(std::thread::hardware_concurrency());
    using Kind = kernels::Device::Kind;
    const kernels::Device device = c.cuda() ? kernels::Device{Kind::cuda} : kernels::Device{Kind::cpu, threads};
    if (members_ > 1) {
      ensemble_ = kernels::make_ensemble(p, members_, device);
      for (int m = 0; m < members_; ++m)
        ensemble_->begin_work(m);  // before they are used: so it is decided who goes how
    } else {
      alone_ = c.cuda() ? kernels::make_engine(p, device) : make_variant(p, threads, c.engine);
    }
    kernels::Pulse corner;
    for (std::int32_t i = 0; i < std::int32_t(p.nodes() / 20); ++i) corner.nodes.push_back(i);
    corner.duration = 0.5;
    corner.amplitude = 200;
    for (int m = 0; m < members_; ++m) engine(m).set_pulses({corner});
  }

  kernels::Engine& engine(int m) { return ensemble_ ? ensemble_->member(m) : *alone_; }

  /// All members by `steps`, each in several calls: those that go alone take turns on the cores.
  void advance(std::int64_t steps) {
    if (alone_) {
      alone_->advance(steps);
      return;
    }
    const std::int64_t part = (steps + 3) / 4;
    std::vector<std::jthread> drivers;
    for (int m = 0; m < members_; ++m) {
      drivers.emplace_back([this, steps, part, m] {
        for (std::int64_t done = 0; done < steps; done += part) engine(m).advance(std::min(part, steps - done));
      });
    }
  }

  void check() {
    for (int m = 0; m < members_; ++m) {
      if (!std::isfinite(engine(m).max_voltage())) throw std::runtime_error("V is not finite");
    }
  }

 private:
  static std::unique_ptr<kernels::Engine> make_variant(const kernels::Problem& p, int threads,
                                                       const std::string& name) {
    for (const auto& variant : kernels::cpu_variants()) {
      if (variant.name == name) return kernels::make_cpu_engine(p, threads, variant);
    }
    throw std::runtime_error("this processor cannot run " + name);
  }

  int members_;
  std::unique_ptr<kernels::Engine> alone_;
  std::unique_ptr<kernels::Ensemble> ensemble_;
};

/// Times of one case [ns per node, member and step]. The least is the figure: what is above it are the neighbours on a
/// shared machine; the median says how loud they were.
struct Samples {
  std::vector<double> ns;
  double least() const { return *std::min_element(ns.begin(), ns.end()); }
  double median() const {
    std::vector<double> sorted = ns;
    std::nth_element(sorted.begin(), sorted.begin() + std::ptrdiff_t(sorted.size() / 2), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

/// Adds `repeat` samples of about 0.1 s each, taken while a wave crosses the lattice.
inline void take_samples(const kernels::Problem& p, const Case& c, int repeat, Samples& samples) {
  Runner runner(p, c);
  // In the first steps the corner is stimulated and fires; they also pay for first touches, so how many make a sample
  // is estimated twice.
  std::int64_t steps = 30;
  for (int estimate = 0; estimate < 2; ++estimate) {
    const double taken = seconds([&] { runner.advance(steps); });
    steps = std::max<std::int64_t>(1, std::llround(0.1 * double(steps) / taken));
  }
  for (int r = 0; r < repeat; ++r) {
    const double taken = seconds([&] { runner.advance(steps); });
    samples.ns.push_back(1e9 * taken / double(steps) / c.members / double(p.nodes()));
  }
  runner.check();
}

}  // namespace cardiotwin::bench
