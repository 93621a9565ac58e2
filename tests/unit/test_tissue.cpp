#include <gtest/gtest.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/tissue.hpp>

namespace cardiotwin {
namespace {

template <class Make>
std::string message(Make make) {
  try {
    make();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Tissue, every_library_entry_is_valid_and_says_what_velocity_it_means) {
  for (const auto& name : Tissue::library_names()) {
    const Tissue tissue = Tissue::library(name);
    EXPECT_EQ(message([&] { tissue.validate(); }), "") << name;
    for (const auto& [region, properties] : tissue.regions) {
      if (!properties.conducts) continue;
      EXPECT_GT(properties.wanted.along, 0) << name << " " << region;
      EXPECT_GT(properties.wanted.across, 0) << name << " " << region;
      EXPECT_LE(properties.conductivity.across, properties.conductivity.along);
    }
  }
  EXPECT_FALSE(Tissue::library("post-infarct")["core"].conducts);
}

TEST(Tissue, unknown_names_are_answered_with_the_nearest_known_one) {
  EXPECT_NE(message([] { Tissue::library("post-infarkt"); }).find("did you mean \"post-infarct\"?"), std::string::npos);
  auto tissue = Tissue::library("post-infarct");
  EXPECT_NE(message([&] { tissue["borderzone"]; }).find("did you mean \"border_zone\"?"), std::string::npos);
  tissue["channel"].variant = "epii";
  EXPECT_NE(message([&] { tissue.validate(); }).find("Tissue \"channel\""), std::string::npos);
}

TEST(Tissue, values_out_of_bounds_are_refused_with_who_rule_value_and_cure) {
  auto tissue = Tissue::library("post-infarct");
  tissue["border_zone"].conductivity.along = 133;
  EXPECT_EQ(message([&] { tissue.validate(); }),
            "Tissue \"border_zone\": along = 133 S/m is outside [0.0001, 10]; did you mean 0.133?");
  tissue = Tissue::library("post-infarct");
  tissue.beta = 0.14;
  EXPECT_NE(message([&] { tissue.validate(); }).find("beta = 0.14 /mm"), std::string::npos);
  tissue = Tissue::library("post-infarct");
  tissue["healthy"].conductivity.across = NAN;
  EXPECT_NE(message([&] { tissue.validate(); }).find("across = nan"), std::string::npos);
  tissue = Tissue::library("post-infarct");
  tissue["healthy"].parameters["tau_close"] = -1;
  EXPECT_NE(message([&] { tissue.validate(); }).find("tau_close = -1"), std::string::npos);
  tissue["healthy"].parameters = {{"tau_closed", 120}};
  EXPECT_NE(message([&] { tissue.validate(); }).find("tau_close"), std::string::npos);
  // What does not conduct need not have sensible conductivities.
  tissue = Tissue::library("post-infarct");
  tissue["core"].conductivity = {.along = 0, .across = 0};
  EXPECT_EQ(message([&] { tissue.validate(); }), "");
  for (auto& [name, region] : tissue.regions) region.conducts = false;
  EXPECT_NE(message([&] { tissue.validate(); }).find("no region conducts"), std::string::npos);
}

// c = sqrt(D / (2 tau_in)) (1 - 2 v_gate), D = sigma / (beta Cm).
TEST(Tissue, library_conductivities_are_those_of_the_exact_travelling_wave) {
  const Tissue tissue = Tissue::library("post-infarct");
  for (const char* name : {"healthy", "border_zone", "channel"}) {
    const double d = tissue[name].conductivity.along / (tissue.beta * tissue.capacitance);
    EXPECT_NEAR(std::sqrt(d / 0.6) * 0.74, tissue[name].wanted.along, 1e-12);
  }
}

}  // namespace
}  // namespace cardiotwin
