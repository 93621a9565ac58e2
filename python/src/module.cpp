// The Python module's core `cardiotwin._core`: the C++ names, NumPy at the border.
#include "bind.hpp"

using namespace cardiotwin;
using namespace cardiotwin::python;

PYBIND11_MODULE(_core, m) {
  m.attr("__version__") = version();
  m.attr("research_use_only") = research_use_only;

  auto error = py::register_exception<Error>(m, "Error");
  auto input = py::register_exception<InputError>(m, "InputError", error);
  py::register_exception<FileError>(m, "FileError", input);
  py::register_exception<NumericalError>(m, "NumericalError", error);
  py::register_exception<Interrupted>(m, "Interrupted", error);

  // Types before what speaks of them, so that signatures name them as Python does.
  bind_mesh(m), bind_anatomy(m), bind_exchange(m), bind_coordinates(m);
  bind_tissue(m), bind_ecg(m), bind_simulation(m), bind_purkinje(m), bind_cell(m), bind_study(m);
  bind_inference(m), bind_fit(m);
  bind_images(m), bind_scar(m), bind_build(m), bind_phantoms(m);
}
