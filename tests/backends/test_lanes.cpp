// The CUDA engine computes one lane at a time in slices of 32. Here that same code runs on the host, so its layout and
// the one-lane step are tested on machines without a device too.
#define CT_BACKEND one_lane_test
#include <gtest/gtest.h>

#include <cmath>

#include "../../kernels/src/engine_impl.hpp"
#include "../../kernels/src/model_list.hpp"
#include "../../kernels/src/step.hpp"
#include "problems.hpp"

namespace cardiotwin::test {
namespace {

namespace body = kernels::one_lane_test;

template <class U>
struct VectorBuffer {
  explicit VectorBuffer(std::size_t n) : values(n) {}
  explicit VectorBuffer(const std::vector<U>& v) : values(v) {}
  std::size_t size() const { return values.size(); }
  U* data() { return values.data(); }
  void upload(const U* from) { values.assign(from, from + values.size()); }
  void download(U* to) const { std::copy(values.begin(), values.end(), to); }
  std::vector<U> values;
};

template <class Model, class T>
struct OneLaneExecutor {
  static constexpr int lanes = 32;
  template <class U>
  using Buffer = VectorBuffer<U>;
  void advance(const kernels::StepArgs<T>& a, std::int64_t first, std::int64_t count) const {
    for (std::int64_t step = first; step < first + count; ++step) {
      const int from = int(step & 1);
      for (int slice = 0; slice < a.slices; ++slice) {
        for (int lane = 0; lane < lanes; ++lane) {
          body::step_slice<Model, T, 1, lanes, true>(a, step, slice, lane, a.vd[from], a.vd[1 - from]);
        }
      }
    }
  }
  double max(const VectorBuffer<kernels::Pair<T>>&, std::size_t) const { return 0; }
  std::string name() const { return "one lane"; }
};

template <template <class> class Model, class T>
void expect_agrees_with_the_cpu_engine(const kernels::Problem& p, double millivolts, double milliseconds) {
  auto cpu = kernels::make_engine(p, {false, 1});
  body::EngineImpl<T, OneLaneExecutor<Model<T>, T>> one(p, {});
  std::vector<double> a(p.nodes()), b(p.nodes()), lat_a(8 * p.nodes()), lat_b(8 * p.nodes());
  for (kernels::Engine* e : {cpu.get(), static_cast<kernels::Engine*>(&one)}) {
    e->set_pulses({pulse(50, 0.1, 2, 60)});
    e->advance(700);
  }
  cpu->voltage(a);
  one.voltage(b);
  cpu->activations(lat_a);
  one.activations(lat_b);
  for (std::size_t i = 0; i < p.nodes(); ++i) {
    EXPECT_NEAR(a[i], b[i], millivolts) << "node " << i;
    ASSERT_EQ(std::isnan(lat_a[8 * i]), std::isnan(lat_b[8 * i])) << "node " << i;
    if (!std::isnan(lat_a[8 * i])) EXPECT_NEAR(lat_a[8 * i], lat_b[8 * i], milliseconds) << "node " << i;
  }
  // A snapshot is in node order whatever the layout, so each engine can go on from the other's.
  cpu->restore(one.save());
  EXPECT_EQ(cpu->save(), one.save());
}

TEST(OneLane, AgreesWithTheVectorisedStep) {
  const std::vector<std::string> mixed = {"healthy", "channel", "border_zone"};
  expect_agrees_with_the_cpu_engine<body::MitchellSchaeffer, double>(
      random_graph("mitchell-schaeffer-modified", kernels::Real::fp64, 333, mixed), 1e-7, 1e-9);
  expect_agrees_with_the_cpu_engine<body::MitchellSchaeffer, float>(
      random_graph("mitchell-schaeffer-modified", kernels::Real::fp32, 333, mixed), 0.1, 0.01);
  const std::vector<std::string> ventricle = {"epi", "endo", "border_zone"};
  expect_agrees_with_the_cpu_engine<body::TenTusscher2006, double>(
      random_graph("tentusscher-2006", kernels::Real::fp64, 333, ventricle), 1e-6, 1e-9);
  expect_agrees_with_the_cpu_engine<body::TenTusscher2006, float>(
      random_graph("tentusscher-2006", kernels::Real::fp32, 333, ventricle), 1.0, 0.01);
}

}  // namespace
}  // namespace cardiotwin::test
