#include <gtest/gtest.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/provenance.hpp>
#include <limits>
#include <nlohmann/json.hpp>

#include "small_twin.hpp"

using namespace cardiotwin;

namespace {

Provenance sample() {
  Provenance provenance;
  provenance.steps.push_back(
      {"build", "0.1.0", "", 7, {{"edge", "1 mm"}, {"convention", "emidec"}}, {{"image", "ab"}}, {}});
  provenance.steps.push_back({"calibrate",
                              "0.1.0+abc",
                              "cuda:0",
                              std::numeric_limits<std::uint64_t>::max(),
                              {},
                              {},
                              {"quote \" and backslash \\ and \u00e9", ""}});
  return provenance;
}

TEST(Provenance, ComesBackFromJson) {
  const auto text = to_json(sample());
  const auto back = provenance_from_json(text);
  ASSERT_EQ(back.steps.size(), 2u);
  EXPECT_EQ(back.steps[0].options.at("edge"), "1 mm");
  EXPECT_EQ(back.steps[0].inputs.at("image"), "ab");
  EXPECT_EQ(back.steps[0].backend, "");
  EXPECT_EQ(back.steps[1].verb, "calibrate");
  EXPECT_EQ(back.steps[1].backend, "cuda:0");
  EXPECT_EQ(back.steps[1].seed, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(back.steps[1].warnings, sample().steps[1].warnings);
  EXPECT_EQ(to_json(back), text);
  EXPECT_TRUE(provenance_from_json(to_json(Provenance{})).steps.empty());
}

TEST(Provenance, JsonIsJsonAndSaysResearchUseOnly) {
  const auto json = nlohmann::json::parse(to_json(sample()));
  EXPECT_EQ(json.at("notice"), research_use_only);
  EXPECT_EQ(json.at("steps").size(), 2u);
}

TEST(Provenance, BytesThatAreNoTextDoNotStopIt) {
  Provenance provenance;
  provenance.steps.push_back({"build", "0.1.0", "", 0, {}, {}, {"file \xff\xfe"}});
  EXPECT_NO_THROW(provenance_from_json(to_json(provenance)));
}

TEST(Provenance, OtherTextIsRefused) {
  for (const char* text :
       {"", "{}", "[]", "{\"steps\": 3}", "{\"steps\": [{}]}", "{\"steps\": [{\"verb\": 1}]}", "{\"steps\": [",
        "{\"steps\":[{\"verb\":\"a\",\"version\":\"b\",\"seed\":\"x\",\"options\":{},\"inputs\":{},\"warnings\":[]}]"
        "}"}) {
    EXPECT_THROW(provenance_from_json(text), InputError) << text;
  }
}

TEST(Provenance, Sha256IsTheStandardOne) {
  // Test vectors of FIPS 180-4.
  const auto digest = [](std::string_view text) { return sha256(std::as_bytes(std::span(text))); };
  EXPECT_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Provenance, Sha256OfFileReadsAllOfIt) {
  const test::Folder folder;
  const std::string text(3 << 20, 'x');  // more than one buffer
  test::write_bytes(folder / "a", text);
  EXPECT_EQ(sha256_of_file(folder / "a"), sha256(std::as_bytes(std::span(text))));
  EXPECT_THROW(sha256_of_file(folder / "none"), FileError);
  EXPECT_THROW(sha256_of_file(folder.path()), FileError);
}

TEST(Provenance, VersionIsThreeNumbersAndPerhapsARevision) { EXPECT_TRUE(version().starts_with("0.1.0")) << version(); }

}  // namespace
