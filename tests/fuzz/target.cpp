// One fuzz target per reader (CARDIOTWIN_FUZZ_READER). Besides what the sanitizers see, no single allocation may be
// larger than 16 times the input, beyond a megabyte of tables and buffers of fixed size.

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "readers.hpp"

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));

namespace {

std::size_t most = 0;  // [bytes] of one allocation; 0 while nothing is fed

void on_malloc(const volatile void*, std::size_t bytes) {
  if (most == 0 || bytes <= most) return;
  const std::size_t limit = most;
  most = 0;
  std::fprintf(stderr, "an allocation of %zu bytes, more than %zu\n", bytes, limit);
  std::abort();
}
void on_free(const volatile void*) {}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  most = 16 * size + (std::size_t(1) << 20);
  const bool known = cardiotwin::fuzz::FEED(CARDIOTWIN_FUZZ_READER, bytes);
  most = 0;
  if (!known) std::abort();
  return 0;
}
