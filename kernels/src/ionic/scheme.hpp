#pragma once
/// How a model's one evaluation is used. Every model has
///
///   template <class States, class Constants, class Scheme>
///   static T evaluate(T v, States w, Constants c, Scheme to);     returns dV/dt [mV/ms], without stimulus
///
/// which tells `to` how each state changes: once per state, and only after that state was read for the last time. With
/// Advancing the states move by one step, with Deriving their derivatives are written: the step and the right-hand side
/// that is checked against the reference cannot differ.

#include "../portable.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// Numbers of one cell among `Stride` that lie side by side: x[k] is its k-th.
template <class T, int Stride>
struct Strided {
  T* first;
  CT_HD T& operator[](int k) const { return first[k * Stride]; }
};

/// (1 - exp(-x)) / x for x >= 0: by which factor a step of relaxation falls short of forward Euler.
template <class T>
CT_HD T shortfall(T x) {
  const bool small = x < T(0.02);
  const T series = 1 - x * (T(1 / 2.0) - x * (T(1 / 6.0) - x * (T(1 / 24.0) - x * T(1 / 120.0))));
  return select(small, series, approach(x) / select(small, T(1), x));
}

template <class T, class States>
struct Advancing {
  States w;
  T dt;

  /// dw/dt = (target - w) rate, exact while target and rate stand still (Rush & Larsen 1978, doi
  /// 10.1109/TBME.1978.326270).
  CT_HD void gate(int s, T target, T rate) const { w[s] += (target - w[s]) * approach(dt * rate); }
  /// The same, cheaper, for gates with dt * rate < 0.3 always: time constants of 1 ms and more.
  CT_HD void slow_gate(int s, T target, T rate) const { w[s] += (target - w[s]) * approach_slowly(dt * rate); }
  /// Forward Euler, for what is slow.
  CT_HD void change(int s, T derivative) const { w[s] += dt * derivative; }
  /// Generalised Rush-Larsen (Sundnes et al. 2009, doi 10.1109/TBME.2009.2014739) for stiff states that are no gates:
  /// exact for dw/dt = derivative - slope (w - w_now). slope = -d(derivative)/dw >= 0 [1/ms].
  CT_HD void relax(int s, T derivative, T slope) const { w[s] += dt * derivative * shortfall(dt * slope); }
  /// Factor that makes Euler's step of an exchange between two states exact where nothing else moves them: both take
  /// the flux k_ab a - k_ba b times damped(k_ab + k_ba). What one loses the other gains, unlike with relax.
  CT_HD T damped(T slope) const { return shortfall(dt * slope); }
};

template <class T, class States, class Rates>
struct Deriving {
  States w;
  Rates d;

  CT_HD void gate(int s, T target, T rate) const { d[s] = (target - w[s]) * rate; }
  CT_HD void slow_gate(int s, T target, T rate) const { gate(s, target, rate); }
  CT_HD void change(int s, T derivative) const { d[s] = derivative; }
  CT_HD void relax(int s, T derivative, T) const { change(s, derivative); }
  CT_HD T damped(T) const { return 1; }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
