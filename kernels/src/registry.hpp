#pragma once
/// What the engines ask of an ionic model on the host.

#include <cardiotwin/kernels/ionic.hpp>

namespace cardiotwin::kernels {

struct ModelOperations {
  int index;  ///< in models()
  int constant_count;
  void (*prepare)(const double* parameters, double* constants);
  double (*reference)(int state);  ///< stored state = true state - reference
  double (*rhs)(double v, const double* stored, const double* constants, double* derivatives);
};

/// Throws std::invalid_argument where the model is not one of models().
const ModelOperations& operations(const ModelInfo&);

}  // namespace cardiotwin::kernels
