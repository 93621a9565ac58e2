// Feeds the readers what the fuzzer once found or began with: FOLDER/READER/* of the first argument.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "readers.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s CORPUS\n", argv[0]), 2;
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1])) {
    if (!entry.is_regular_file()) continue;
    const auto reader = entry.path().parent_path().filename().string();
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (!cardiotwin::fuzz::feed_mesh(reader, bytes) && !cardiotwin::fuzz::feed_image(reader, bytes))
      return std::fprintf(stderr, "no reader is called %s\n", reader.c_str()), 1;
    ++files;
  }
  std::printf("%d files\n", files);
  return files > 0 ? 0 : 1;
}
