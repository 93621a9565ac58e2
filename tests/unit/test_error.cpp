#include <gtest/gtest.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/log.hpp>

using namespace cardiotwin;

namespace {

TEST(Error, SuggestionNamesTheClosestWord) {
  const std::vector<std::string> known{"healthy", "border_zone", "core", "channel"};
  EXPECT_EQ(suggestion("boarder_zone", known), "; did you mean \"border_zone\"?");
  EXPECT_EQ(suggestion("bordr_zon", known), "; did you mean \"border_zone\"?");
  EXPECT_EQ(suggestion("Core", known), "; did you mean \"core\"?");
  EXPECT_EQ(suggestion("xyzzyxyzzy", known), "; known: healthy, border_zone, core, channel");
}

TEST(Error, FilesAreInputAndNumbersAreNot) {
  EXPECT_THROW(throw FileError("x"), InputError);
  EXPECT_THROW(throw NumericalError("x"), Error);
  bool input = false;
  try {
    throw NumericalError("x");
  } catch (const InputError&) {
    input = true;
  } catch (const Error&) {
  }
  EXPECT_FALSE(input);
}

TEST(Error, MonitorPollsAndStaysSilentWhenEmpty) {
  Monitor monitor;
  monitor.report("x", 0.5), monitor.tell("x"), monitor.warn("x"), monitor.poll();
  monitor.cancelled = [] { return true; };
  EXPECT_THROW(monitor.poll(), Interrupted);
}

}  // namespace
