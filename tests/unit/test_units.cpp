#include <gtest/gtest.h>

#include <bit>
#include <cardiotwin/error.hpp>
#include <cardiotwin/random.hpp>
#include <cardiotwin/units.hpp>
#include <clocale>
#include <cmath>
#include <limits>

using namespace cardiotwin;

namespace {

std::string error_of(std::string_view text, Dimension expected) {
  try {
    parse_quantity(text, expected);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

TEST(Units, QuantitiesBecomeHouseUnits) {
  const struct {
    const char* text;
    Dimension dimension;
    double value;
  } cases[] = {
      {"0.17 S/m", dimension::conductivity, 0.17},
      {"0.17S/m", dimension::conductivity, 0.17},
      {"1.7 mS/cm", dimension::conductivity, 0.17},
      {"0.17 mS/mm", dimension::conductivity, 0.17},
      {"600 ms", dimension::time, 600},
      {"0.6 s", dimension::time, 600},
      {"-85 mV", dimension::voltage, -85},
      {"+1 V", dimension::voltage, 1000},
      {"140 /mm", dimension::per_length, 140},
      {"140 1/mm", dimension::per_length, 140},
      {"140 mm-1", dimension::per_length, 140},
      {"140 mm^-1", dimension::per_length, 140},
      {"1400 /cm", dimension::per_length, 140},
      {"1 uF/cm2", dimension::capacitance_per_area, 0.01},
      {"1 uF/cm^2", dimension::capacitance_per_area, 0.01},
      {"1 \u00b5F/cm2", dimension::capacitance_per_area, 0.01},
      {"1 \u03bcF cm-2", dimension::capacitance_per_area, 0.01},
      {"50 A/F", dimension::ionic_current, 50},
      {"50 mV/ms", dimension::ionic_current, 50},
      {"50 pA/pF", dimension::ionic_current, 50},
      {"1 uA/uF", dimension::ionic_current, 1},
      {"50000 uA/cm3", {.length = -3, .current = 1}, 50},
      {"0.1 mm2/ms", {.length = 2, .time = -1}, 0.1},
      {"60 cm/s", dimension::velocity, 0.6},
      {"0.6 m/s", dimension::velocity, 0.6},
      {"250 um", dimension::length, 0.25},
      {"1.1 um", dimension::length, 0.0011},
      {"20.3 ml", dimension::volume, 20300},
      {"20.3 cm3", dimension::volume, 20300},
      {"10 %", dimension::none, 0.1},
      {"0.3 uM", dimension::concentration, 3e-4},
      {"5.4 mM", dimension::concentration, 5.4},
      {"100 nmol/l", dimension::concentration, 1e-4},
      {"1 mol/m3", dimension::concentration, 1},
      {"60 degrees", dimension::none, 60},
      {"-60\u00b0", dimension::none, -60},
      {"12", dimension::none, 12},
      {" 12 ", dimension::none, 12},
      {"1e3 us", dimension::time, 1},
      {"1E-3 s", dimension::time, 1},
      {".5 s", dimension::time, 500},
      {"5. ms", dimension::time, 5},
      {"600 ohm cm", {.length = 1, .voltage = 1, .current = -1}, 6},  // 1/S m: (mS)^-1 mm, so 6 of them
      {"1 kHz", {.time = -1}, 1},
      {"2 mA*ms", {.time = 1, .current = 1}, 2000},
      {"2 mA\u00b7ms", {.time = 1, .current = 1}, 2000},
      {"2 mA.ms", {.time = 1, .current = 1}, 2000},
      {"3 mV/ms/mm", {.length = -1, .time = -1, .voltage = 1}, 3},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(parse_quantity(one.text, one.dimension), one.value) << one.text;  // exactly: rounded once
  }
}

TEST(Units, IdentitiesOfElectricalUnitsHold) {
  const auto same = [](const char* a, const char* b) {
    const auto x = parse_unit(a), y = parse_unit(b);
    EXPECT_TRUE(x.dimension == y.dimension) << a << " and " << b;
    EXPECT_DOUBLE_EQ(x.value, y.value) << a << " and " << b;
  };
  same("F", "A s/V"), same("S", "A/V"), same("C", "A s"), same("ohm", "1/S"), same("Hz", "/s"), same("l", "dm3"),
      same("ml", "cm3");
  same("A/F", "V/s"), same("S/m", "mS/mm"), same("L", "l"), same("", "%/%");
  EXPECT_EQ(parse_unit("S/m").value, units::S_per_m);
  EXPECT_EQ(parse_unit("uF/mm2").value, units::uF_per_mm2);
  EXPECT_EQ(parse_unit("um").value, units::um);
}

TEST(Units, WrongDimensionNamesWhatWasFoundAndAnAcceptedExample) {
  EXPECT_EQ(error_of("0.17 mS", dimension::conductivity),
            R"("0.17 mS" is a conductance, but a conductivity such as "0.17 S/m" is needed)");
  EXPECT_EQ(error_of("600 mm", dimension::time), R"("600 mm" is a length, but a time such as "600 ms" is needed)");
  EXPECT_EQ(error_of("600", dimension::time), R"("600" has no unit; a time such as "600 ms" is needed)");
  EXPECT_EQ(error_of("6 m", dimension::none), R"("6 m" is a length, but a plain number such as "0.5" is needed)");
  EXPECT_EQ(error_of("3 m4 V", dimension::time),
            R"("3 m4 V" is a quantity of dimension length^4 voltage^1, but a time such as "600 ms" is needed)");
}

TEST(Units, UnknownUnitsAreNamed) {
  EXPECT_EQ(error_of("5 parsec", dimension::length),
            R"("5 parsec" has the unknown unit "parsec"; a length such as "1 mm" is needed)");
  EXPECT_THROW(parse_unit("S//m"), InputError);
  EXPECT_THROW(parse_unit("mm/"), InputError);
  EXPECT_THROW(parse_unit("mm^"), InputError);
  EXPECT_THROW(parse_unit("mm^99999999999"), InputError);
  EXPECT_THROW(parse_unit("mm10"), InputError);  // beyond any use
  EXPECT_THROW(parse_unit("*mm"), InputError);
  EXPECT_THROW(parse_unit("k%"), InputError);
  EXPECT_THROW(parse_unit("1"), InputError);
  EXPECT_THROW(parse_unit("S/(m)"), InputError);
  EXPECT_THROW(parse_unit("MM"), InputError);
}

TEST(Units, NonsenseIsRefused) {
  for (const char* text : {"",
                           " ",
                           "nan ms",
                           "NaN",
                           "inf ms",
                           "-inf ms",
                           "infinity ms",
                           "ms",
                           "- 5 ms",
                           "--5 ms",
                           "0x10 ms",
                           "1,5 ms",
                           "5 ms ms",
                           "5 ms 3",
                           "5 5 ms",
                           "5 ms;",
                           "5 m s x",
                           "e5 ms",
                           "1e ms",
                           "1e+-3 ms",
                           "1.2.3 ms",
                           ". ms",
                           "1e400 ms",
                           "1e-400 ms",
                           "-1e999999999999 ms",
                           "1e-999999999999 ms",
                           "5 \xff",
                           "5 ms\n",
                           "true"}) {
    EXPECT_THROW(parse_quantity(text, dimension::time), InputError) << text;
  }
  EXPECT_THROW(parse_quantity(std::string_view("5\0 ms", 5), dimension::time), InputError);
  EXPECT_THROW(parse_quantity(std::string(100000, '9') + " ms", dimension::time), InputError);
  EXPECT_NE(error_of("nan ms", dimension::time).find("finite number"), std::string::npos);
  EXPECT_NE(error_of("1e400 ms", dimension::time).find("too large"), std::string::npos);
}

TEST(Units, FormattingIsShortAndPlain) {
  EXPECT_EQ(format_quantity(0.17, "S/m"), "0.17 S/m");
  EXPECT_EQ(format_quantity(600, "ms"), "600 ms");
  EXPECT_EQ(format_quantity(600, "s"), "0.6 s");
  EXPECT_EQ(format_quantity(0.01, "uF/cm2"), "1 uF/cm2");
  EXPECT_EQ(format_quantity(140, "/mm"), "140 /mm");
  EXPECT_EQ(format_quantity(0.1, "%"), "10 %");
  EXPECT_EQ(format_quantity(0, "mm"), "0 mm");
  EXPECT_EQ(format_quantity(-85.25, "mV"), "-85.25 mV");
  EXPECT_EQ(format_quantity(1.5, ""), "1.5");
  EXPECT_EQ(format_quantity(1200, ""), "1200");
  EXPECT_EQ(format_quantity(0.00012, ""), "0.00012");
  EXPECT_EQ(format_quantity(1e-9, "mm"), "1e-9 mm");
  EXPECT_EQ(format_quantity(1.25e20, "mm"), "1.25e20 mm");
  EXPECT_THROW(format_quantity(NAN, "mm"), InputError);
  EXPECT_THROW(format_quantity(INFINITY, "mm"), InputError);
  EXPECT_THROW(format_quantity(1, "furlong"), InputError);
}

TEST(Units, WhatIsWrittenReadsBackBitForBit) {
  Random random(11);
  const char* const units[] = {"S/m", "um", "cm/s", "uF/cm2", "%", "ml", "", "nA", "kohm"};
  for (int i = 0; i < 20000; ++i) {
    const char* unit = units[random.bits() % 9];
    double value = std::bit_cast<double>(random.bits());  // any exponent, any mantissa
    if (!std::isfinite(value) || std::abs(value) > 1e290 || std::abs(value) < 1e-290) value = random.normal();
    const auto text = format_quantity(value, unit);
    ASSERT_EQ(parse_quantity(text, parse_unit(unit).dimension), value) << text;
  }
}

TEST(Units, LocaleDoesNotMatter) {
  // The comma of many languages, where the system has such a locale; without it the plain locale is tested twice.
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "cs_CZ.UTF-8"}) {
    if (std::setlocale(LC_ALL, name)) break;
  }
  EXPECT_EQ(parse_quantity("0.5 mm", dimension::length), 0.5);
  EXPECT_EQ(format_quantity(0.5, "mm"), "0.5 mm");
  std::setlocale(LC_ALL, before.c_str());
}

}  // namespace
