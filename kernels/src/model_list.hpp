#pragma once
/// The ionic models every backend compiles, in the order of models().

#include "ionic/mitchell_schaeffer.hpp"
#include "ionic/ten_tusscher_2006.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

inline constexpr int model_count = 2;

/// Calls f.template operator()<Model>() for model `index`.
template <class T, class F>
auto with_model(int index, F f) {
  switch (index) {
    case 1:
      return f.template operator()<TenTusscher2006<T>>();
    default:
      return f.template operator()<MitchellSchaeffer<T>>();
  }
}

}  // namespace cardiotwin::kernels::CT_BACKEND
