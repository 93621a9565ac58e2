#pragma once
/// A table of what a test measured, which the manual shows: cells parted by " | ".

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cardiotwin::test {

inline void record_table(const std::string& columns, const std::vector<std::string>& rows) {
  testing::Test::RecordProperty("columns", columns);
  for (std::size_t i = 0; i < rows.size(); ++i) testing::Test::RecordProperty(fmt::format("row_{:02}", i), rows[i]);
}

}  // namespace cardiotwin::test
