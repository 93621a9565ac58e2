// The elementary functions of the kernels against the standard library in extended precision.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../../kernels/src/portable.hpp"

namespace cardiotwin::test {
namespace {

namespace portable = kernels::host;

template <class T>
class PortableTest : public ::testing::Test {};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PortableTest, Reals);

/// Largest relative error of f against g over n points between a and b, in units of the last place.
template <class T, class F, class G>
double worst(T a, T b, F f, G g) {
  constexpr int n = 200000;
  double result = 0;
  for (int i = 0; i <= n; ++i) {
    const T x = a + (b - a) * (T(i) / T(n));
    const long double exact = g(static_cast<long double>(x));
    if (exact == 0) continue;
    result = std::max(result, double(std::abs((static_cast<long double>(f(x)) - exact) / exact)));
  }
  return result / double(std::numeric_limits<T>::epsilon());
}

TYPED_TEST(PortableTest, Exponential) {
  using T = TypeParam;
  const auto exact = [](long double x) { return std::exp(x); };
  EXPECT_LT(worst<T>(
                -87, 87, [](T x) { return portable::exp_bounded(x); }, exact),
            2);
  EXPECT_LT(worst<T>(
                -1e-3, 1e-3, [](T x) { return portable::exp_bounded(x); }, exact),
            2);
  EXPECT_EQ(portable::exp_bounded(T(0)), T(1));
  EXPECT_GT(portable::exp_decaying(T(-1e30)), T(0));
  EXPECT_LT(portable::exp_decaying(T(-1e30)), T(2e-38));
  EXPECT_TRUE(std::isnan(portable::exp_decaying(std::numeric_limits<T>::quiet_NaN())));
}

TYPED_TEST(PortableTest, Approach) {
  using T = TypeParam;
  const auto exact = [](long double x) { return -std::expm1(-x); };
  for (const T top : {T(100), T(1), T(1e-3), T(1e-8)}) {
    EXPECT_LT(worst<T>(
                  0, top, [](T x) { return portable::approach(x); }, exact),
              3)
        << top;
  }
  EXPECT_EQ(portable::approach(T(0)), T(0));
  EXPECT_EQ(portable::approach(T(1e30)), T(1));
  // The series: x^6 / 5040 and rounding.
  EXPECT_LT(worst<T>(
                0, T(0.025), [](T x) { return portable::approach_slowly(x); }, exact),
            250);
  EXPECT_LT(worst<T>(
                0, T(1e-3), [](T x) { return portable::approach_slowly(x); }, exact),
            3);
}

TYPED_TEST(PortableTest, Logarithm) {
  using T = TypeParam;
  const auto exact = [](long double x) { return std::log(x); };
  EXPECT_LT(worst<T>(
                T(1e-30), T(1e-3), [](T x) { return portable::log(x); }, exact),
            3);
  EXPECT_LT(worst<T>(
                T(0.5), T(2), [](T x) { return portable::log(x); }, exact),
            4);
  EXPECT_LT(worst<T>(
                2, T(1e30), [](T x) { return portable::log(x); }, exact),
            3);
  EXPECT_TRUE(std::isnan(portable::log(T(-1))));
  EXPECT_TRUE(std::isnan(portable::log(T(0))));
}

TYPED_TEST(PortableTest, SelectAndInvert) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  EXPECT_EQ(portable::select(true, T(3), infinity), T(3));
  EXPECT_EQ(portable::select(false, std::numeric_limits<T>::quiet_NaN(), T(-2)), T(-2));
  const auto two = portable::invert(T(4), T(0.5));
  EXPECT_EQ(two.a, T(0.25));
  EXPECT_EQ(two.b, T(2));
  const auto three = portable::invert(T(4), T(0.5), T(8));
  EXPECT_EQ(three.a, T(0.25));
  EXPECT_EQ(three.b, T(2));
  EXPECT_EQ(three.c, T(0.125));
}

TEST(Portable, CompileTimeExponential) {
  EXPECT_NEAR(portable::exponential(7.0) / std::exp(7.0), 1, 1e-14);
  EXPECT_NEAR(portable::exponential(-12.0) / std::exp(-12.0), 1, 1e-14);
  EXPECT_NEAR(portable::exponential(-8 / 7.5) / std::exp(-8 / 7.5), 1, 1e-14);
}

}  // namespace
}  // namespace cardiotwin::test
