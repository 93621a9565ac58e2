#pragma once
/// Units. Inside the library every number is in house units: mm, ms, mV, uA (hence mS, uF).
/// Literature conductivities keep their number, because 1 S/m = 1 mS/mm.

#include <string>
#include <string_view>

namespace cardiotwin {

/// Exponents of the five base units. Charge, capacitance and conductance follow:
/// 1 uF = 1 uA ms / mV, 1 mS = 1 uA / mV, hence 1 A/F = 1 mV/ms. Amounts of substance are in nmol: 1 nmol/mm3 = 1 mM.
struct Dimension {
  int length = 0, time = 0, voltage = 0, current = 0, amount = 0;
  friend constexpr bool operator==(const Dimension&, const Dimension&) = default;
};

namespace dimension {
inline constexpr Dimension none{};
inline constexpr Dimension length{.length = 1};
inline constexpr Dimension time{.time = 1};
inline constexpr Dimension voltage{.voltage = 1};
inline constexpr Dimension velocity{.length = 1, .time = -1};
inline constexpr Dimension volume{.length = 3};
inline constexpr Dimension per_length{.length = -1};
inline constexpr Dimension conductivity{.length = -1, .voltage = -1, .current = 1};
inline constexpr Dimension capacitance_per_area{.length = -2, .time = 1, .voltage = -1, .current = 1};
inline constexpr Dimension concentration{.length = -3, .amount = 1};
inline constexpr Dimension ionic_current{.time = -1, .voltage = 1};  // A/F
}  // namespace dimension

namespace units {
inline constexpr double mm = 1.0, um = 1e-3, cm = 10.0, m = 1000.0;
inline constexpr double ms = 1.0, us = 1e-3, s = 1000.0;
inline constexpr double mV = 1.0, V = 1000.0;
inline constexpr double uA = 1.0, mA = 1e3, A = 1e6;
inline constexpr double mS = 1.0, S = 1e3;
inline constexpr double uF = 1.0, F = 1e6;
inline constexpr double ml = 1000.0;
inline constexpr double mM = 1.0, uM = 1e-3, nM = 1e-6;
inline constexpr double S_per_m = S / m;
inline constexpr double m_per_s = m / s;
inline constexpr double A_per_F = A / F;
inline constexpr double per_mm = 1.0 / mm;
inline constexpr double uF_per_mm2 = uF / (mm * mm);
}  // namespace units

/// Reads a number with its unit, such as "0.17 S/m", "600 ms", "140 /mm", "1 uF/cm2" or "12", into house units.
/// A bare number is accepted for `dimension::none` only. Throws InputError naming the unit found and an
/// accepted one when the dimension differs or the text is not a finite number with a known unit.
double parse_quantity(std::string_view text, Dimension expected);

/// Writes a house-unit value in `unit` with the fewest digits that read back to the same double: "0.17 S/m".
std::string format_quantity(double house_value, std::string_view unit);

/// A unit in house units.
struct Unit {
  double value = 1.0;
  Dimension dimension;
};
/// Value and dimension of a unit written as text ("S/m", "mm2/ms"); throws InputError if unknown.
Unit parse_unit(std::string_view text);

}  // namespace cardiotwin
