#pragma once
/// What is compiled for one instruction set: the fused step, every model's cells, the elliptic solver's
/// operations.

#include "elliptic/cpu_ops.hpp"
#include "step_args.hpp"

namespace cardiotwin::kernels {

struct CpuVariant {
  const char* name;
  Advance<float> (*fp32)(int members);  ///< members in {1, 16}
  Advance<double> (*fp64)(int members);
  React<float> (*react_fp32)(int model);
  React<double> (*react_fp64)(int model);
  const CpuEllipticOps* (*elliptic)(int columns);  ///< columns in {1, 16}
};

}  // namespace cardiotwin::kernels
