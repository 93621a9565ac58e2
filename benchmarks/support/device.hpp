#pragma once
/// CUDA device 0, as far as a benchmark looks at it. Built without CUDA there is none.

#include <string>

namespace cardiotwin::bench {

std::string device_name();   ///< empty where there is none
double device_bandwidth();   ///< of a copy inside its memory, read and written [B/s]
double device_bytes_used();  ///< now

}  // namespace cardiotwin::bench
