#pragma once
/// Where a simulation runs. A value handed in, never a global.

#include <string>

namespace cardiotwin {

class Backend {
 public:
  static Backend cpu(int threads = 0);  ///< 0: all cores OpenMP offers
  static Backend cuda(int device = 0);  ///< throws InputError saying why where no usable GPU is
  static Backend best();                ///< a GPU where one is usable, else the CPU

  bool is_cuda() const { return cuda_; }
  int device() const { return index_; }   ///< CUDA device number
  int threads() const { return index_; }  ///< CPU threads, 0 for all
  std::string name() const;  ///< "cpu" or "cuda:0"; thread count does not change a result, so it is no part of it

 private:
  Backend(bool cuda, int index) : cuda_(cuda), index_(index) {}
  bool cuda_ = false;
  int index_ = 0;
};

}  // namespace cardiotwin
