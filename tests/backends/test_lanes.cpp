// The CUDA engine computes one lane at a time in slices of 32. Here that same code runs on the host, so its layout and
// the one-lane step are tested on machines without a device too.
#define CT_BACKEND one_lane_test
#define CT_ONE_LANE
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "../../kernels/src/checked_buffer.hpp"
#include "../../kernels/src/core_impl.hpp"
#include "../../kernels/src/ionic/mitchell_schaeffer_modified.hpp"
#include "../../kernels/src/ionic/ten_tusscher_2006.hpp"
#include "../../kernels/src/react.hpp"
#include "../../kernels/src/step.hpp"
#include "one_lane_elliptic.hpp"
#include "problems.hpp"

namespace cardiotwin::test {
namespace {

namespace body = kernels::one_lane_test;

template <class Model, class T, int B>
struct OneLaneExecutor {
  static constexpr int lanes = 32;
  template <class U>
  using Buffer = kernels::CheckedBuffer<U>;
  std::vector<double> advance(const kernels::StepArgs<T>& a, std::int64_t first, std::int64_t count) const {
    const kernels::CheckedPages::Open kernels_run;
    const auto cells = [&](const T* v, T* d, T* states, const T* constants, bool mixed) {
      body::react_lane<Model, T, lanes>(a.dt_cells, v, d, states, constants, mixed);
    };
    for (std::int64_t step = first; step < first + count; ++step) {
      const T* start = a.vd[step & 1];
      for (int slice = 0; slice < a.slices; ++slice) {
        for (int lane = 0; lane < lanes; ++lane) {
          body::finish_slice<T, 1, lanes, B>(a, step, slice, lane, start, start, start, a.vd[1 - (step & 1)], cells);
        }
      }
    }
    return {};
  }
  std::vector<double> largest(const kernels::StepArgs<T>&, int) const { return {}; }
  std::string name() const { return "one lane"; }
  using Elliptic = body::OneLaneElliptic<kernels::CheckedBuffer, B>;
  Elliptic elliptic() const { return {}; }
  void use_threads(int) {}
};

/// A bath of one row per node, coupled along a chain; solved for every seven steps.
kernels::Problem with_conductor(kernels::Problem p) {
  auto c = std::make_shared<kernels::Conductor>();
  const auto n = std::int32_t(p.nodes());
  kernels::SparseMatrix a{.row_start = {0}, .column = {}, .value = {}};
  c->interpolation.row_start = {0};
  for (std::int32_t i = 0; i < n; ++i) {
    for (const std::int32_t j : {i - 1, i, i + 1}) {
      if (j < 0 || j >= n) continue;
      a.column.push_back(j), a.value.push_back(j != i ? -1.0 : 4.0);  // grounded everywhere
    }
    a.row_start.push_back(std::int32_t(a.column.size()));
    c->interpolation.column.push_back(i), c->interpolation.value.push_back(1);
    c->interpolation.row_start.push_back(i + 1);
  }
  for (const double d : p.diffusion)
    c->intracellular.push_back(0.5 * d), c->beyond.push_back(0.1 * d), c->carried.push_back(0.2 * d);
  c->matrix = std::make_shared<const kernels::Multigrid>(a);
  c->interval = 7, c->tolerance = 1e-9;
  p.conductor = c;
  return p;
}

/// Member 3 of 8, or the only one.
template <int B, template <class> class Model, class T>
void expect_agrees_with_the_cpu_engine(const kernels::Problem& p, double millivolts, double milliseconds) {
  constexpr int m = B == 1 ? 0 : 3;
  auto cpu = kernels::make_engine(p, {.index = 1});
  body::CoreImpl<T, OneLaneExecutor<Model<T>, T, B>> one(p, B, {});
  std::vector<double> a(p.nodes()), b(p.nodes()), lat_a(8 * p.nodes()), lat_b(8 * p.nodes());
  cpu->set_pulses({pulse(50, 0.1, 2, 60)});
  one.set_pulses(m, {pulse(50, 0.1, 2, 60)});
  cpu->advance(700);
  one.advance(700, std::array{m});
  cpu->voltage(a);
  one.voltage(m, b);
  cpu->activations(lat_a);
  one.activations(m, lat_b);
  for (std::size_t i = 0; i < p.nodes(); ++i) {
    EXPECT_NEAR(a[i], b[i], millivolts) << "node " << i;
    ASSERT_EQ(std::isnan(lat_a[8 * i]), std::isnan(lat_b[8 * i])) << "node " << i;
    if (!std::isnan(lat_a[8 * i])) {
      EXPECT_NEAR(lat_a[8 * i], lat_b[8 * i], milliseconds) << "node " << i;
    }
  }
  if (p.conductor) {
    std::vector<double> phi(p.nodes()), other(p.nodes());
    cpu->potential(phi), one.potential(m, other);
    for (std::size_t i = 0; i < p.nodes(); ++i) EXPECT_NEAR(phi[i], other[i], 5 * millivolts) << "row " << i;
    EXPECT_EQ(cpu->solves().count, 101);
  }
  // A snapshot is in node order whatever the layout, so each engine can go on from the other's.
  cpu->restore(one.save(m));
  EXPECT_EQ(cpu->save(), one.save(m));
}

template <int B>
void expect_lanes_agree() {
  const std::vector<std::string> mixed = {"healthy", "channel", "border_zone"};
  expect_agrees_with_the_cpu_engine<B, body::MitchellSchaefferModified, double>(
      random_graph("mitchell-schaeffer-modified", kernels::Real::fp64, 333, mixed), 1e-7, 1e-9);
  expect_agrees_with_the_cpu_engine<B, body::MitchellSchaefferModified, float>(
      random_graph("mitchell-schaeffer-modified", kernels::Real::fp32, 333, mixed), 0.1, 0.01);
  using Real = std::conditional_t<B == 1, double, float>;  // opening pages at every operation takes its time
  expect_agrees_with_the_cpu_engine<B, body::MitchellSchaefferModified, Real>(
      with_conductor(random_graph("mitchell-schaeffer-modified", B == 1 ? kernels::Real::fp64 : kernels::Real::fp32, 333,
                                  mixed)),
      B == 1 ? 1e-5 : 0.1, B == 1 ? 1e-6 : 0.01);
  const std::vector<std::string> ventricle = {"epi", "endo", "border_zone"};
  expect_agrees_with_the_cpu_engine<B, body::TenTusscher2006, double>(
      random_graph("tentusscher-2006", kernels::Real::fp64, 333, ventricle), 1e-6, 1e-9);
  expect_agrees_with_the_cpu_engine<B, body::TenTusscher2006, float>(
      random_graph("tentusscher-2006", kernels::Real::fp32, 333, ventricle), 1.0, 0.01);
}

TEST(OneLane, AgreesWithTheVectorisedStep) { expect_lanes_agree<1>(); }
TEST(OneLane, OfAMemberAgreesWithTheVectorisedStep) { expect_lanes_agree<8>(); }

}  // namespace
}  // namespace cardiotwin::test
