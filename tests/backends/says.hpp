#pragma once
/// What a call is refused with.

#include <gtest/gtest.h>

#include <exception>
#include <string>

namespace cardiotwin::test {

/// The call must throw, and say `part`.
template <class Call>
void says(const std::string& part, const Call& call) {
  try {
    call();
    ADD_FAILURE() << "nothing thrown; expected: " << part;
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

}  // namespace cardiotwin::test
