// Leads and tables of electrocardiograms whose truth is known.
#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/ecg.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <functional>
#include <random>

#include "synthetic_ecg.hpp"

namespace cardiotwin {
namespace {

using namespace synthetic;

Ecg random_potentials(std::size_t samples, double zero = 0) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> potential(-3, 3);
  Ecg ecg{.names = electrode_names};
  for (std::size_t k = 0; k < samples; ++k) {
    ecg.times.push_back(static_cast<double>(k));
    for (std::size_t e = 0; e < electrode_names.size(); ++e) ecg.values.push_back(potential(random) + zero);
  }
  return ecg;
}

// Largest error [mV] of the identities that limb leads owe to Kirchhoff, whatever the potentials.
double identity_error(const Ecg& leads) {
  double worst = 0;
  for (std::size_t k = 0; k < leads.samples(); ++k) {
    const auto lead = [&](std::string_view name) { return leads.at(k, leads.index(name)); };
    for (const double error : {lead("I") + lead("III") - lead("II"), lead("aVR") + lead("aVL") + lead("aVF"),
                               lead("aVR") + (lead("I") + lead("II")) / 2, lead("aVL") - (lead("I") - lead("III")) / 2,
                               lead("aVF") - (lead("II") + lead("III")) / 2})
      worst = std::max(worst, std::abs(error));
  }
  return worst;
}

TEST(Ecg, twelve_leads_keep_einthovens_and_goldbergers_identities) {
  const auto potentials = random_potentials(200);
  const auto leads = twelve_leads(potentials);
  ASSERT_EQ(leads.names.size(), 12u);
  EXPECT_LT(identity_error(leads), 1e-14 * 10);  // a few roundings of numbers below 10
  const auto v1 = leads.channel("V1"), ra = potentials.channel("RA"), la = potentials.channel("LA");
  for (std::size_t k = 0; k < leads.samples(); ++k) {
    const double wilson = (ra[k] + la[k] + potentials.at(k, 2)) / 3;
    EXPECT_NEAR(v1[k], potentials.at(k, 3) - wilson, 1e-14);
    EXPECT_NEAR(leads.at(k, 0), la[k] - ra[k], 1e-14);  // I is positive where the left arm is
  }
  // The identities see a lead that is one of two others by mistake.
  EXPECT_GT(identity_error(swapped(leads, "II", "III")), 0.1);
  EXPECT_GT(identity_error(swapped(leads, "aVR", "aVL")), 0.1);
}

TEST(Ecg, twelve_leads_do_not_depend_on_where_the_zero_is) {
  const auto leads = twelve_leads(random_potentials(50)), moved = twelve_leads(random_potentials(50, 85));
  for (std::size_t k = 0; k < leads.values.size(); ++k) EXPECT_NEAR(leads.values[k], moved.values[k], 1e-12);
  auto wandering = random_potentials(50);  // one electrode's zero alone is seen
  const auto v3 = wandering.channel("V3");
  set(wandering, "V3", [&](double t) { return v3[static_cast<std::size_t>(t)] + 1; });
  EXPECT_NEAR(twelve_leads(wandering).at(9, 8), leads.at(9, 8) + 1, 1e-12);
}

TEST(Ecg, twelve_leads_take_electrodes_in_any_order_and_name_the_missing_one) {
  const auto given = random_potentials(5);
  auto turned = given;
  for (std::size_t k = 0; k < 5; ++k)
    std::reverse(turned.values.begin() + static_cast<std::ptrdiff_t>(9 * k),
                 turned.values.begin() + static_cast<std::ptrdiff_t>(9 * k + 9));
  std::ranges::reverse(turned.names);
  EXPECT_EQ(twelve_leads(turned).values, twelve_leads(given).values);
  auto wrong = given;
  wrong.names[4] = "v2";
  expect_refused([&] { twelve_leads(wrong); }, "\"V2\" is missing; did you mean \"v2\"?");
  Ecg limbs{.times = {0}, .names = {"RA", "LA"}, .values = {1, 2}};
  expect_refused([&] { twelve_leads(limbs); }, "\"LL\" is missing; record it as well");
}

TEST(Ecg, vectorcardiogram_points_left_down_and_back) {
  Ecg leads{.times = {0}, .names = {"I", "II", "V1", "V2", "V3", "V4", "V5", "V6"}, .values = {1, 0, 0, 0, 0, 0, 0, 1}};
  const auto left = vectorcardiogram(leads);
  EXPECT_EQ(left.names, (std::vector<std::string>{"X", "Y", "Z"}));
  EXPECT_NEAR(left.at(0, 0), 0.38 + 0.54, 1e-15);
  EXPECT_NEAR(left.at(0, 1), -0.07 + 0.13, 1e-15);
  EXPECT_NEAR(left.at(0, 2), 0.11 + 0.31, 1e-15);
  leads.values = {0, 1, 0, 0, 0, 0, 0, 0};
  EXPECT_NEAR(vectorcardiogram(leads).at(0, 1), 0.93, 1e-15);
  leads.values = {0, 0, 1, 1, 1, 0, 0, 0};  // chest leads positive: forwards
  EXPECT_NEAR(vectorcardiogram(leads).at(0, 2), -0.43 - 0.06 - 0.14, 1e-15);
  leads.names[7] = "V7";
  expect_refused([&] { vectorcardiogram(leads); }, "\"V6\" is missing");
}

TEST(Ecg, a_channel_that_is_not_there_is_named_with_the_nearest) {
  const auto leads = twelve_leads(random_potentials(3));
  EXPECT_EQ(leads.channel("aVF").size(), 3u);
  expect_refused([&] { leads.channel("AVF"); }, "there is no channel \"AVF\"; did you mean \"aVF\"?");
  expect_refused([] { Ecg{}.channel("I"); }, "no channels at all");
}

TEST(Ecg, records_that_do_not_fit_together_are_refused) {
  const auto good = random_potentials(20);
  EXPECT_NO_THROW(good.validate());
  const auto refused = [&](const std::function<void(Ecg&)>& spoil, const std::string& words) {
    auto bad = good;
    spoil(bad);
    expect_refused([&] { bad.validate(); }, words);
  };
  refused([](Ecg& e) { e.values.pop_back(); }, "9 channels at 20 times need 180 values, not 179");
  refused([](Ecg& e) { e.values[9 * 4 + 1] = NAN; }, "\"LA\" is nan at 4 ms");
  refused([](Ecg& e) { e.values[0] = INFINITY; }, "\"RA\" is inf at 0 ms");
  refused([](Ecg& e) { e.times[3] = NAN; }, "time 3 is nan");
  refused([](Ecg& e) { e.times[7] = 6.5; }, "6.5 ms comes after 6 ms");
  refused([](Ecg& e) { std::ranges::reverse(e.times); }, "must ascend");
  refused([](Ecg& e) { std::ranges::fill(e.times, 3); }, "must ascend");
  refused([](Ecg& e) { e.names[1] = "RA"; }, "two channels are named \"RA\"");
  refused([](Ecg& e) { e.names[1] = ""; }, "a name must be printable");
  refused([](Ecg& e) { e.names[1] = "L\nA"; }, "a name must be printable");
  refused([](Ecg& e) { e.times.clear(), e.values.clear(); }, "no samples");
  refused([](Ecg& e) { e.names.clear(), e.values.clear(); }, "no channels");
  auto jittered = good;  // as a recorder whose interval is no multiple of the time step
  for (std::size_t k = 0; k < 20; ++k) jittered.times[k] += 0.04 * std::cos(static_cast<double>(k));
  EXPECT_NO_THROW(jittered.validate());
}

// ---- table

TEST(EcgTable, what_is_written_is_read_back) {
  auto ecg = random_potentials(50);
  for (double& t : ecg.times) t = 0.25 * t - 3;
  ecg.names[2] = "RV apex, \"tip\" [1]";
  ecg.values[5] = -1e-9, ecg.values[6] = 12345.678901;
  const auto text = to_csv(ecg);
  EXPECT_TRUE(text.starts_with(std::string("# ") + research_use_only + "\ntime [ms],RA [mV],LA [mV],\"RV apex, "));
  EXPECT_EQ(text.find("-0,"), std::string::npos);
  const auto back = ecg_from_csv(text);
  EXPECT_EQ(back.names, ecg.names);
  ASSERT_EQ(back.values.size(), ecg.values.size());
  for (std::size_t k = 0; k < ecg.values.size(); ++k) EXPECT_NEAR(back.values[k], ecg.values[k], 5.01e-7);
  for (std::size_t k = 0; k < ecg.samples(); ++k) EXPECT_NEAR(back.times[k], ecg.times[k], 5.01e-7);
  EXPECT_EQ(to_csv(back), text);
}

TEST(EcgTable, tables_of_spreadsheets_and_other_units_are_read) {
  const auto ecg = ecg_from_csv(
      "\xEF\xBB\xBF# made elsewhere\r\n\r\n time [s] , V1 [uV],\"V2 [V]\"\r\n0,+1500,1e-3\r\n# a pause\r\n0.002, -20 "
      ",0\r\n");
  EXPECT_EQ(ecg.names, (std::vector<std::string>{"V1", "V2"}));
  ASSERT_EQ(ecg.samples(), 2u);
  EXPECT_NEAR(ecg.times[1], 2, 1e-12);
  EXPECT_NEAR(ecg.at(0, 0), 1.5, 1e-12);
  EXPECT_NEAR(ecg.at(0, 1), 1, 1e-12);
  EXPECT_NEAR(ecg.at(1, 0), -0.02, 1e-12);
  EXPECT_EQ(ecg_from_csv("time [ms],I [mV]\n0,1").samples(), 1u);  // no line end at the end
}

TEST(EcgTable, what_is_wrong_is_said_with_its_line) {
  const auto refused = [](const std::string& text, const std::string& words) {
    expect_refused([&] { ecg_from_csv(text); }, words);
  };
  const std::string head = "# note\ntime [ms],I [mV],II [mV]\n";
  refused("", "line 1: the table ends without a header");
  refused("# only notes\n\n", "line 2: the table ends without a header");
  refused(head, "line 2: the table ends without a sample");
  refused("time [ms];I [mV]\n0;1\n", "line 1: the header \"time [ms];I [mV]\" has one column");
  refused("time [ms],I\n", "line 1: the column \"I\" names no unit; write \"I [mV]\"");
  refused("time,I [mV]\n", "line 1: the column \"time\" names no unit; write \"time [ms]\"");
  refused("I [mV],time [ms]\n", "line 1: the first column is \"I [mV]\"");
  refused("time [mV],I [mV]\n", "line 1: the first column is \"time [mV]\"");
  refused("time [ms],I [ms]\n", "line 1: the column \"I [ms]\" is in no unit of voltage");
  refused("time [ms],I [bananas]\n", "line 1: the column \"I [bananas]\" is in no unit of voltage");
  refused("time [ms],[mV]\n", "line 1: the column \"[mV]\" has no printable name");
  refused("time [ms],I [mV],I [mV]\n", "line 1: two columns are named \"I\"");
  refused("time [ms],\"I [mV]\n", "line 1: a quotation mark is not closed");
  refused(head + "0,1\n", "line 3: it has 2 cells where the header has 3 columns");
  refused(head + "0,1,2\n1,2,3,4\n", "line 4: it has 4 cells where the header has 3 columns");
  refused(head + "0,1,\n", "line 3: \"\" in the column \"II\" is not a finite number");
  refused(head + "0,1,2\n\n1,nan,3\n", "line 5: \"nan\" in the column \"I\" is not a finite number");
  refused(head + "0,1,inf\n", "line 3: \"inf\" in the column \"II\"");
  refused(head + "0,1e999,2\n", "line 3: \"1e999\" in the column \"I\"");
  refused(head + "0,1,2 mV\n", "line 3: \"2 mV\" in the column \"II\"");
  refused(head + "x,1,2\n", "line 3: \"x\" in the column \"time\"");
  refused(head + "0,1,2\n1,1,2\n2,1,2\n# gap\n4,1,2\n5,1,2\n", "line 7: 4 ms comes after 2 ms");
  refused(head + "0,1,2\n0,1,2\n", "line 4: 0 ms comes after 0 ms");
  expect_refused([] { to_csv({}); }, "no channels");
}

}  // namespace
}  // namespace cardiotwin
