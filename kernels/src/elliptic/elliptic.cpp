// The solver by itself, on host vectors.
#include <omp.h>

#include <algorithm>
#include <cardiotwin/kernels/elliptic.hpp>
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "../cpu_variants.hpp"
#include "../host_buffer.hpp"
#include "columns.hpp"
#include "cpu_executor.hpp"
#include "make.hpp"

namespace cardiotwin::kernels {

std::string not_converged(const Solved& solved, double tolerance) {
  const auto number = [](double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2g", x);
    return std::string(text);
  };
  std::string history;
  for (std::size_t k = 0; k < solved.residuals.size(); ++k) {
    // The first few and the last few tell the story.
    if (k >= 6 && k + 6 < solved.residuals.size()) {
      if (k == 6) history += ", ...";
      continue;
    }
    history += (k ? ", " : "") + number(solved.residuals[k]);
  }
  return "the elliptic solve did not reach " + number(tolerance) + " in " + std::to_string(solved.iterations) +
         " iterations; relative residuals " + history;
}

std::unique_ptr<EllipticSolver> make_cpu_elliptic(const Multigrid& m, int columns, Real real, int threads,
                                                  const CpuVariant& variant) {
  using Executor = CpuEllipticExecutor<HostBuffer>;
  return host::solver_of_columns(m, columns, real, Executor(variant, threads > 0 ? threads : omp_get_max_threads()));
}

std::unique_ptr<EllipticSolver> make_elliptic_solver(std::shared_ptr<const Multigrid> m, int columns, Real real,
                                                     const Device& device) {
  if (columns < 1 || columns > 16)
    throw std::invalid_argument("elliptic solver: " + std::to_string(columns) + " columns are outside [1, 16]");
  switch (device.kind) {
    case Device::Kind::checked:
      return make_checked_elliptic(*m, columns, real);
    case Device::Kind::cuda:
      if (const auto reason = cuda_unavailable(device.index); !reason.empty()) throw std::runtime_error(reason);
      return make_cuda_elliptic(*m, columns, real, device.index);
    case Device::Kind::reference:
    case Device::Kind::cpu:
      break;
  }
  return make_cpu_elliptic(*m, columns, real, device.index, cpu_variants().front());
}

}  // namespace cardiotwin::kernels
