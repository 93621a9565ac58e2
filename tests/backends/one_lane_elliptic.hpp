#pragma once
/// The elliptic solver as a CUDA device runs it, a lane at a time in slices of 32, on the host. CT_ONE_LANE must be
/// defined where bodies.hpp is first included, and CT_BACKEND named.

#include <array>
#include <vector>

#include "../../kernels/src/elliptic/bodies.hpp"
#include "../../kernels/src/elliptic/solver.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <template <class> class Memory, int B>
class OneLaneElliptic {
 public:
  static constexpr int slice_rows = CT_BACKEND::slice_rows;
  static_assert(slice_rows == 32);
  template <class U>
  using Buffer = Memory<U>;

  void use_threads(int) {}
  template <class Arguments>
  void run(const Arguments& a, int) const {
    [[maybe_unused]] const typename Memory<float>::InUse open;
    call(a);
  }
  template <class Y>
  std::vector<double> sums(Dot<Y> a, int) const {
    [[maybe_unused]] const typename Memory<float>::InUse open;
    std::vector<double> result(B, 0.0);
    for (std::int64_t n = 0; n < a.rows * B; ++n) result[std::size_t(n % B)] += a.x[n] * (a.y ? double(a.y[n]) : 1.0);
    return result;
  }

 private:
  template <class F>
  static void each_lane(int slices, const F& f) {
    for (int slice = 0; slice < slices; ++slice)
      for (int lane = 0; lane < slice_rows * B; ++lane) f(RowPlace<B>{slice, lane});
  }
  template <class F>
  static void each_number(std::int64_t rows, const F& f) {
    for (std::int64_t n = 0; n < rows * B; ++n) f(n);
  }
  template <class V, class X>
  static void call(const Apply<V, X>& a) {
    each_lane(a.w.slices, [&](const auto& at) { apply_lanes<1, B>(a, at); });
  }
  static void call(const Smooth& a) {
    each_lane(a.w.slices, [&](const auto& at) { smooth_lanes<1, B>(a, at); });
  }
  template <class X>
  static void call(const Gather<X>& a) {
    each_lane(a.w.slices, [&](const auto& at) { gather_lanes<1, B>(a, at); });
  }
  template <class T>
  static void call(const Drive<T>& a) {
    each_lane(a.c.slices, [&](const auto& at) { drive_lanes<1, B>(a, at); });
  }
  static void call(const Dense& a) {
    each_lane(a.rows / slice_rows, [&](const auto& at) { dense_lanes<1, B>(a, at); });
  }
  static void call(const Descend& a) {
    each_number(a.rows, [&](std::int64_t n) { descend_number<B>(a, n); });
  }
  static void call(const Direct& a) {
    each_number(a.rows, [&](std::int64_t n) { direct_number<B>(a, n); });
  }
  static void call(const Shift& a) {
    each_number(a.rows, [&](std::int64_t n) { shift_number<B>(a, n); });
  }
  static void call(const Scale& a) {
    each_number(a.rows, [&](std::int64_t n) { scale_number<B>(a, n); });
  }
  static void call(const Recall& a) {
    each_number(a.rows, [&](std::int64_t n) { recall_number<B>(a, n); });
  }
  template <class T>
  static void call(const Take<T>& a) {
    each_number(a.rows, [&](std::int64_t n) { take_number<B>(a, n); });
  }
};

}  // namespace cardiotwin::kernels::CT_BACKEND
