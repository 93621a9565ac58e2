// A core that does not fit into a device's memory says so before it takes any.
#define CT_BACKEND memory_test
#define CT_ONE_LANE
#include <gtest/gtest.h>

#include "../../kernels/src/core_impl.hpp"
#include "../../kernels/src/host_buffer.hpp"
#include "one_lane_elliptic.hpp"
#include "problems.hpp"

namespace cardiotwin::test {
namespace {

std::size_t allocated = 0;

template <class U>
struct CountedBuffer : kernels::HostBuffer<U> {
  CountedBuffer() = default;
  CountedBuffer(const auto& executor, std::size_t n) : kernels::HostBuffer<U>(executor, n) {
    allocated += n * sizeof(U);
  }
  CountedBuffer(const auto& executor, const std::vector<U>& values) : kernels::HostBuffer<U>(executor, values) {
    allocated += values.size() * sizeof(U);
  }
};

template <class T>
struct IdleExecutor {
  static constexpr int lanes = 32;
  template <class U>
  using Buffer = CountedBuffer<U>;
  std::vector<double> advance(const kernels::StepArgs<T>&, std::int64_t, std::int64_t) const { return {}; }
  std::vector<double> largest(const kernels::StepArgs<T>&, int) const { return {}; }
  std::string name() const { return "idle"; }
  using Elliptic = kernels::memory_test::OneLaneElliptic<CountedBuffer, 1>;
  Elliptic elliptic() const { return {}; }
  void use_threads(int) {}
};

/// Bytes taken beside bytes said, before any member has something of its own.
template <class T>
void expect_said_is_taken(const kernels::Problem& p, int members) {
  using Core = kernels::memory_test::CoreImpl<T, IdleExecutor<T>>;
  const auto layout = Core::layout(p, members);
  const auto said = Core::bytes(p, layout);
  const std::size_t sets = p.parameters.size(), constants = std::size_t(kernels::operations(*p.model).constant_count);
  // Counted in advance: factors of conductivity, whose rows are whose, constants of sets where members have their own.
  const std::size_t later = layout.slots() * std::size_t(members) * (sizeof(T) + 4) + std::size_t(layout.slices) +
                            std::min(sets, std::size_t(layout.slices)) * 32 * constants * sizeof(T);
  allocated = 0;
  const Core core(p, members, {});
  EXPECT_EQ(allocated + later, said.of(members)) << p.model->name << ", " << members << " members";
}

/// Twice as many rows as nodes, in a chain, one of them grounded.
std::shared_ptr<const kernels::Conductor> conductor_of(const kernels::Problem& p) {
  auto c = std::make_shared<kernels::Conductor>();
  const auto n = std::int32_t(2 * p.nodes());
  kernels::SparseMatrix a{.row_start = {0}, .column = {}, .value = {}};
  c->interpolation.row_start = {0};
  for (std::int32_t i = 0; i < n; ++i) {
    for (const std::int32_t j : {i - 1, i, i + 1}) {
      if (j >= 0 && j < n) a.column.push_back(j), a.value.push_back(j != i ? -1.0 : 2.0);
    }
    a.row_start.push_back(std::int32_t(a.column.size()));
    if (i % 2) continue;
    for (const std::int32_t j : {i, i + 1}) c->interpolation.column.push_back(j), c->interpolation.value.push_back(0.5);
    c->interpolation.row_start.push_back(std::int32_t(c->interpolation.column.size()));
  }
  c->intracellular = c->beyond = c->carried = p.diffusion;
  c->matrix = std::make_shared<const kernels::Multigrid>(a);
  return c;
}

TEST(Memory, WhatACoreSaysItNeedsIsWhatItTakes) {
  const std::vector<std::string> sets = {"healthy", "channel", "border_zone"};
  for (const int members : {1, 16}) {
    auto p = random_graph("mitchell-schaeffer-modified", kernels::Real::fp32, 333, sets);
    expect_said_is_taken<float>(p, members);
    expect_said_is_taken<double>(p, members);
    p.stages = 2;
    expect_said_is_taken<float>(p, members);
    auto with_conductor = p;
    with_conductor.conductor = conductor_of(p);
    expect_said_is_taken<float>(with_conductor, members);
    expect_said_is_taken<double>(with_conductor, members);
    p.stages = 5;
    p.gradient = p.divergence = p.diffusion;
    p.own_divergence.assign(p.nodes(), 0);
    expect_said_is_taken<float>(p, members);
    expect_said_is_taken<double>(p, members);
  }
}

TEST(Memory, WhatFitsIsNotRefused) {
  const kernels::CoreBytes core{1'000'000'000, 100'000'000};
  EXPECT_EQ(core.of(16), 2'600'000'000u);
  EXPECT_EQ(kernels::lack_of_memory(core, 16, 1'000'000, 3'000'000'000), "");
  EXPECT_EQ(kernels::lack_of_memory(core, 1, 1'000'000, 2'000'000'000), "");
}

TEST(Memory, WhatDoesNotFitNamesWhatWould) {
  const kernels::CoreBytes core{1'000'000'000, 100'000'000};
  EXPECT_EQ(kernels::lack_of_memory(core, 16, 1'000'000, 1'428'000'000),
            "16 members on 1000000 nodes would take 2.6 GB of its memory, of which 1.3 GB can be had; one member at a "
            "time would "
            "fit, or about 500000 nodes would fit");
  EXPECT_EQ(kernels::lack_of_memory(core, 1, 1'000'000, 678'000'000),
            "one member on 1000000 nodes would take 1.1 GB of its memory, of which 0.55 GB can be had; about 500000 "
            "nodes would "
            "fit");
  EXPECT_NE(kernels::lack_of_memory(core, 16, 1'000'000, 1000).find("about 0 nodes"), std::string::npos);
}

}  // namespace
}  // namespace cardiotwin::test
