#include "device.hpp"

namespace cardiotwin::bench {

std::string device_name() { return ""; }
double device_bandwidth() { return 0; }
double device_bytes_used() { return 0; }

}  // namespace cardiotwin::bench
