#pragma once
/// Aligned memory of the host; pages belong to the threads that first write them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace cardiotwin::kernels {

template <class U>
class HostBuffer {
 public:
  struct InUse {};  ///< held while kernels run
  HostBuffer() = default;
  HostBuffer(const auto& /*executor*/, std::size_t n) : values_(allocate(n)), size_(n) {}
  HostBuffer(const auto& executor, const std::vector<U>& values) : HostBuffer(executor, values.size()) {
    upload(values.data());
  }

  std::size_t size() const { return size_; }
  /// What kernels are given; the host itself reads and writes by the functions below only.
  U* data() { return values_.get(); }
  void upload(const U* from) { std::copy_n(from, size_, values_.get()); }
  /// The values of a part now, by their index in it.
  template <class Part>
  auto peek(const Part& part) const {
    struct View {
      const U* values;
      Part part;
      U operator[](std::size_t k) const { return values[part.index(std::int64_t(k))]; }
    };
    return View{values_.get(), part};
  }
  template <class Part>
  void put(const Part& part, const std::vector<U>& values) {
    for (std::size_t k = 0; k < values.size(); ++k) values_[std::size_t(part.index(std::int64_t(k)))] = values[k];
  }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(U* p) const { ::operator delete(p, alignment); }
  };
  static std::unique_ptr<U[], Free> allocate(std::size_t n) {
    return std::unique_ptr<U[], Free>(
        static_cast<U*>(::operator new(std::max<std::size_t>(n, 1) * sizeof(U), alignment)));
  }
  std::unique_ptr<U[], Free> values_;
  std::size_t size_ = 0;
};

}  // namespace cardiotwin::kernels
