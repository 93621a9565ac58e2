#pragma once
/// The machine a benchmark runs on: what it is, how fast its memory is, how much of it the process has.

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "commit.hpp"

namespace cardiotwin::bench {

/// What follows "key   :" in a file such as /proc/cpuinfo; empty where nothing does.
inline std::string look_up(const std::string& path, const std::string& key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const auto from = line.find_first_not_of(" \t:", key.size());
    return from == std::string::npos ? "" : line.substr(from);
  }
  return "";
}

inline std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "g++ " __VERSION__;
#else
  return "unknown";
#endif
}

/// Date, machine and commit; neither host nor path.
inline std::map<std::string, std::string> about_this_run(const std::string& instruction_set) {
  char date[32] = "";
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%MZ", std::gmtime(&now));
  return {{"date", date},
          {"commit", commit},
          {"cpu", look_up("/proc/cpuinfo", "model name")},
          {"cores", std::to_string(std::thread::hardware_concurrency())},
          {"instruction_set", instruction_set},
          {"compiler", compiler()}};
}

/// Resident set of this process [B], what the allocator merely keeps given back first.
inline double resident_bytes() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  const std::string kilobytes = look_up("/proc/self/status", "VmRSS");
  return kilobytes.empty() ? 0 : 1024 * std::stod(kilobytes);
}

/// [B/s], counted as STREAM does: what the loop reads and writes.
struct Bandwidth {
  double copy = 0, triad = 0;
};

/// The fastest of several passes of all threads over three arrays four times as large as the cache.
inline Bandwidth memory_bandwidth(int threads) {
  const double cache = double(std::max(0L, sysconf(_SC_LEVEL3_CACHE_SIZE)));
  const auto n = std::size_t(std::clamp(4 * cache, 256e6, 1e9)) / sizeof(double);
  // Pages belong to who touches them first, so nothing is written before the threads do.
  const std::unique_ptr<double[]> a(new double[n]), b(new double[n]), c(new double[n]);
  const auto all = [&](const auto& part) {
    const auto start = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> team;
      for (std::size_t t = 0; t < std::size_t(threads); ++t) {
        const std::size_t from = n * t / std::size_t(threads), to = n * (t + 1) / std::size_t(threads);
        team.emplace_back([&part, from, to] { part(from, to); });
      }
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  all([&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) a[i] = 0, b[i] = 1, c[i] = 2;
  });
  Bandwidth result;
  const double bytes = double(n) * sizeof(double);
  for (int r = 0; r < 5; ++r) {
    const double copy =
        all([&](std::size_t from, std::size_t to) { std::memcpy(&c[from], &b[from], (to - from) * sizeof(double)); });
    const double triad = all([&](std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) a[i] = b[i] + 3 * c[i];
    });
    result.copy = std::max(result.copy, 2 * bytes / copy);
    result.triad = std::max(result.triad, 3 * bytes / triad);
  }
  return result;
}

}  // namespace cardiotwin::bench
