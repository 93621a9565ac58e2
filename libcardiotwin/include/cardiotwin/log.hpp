#pragma once
/// How a long computation speaks to whoever started it, without ever printing.

#include <cardiotwin/error.hpp>
#include <functional>
#include <string_view>

namespace cardiotwin {

/// Callbacks a caller may set; all are optional and are called from the calling thread only.
struct Monitor {
  /// `what` is being done, `done` in [0, 1]. Called often; the receiver throttles.
  std::function<void(std::string_view what, double done)> progress;
  /// One finished fact worth telling a person (a site paced, a circuit found).
  std::function<void(std::string_view)> note;
  /// Something was assumed or looks doubtful; the work goes on.
  std::function<void(std::string_view)> warning;
  /// True once the user wants to stop; long work polls it several times a second and throws Interrupted.
  std::function<bool()> cancelled;

  void report(std::string_view what, double done) const {
    if (progress) progress(what, done);
  }
  void tell(std::string_view text) const {
    if (note) note(text);
  }
  void warn(std::string_view text) const {
    if (warning) warning(text);
  }
  void poll() const {
    if (cancelled && cancelled()) throw Interrupted("interrupted by the user");
  }
};

}  // namespace cardiotwin
