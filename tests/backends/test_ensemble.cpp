// Sixteen runs at once are sixteen runs alone, bit for bit.
#include <gtest/gtest.h>

#include <cardiotwin/kernels/ensemble.hpp>
#include <thread>

#include "problems.hpp"

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
    return random_graph(model, std::get<1>(GetParam()), 700, variants);
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
  const int members = kernels::ensemble_limit();
  auto ensemble = kernels::make_ensemble(p, members, {false, 1});
  for (int m = 0; m < members; ++m) ensemble->begin_work(m);
  {
    std::vector<std::jthread> threads;
    for (int m = 0; m < members; ++m) {
      threads.emplace_back([&, m] {
        drive(ensemble->member(m), m);
        ensemble->end_work(m);
      });
    }
  }
  for (int m = 0; m < members; ++m) {
    auto alone = kernels::make_engine(p, {false, 1});
    drive(*alone, m);
    EXPECT_EQ(ensemble->member(m).step_count(), alone->step_count()) << m;
    EXPECT_TRUE(ensemble->member(m).save() == alone->save()) << "member " << m;
  }
}

TEST_P(EnsembleTest, MembersUsedOneAfterTheOtherKeepTheirBitsToo) {
  const auto p = problem();
  auto ensemble = kernels::make_ensemble(p, 3, {false, 1});
  for (const int m : {2, 0, 1}) drive(ensemble->member(m), m);
  ensemble->member(0).reset();
  drive(ensemble->member(0), 5);
  for (int m = 0; m < 3; ++m) {
    auto alone = kernels::make_engine(p, {false, 1});
    drive(*alone, m == 0 ? 5 : m);
    EXPECT_TRUE(ensemble->member(m).save() == alone->save()) << "member " << m;
  }
}

TEST(Ensemble, ImpossibleSizesAreRefused) {
  const auto p = cable("mitchell-schaeffer-modified", Real::fp32, 10, 1.0);
  EXPECT_THROW(kernels::make_ensemble(p, 0, {false, 1}), std::invalid_argument);
  EXPECT_THROW(kernels::make_ensemble(p, kernels::ensemble_limit() + 1, {false, 1}), std::invalid_argument);
  EXPECT_THROW(kernels::make_ensemble(p, 2, {true, 0}), std::runtime_error);
}

}  // namespace
}  // namespace cardiotwin::test
