#pragma once
/// The built program, run as a user runs it.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "small_twin.hpp"

namespace cardiotwin::test {

struct Run {
  int code = -1;
  std::string out, err;
};

/// Runs `cardiotwin ARGUMENTS` in `folder` through the shell.
inline Run cardiotwin_in(const Folder& folder, const std::string& arguments) {
  const std::string where = folder.path().string();
  const std::string command = "cd '" + where + "' && OMP_NUM_THREADS=1 '" CARDIOTWIN_CLI "' " + arguments + " >'" +
                              where + "/.out' 2>'" + where + "/.err' </dev/null";
  const int status = std::system(command.c_str());
  Run run{WIFEXITED(status) ? WEXITSTATUS(status) : -1, bytes_of(folder / ".out"), bytes_of(folder / ".err")};
  std::filesystem::remove(folder / ".out"), std::filesystem::remove(folder / ".err");
  return run;
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Bad input: exit code 2, one line on stderr that begins with the verb, nothing on stdout, nothing new in the folder.
inline void expect_refused(const Folder& folder, const std::string& arguments, const std::string& sentence) {
  const auto before = folder.entries();
  const auto run = cardiotwin_in(folder, arguments);
  const auto verb = arguments.substr(0, arguments.find(' '));
  EXPECT_EQ(run.code, 2) << arguments;
  EXPECT_EQ(run.out, "") << arguments;
  EXPECT_TRUE(run.err.starts_with("cardiotwin " + verb + ": ")) << arguments << "\n" << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_TRUE(contains(run.err, sentence)) << arguments << "\n" << run.err;
  EXPECT_EQ(folder.entries(), before) << arguments;
}

}  // namespace cardiotwin::test
