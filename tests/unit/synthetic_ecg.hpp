#pragma once
/// Electrocardiograms whose truth is known, and what spoils them.

#include <gtest/gtest.h>

#include <cardiotwin/ecg.hpp>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cardiotwin::synthetic {

inline constexpr double pi = std::numbers::pi;

inline const std::vector<std::string> electrode_names{"RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6"};

/// One channel written over; tests spoil records with it.
inline void set(Ecg& ecg, std::string_view name, const std::function<double(double)>& value) {
  for (std::size_t k = 0; k < ecg.samples(); ++k)
    ecg.values[k * ecg.names.size() + ecg.index(name)] = value(ecg.times[k]);
}

inline Ecg swapped(Ecg ecg, std::string_view one, std::string_view other) {
  std::swap(ecg.names[ecg.index(one)], ecg.names[ecg.index(other)]);
  return ecg;
}

/// What the call refuses with; empty where it does not.
inline std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

inline void expect_refused(const std::function<void()>& call, const std::string& words) {
  const auto said = refusal(call);
  EXPECT_NE(said.find(words), std::string::npos) << "said: " << said << "\nwanted: " << words;
}

/// A raised cosine of height 1 between two times: it begins and ends where it is said to, with a level slope.
inline double bump(double t, double begin, double end) {
  return t <= begin || t >= end ? 0 : (1 - std::cos(2 * pi * (t - begin) / (end - begin))) / 2;
}

/// Ventricles that are one dipole in the frontal plane, limbs in the corners of Einthoven's triangle, V1 ... V6 around.
struct Heart {
  double axis = 40;       ///< [degrees] of all of QRS
  double sign = 1;        ///< of the waves
  double onset = 80;      ///< [ms]
  double t_size = 0.2;    ///< of the dipole
  double t_axis = 10;     ///< [degrees] from the axis of QRS
  double interval = 1;    ///< [ms]
  double duration = 700;  ///< [ms]

  static constexpr double qrs = 96, t_begin = 190, t_length = 160;
  double qrs_end() const { return onset + qrs; }
  // A raised cosine is steepest halfway down, a quarter of its length before its end, and its tangent there meets zero
  // length/(2 pi) later.
  double t_end() const { return onset + t_begin + t_length * (0.75 + 1 / (2 * pi)); }

  Ecg electrodes() const;
  Ecg leads() const { return twelve_leads(electrodes()); }
  EcgMeasures measures() const { return measure_beat(leads(), 0, duration); }
};

inline Ecg Heart::electrodes() const {
  Ecg ecg{.names = electrode_names};
  const auto count = static_cast<std::size_t>(duration / interval) + 1;
  for (std::size_t k = 0; k < count; ++k) {
    const double time = static_cast<double>(k) * interval, t = time - onset;
    ecg.times.push_back(time);
    const double wave = sign * (-0.15 * bump(t, 0, 24) + bump(t, 16, 66) - 0.3 * bump(t, 56, qrs));
    const double late = sign * t_size * bump(t, t_begin, t_begin + t_length);
    const auto potential = [&](double degrees) {
      return (wave * std::cos((degrees - axis) * pi / 180) + late * std::cos((degrees - axis - t_axis) * pi / 180)) /
             std::numbers::sqrt3;
    };
    for (const double corner : {210.0, -30.0, 90.0}) ecg.values.push_back(potential(corner));
    for (const double chest : {150.0, 120.0, 90.0, 60.0, 30.0, 0.0}) ecg.values.push_back(1.5 * potential(chest));
  }
  return ecg;
}

}  // namespace cardiotwin::synthetic
