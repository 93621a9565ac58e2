// Feeds the readers what the fuzzer once found or began with: FOLDER/READER/* of the first argument.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "exchange.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s CORPUS\n", argv[0]), 2;
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1])) {
    const auto reader = entry.path().parent_path().filename().string();
    if (!entry.is_regular_file() || !cardiotwin::fuzz::knows(reader)) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    cardiotwin::fuzz::feed(reader, bytes);
    ++files;
  }
  std::printf("%d files\n", files);
  return files > 0 ? 0 : 1;
}
