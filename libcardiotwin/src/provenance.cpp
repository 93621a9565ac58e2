#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/provenance.hpp>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "digest.hpp"

namespace cardiotwin {
namespace {

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    check(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
  }
  void add(const void* data, std::size_t size) { check(EVP_DigestUpdate(context_.get(), data, size)); }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
    unsigned int size = 0;
    check(EVP_DigestFinal_ex(context_.get(), bytes.data(), &size));
    std::string text;
    for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
    return text;
  }

 private:
  static void check(bool ok) {
    if (!ok) throw Error("SHA-256 is not offered by this OpenSSL");
  }
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

std::string version() {
  const std::string revision = CARDIOTWIN_REVISION;
  return revision.empty() ? CARDIOTWIN_VERSION : std::string(CARDIOTWIN_VERSION) + "+" + revision;
}

std::string to_json(const Provenance& provenance) {
  using Json = nlohmann::ordered_json;
  Json steps = Json::array();
  for (const auto& step : provenance.steps) {
    Json one;
    one["verb"] = step.verb;
    one["version"] = step.version;
    if (!step.backend.empty()) one["backend"] = step.backend;
    one["seed"] = step.seed;
    one["options"] = step.options;
    one["inputs"] = step.inputs;
    one["warnings"] = step.warnings;
    steps.push_back(std::move(one));
  }
  Json root;
  root["notice"] = research_use_only;
  root["steps"] = std::move(steps);
  // Text that is not UTF-8 (a file name in an old encoding) must not make a product unwritable.
  return root.dump(2, ' ', false, Json::error_handler_t::replace);
}

Provenance provenance_from_json(const std::string& text) {
  try {
    Provenance provenance;
    const auto root = nlohmann::json::parse(text);
    for (const auto& one : root.at("steps")) {
      Step step;
      one.at("verb").get_to(step.verb);
      one.at("version").get_to(step.version);
      step.backend = one.value("backend", "");
      one.at("seed").get_to(step.seed);
      one.at("options").get_to(step.options);
      one.at("inputs").get_to(step.inputs);
      one.at("warnings").get_to(step.warnings);
      provenance.steps.push_back(std::move(step));
    }
    return provenance;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("provenance is not in cardiotwin's form: {}", error.what()));
  }
}

std::string sha256(std::span<const std::byte> data) {
  Digest digest;
  digest.add(data.data(), data.size());
  return digest.hex();
}

std::string sha256_of_stream(std::istream& in, std::uintmax_t* size) {
  Digest digest;
  std::vector<char> buffer(1 << 20);
  std::uintmax_t total = 0;
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    digest.add(buffer.data(), static_cast<std::size_t>(in.gcount()));
    total += static_cast<std::uintmax_t>(in.gcount());
  }
  if (!in.eof()) throw FileError("reading failed");
  if (size) *size = total;
  return digest.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  std::error_code error;
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path, error))
    throw FileError(fmt::format("{} cannot be read", path.string()));
  return sha256_of_stream(in);
}

}  // namespace cardiotwin
