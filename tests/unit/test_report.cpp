// The page and the files beside it say what the study found, whole, safe and the same every time.
#include <gtest/gtest.h>

#include <cardiotwin/report.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "report_fixture.hpp"
#include "small_twin.hpp"

namespace cardiotwin {
namespace {

using fixture::StudyShape;
using test::bytes_of;
using test::Folder;

std::string text_of_page(const Folder& folder) { return bytes_of(folder / "report.html"); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

nlohmann::json scene_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"scene\">";
  const auto from = page.find(open) + open.size();
  return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

std::vector<std::uint8_t> decoded(const std::string& base64) {
  std::vector<std::uint8_t> bytes;
  std::uint32_t word = 0;
  int bits = 0;
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const char c : base64) {
    if (c == '=') break;
    word = word << 6 | std::uint32_t(digits.find(c));
    if ((bits += 6) >= 8) bytes.push_back(std::uint8_t(word >> (bits -= 8) & 0xff));
  }
  return bytes;
}

std::vector<std::uint16_t> words_of(const nlohmann::json& base64) {
  const auto bytes = decoded(base64.get<std::string>());
  std::vector<std::uint16_t> words;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) words.push_back(std::uint16_t(bytes[i] | bytes[i + 1] << 8));
  return words;
}

/// One report of an inducible study, shared by the tests that only read it.
class Report : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new Folder;
    fixture::write_study(folder_->path(), shape());
    write_report(folder_->path());
  }
  static void TearDownTestSuite() { delete folder_; }
  static StudyShape shape() {
    return {.shell = {}, .inducible = true, .scar = true, .extra_site = "<script>alert(\"x\")</script>"};
  }
  static Folder* folder_;
};
Folder* Report::folder_ = nullptr;

TEST_F(Report, writes_every_file_whole) {
  for (const char* name : {"report.html", "targets.json", "targets.csv", "surface.vtu", "volume.vtu"})
    EXPECT_GT(bytes_of(*folder_ / name).size(), 400U) << name;
  const auto page = text_of_page(*folder_);
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  EXPECT_LT(page.size(), 3'000'000U);
  EXPECT_FALSE(contains(page, "{{"));  // no slot of the page was left open
  for (const auto& entry : std::filesystem::directory_iterator(folder_->path()))
    EXPECT_FALSE(contains(entry.path().filename().string(), "tmp")) << entry.path();
}

TEST_F(Report, every_file_says_research_use_only) {
  for (const char* name : {"report.html", "targets.json", "targets.csv", "surface.vtu", "volume.vtu"})
    EXPECT_TRUE(contains(bytes_of(*folder_ / name), research_use_only)) << name;
  EXPECT_GE(occurrences(text_of_page(*folder_), research_use_only), 3U);  // banner, foot of each sheet, foot
}

TEST_F(Report, page_loads_nothing) {
  const auto page = text_of_page(*folder_);
  for (const char* reference :
       {"http://", "https://", "src=\"", "@import", "url(", "<link", "<iframe", "fetch(", "XMLHttpRequest"})
    EXPECT_FALSE(contains(std::regex_replace(page, std::regex("http://www\\.w3\\.org/2000/svg"), ""), reference))
        << reference;
  EXPECT_TRUE(contains(page, "default-src 'none'"));
}

TEST_F(Report, foreign_text_cannot_become_code) {
  const auto page = text_of_page(*folder_);
  EXPECT_FALSE(contains(page, "<script>alert"));
  EXPECT_TRUE(contains(page, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"));
  EXPECT_EQ(occurrences(page, "<script"), 2U);  // the scene and the program
  const auto sites = scene_of(page).at("sites");
  EXPECT_EQ(sites.back().at("name"), "<script>alert(\"x\")</script>");  // and comes back whole where it is data
}

TEST_F(Report, json_agrees_with_the_plan) {
  const auto json = nlohmann::json::parse(bytes_of(*folder_ / "targets.json"));
  const auto plan = load_plan(folder_->path());
  EXPECT_EQ(json.at("schema"), "cardiotwin-targets");
  EXPECT_EQ(json.at("schema_version"), 1);
  EXPECT_EQ(json.at("inducible_before"), true);
  EXPECT_EQ(json.at("inducible_after"), false);
  EXPECT_EQ(json.at("twin_sha256").get<std::string>().size(), 64U);
  ASSERT_EQ(json.at("targets").size(), plan.targets.size());
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const auto& target = json.at("targets")[i];
    EXPECT_EQ(target.at("rank"), plan.targets[i].rank);
    EXPECT_EQ(target.at("lesion").at("radius_mm"), plan.targets[i].lesion.radius);
    for (int k = 0; k < 3; ++k)
      EXPECT_EQ(target.at("lesion").at("position_mm_lps")[k], plan.targets[i].lesion.position[k]);
  }
  ASSERT_EQ(json.at("circuits").size(), 2U);
  EXPECT_EQ(json.at("circuits")[0].at("cycle_length_ms"), 362);
  EXPECT_EQ(json.at("results").size(), plan.results.size());
  EXPECT_EQ(json.at("provenance").at("steps")[0].at("inputs").at("image"), std::string(64, 'a'));
}

TEST_F(Report, csv_has_one_row_per_target) {
  const auto lines = lines_of(bytes_of(*folder_ / "targets.csv"));
  std::vector<std::string> rows;
  for (const auto& line : lines)
    if (!line.starts_with("#")) rows.push_back(line);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_TRUE(rows[0].starts_with("rank,x_mm,y_mm,z_mm,radius_mm,depth_mm,aha,aha_name,place,circuits,"));
  const auto plan = load_plan(folder_->path());
  const Vec3& p = plan.targets[0].lesion.position;
  EXPECT_TRUE(rows[1].starts_with(
      fmt::format("1,{:.1f},{:.1f},{:.1f},5.0,9.1,7,mid anterior,\"mid anterior, mid-wall, LV\",1 2,1.000,yes,", p.x(),
                  p.y(), p.z())))
      << rows[1];
  EXPECT_TRUE(contains(lines[0], research_use_only));
  EXPECT_TRUE(contains(bytes_of(*folder_ / "targets.csv"), "LPS"));
}

TEST_F(Report, page_shows_the_findings) {
  const auto page = text_of_page(*folder_);
  const auto plan = load_plan(folder_->path());
  const auto body = page.substr(page.find("<h1"));
  EXPECT_LT(body.find("2 ablation targets make it non-inducible"), body.find("id=\"targets-table\""));
  EXPECT_LT(body.find("id=\"targets-table\""), body.find("<canvas"));
  const Vec3& p = plan.targets[0].lesion.position;
  for (const double x : {p.x(), p.y(), p.z()})
    EXPECT_TRUE(contains(page, fmt::format("<td class=\"num\">{:.1f}</td>", x)));
  for (const char* part : {"Inducibility before and after", "7 mid anterior", "mid-wall, LV", "362 ms", "monomorphic",
                           "sform and qform disagree", "off by up to 7.5 %", "tau_close", "SHA-256",
                           "Largest velocity error", "7.5 %", "8.1 / 8.9 / 9.6 mm", "61.2 ml", "17.3 degrees",
                           "healthy mean", "1.29 (0.62 to 1.43) mm", "Dihedral angles", "40 to 50 degrees: "})
    EXPECT_TRUE(contains(page, part)) << part;
  EXPECT_FALSE(contains(page, "Mesh is sound."));  // information is no warning
}

TEST_F(Report, page_draws_the_surface_to_a_few_micrometres) {
  const auto scene = scene_of(text_of_page(*folder_));
  const auto& surface = scene.at("surface");
  const auto positions = words_of(surface.at("positions")), triangles = words_of(surface.at("triangles"));
  const std::size_t vertices = surface.at("vertices");
  ASSERT_EQ(positions.size(), 3 * vertices);
  EXPECT_EQ(decoded(surface.at("tissue")).size(), 4 * vertices);
  const auto anatomy = Anatomy::load(*folder_ / "heart.twin");
  EXPECT_EQ(triangles.size(), 3 * anatomy.surface.size());
  for (const auto v : triangles) ASSERT_LT(v, vertices);
  // The volume inside the drawn surface is the mesh's: positions, orientation and closure are right.
  const double step = surface.at("extent").get<double>() / 65535;
  const auto at = [&](std::uint16_t v) -> Vec3 {
    return Vec3(positions[3 * v], positions[3 * v + 1], positions[3 * v + 2]) * step;
  };
  double drawn = 0, meshed = 0;
  for (std::size_t t = 0; t < triangles.size(); t += 3)
    drawn += at(triangles[t]).dot(at(triangles[t + 1]).cross(at(triangles[t + 2]))) / 6;
  for (std::size_t t = 0; t < anatomy.mesh.tet_count(); ++t) meshed += anatomy.mesh.volume(t);
  EXPECT_NEAR(drawn / meshed, 1, 1e-4);
}

TEST_F(Report, page_keeps_activation_times) {
  const auto scene = scene_of(text_of_page(*folder_));
  const auto plan = load_plan(folder_->path());
  ASSERT_EQ(scene.at("circuits").size(), 2U);
  const auto& circuit = scene.at("circuits")[0];
  EXPECT_EQ(circuit.at("cycle"), 362);
  const auto lat = words_of(circuit.at("lat"));
  ASSERT_EQ(lat.size(), scene.at("surface").at("vertices").get<std::size_t>());
  const auto dead = std::ranges::count(lat, 65535);
  EXPECT_GT(dead, 0);  // the core
  EXPECT_LT(dead, std::ptrdiff_t(lat.size()) / 2);
  EXPECT_EQ(circuit.at("path").size(), plan.circuits[0].path.size());
  for (const auto& point : circuit.at("path")) {
    EXPECT_GE(point.at(3).get<double>(), 0);
    EXPECT_LE(point.at(3).get<double>(), 362);
  }
}

TEST_F(Report, same_study_same_bytes) {
  Folder other;
  for (const char* name : {"heart.twin", "study.json", "plan.json", "circuits.h5"})
    std::filesystem::copy_file(*folder_ / name, other / name);
  write_report(other.path());
  for (const char* name : {"report.html", "targets.json", "targets.csv", "surface.vtu", "volume.vtu"})
    EXPECT_EQ(bytes_of(*folder_ / name), bytes_of(other / name)) << name;
}

TEST(ReportNegative, says_so_and_has_no_targets) {
  Folder folder;
  fixture::write_study(folder.path(), {.shell = {}, .inducible = false, .scar = false, .extra_site = ""});
  write_report(folder.path());
  const auto page = text_of_page(folder);
  EXPECT_TRUE(contains(
      page, "No re-entrant tachycardia could be induced from any of 17 pacing sites: no ablation target is proposed."));
  EXPECT_FALSE(contains(page, "id=\"targets-table\""));
  EXPECT_FALSE(contains(page, "id=\"circuits-table\""));
  EXPECT_TRUE(contains(page, "id=\"sites-table\""));
  EXPECT_EQ(nlohmann::json::parse(bytes_of(folder / "targets.json")).at("targets").size(), 0U);
  std::size_t rows = 0;
  for (const auto& line : lines_of(bytes_of(folder / "targets.csv"))) rows += !line.starts_with("#");
  EXPECT_EQ(rows, 1U);  // the heading
}

TEST(ReportRefuses, an_unfinished_study_and_says_how_to_resume_it) {
  Folder folder;
  fixture::write_study(folder.path());
  std::filesystem::remove(folder / "plan.json");
  try {
    write_report(folder.path());
    FAIL() << "an unfinished study was reported";
  } catch (const InputError& error) {
    EXPECT_TRUE(contains(error.what(), "not finished")) << error.what();
    EXPECT_TRUE(contains(error.what(), "`cardiotwin plan`")) << error.what();
    EXPECT_TRUE(contains(error.what(), "--out " + folder.path().string())) << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "report.html"));
}

TEST(ReportRefuses, a_folder_that_is_no_study) {
  Folder folder;
  EXPECT_THROW(write_report(folder.path()), InputError);
  EXPECT_THROW(write_report(folder / "absent"), InputError);
  fixture::write_study(folder.path());
  write_text(folder / "study.json", "{\"options\": ");
  EXPECT_THROW(write_report(folder.path()), InputError);
}

TEST(ReportRefuses, another_heart_than_the_one_paced) {
  Folder folder;
  fixture::write_study(folder.path());
  auto twin = Twin::load(folder / "heart.twin");
  twin.tissue["healthy"].conductivity.along *= 1.01;
  twin.save(folder / "heart.twin");
  EXPECT_THROW(write_report(folder.path()), InputError);
}

TEST(ReportOfAnUnfitTwin, says_so_on_top) {
  Folder folder;
  fixture::write_study(folder.path());
  auto study = nlohmann::json::parse(bytes_of(folder / "study.json"));
  study["fit"] = false;
  write_text(folder / "study.json", study.dump());
  write_report(folder.path());
  const auto page = text_of_page(folder);
  EXPECT_LT(page.find("The twin did not pass its check"), page.find("id=\"targets-table\""));
}

TEST(ReportOfAnOldStudy, does_without_what_it_lacks) {
  Folder folder;
  fixture::write_study(folder.path());
  write_text(folder / "study.json", "{}");
  write_report(folder.path());
  EXPECT_TRUE(contains(text_of_page(folder), "not measured"));  // velocities, as no check is on file
}

}  // namespace
}  // namespace cardiotwin
