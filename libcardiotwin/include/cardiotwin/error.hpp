#pragma once
/// Errors. The library throws these; it never prints and never exits. A message is one sentence that says who,
/// which rule, which value and, where there is one, the cure.

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cardiotwin {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the caller gave cannot be used: the command line ends with exit code 2.
class InputError : public Error {
 public:
  using Error::Error;
};

/// A file or folder that cannot be read or written (missing, truncated, full disk, no permission): exit code 2.
class FileError : public InputError {
 public:
  using InputError::InputError;
};

/// A computation failed: NaN, no convergence. Never returned as success. Exit code 1.
class NumericalError : public Error {
 public:
  using Error::Error;
};

/// The user asked to stop (Monitor::cancelled). What was finished is on disk.
class Interrupted : public Error {
 public:
  using Error::Error;
};

/// `; did you mean "border_zone"?` for the closest of `known` to `given`, or `; known: a, b, c` if none is close.
std::string suggestion(std::string_view given, std::span<const std::string> known);

}  // namespace cardiotwin
