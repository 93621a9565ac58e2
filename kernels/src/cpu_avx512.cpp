// The fused step for one instruction set; the flags are set in CMakeLists.txt.
#define CT_BACKEND avx512
#include "cpu_step.hpp"
