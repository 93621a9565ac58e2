#include <cardiotwin/kernels/engine.hpp>
#include <cstdio>

int main() {
  for (const auto& model : cardiotwin::kernels::models())
    std::printf("%s (%s)\n", model.name.c_str(), model.doi.c_str());
  return cardiotwin::kernels::find_model("tentusscher-2006") ? 0 : 1;
}
