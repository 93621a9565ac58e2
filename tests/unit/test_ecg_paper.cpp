// The paper of electrocardiograms: what is drawn, at which size, and what is said beside it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/ecg_paper.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <regex>
#include <stdexcept>

#include "synthetic_ecg.hpp"

namespace cardiotwin {
namespace {

using namespace synthetic;

// Names of the elements in order of their beginning; throws where tags do not nest, attributes are not quoted, or a
// bare "&" or "<" is left.
std::vector<std::string> elements(const std::string& xml) {
  static const std::regex tag(R"(<(/?)([a-z]+)((?:\s+[A-Za-z:-]+="[^"<]*")*)\s*(/?)>)");
  static const std::regex plain(R"((?:[^<>&]|&(?:amp|lt|gt|quot|#39);)*)");
  std::vector<std::string> open, all;
  auto rest = xml.cbegin();
  for (std::sregex_iterator it(xml.begin(), xml.end(), tag), end; it != end; ++it) {
    const auto& match = *it;
    if (!std::regex_match(rest, match[0].first, plain)) throw std::runtime_error("stray markup before " + match.str());
    rest = match[0].second;
    if (match[1].length() == 0) all.push_back(match[2]);
    if (match[1].length() == 0 && match[4].length() == 0) open.push_back(match[2]);
    if (match[1].length() == 0) continue;
    if (open.empty() || open.back() != match[2]) throw std::runtime_error("not open: " + match.str());
    open.pop_back();
  }
  if (!open.empty() || std::string(rest, xml.cend()) != "\n") throw std::runtime_error("left open");
  return all;
}

double attribute(const std::string& svg, const std::string& name) {
  std::smatch match;
  return std::regex_search(svg, match, std::regex(name + "=\"([0-9.]+)mm\"")) ? std::stod(match[1]) : NAN;
}

bool contains(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

Ecg beats(double duration, double scale = 1) {
  auto leads = Heart{.duration = duration}.leads();
  for (double& v : leads.values) v *= scale;
  return leads;
}

TEST(EcgPaper, ten_seconds_fill_a_landscape_page_at_true_size) {
  const auto svg = ecg_paper(beats(10000));
  // 250 mm for ten seconds, 10 mm for the pulse, 5 mm of margin on both sides: fits into the 297 mm of A4.
  EXPECT_EQ(attribute(svg, "width"), 270);
  EXPECT_LE(attribute(svg, "height"), 210);
  EXPECT_TRUE(contains(svg, "viewBox=\"0 0 270 "));  // one unit is one millimetre
  EXPECT_TRUE(contains(svg, "25 mm/s, 10 mm/mV, pulse 1 mV"));
  EXPECT_TRUE(contains(svg, "Columns follow one another, 2.5 s each."));
  EXPECT_TRUE(contains(svg, research_use_only));
  EXPECT_TRUE(contains(svg, "h2.5v-10h5v10h2.5"));  // 1 mV is 10 mm tall, 200 ms are 5 mm wide
  std::string order;
  const std::regex name("font-weight=\"700\">([IVaRLF]+[1-6]?)</text>");
  for (std::sregex_iterator it(svg.begin(), svg.end(), name), end; it != end; ++it) order += (*it)[1].str() + " ";
  EXPECT_EQ(order, "I aVR V1 V4 II aVL V2 V5 III aVF V3 V6 II ");
}

TEST(EcgPaper, is_well_formed_and_carries_no_foreign_markup) {
  const auto svg = ecg_paper(beats(700), {.title = "<script>&\"'", .note = "a < b", .measures = Heart{}.measures()});
  std::vector<std::string> found;
  ASSERT_NO_THROW(found = elements(svg));
  EXPECT_EQ(found.front(), "svg");
  for (const auto& element : found) {
    const std::vector<std::string> drawn{"svg", "title", "rect", "text", "g", "path"};
    EXPECT_NE(std::ranges::find(drawn, element), drawn.end()) << element;
  }
  EXPECT_TRUE(contains(svg, "&lt;script&gt;&amp;&quot;&#39;"));
  EXPECT_FALSE(contains(svg, "nan"));
  EXPECT_THROW(elements("<svg><g></svg></g>\n"), std::runtime_error);  // the check itself sees
  EXPECT_THROW(elements("<svg>a & b</svg>\n"), std::runtime_error);
  EXPECT_THROW(elements("<svg><b c=d/></svg>\n"), std::runtime_error);
}

TEST(EcgPaper, measures_are_written_only_where_they_were_found) {
  const auto leads = beats(700);
  const auto with = ecg_paper(leads, {.measures = {.qrs_duration = 95.6, .qt = 400, .qrs_axis = -30}});
  EXPECT_TRUE(contains(with, "QRS 96 ms, QT 400 ms, QRS axis -30\u00b0<"));
  EXPECT_FALSE(contains(ecg_paper(leads, {.measures = {.qt = 400}}), "QRS"));
  EXPECT_FALSE(contains(ecg_paper(leads), "QT"));
}

TEST(EcgPaper, seconds_of_a_column_follow_the_record) {
  EXPECT_TRUE(contains(ecg_paper(beats(600)), "All columns show the same 0.6 s."));
  EXPECT_TRUE(contains(ecg_paper(beats(3000)), "All columns show the same 2.5 s."));
  EXPECT_TRUE(contains(ecg_paper(beats(4000)), "Columns follow one another, 1 s each."));
  const auto longer = ecg_paper(beats(32000));
  EXPECT_TRUE(contains(longer, "Of 32 s, the first 10 s are shown."));
  EXPECT_EQ(attribute(longer, "width"), 270);
  EXPECT_FALSE(contains(ecg_paper(beats(10000)), "are shown"));
}

TEST(EcgPaper, gain_falls_until_rows_fit_and_says_so) {
  EXPECT_TRUE(contains(ecg_paper(beats(700, 0.5), {.gain = 20}), "20 mm/mV, pulse"));
  const std::vector<std::pair<double, std::string>> gains{
      {3, "5 mm/mV (10 mm/mV would not fit), pulse 1 mV"},
      {7, "2.5 mm/mV (10 mm/mV would not fit), pulse 1 mV"},
      {14, "1 mm/mV (10 mm/mV would not fit), pulse 10 mV"},
      {1400, "0.01 mm/mV (10 mm/mV would not fit), pulse 1e+03 mV"}};
  for (const auto& [scale, words] : gains) {
    const auto svg = ecg_paper(beats(700, scale));
    EXPECT_TRUE(contains(svg, words)) << scale;
    EXPECT_LE(attribute(svg, "height"), 210) << scale;
  }
}

TEST(EcgPaper, other_channels_stand_one_below_the_other) {
  Ecg egm{.names = {"His 1-2", "<RVa>"}};
  for (int k = 0; k <= 1000; ++k) {
    egm.times.push_back(k);
    egm.values.insert(egm.values.end(), {2 * bump(k, 300, 310), 40 - 2 * bump(k, 350, 370)});
  }
  const auto svg = ecg_paper(egm);
  ASSERT_NO_THROW(elements(svg));
  EXPECT_TRUE(contains(svg, ">His 1-2<") && contains(svg, ">&lt;RVa&gt;<"));
  EXPECT_TRUE(contains(svg, "25 mm/s, 10 mm/mV"));  // 40 mV of offset are no reason for another gain
  EXPECT_TRUE(contains(svg, "Each channel is drawn about its median."));
  auto leads = beats(700);  // eleven leads and another are not the twelve
  leads.names[3] = "RVa";
  EXPECT_TRUE(contains(ecg_paper(leads), "Each channel is drawn"));
}

// Points of a trace, taken from the drawing back into ms and mV.
TEST(EcgPaper, traces_go_through_the_record) {
  Ecg one{.names = {"V"}};
  for (int k = 0; k <= 900; ++k)
    one.times.push_back(k), one.values.push_back(bump(k, 300, 340) - 0.4 * bump(k, 330, 390));
  const auto svg = ecg_paper(one);
  std::smatch path;
  ASSERT_TRUE(std::regex_search(svg, path, std::regex("h2.5v-10h5v10h2.5(M[^\"]*)\"")));
  const std::string drawn = path[1];
  const std::regex point("[ML]([0-9.]+) ([0-9.]+)");
  std::vector<double> times, values;
  for (std::sregex_iterator it(drawn.begin(), drawn.end(), point), end; it != end; ++it) {
    times.push_back((std::stod((*it)[1]) - 15) / 0.025);
    values.push_back(std::stod((*it)[2]));
  }
  ASSERT_GT(times.size(), 10u);
  EXPECT_LT(times.size(), 120u);                          // of 901
  for (double& v : values) v = (values.back() - v) / 10;  // it ends at zero
  std::size_t at = 0;
  for (int k = 0; k <= 900; ++k) {
    while (at + 2 < times.size() && times[at + 1] < k) ++at;
    const double part = (k - times[at]) / (times[at + 1] - times[at]);
    EXPECT_NEAR(std::lerp(values[at], values[at + 1], part), one.values[static_cast<std::size_t>(k)], 0.02) << k;
  }
}

TEST(EcgPaper, what_cannot_be_drawn_is_refused) {
  const auto leads = beats(700);
  expect_refused([] { ecg_paper({}); }, "no channels");
  expect_refused([] { ecg_paper({.times = {0}, .names = {"I"}, .values = {0}}); }, "at least two are needed");
  expect_refused([&] { ecg_paper(beats(700, 1e7)); }, "is it in mV?");
  expect_refused([&] { ecg_paper(leads, {.gain = 7}); }, "use 20, 10, 5 or 2.5");
  expect_refused([&] { ecg_paper(leads, {.gain = NAN}); }, "use 20, 10, 5 or 2.5");
  auto broken = leads;
  broken.values[17] = NAN;
  expect_refused([&] { ecg_paper(broken); }, "potentials must be finite");
  auto flat = leads;
  std::ranges::fill(flat.values, 0);
  EXPECT_NO_THROW(elements(ecg_paper(flat)));
  EXPECT_NO_THROW(elements(ecg_paper({.times = {0, 1e6}, .names = {"I"}, .values = {0, 1}})));
}

}  // namespace
}  // namespace cardiotwin
