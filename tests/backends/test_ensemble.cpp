// Sixteen runs at once are sixteen runs alone, bit for bit.
#include <gtest/gtest.h>

#include <cardiotwin/kernels/ensemble.hpp>
#include <cmath>

#include "problems.hpp"
#include "together.hpp"

namespace cardiotwin::test {
namespace {

using kernels::Real;

class EnsembleTest : public ::testing::TestWithParam<std::tuple<const char*, Real>> {
 protected:
  static kernels::Problem problem() {
    const std::string model = std::get<0>(GetParam());
    const std::vector<std::string> variants = model == "tentusscher-2006"
                                                  ? std::vector<std::string>{"epi", "mid", "border_zone"}
                                                  : std::vector<std::string>{"healthy", "border_zone", "channel"};
    auto p = random_graph(model, std::get<1>(GetParam()), 700, variants);
    add_gradient(p);
    return p;
  }
  /// What member m does: a protocol, stops and a restart of its own.
  static void drive(kernels::Engine& e, int m) {
    e.set_pulses({pulse(20 + 3 * m, 0.1 * m, 2, 60)});
    e.advance(300 + 17 * m);
    const auto saved = e.save();
    e.set_pulses({pulse(20 + 3 * m, 0.1 * m, 2, 60), pulse(15, 9 + 0.3 * m, 1, 80)});
    e.advance(111);
    if (m % 3 == 0) e.restore(saved);
    e.advance(400 - 9 * m);
  }
};

INSTANTIATE_TEST_SUITE_P(Models, EnsembleTest,
                         ::testing::Combine(::testing::Values("mitchell-schaeffer-modified", "tentusscher-2006"),
                                            ::testing::Values(Real::fp32, Real::fp64)),
                         [](const auto& tested) {
                           const std::string model = std::get<0>(tested.param);
                           return model.substr(0, model.find('-')) +
                                  (std::get<1>(tested.param) == Real::fp32 ? "_fp32" : "_fp64");
                         });

TEST_P(EnsembleTest, MembersHaveTheBitsOfRunsAlone) {
  const auto p = problem();
  for (const int members : {1, 3, 8, kernels::ensemble_limit()}) {
    auto ensemble = kernels::make_ensemble(p, members, {.index = 1});
    drive_together(*ensemble, drive);
    for (int m = 0; m < members; ++m) {
      auto alone = kernels::make_engine(p, {.index = 1});
      drive(*alone, m);
      EXPECT_EQ(ensemble->member(m).step_count(), alone->step_count()) << m;
      EXPECT_TRUE(ensemble->member(m).save() == alone->save()) << "member " << m << " of " << members;
      std::vector<double> ours(p.nodes() * p.model->states.size()), theirs(ours);
      ensemble->member(m).states(ours), alone->states(theirs);
      EXPECT_TRUE(ours == theirs) << "states of member " << m << " of " << members;
    }
  }
}

/// What member m has of its own beside its protocol: conductivities, parameters, lesions, and where it starts from.
void make_different(kernels::Engine& e, const kernels::Problem& p, int m) {
  kernels::Variation own;
  if (m % 2) own.conductivity = {1 + 0.05 * m, 0.8, 1.3 - 0.02 * m};
  if (m % 3 == 1) {
    own.parameters = p.parameters;
    for (auto& set : own.parameters) set[0] *= 1 - 0.02 * m;
  }
  for (int k = 0; k < 40 * (m % 4); ++k) own.dead.push_back(250 + 5 * m + k);
  for (int k = 0; k < 10 * (m % 3); ++k) {  // rows of its own: weights 10 % less
    const auto i = std::size_t(100 + 3 * k);
    const auto from = std::size_t(p.row_start[i]), to = std::size_t(p.row_start[i + 1]);
    const auto less = [&](const std::vector<double>& values) {
      std::vector<double> row(values.begin() + std::ptrdiff_t(from), values.begin() + std::ptrdiff_t(to));
      for (double& x : row) x *= 0.9;
      return row;
    };
    own.rows.push_back({.node = std::int32_t(i),
                        .diffusion = less(p.diffusion),
                        .load = less(p.load),
                        .gradient = less(p.gradient),
                        .divergence = less(p.divergence),
                        .own_divergence = 0.9 * p.own_divergence[i]});
  }
  e.vary(own);
  if (m % 5 == 2) {
    auto other = kernels::make_engine(p, {.index = 1});
    other->set_pulses({pulse(40, 0, 1, 70)});
    other->advance(100);
    e.restore(other->save());
  }
}

TEST_P(EnsembleTest, DifferentMembersHaveTheBitsOfRunsAlone) {
  const auto p = problem();
  const int members = kernels::ensemble_limit();
  auto ensemble = kernels::make_ensemble(p, members, {.index = 2});
  std::vector<std::unique_ptr<kernels::Engine>> alone;
  for (int m = 0; m < members; ++m) {
    alone.push_back(kernels::make_engine(p, {.index = 1}));
    make_different(ensemble->member(m), p, m);
    make_different(*alone.back(), p, m);
    ensemble->begin_work(m);  // the later ones are varied where many are at work
  }
  drive_together(*ensemble, drive);
  std::vector<double> first(p.nodes()), v(p.nodes());
  alone[0]->voltage(first);
  for (int m = 0; m < members; ++m) {
    drive(*alone[std::size_t(m)], m);
    EXPECT_TRUE(ensemble->member(m).save() == alone[std::size_t(m)]->save()) << "member " << m;
    alone[std::size_t(m)]->voltage(v);
    EXPECT_NE(v, first) << "member " << m << " should differ";
    for (int k = 0; k < 40 * (m % 4); ++k) {  // dead nodes stay where they were
      const auto i = std::size_t(250 + 5 * m + k);
      if (m % 5 != 2) {
        EXPECT_NEAR(v[i], p.initial_voltage[p.parameter_set[i]], 1e-5) << m << ", node " << i;
      }
    }
  }
}

/// A node cut off by dead ones is never reached; with negative weights at the cut nothing runs away.
TEST_P(EnsembleTest, LesionsStopTheWave) {
  const auto [model, real] = GetParam();
  const auto p = cable(model, real, 200, 1.0);
  for (const bool cut : {false, true}) {
    auto e = kernels::make_engine(p, {.index = 1});
    if (cut) e->vary({.dead = {100}});
    e->set_pulses({pulse(20, 0, 2, 60)});
    e->advance(std::llround(150 / p.dt));
    std::vector<double> lat(8 * p.nodes());
    e->activations(lat);
    EXPECT_FALSE(std::isnan(lat[8 * 99]));
    EXPECT_EQ(std::isnan(lat[8 * 101]), cut);
    EXPECT_TRUE(std::isfinite(e->max_voltage()));
  }
}

TEST_P(EnsembleTest, MembersUsedOneAfterTheOtherKeepTheirBitsToo) {
  const auto p = problem();
  auto ensemble = kernels::make_ensemble(p, 3, {.index = 1});
  for (const int m : {2, 0, 1}) drive(ensemble->member(m), m);
  ensemble->member(0).reset();
  drive(ensemble->member(0), 5);
  for (int m = 0; m < 3; ++m) {
    auto alone = kernels::make_engine(p, {.index = 1});
    drive(*alone, m == 0 ? 5 : m);
    EXPECT_TRUE(ensemble->member(m).save() == alone->save()) << "member " << m;
  }
}

TEST(Ensemble, VariationsThatDoNotFitAreRefused) {
  const auto p = cable("mitchell-schaeffer-modified", Real::fp32, 10, 1.0);
  auto e = kernels::make_engine(p, {.index = 1});
  EXPECT_THROW(e->vary({.conductivity = {1, 2}}), std::invalid_argument);
  EXPECT_THROW(e->vary({.conductivity = {-1}}), std::invalid_argument);
  EXPECT_THROW(e->vary({.parameters = {{1, 2}}}), std::invalid_argument);
  auto bad = p.parameters;
  bad[0][1] = NAN;
  EXPECT_THROW(e->vary({.parameters = bad}), std::invalid_argument);
  EXPECT_THROW(e->vary({.dead = {3, 2}}), std::invalid_argument);
  EXPECT_THROW(e->vary({.dead = {10}}), std::invalid_argument);
  EXPECT_THROW(e->vary({.rows = {{.node = 10}}}), std::invalid_argument);
  EXPECT_THROW(e->vary({.rows = {{.node = 3, .diffusion = {1}, .load = {1}}}}), std::invalid_argument);
}

TEST(Ensemble, ImpossibleSizesAreRefused) {
  const auto p = cable("mitchell-schaeffer-modified", Real::fp32, 10, 1.0);
  EXPECT_THROW(kernels::make_ensemble(p, 0, {.index = 1}), std::invalid_argument);
  EXPECT_THROW(kernels::make_ensemble(p, kernels::ensemble_limit() + 1, {.index = 1}), std::invalid_argument);
  EXPECT_THROW(kernels::make_ensemble(p, 2, {kernels::Device::Kind::cuda}), std::runtime_error);
}

}  // namespace
}  // namespace cardiotwin::test
