#pragma once
/// A model's cells. The CPU reacts a slice at a time (cpu_react.cpp.in), CUDA a lane.

#include "ionic/scheme.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

/// W of L lanes that lie side by side.
template <class Model, class T, int W, int L>
CT_HD void react_lanes(T dt, const T* v, T* d, T* states, const T* constants, bool mixed) {
  if (mixed) {
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      const Strided<T, L> w{states + l};
      d[l] = dt * Model::evaluate(v[l], w, Strided<const T, L>{constants + l}, Advancing<T, Strided<T, L>>{w, dt});
    }
  } else {  // every lane has the same constants: they are broadcast
    CT_SIMD
    for (int l = 0; l < W; ++l) {
      const Strided<T, L> w{states + l};
      d[l] = dt * Model::evaluate(v[l], w, constants, Advancing<T, Strided<T, L>>{w, dt});
    }
  }
}

template <class Model, class T>
void react_slice(T dt, const T* v, T* d, T* states, const T* constants, bool mixed) {
  react_lanes<Model, T, 16, 16>(dt, v, d, states, constants, mixed);
}

template <class Model, class T, int L>
CT_HD void react_lane(T dt, const T* v, T* d, T* states, const T* constants, bool mixed) {
  react_lanes<Model, T, 1, L>(dt, v, d, states, constants, mixed);
}

}  // namespace cardiotwin::kernels::CT_BACKEND
