#pragma once
/// What the files of the Python module share. Arrays that C++ owns come back as read-only views that keep their owner
/// alive; computed ones are handed over without a copy. Long calls release the interpreter, honour Ctrl-C and tell
/// their progress.

#include <fmt/format.h>
#include <pybind11/eigen.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <atomic>
#include <cardiotwin/cardiotwin.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <set>

namespace cardiotwin::python {

namespace py = pybind11;
using namespace pybind11::literals;

/// The comment of a public header, as "Simulation.run"; throws where there is none, so that a test sees it.
const char* doc(const char* name);
/// The same, or "" where there is none.
const char* doc_if_any(const std::string& name);
/// A comment, and that options are given by keyword.
std::string with_options(const std::string& text, const std::string& options);

// ---- Arrays ---------------------------------------------------------------------------------------------------------

/// A read-only view of `count` items of `width` numbers, kept alive by `owner`; `stride` bytes from item to item (0:
/// they are dense).
template <class Number>
py::array view(const void* data, std::size_t count, std::size_t width, py::handle owner, std::size_t stride = 0) {
  std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(count)},
      strides{static_cast<py::ssize_t>(stride ? stride : width * sizeof(Number))};
  if (width > 1) {
    shape.push_back(static_cast<py::ssize_t>(width));
    strides.push_back(sizeof(Number));
  }
  py::array array(py::dtype::of<Number>(), shape, strides, data, owner);
  array.attr("flags").attr("writeable") = false;
  return array;
}

/// Hands a computed vector to NumPy: the array owns it.
template <class Number>
py::array_t<Number> give(std::vector<Number> values, std::vector<std::size_t> shape = {}) {
  auto* owned = new std::vector<Number>(std::move(values));
  py::capsule owner(owned, [](void* pointer) { delete static_cast<std::vector<Number>*>(pointer); });
  if (shape.empty()) shape = {owned->size()};
  return py::array_t<Number>(shape, owned->data(), owner);
}

/// Anything that NumPy makes an array of, as a copy in C++; throws InputError unless it holds real (whole) numbers of
/// shape (n, width), for width 1 (n,). `who` is named.
std::vector<double> reals_of(const py::object&, std::size_t width, const char* who);
std::vector<std::int64_t> integers_of(const py::object&, std::size_t width, std::int64_t low, std::int64_t high,
                                      const char* who);
std::vector<Vec3> points_of(const py::object&, const char* who);
std::string shape_text(const py::array&);

// ---- Long calls -----------------------------------------------------------------------------------------------------

/// Python looks at Ctrl-C in its main thread only: calls from the jobs of an ensemble look at this flag as well.
inline thread_local const std::atomic<bool>* stop_of_jobs = nullptr;

/// Progress, notes and warnings go to the Python side (cardiotwin/_told.py); whatever is raised there, or by Ctrl-C, is
/// raised again when the work has stopped.
class Listener {
 public:
  explicit Listener(const py::object& progress);
  ~Listener();
  Listener(const Listener&) = delete;
  Monitor monitor();
  void rethrow();

 private:
  template <class Call>
  void guarded(const Call&);
  py::object told_;
  std::exception_ptr raised_;
};

template <class Work>
auto long_call(const py::object& progress, const Work& work) {
  Listener listener(progress);
  const auto run = [&] {
    const Monitor monitor = listener.monitor();
    py::gil_scoped_release free;
    return work(monitor);
  };
  try {
    if constexpr (std::is_void_v<decltype(run())>) {
      run();
      listener.rethrow();
    } else {
      auto result = run();
      listener.rethrow();
      return result;
    }
  } catch (const Interrupted&) {
    listener.rethrow();
    throw;
  }
}

// ---- Options --------------------------------------------------------------------------------------------------------

/// Sets fields by keyword; an unknown name or an unfit value is one clear sentence.
void set_fields(const py::object& target, const py::dict& fields, const char* who);
template <class Options>
Options options_from(const py::kwargs& fields, const char* who) {
  py::object target = py::cast(Options());
  set_fields(target, fields, who);
  return target.cast<Options>();
}

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class K, class T>
inline constexpr bool is_list<std::map<K, T>> = true;
template <class T>
inline constexpr bool is_list<std::optional<T>> = true;

/// What a getter hands out of a list or a map: a copy, since what is in them may move, that can't be written to, since
/// that would be lost in silence.
template <class T, class Member>
py::object member_of(const py::object& self, Member T::*member) {
  py::object copy = py::cast(self.cast<const T&>().*member, py::return_value_policy::copy);
  if (py::isinstance<py::list>(copy)) return py::tuple(copy);
  return py::isinstance<py::dict>(copy) ? py::module_::import("types").attr("MappingProxyType")(copy) : copy;
}

/// A struct: its fields under their C++ names, each with the header's comment where it has one.
template <class T>
class Struct : public py::class_<T> {
 public:
  Struct(py::handle scope, const char* name, std::string text = {})
      : py::class_<T>(scope, name, text.empty() ? doc_if_any(name) : text.c_str()), name_(name) {}
  template <class Member>
  Struct& read(const char* field, Member T::*member) {
    if constexpr (is_list<Member>) {
      this->def_property_readonly(
          field, [member](const py::object& self) { return member_of(self, member); }, note(field).c_str());
    } else {
      this->def_readonly(field, member, note(field).c_str());
    }
    return *this;
  }
  template <class Member>
  Struct& field(const char* field, Member T::*member) {
    if constexpr (is_list<Member>) {
      this->def_property(
          field, [member](const py::object& self) { return member_of(self, member); },
          [member](T& self, Member value) { self.*member = std::move(value); }, note(field).c_str());
    } else {
      this->def_readwrite(field, member, note(field).c_str());
    }
    return *this;
  }
  /// Made of fields by keyword.
  Struct& keywords() {
    this->def(py::init([who = name_](const py::kwargs& fields) { return options_from<T>(fields, who.c_str()); }));
    return *this;
  }

 private:
  std::string note(const char* field) const { return doc_if_any(name_ + "." + field); }
  std::string name_;
};

/// Holds what is at work, for the time of a call; throws Error where it is at work already: in another thread, or in a
/// callable of its own. Made and destroyed with the interpreter held.
class Busy {
 public:
  Busy(const void* who, const char* name) : who_(who) {
    if (!all().insert(who).second)
      throw Error(fmt::format("{}: it is at work; wait until it has finished, or use another one", name));
  }
  ~Busy() { all().erase(who_); }
  Busy(const Busy&) = delete;

 private:
  static std::set<const void*>& all();
  const void* who_;
};

/// An enumeration that also takes its names as text.
template <class Enum>
void bind_names(py::module_& m, const char* name, std::initializer_list<std::pair<const char*, Enum>> names) {
  std::map<std::string, Enum> known;
  std::vector<std::string> all;
  py::enum_<Enum> type(m, name);
  for (const auto& [text, value] : names) type.value(text, value), known[text] = value, all.emplace_back(text);
  type.def(py::init([known, all, who = std::string(name)](std::string text) {
    std::replace(text.begin(), text.end(), '-', '_');
    const auto found = known.find(text);
    if (found == known.end())
      throw InputError(fmt::format("{}: \"{}\" is unknown{}", who, text, suggestion(text, all)));
    return found->second;
  }));
  py::implicitly_convertible<py::str, Enum>();
}

void bind_mesh(py::module_&);
void bind_anatomy(py::module_&);
void bind_exchange(py::module_&);
void bind_coordinates(py::module_&);
void bind_tissue(py::module_&);
void bind_ecg(py::module_&);
void bind_simulation(py::module_&);
void bind_cell(py::module_&);
void bind_study(py::module_&);
void bind_inference(py::module_&);
void bind_fit(py::module_&);
void bind_purkinje(py::module_&);
void bind_images(py::module_&);
void bind_scar(py::module_&);
void bind_build(py::module_&);
void bind_phantoms(py::module_&);

}  // namespace cardiotwin::python
