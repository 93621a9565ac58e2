#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

#include "verbs.hpp"

namespace cardiotwin::app {
namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

// The first Ctrl-C, or a batch system's SIGTERM, asks the work to stop at the next safe point; a second one ends the
// program at once.
void on_interrupt(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
}

class Line {
 public:
  // A terminal's line is rewritten; a log gets one a minute, and none of short work.
  void progress(std::string_view what, double done) {
    const auto now = Clock::now();
    if (what != what_) what_ = what, since_ = now, from_ = done;
    if (now - shown_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::minutes(1))) return;
    shown_ = now;
    std::string left;
    const double elapsed = std::chrono::duration<double>(now - since_).count();
    if (done > from_ + 0.01 && elapsed > 1) {
      const auto seconds = static_cast<long>(elapsed * (1 - done) / (done - from_) + 0.5);
      left = fmt::format(", {}:{:02} left", seconds / 60, seconds % 60);
    }
    if (terminal_)
      fmt::print(stderr, "\r\033[K{} {:3.0f} %{}", what, 100 * done, left);
    else
      fmt::print(stderr, "  {} {:.0f} %{}\n", what, 100 * done, left);
    open_ = terminal_;
  }
  void close() {
    if (open_) std::fputs("\r\033[K", stderr);
    open_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  bool open_ = false;
  std::string what_;
  double from_ = 0;
  Clock::time_point since_{}, shown_ = terminal_ ? Clock::time_point() : Clock::now();
};

Line& line() {
  static Line instance;
  return instance;
}

}  // namespace

Monitor console() {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, on_interrupt);
  return {.progress = [](std::string_view what, double done) { line().progress(what, done); },
          .note = [](std::string_view text) { line().close(), fmt::print(stderr, "  {}\n", text); },
          .warning = [](std::string_view text) { line().close(), fmt::print(stderr, "  warning: {}\n", text); },
          .cancelled = [] { return interrupted.load(); }};
}

void close_line() { line().close(); }

void say(const std::string& text) {
  close_line();
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

}  // namespace cardiotwin::app
