#pragma once
/// One factory per backend; engine.cpp chooses.

#include <cardiotwin/kernels/engine.hpp>
#include <memory>

namespace cardiotwin::kernels {

std::unique_ptr<Engine> make_cpu_engine(const Problem&, int threads);
std::unique_ptr<Engine> make_cuda_engine(const Problem&, int device);

}  // namespace cardiotwin::kernels
