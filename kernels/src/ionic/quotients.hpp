#pragma once
/// Quotients of rate and current formulas that are 0/0 at one voltage.

#include "../portable.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// exp(x) - 1 for |x| < 87, to full relative accuracy however small x is.
template <class T>
CT_HD T exp_less_one(T x) {
  const Reduced<T> reduced(x);
  const T power = reduced.scale(T(1));
  return (power - 1) + power * reduced.exp_minus_1();
}

/// B(x) = x / (exp(x) - 1) for |x| < 87; B(0) = 1. Its mirror image is x / (1 - exp(-x)) = B(-x) = B(x) + x.
template <class T>
CT_HD T bernoulli(T x) {
  const T y = select(x == 0, T(1e-18), x);  // so small that the quotient is 1
  return y / exp_less_one(y);
}

}  // namespace cardiotwin::kernels::CT_BACKEND
