#pragma once
/// Executor of the eikonal solver on the CPU over a kind of memory.

#include <omp.h>

#include <atomic>
#include <limits>

#include "bodies.hpp"

namespace cardiotwin::kernels::host {

/// A thread's place in a list that several append to: it takes room for some entries at a time, and leaves holes.
class ListEnd {
 public:
  static constexpr int room = 64;
  ListEnd(std::int32_t* list, std::int32_t& count) : list_(list), count_(&count) {}
  ListEnd(const ListEnd&) = delete;
  ListEnd& operator=(const ListEnd&) = delete;
  ~ListEnd() {
    while (next_ < last_) list_[next_++] = -1;
  }
  void append(std::int32_t n) {
    if (next_ == last_) {
      next_ = std::atomic_ref(*count_).fetch_add(room, std::memory_order_relaxed);
      last_ = next_ + room;
    }
    list_[next_++] = n;
  }

 private:
  std::int32_t* list_;
  std::int32_t* count_;
  std::int32_t next_ = 0, last_ = 0;
};

/// What bodies.hpp asks of a thread.
class CpuHands {
 public:
  CpuHands(const Front& a, int next)
      : waiting_(a.waiting[next], a.counts->waiting[next]),
        touched_(a.touched, a.counts->touched),
        counts_(a.counts),
        next_(next) {}
  CpuHands(const CpuHands&) = delete;
  CpuHands& operator=(const CpuHands&) = delete;
  ~CpuHands() {
    lower(&counts_->least[next_], least_);
    std::atomic_ref(counts_->expansions).fetch_add(expansions_, std::memory_order_relaxed);
  }
  void wait(std::int32_t n) { waiting_.append(n); }
  void touch(std::int32_t t) { touched_.append(t); }
  void at(double time) { least_ = time < least_ ? time : least_; }
  void expanded() { ++expansions_; }
  /// Whether nobody had marked it.
  static bool mark(std::uint32_t* word, std::uint32_t bit) {
    const std::atomic_ref shared(*word);
    if (shared.load(std::memory_order_relaxed) & bit) return false;
    return shared.fetch_or(bit, std::memory_order_relaxed) == 0;
  }
  static void lower(double* value, double to) {
    const std::atomic_ref shared(*value);
    double now = shared.load(std::memory_order_relaxed);
    while (to < now && !shared.compare_exchange_weak(now, to, std::memory_order_relaxed)) {
    }
  }

 private:
  ListEnd waiting_, touched_;
  FrontCounts* counts_;
  int next_;
  double least_ = std::numeric_limits<double>::infinity();
  std::int64_t expansions_ = 0;
};

template <template <class> class Memory>
class CpuEikonalExecutor {
 public:
  static constexpr double reach = 1;
  template <class U>
  using Buffer = Memory<U>;

  explicit CpuEikonalExecutor(int threads) : threads_(threads) {}

  /// Two loops of a sweep append to a list.
  std::size_t holes() const { return 2 * ListEnd::room * std::size_t(threads_); }

  void measure(const Measure& a) const {
    const typename Memory<float>::InUse open;
    (void)open;
#pragma omp parallel for schedule(static) num_threads(threads_)
    for (std::int64_t t = 0; t < a.tets; ++t) measure_tet(a, t);
  }
  void begin(const Front& a) const {
    const typename Memory<float>::InUse open;
    (void)open;
    share(a, 0, a.nodes, [&](CpuHands& hands, std::int32_t n) { begin_node(a, hands, n); });
  }
  void depend(const Depend& a) const {
    const typename Memory<float>::InUse open;
    (void)open;
#pragma omp parallel for schedule(dynamic, 1024) num_threads(threads_)
    for (std::int32_t n = 0; n < a.nodes; ++n) depend_node(a, n);
  }
  void sweeps(const Front& a, int count) const {
    const typename Memory<float>::InUse open;
    (void)open;
    FrontCounts& counts = *a.counts;
    for (int k = 0; k < count && counts.waiting[counts.sweep % 2] > 0; ++k) {
      const int now = counts.sweep % 2, next = 1 - now;
      const double bound = counts.least[now] + a.window;
      share(a, next, counts.waiting[now], [&](CpuHands& hands, std::int32_t i) {
        if (a.waiting[now][i] >= 0) advance_node(a, hands, a.waiting[now][i], bound);
      });
      share(a, next, counts.touched, [&](CpuHands& hands, std::int32_t i) {
        if (a.touched[i] >= 0) relax_tet(a, hands, a.touched[i]);
      });
      counts.waiting[now] = counts.touched = 0;
      counts.least[now] = std::numeric_limits<double>::infinity();
      ++counts.sweep;
    }
  }

 private:
  /// Less is not worth waking other threads for.
  static constexpr std::int32_t worth_sharing = 512;

  template <class F>
  void share(const Front& a, int next, std::int32_t count, const F& f) const {
    const int threads = count < worth_sharing ? 1 : threads_;
#pragma omp parallel num_threads(threads)
    {
      CpuHands hands(a, next);
#pragma omp for schedule(dynamic, 128)
      for (std::int32_t i = 0; i < count; ++i) f(hands, i);
    }
  }

  int threads_;
};

}  // namespace cardiotwin::kernels::host
