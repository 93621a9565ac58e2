// The CUDA engine finds the largest voltage with an atomic maximum over integers.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#define CT_BACKEND ordered_test
#include "../../kernels/src/ordered.hpp"

namespace cardiotwin::kernels::ordered_test {
namespace {

TEST(Ordered, CodesHaveTheOrderOfTheirNumbersAndGiveThemBack) {
  const double huge = std::numeric_limits<double>::max(), tiny = std::numeric_limits<double>::denorm_min();
  const std::vector<double> rising = {-INFINITY, -huge, -85.2, -85.1, -tiny, 0, tiny, 1e-3, 40, huge, INFINITY};
  Ordered before = 0;
  for (const double x : rising) {
    EXPECT_GT(in_order(x), before) << x;
    EXPECT_EQ(from_order(in_order(x)), x);
    before = in_order(x);
  }
  EXPECT_GT(not_finite, before);
  EXPECT_TRUE(std::isnan(from_order(not_finite)));
}

}  // namespace
}  // namespace cardiotwin::kernels::ordered_test
