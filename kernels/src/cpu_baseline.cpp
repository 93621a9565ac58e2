// The fused step and the elliptic solver for one instruction set; the flags are set in CMakeLists.txt.
#define CT_BACKEND baseline
#include "cpu_step.hpp"
#include "elliptic/cpu.hpp"

namespace cardiotwin::kernels::baseline {
extern const CpuVariant variant;
const CpuVariant variant = {"baseline", &find_advance<float>, &find_advance<double>, &find_react_fp32,
                            &find_react_fp64,
                            &find_elliptic_ops};
}  // namespace cardiotwin::kernels::baseline
