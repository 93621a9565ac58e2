#pragma once
/// The bytes of Engine::save: a header that names the shape, then arrays in node order, so that any backend of the same
/// precision can restore what another saved.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

namespace cardiotwin::kernels {

struct SnapshotHeader {
  std::uint64_t nodes, states, depth, real_size;
  std::int64_t model;
  std::uint64_t potentials = 0;  ///< rows of the conductor
  bool operator==(const SnapshotHeader&) const = default;
};

class SnapshotWriter {
 public:
  explicit SnapshotWriter(const SnapshotHeader& header) { put(header); }

  template <class U>
  void put(const U& value) {
    append(&value, sizeof(U));
  }
  template <class U>
  void put(const std::vector<U>& values) {
    append(values.data(), values.size() * sizeof(U));
  }
  std::vector<std::byte> bytes() && { return std::move(bytes_); }

 private:
  void append(const void* data, std::size_t size) {
    const auto* from = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), from, from + size);
  }
  std::vector<std::byte> bytes_;
};

class SnapshotReader {
 public:
  SnapshotReader(std::span<const std::byte> bytes, const SnapshotHeader& expected) : bytes_(bytes) {
    const auto& e = expected;
    const std::size_t per_node = (2 + e.states) * e.real_size + (e.depth + 1) * sizeof(double) + 1;
    const std::size_t conductor =
        e.potentials ? 3 * e.potentials * sizeof(double) + e.nodes * e.real_size + 2 * sizeof(std::int64_t) : 0;
    if (bytes.size() != sizeof(SnapshotHeader) + sizeof(std::int64_t) + e.nodes * per_node + conductor ||
        get<SnapshotHeader>() != expected) {
      throw std::invalid_argument("engine: the saved state belongs to another mesh, model or precision");
    }
  }

  template <class U>
  U get() {
    U value;
    take(&value, sizeof(U));
    return value;
  }
  template <class U>
  std::vector<U> get(std::size_t n) {
    std::vector<U> values(n);
    take(values.data(), n * sizeof(U));
    return values;
  }

 private:
  void take(void* to, std::size_t size) {
    std::memcpy(to, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
  }
  std::span<const std::byte> bytes_;
};

}  // namespace cardiotwin::kernels
