#pragma once
/// What is compiled for one instruction set: the fused step and every model's cells.

#include "step_args.hpp"

namespace cardiotwin::kernels {

struct CpuVariant {
  const char* name;
  Advance<float> (*fp32)(int members);  ///< members in {1, 16}
  Advance<double> (*fp64)(int members);
  React<float> (*react_fp32)(int model);
  React<double> (*react_fp64)(int model);
};

}  // namespace cardiotwin::kernels
