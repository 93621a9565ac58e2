#include <gtest/gtest.h>

#include <cardiotwin/random.hpp>

using cardiotwin::Random;

TEST(Random, IsUniformAndNormalToSamplingError) {
  Random random(3);
  double sum = 0, square = 0, uniform = 0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    sum += x, square += x * x, uniform += random.uniform(2, 4);
  }
  EXPECT_NEAR(sum / n, 0, 0.01);
  EXPECT_NEAR(square / n, 1, 0.02);
  EXPECT_NEAR(uniform / n, 3, 0.01);
}

TEST(Random, SeedsGiveDifferentStreamsAndRepeat) {
  Random a(1), b(1), c(2);
  const auto first = a.bits();
  EXPECT_EQ(first, b.bits());
  EXPECT_NE(first, c.bits());
}
