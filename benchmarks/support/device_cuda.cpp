#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "device.hpp"

namespace cardiotwin::bench {
namespace {

void check(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(status));
}

}  // namespace

std::string device_name() {
  cudaDeviceProp properties;
  return cudaGetDeviceProperties(&properties, 0) == cudaSuccess ? properties.name : "";
}

double device_bandwidth() {
  constexpr std::size_t bytes = std::size_t(1) << 30;
  void *from = nullptr, *to = nullptr;
  check(cudaMalloc(&from, bytes));
  check(cudaMalloc(&to, bytes));
  check(cudaMemset(from, 1, bytes));
  double best = 0;
  for (int r = 0; r < 10; ++r) {
    check(cudaDeviceSynchronize());
    const auto start = std::chrono::steady_clock::now();
    for (int k = 0; k < 10; ++k) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice));
    check(cudaDeviceSynchronize());
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::max(best, 10 * 2.0 * double(bytes) / taken.count());
  }
  check(cudaFree(from));
  check(cudaFree(to));
  return best;
}

double device_bytes_used() {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total));
  return double(total - free);
}

}  // namespace cardiotwin::bench
