#pragma once
/// Where a simulation runs. A value handed in, never a global.

#include <string>

namespace cardiotwin {

class Backend {
 public:
  static Backend cpu(int threads = 0);  ///< 0: all cores OpenMP offers
  static Backend cuda(int device = 0);  ///< throws InputError saying why where no usable GPU is
  /// The same equations by Crank-Nicolson and conjugate gradients in fp64, for checking the others: takes any time
  /// step, no lesions, and costs some 25 times as much.
  static Backend reference(int threads = 0);
  /// "cpu", "cuda", "cuda:1" or "reference", the CPU's with so many threads (0: all); throws InputError for another
  /// name, or where it cannot be used.
  static Backend named(const std::string&, int threads = 0);
  static Backend best();  ///< a GPU where one is usable, else the CPU

  bool is_cuda() const { return kind_ == Kind::cuda; }
  bool is_reference() const { return kind_ == Kind::reference; }
  int device() const { return index_; }   ///< CUDA device number
  int threads() const { return index_; }  ///< CPU threads, 0 for all
  /// "cpu", "cuda:0" or "reference"; the threads do not change a result, so they are no part of it.
  std::string name() const;

 private:
  enum class Kind { cpu, cuda, reference };
  Backend(Kind kind, int index) : kind_(kind), index_(index) {}
  Kind kind_ = Kind::cpu;
  int index_ = 0;
};

}  // namespace cardiotwin
