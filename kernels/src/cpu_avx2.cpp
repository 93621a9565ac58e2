// The fused step and the elliptic solver for one instruction set; the flags are set in CMakeLists.txt.
#define CT_BACKEND avx2
#include "cpu_step.hpp"
#include "elliptic/cpu.hpp"

namespace cardiotwin::kernels::avx2 {
extern const CpuVariant variant;
const CpuVariant variant = {"avx2", &find_advance<float>, &find_advance<double>, &find_react_fp32, &find_react_fp64,
                            &find_elliptic_ops};
}  // namespace cardiotwin::kernels::avx2
