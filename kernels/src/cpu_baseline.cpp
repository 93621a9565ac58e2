// The fused step for one instruction set; the flags are set in CMakeLists.txt.
#define CT_BACKEND baseline
#include "cpu_step.hpp"

namespace cardiotwin::kernels::baseline {
extern const CpuVariant variant;
const CpuVariant variant = {"baseline", &find_advance<float>, &find_advance<double>, &find_react_fp32,
                            &find_react_fp64};
}  // namespace cardiotwin::kernels::baseline
