#pragma once
/// A model's place in the list: what it says about itself, and what the engines ask of it on the host.

#include <vector>

#include "../registry.hpp"
#include "scheme.hpp"

namespace cardiotwin::kernels {

struct ModelEntry {
  ModelInfo info;
  ModelOperations operations;
};

template <class Model>
ModelOperations operations_of() {
  return {.index = 0,  // its place in the list, set there
          .constant_count = Model::constant_count,
          .prepare = &Model::prepare,
          .reference = &Model::reference,
          .rhs = [](double v, const double* w, const double* c, double* d) {
            return Model::evaluate(v, w, c, host::Deriving<double, const double*, double*>{w, d});
          }};
}

}  // namespace cardiotwin::kernels
