// The fused step for one instruction set; the flags are set in CMakeLists.txt.
#define CT_BACKEND baseline
#include "cpu_step.hpp"
