// A simulation's state as a file: one line that says what it is, the time, the bytes, and a digest of all that, because
// a state that lost a bit would run on without a word.
#include <fmt/format.h>

#include <bit>
#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/simulation.hpp>
#include <cstring>
#include <sstream>

#include "../digest.hpp"

namespace cardiotwin {
namespace {

constexpr std::string_view first_line = "cardiotwin simulation state 1, research use only\n";
constexpr std::size_t digest_length = 64, time_length = sizeof(double);
static_assert(std::endian::native == std::endian::little, "the file's numbers are little-endian");

std::string digest_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  return sha256_of_stream(stream);
}

}  // namespace

void save(const std::filesystem::path& path, const SimulationState& state) {
  std::string text(first_line);
  text.append(reinterpret_cast<const char*>(&state.time), time_length);
  text.append(reinterpret_cast<const char*>(state.bytes.data()), state.bytes.size());
  text += digest_of(text);
  write_text(path, text);
}

SimulationState load_state(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  if (!text.starts_with(first_line)) throw InputError(fmt::format("{} is not a simulation's state", path.string()));
  const std::size_t fixed = first_line.size() + time_length;
  const std::size_t body = text.size() - std::min(text.size(), digest_length);
  if (body < fixed || digest_of(std::string_view(text).substr(0, body)) != text.substr(body))
    throw InputError(
        fmt::format("{} is damaged: its digest does not fit; use another copy or run anew", path.string()));
  SimulationState state;
  std::memcpy(&state.time, text.data() + first_line.size(), time_length);
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  state.bytes.assign(bytes + fixed, bytes + body);
  return state;
}

}  // namespace cardiotwin
