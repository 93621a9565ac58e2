#pragma once
/// The table of operations of one instruction set; see cpu.hpp.

#include "args.hpp"

namespace cardiotwin::kernels {

struct CpuEllipticOps {
  void (*apply_f)(const Apply<float, float>&, int threads);
  void (*apply_fd)(const Apply<float, double>&, int threads);
  void (*apply_d)(const Apply<double, double>&, int threads);
  void (*smooth)(const Smooth&, int threads);
  void (*gather_f)(const Gather<float>&, int threads);
  void (*gather_d)(const Gather<double>&, int threads);
  void (*dense)(const Dense&, int threads);
  void (*descend)(const Descend&, int threads);
  void (*direct)(const Direct&, int threads);
  void (*shift)(const Shift&, int threads);
  void (*scale)(const Scale&, int threads);
  void (*take_f)(const Take<float>&, int threads);
  void (*take_d)(const Take<double>&, int threads);
  void (*drive_f)(const Drive<float>&, int threads);
  void (*drive_d)(const Drive<double>&, int threads);
  void (*recall)(const Recall&, int threads);
  void (*dot)(const Dot<double>&, int threads);
  void (*dot_f)(const Dot<float>&, int threads);
};

}  // namespace cardiotwin::kernels
