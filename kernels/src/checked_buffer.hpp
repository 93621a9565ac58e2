#pragma once
/// Device memory emulated on the host: pages nobody may touch but while kernels run or while Buffer's own functions
/// copy. A pointer to it used on the host in between ends the program, as it would read garbage on a GPU.

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <vector>

namespace cardiotwin::kernels {

/// All checked pages of the process.
class CheckedPages {
 public:
  static void* map(std::size_t bytes) {
    void* p = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    const std::lock_guard hold(mutex());
    all().insert({p, bytes});
    if (users() > 0) ::mprotect(p, bytes, PROT_READ | PROT_WRITE);
    return p;
  }
  static void unmap(void* p, std::size_t bytes) {
    const std::lock_guard hold(mutex());
    all().erase({p, bytes});
    ::munmap(p, bytes);
  }
  /// Pages are open as long as one of these lives.
  struct Open {
    Open() { change(+1); }
    ~Open() { change(-1); }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
  };

 private:
  static void change(int by) {
    const std::lock_guard hold(mutex());
    const bool before = users() > 0;
    users() += by;
    if (before == (users() > 0)) return;
    for (const auto& [p, bytes] : all()) ::mprotect(p, bytes, users() > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
  }
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static std::set<std::pair<void*, std::size_t>>& all() {
    static std::set<std::pair<void*, std::size_t>> s;
    return s;
  }
  static int& users() {
    static int n = 0;
    return n;
  }
};

template <class U>
class CheckedBuffer {
 public:
  using InUse = CheckedPages::Open;

  CheckedBuffer() = default;
  CheckedBuffer(const auto& /*executor*/, std::size_t n) : values_(map(n), Unmap{bytes(n)}), size_(n) {}
  CheckedBuffer(const auto& executor, const std::vector<U>& values) : CheckedBuffer(executor, values.size()) {
    upload(values.data());
  }

  std::size_t size() const { return size_; }
  U* data() { return values_.get(); }
  void upload(const U* from) {
    const InUse open;
    if (size_) std::memcpy(values_.get(), from, size_ * sizeof(U));
  }
  template <class Part>
  std::vector<U> peek(const Part& part) const {
    const InUse open;
    std::vector<U> values(size_ / std::size_t(part.members));
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = values_[std::size_t(part.index(std::int64_t(k)))];
    return values;
  }
  template <class Part>
  void put(const Part& part, const std::vector<U>& values) {
    const InUse open;
    for (std::size_t k = 0; k < values.size(); ++k) values_[std::size_t(part.index(std::int64_t(k)))] = values[k];
  }

 private:
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(U* p) const { CheckedPages::unmap(p, bytes); }
  };
  static std::size_t bytes(std::size_t n) { return (n * sizeof(U) / 4096 + 1) * 4096; }
  static U* map(std::size_t n) { return static_cast<U*>(CheckedPages::map(bytes(n))); }
  std::unique_ptr<U[], Unmap> values_;
  std::size_t size_ = 0;
};

}  // namespace cardiotwin::kernels
