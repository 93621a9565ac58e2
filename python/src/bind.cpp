#include "bind.hpp"

#include <algorithm>
#include <unordered_map>

namespace cardiotwin::python {

const char* doc_if_any(const std::string& name) {
  static const std::unordered_map<std::string, const char*> texts{
#include "docs.inc"
  };
  const auto found = texts.find(name);
  return found == texts.end() ? "" : found->second;
}

const char* doc(const char* name) {
  const char* text = doc_if_any(name);
  if (!*text) throw std::logic_error(fmt::format("no public header documents {}", name));
  return text;
}

std::string with_options(const std::string& text, const std::string& options) {
  return fmt::format("{} Keywords are the fields of {}.", text, options);
}

std::set<const void*>& Busy::all() {
  static std::set<const void*> at_work;
  return at_work;
}

std::string shape_text(const py::array& array) {
  std::string text;
  for (py::ssize_t a = 0; a < array.ndim(); ++a) text += fmt::format("{}{}", a ? ", " : "", array.shape(a));
  return "(" + text + (array.ndim() == 1 ? ",)" : ")");
}

namespace {

py::array array_from(const py::object& given, std::size_t width, const char* kinds, const char* numbers,
                     const char* who) {
  const auto array = py::array::ensure(given);
  if (!array) {
    PyErr_Clear();
    throw InputError(
        fmt::format("{}: an array is wanted, not a {}", who, py::type::of(given).attr("__name__").cast<std::string>()));
  }
  if (std::string_view(kinds).find(array.dtype().kind()) == std::string_view::npos)
    throw InputError(
        fmt::format("{}: {} numbers are wanted, not {}", who, numbers, py::str(array.dtype()).cast<std::string>()));
  const bool good =
      width == 1 ? array.ndim() == 1 : array.ndim() == 2 && array.shape(1) == static_cast<py::ssize_t>(width);
  if (good) return array;
  throw InputError(width == 1
                       ? fmt::format("{}: a shape of (n,) is wanted, but it is {}", who, shape_text(array))
                       : fmt::format("{}: a shape of (n, {}) is wanted, but it is {}", who, width, shape_text(array)));
}

template <class Number>
std::vector<Number> copied(const py::array& array) {
  const auto dense = py::array_t<Number, py::array::c_style | py::array::forcecast>::ensure(array);
  if (!dense) throw py::error_already_set();
  return {dense.data(), dense.data() + dense.size()};
}

}  // namespace

std::vector<double> reals_of(const py::object& given, std::size_t width, const char* who) {
  return copied<double>(array_from(given, width, "fiu", "real", who));
}

std::vector<std::int64_t> integers_of(const py::object& given, std::size_t width, std::int64_t low, std::int64_t high,
                                      const char* who) {
  auto values = copied<std::int64_t>(array_from(given, width, "iu", "whole", who));
  for (const auto value : values) {
    if (value < low || value > high) throw InputError(fmt::format("{}: {} is outside [{}, {}]", who, value, low, high));
  }
  return values;
}

std::vector<Vec3> points_of(const py::object& given, const char* who) {
  const auto values = reals_of(given, 3, who);
  std::vector<Vec3> points(values.size() / 3);
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = Vec3(values.data() + 3 * i);
  return points;
}

Listener::Listener(const py::object& progress)
    : told_(py::module_::import("cardiotwin._told").attr("Told")(progress)) {}

Listener::~Listener() {
  try {
    told_.attr("close")();
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("cardiotwin: end of progress");
  }
}

// Called from the work, without the interpreter. Nothing may be thrown through it, so what is raised waits.
template <class Call>
void Listener::guarded(const Call& call) {
  py::gil_scoped_acquire lock;
  if (raised_) return;
  try {
    call();
  } catch (...) {
    raised_ = std::current_exception();
  }
}

Monitor Listener::monitor() {
  const auto text = [](std::string_view words) { return py::str(words.data(), words.size()); };
  return {.progress = [=, this](std::string_view what,
                                double done) { guarded([&] { told_.attr("progress")(text(what), done); }); },
          .note = [=, this](std::string_view words) { guarded([&] { told_.attr("note")(text(words)); }); },
          .warning = [=, this](std::string_view words) { guarded([&] { told_.attr("warning")(text(words)); }); },
          .cancelled =
              [this] {
                guarded([] {
                  if (stop_of_jobs && *stop_of_jobs) PyErr_SetNone(PyExc_KeyboardInterrupt);
                  if (PyErr_Occurred() || PyErr_CheckSignals() != 0) throw py::error_already_set();
                });
                return raised_ != nullptr;
              }};
}

void Listener::rethrow() {
  if (raised_) std::rethrow_exception(std::exchange(raised_, nullptr));
}

void set_fields(const py::object& target, const py::dict& fields, const char* who) {
  std::vector<std::string> known;
  for (const auto& name : py::module_::import("builtins").attr("dir")(target)) {
    if (const auto text = name.cast<std::string>(); !text.starts_with("_")) known.push_back(text);
  }
  for (const auto& [key, value] : fields) {
    const auto name = key.cast<std::string>();
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError(fmt::format("{}: there is no option \"{}\"{}", who, name, suggestion(name, known)));
    try {
      py::setattr(target, key, value);
    } catch (py::error_already_set& error) {
      if (!error.matches(PyExc_TypeError)) throw;
      throw py::type_error(fmt::format("{}: {} cannot be {} (a {})", who, name, py::repr(value).cast<std::string>(),
                                       py::type::of(value).attr("__name__").cast<std::string>()));
    }
  }
}

}  // namespace cardiotwin::python
