#pragma once
/// Executor of the elliptic solver on the CPU over a kind of memory.

#include <string>
#include <vector>

#include "../cpu_variant.hpp"
#include "../member_part.hpp"
#include "args.hpp"

namespace cardiotwin::kernels {

template <template <class> class Memory>
class CpuEllipticExecutor {
 public:
  static constexpr int slice_rows = 16;
  template <class U>
  using Buffer = Memory<U>;

  CpuEllipticExecutor(const CpuVariant& variant, int threads) : variant_(&variant), threads_(threads) {}

  void use_threads(int threads) { threads_ = threads; }

  template <class Arguments>
  void run(const Arguments& a, int columns) const {
    [[maybe_unused]] const typename Memory<float>::InUse open;
    const CpuEllipticOps& ops = *variant_->elliptic(columns);
    call(ops, a);
  }

  /// Block by block, in order.
  template <class Y>
  std::vector<double> sums(Dot<Y> a, int columns) {
    const auto blocks = std::size_t((a.rows + dot_block - 1) / dot_block), count = blocks * std::size_t(columns);
    if (partial_.size() != count) partial_ = Memory<double>(*this, count);
    a.sums = partial_.data();
    run(a, columns);
    const auto partial = partial_.peek(host::MemberPart{});
    std::vector<double> result(std::size_t(columns), 0.0);
    for (std::size_t k = 0; k < count; ++k) result[k % result.size()] += partial[k];
    return result;
  }

 private:
  void call(const CpuEllipticOps& ops, const Apply<float, float>& a) const { ops.apply_f(a, threads_); }
  void call(const CpuEllipticOps& ops, const Apply<float, double>& a) const { ops.apply_fd(a, threads_); }
  void call(const CpuEllipticOps& ops, const Apply<double, double>& a) const { ops.apply_d(a, threads_); }
  void call(const CpuEllipticOps& ops, const Smooth& a) const { ops.smooth(a, threads_); }
  void call(const CpuEllipticOps& ops, const Gather<float>& a) const { ops.gather_f(a, threads_); }
  void call(const CpuEllipticOps& ops, const Gather<double>& a) const { ops.gather_d(a, threads_); }
  void call(const CpuEllipticOps& ops, const Dense& a) const { ops.dense(a, threads_); }
  void call(const CpuEllipticOps& ops, const Descend& a) const { ops.descend(a, threads_); }
  void call(const CpuEllipticOps& ops, const Direct& a) const { ops.direct(a, threads_); }
  void call(const CpuEllipticOps& ops, const Shift& a) const { ops.shift(a, threads_); }
  void call(const CpuEllipticOps& ops, const Scale& a) const { ops.scale(a, threads_); }
  void call(const CpuEllipticOps& ops, const Take<float>& a) const { ops.take_f(a, threads_); }
  void call(const CpuEllipticOps& ops, const Take<double>& a) const { ops.take_d(a, threads_); }
  void call(const CpuEllipticOps& ops, const Drive<float>& a) const { ops.drive_f(a, threads_); }
  void call(const CpuEllipticOps& ops, const Drive<double>& a) const { ops.drive_d(a, threads_); }
  void call(const CpuEllipticOps& ops, const Recall& a) const { ops.recall(a, threads_); }
  void call(const CpuEllipticOps& ops, const Dot<double>& a) const { ops.dot(a, threads_); }
  void call(const CpuEllipticOps& ops, const Dot<float>& a) const { ops.dot_f(a, threads_); }

  const CpuVariant* variant_;
  int threads_;
  Memory<double> partial_;
};

}  // namespace cardiotwin::kernels
