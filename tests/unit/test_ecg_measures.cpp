// What is read off electrocardiograms whose truth is known, and how alike two of them are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/ecg.hpp>
#include <cmath>
#include <random>

#include "synthetic_ecg.hpp"

namespace cardiotwin {
namespace {

using namespace synthetic;

double turn(double from, double to) { return std::remainder(to - from, 360.0); }

// A mean slope over 4 ms sees a wave up to 2 ms before it begins, the threshold lets it go up to as much later; T's
// tangent is drawn through samples.
void expect_found(const Heart& heart) {
  const auto found = heart.measures();
  EXPECT_NEAR(found.qrs_onset, heart.onset, 1);
  EXPECT_NEAR(found.qrs_end, heart.qrs_end(), 1);
  EXPECT_NEAR(found.t_end, heart.t_end(), 0.1);
  EXPECT_NEAR(turn(heart.axis + (heart.sign < 0 ? 180 : 0), found.qrs_axis), 0, 0.01);
  EXPECT_NEAR(found.qrs_duration, found.qrs_end - found.qrs_onset, 1e-12);
  EXPECT_NEAR(found.qt, found.t_end - found.qrs_onset, 1e-12);
}

TEST(EcgMeasures, a_beat_is_found_whatever_its_axis_polarity_and_interval) {
  for (const double interval : {0.5, 1.0, 2.0}) {
    for (const double sign : {1.0, -1.0}) {
      for (double axis = -180; axis < 180; axis += 15) {
        SCOPED_TRACE(testing::Message() << "axis " << axis << ", sign " << sign << ", interval " << interval);
        expect_found({.axis = axis, .sign = sign, .interval = interval});
      }
    }
  }
}

TEST(EcgMeasures, onset_end_and_t_end_move_with_the_waves) {
  const auto found = Heart{}.measures(), later = Heart{.onset = 93}.measures();
  EXPECT_NEAR(later.qrs_onset - found.qrs_onset, 13, 1e-6);
  EXPECT_NEAR(later.t_end - found.t_end, 13, 1e-6);
  EXPECT_NEAR(later.qrs_duration, found.qrs_duration, 1e-6);
}

TEST(EcgMeasures, swapped_arms_turn_the_axis_to_the_other_side) {
  const Heart heart{.axis = 40};
  const auto wrong = measure_beat(twelve_leads(swapped(heart.electrodes(), "RA", "LA")), 0, heart.duration);
  EXPECT_NEAR(turn(180 - heart.axis, wrong.qrs_axis), 0, 0.01);
  EXPECT_GT(std::abs(turn(heart.axis, wrong.qrs_axis)), 90);
}

TEST(EcgMeasures, neither_small_t_waves_nor_a_shifted_zero_nor_p_nor_u_matter) {
  expect_found({.t_size = 0.02});
  expect_found({.t_size = 1.5});  // steeper than S
  expect_found({.axis = -110, .t_axis = 150});
  const Heart heart;
  const auto plain = heart.measures();
  auto leads = heart.leads();
  for (std::size_t k = 0; k < leads.samples(); ++k)
    for (std::size_t c = 0; c < 12; ++c)
      leads.values[12 * k + c] +=
          (c % 2 ? 0.3 : -0.2) + 0.05 * bump(leads.times[k], 0, 60) + 0.03 * bump(leads.times[k], 470, 600);
  const auto found = measure_beat(leads, 0, heart.duration);
  EXPECT_NEAR(found.qrs_onset, plain.qrs_onset, 0.1);
  EXPECT_NEAR(found.qrs_end, plain.qrs_end, 0.1);
  EXPECT_NEAR(found.t_end, plain.t_end, 1);
  EXPECT_NEAR(found.qrs_axis, plain.qrs_axis, 0.5);
}

TEST(EcgMeasures, amplitude_is_between_peaks_of_the_largest_lead) {
  const auto amplitude = [](const Ecg& leads) { return measure_beat(leads, 0, 700).qrs_amplitude; };
  const auto leads = Heart{.axis = 0}.leads();  // V6 sees 1.5/sqrt(3) of the dipole less Wilson's zero
  const auto v6 = leads.channel("V6"), one = leads.channel("I");
  const auto spread = [](const std::vector<double>& v) { return std::ranges::max(v) - std::ranges::min(v); };
  EXPECT_NEAR(amplitude(leads), std::max(spread(v6), spread(one)), 1e-9);
  // In a heart that points to the right shoulder aVR is among the largest, and only the limb leads see it.
  auto limbs = Heart{.axis = -150}.leads();
  for (const auto* name : {"V1", "V2", "V3", "V4", "V5", "V6"}) set(limbs, name, [](double) { return 0.0; });
  EXPECT_NEAR(amplitude(limbs), std::max(spread(limbs.channel("aVR")), spread(limbs.channel("II"))), 1e-9);
}

// A wave that rises and falls as a cosine, the one as long as the other or not.
double hump(double t, double begin, double rise, double fall) {
  return t < begin + rise ? bump(t, begin, begin + 2 * rise) : bump(t, begin + rise - fall, begin + rise + fall);
}

// As of a paced heart: two broad waves that turn the dipole, and T against them, which begins as or before they end.
Ecg paced(double qrs, double t_size, double overlap, double rise = 115, double fall = 115) {
  Ecg ecg{.names = electrode_names};
  for (int k = 0; k <= 750; ++k) {
    ecg.times.push_back(k);
    const double t = k - 50, late = t_size * hump(t, qrs - overlap, rise, fall);
    const double along = bump(t, 0, 0.7 * qrs) + 0.6 * bump(t, 0.35 * qrs, qrs) - late;
    const double across = 0.5 * bump(t, 0, 0.4 * qrs) - 0.8 * bump(t, 0.3 * qrs, qrs) + 0.3 * late;
    for (const double degrees : {210.0, -30.0, 90.0, 150.0, 120.0, 90.0, 60.0, 30.0, 0.0})
      ecg.values.push_back(along * std::cos((degrees - 40) * pi / 180) + across * std::sin((degrees - 40) * pi / 180));
  }
  return twelve_leads(ecg);
}

// Where T is half as fast as QRS and overlaps it, the end is where QRS is as slow as T.
TEST(EcgMeasures, a_broad_qrs_that_runs_into_t_ends_where_it_does) {
  for (const double qrs : {140.0, 180.0, 240.0}) {
    for (const double t_size : {0.1, 0.2, 0.3, 0.4, 0.6}) {
      for (const double overlap : {0.0, 20.0, 40.0}) {
        SCOPED_TRACE(testing::Message() << "QRS " << qrs << ", T " << t_size << ", overlap " << overlap);
        const auto found = measure_beat(paced(qrs, t_size, overlap), 0, 750);
        EXPECT_NEAR(found.qrs_onset, 50, 1);
        EXPECT_NEAR(found.qrs_duration, qrs, 4);
        EXPECT_NEAR(found.t_end, 50 + qrs - overlap + 230 * (0.75 + 1 / (2 * pi)), 0.5);
      }
    }
  }
}

TEST(EcgMeasures, a_t_that_rises_faster_than_it_falls_is_no_qrs) {
  for (const double rise : {60.0, 80.0}) {
    const auto found = measure_beat(paced(140, 0.3, 20, rise, 160), 0, 750);
    EXPECT_NEAR(found.qrs_duration, 140, 10) << rise;
    EXPECT_NEAR(found.t_end, 50 + 120 + rise + 160 * (0.5 + 1 / pi), 0.5) << rise;
  }
}

TEST(EcgMeasures, leads_that_rest_within_qrs_for_some_milliseconds_do_not_end_it) {
  auto leads = Heart{}.leads();
  for (std::size_t c = 0; c < 12; ++c)  // up to a plateau of 10 ms, and down again
    set(leads, leads.names[c], [&](double t) {
      const double wave = t < 140 ? bump(t, 100, 180) : t < 150 ? 1 : bump(t, 110, 190);
      return wave + 0.2 * bump(t, 300, 460);
    });
  const auto found = measure_beat(leads, 0, 700);
  EXPECT_NEAR(found.qrs_onset, 100, 1);
  EXPECT_NEAR(found.qrs_end, 190, 1);
}

TEST(EcgMeasures, noise_of_five_microvolts_moves_them_by_milliseconds_only) {
  const Heart heart;
  auto leads = heart.leads();
  std::mt19937 random(11);
  std::normal_distribution<double> noise(0, 0.005);
  for (double& v : leads.values) v += noise(random);
  const auto found = measure_beat(leads, 0, heart.duration);
  EXPECT_NEAR(found.qrs_onset, heart.onset, 5);
  EXPECT_NEAR(found.qrs_end, heart.qrs_end(), 5);
  EXPECT_NEAR(found.t_end, heart.t_end(), 10);
  EXPECT_NEAR(found.qrs_axis, heart.axis, 1);
}

TEST(EcgMeasures, ripple_of_a_hundredth_does_not_move_them) {
  const Heart heart;
  auto leads = heart.leads();  // while the wave travels, as coarse meshes give it
  for (std::size_t k = 0; k < leads.samples(); ++k)
    for (std::size_t c = 0; c < 12; ++c)
      leads.values[12 * k + c] += 0.01 * bump(leads.times[k], heart.onset, heart.qrs_end()) *
                                  std::sin(2 * pi * leads.times[k] / 5 + static_cast<double>(c));
  const auto found = measure_beat(leads, 0, heart.duration);
  EXPECT_NEAR(found.qrs_onset, heart.onset, 2);
  EXPECT_NEAR(found.qrs_end, heart.qrs_end(), 2);
  EXPECT_NEAR(found.qrs_axis, heart.axis, 1);
}

TEST(EcgMeasures, what_cannot_be_found_is_nan) {
  const Heart heart;
  const auto leads = heart.leads();
  const auto is_nothing = [](const EcgMeasures& m) {
    return std::isnan(m.qrs_onset) && std::isnan(m.qrs_end) && std::isnan(m.t_end) && std::isnan(m.qrs_duration) &&
           std::isnan(m.qt) && std::isnan(m.qrs_axis) && std::isnan(m.qrs_amplitude);
  };
  auto flat = leads;
  std::ranges::fill(flat.values, 0.3);
  EXPECT_TRUE(is_nothing(measure_beat(flat, 0, 700)));
  EXPECT_TRUE(is_nothing(measure_beat(leads, 10, 11.5)));    // two samples
  EXPECT_TRUE(is_nothing(measure_beat(leads, 5000, 6000)));  // none
  const auto without_t = Heart{.t_size = 0}.measures();
  EXPECT_GT(without_t.qrs_duration, 90);
  EXPECT_TRUE(std::isnan(without_t.t_end) && std::isnan(without_t.qt));
  const auto cut_short = measure_beat(leads, 0, heart.onset + Heart::t_begin + 100);  // in T's descent
  EXPECT_GT(cut_short.qrs_duration, 90);
  EXPECT_TRUE(std::isnan(cut_short.t_end));
  EXPECT_TRUE(std::isnan(measure_beat(leads, heart.onset + 30, 700).qrs_onset));  // begins within R
  auto round = leads;  // I and aVF go once around: no direction is left
  set(round, "I", [&](double t) { return bump(t, 80, 120) - bump(t, 120, 160); });
  set(round, "II", [&](double t) { return bump(t, 100, 140) - bump(t, 140, 180); });
  const auto around = measure_beat(round, 0, 250);
  EXPECT_GT(around.qrs_duration, 90);
  EXPECT_TRUE(std::isnan(around.qrs_axis)) << around.qrs_axis;
}

TEST(EcgMeasures, nonsense_is_refused) {
  const auto leads = Heart{}.leads();
  expect_refused([&] { measure_beat(leads, 300, 300); }, "cannot be measured from 300 to 300 ms");
  expect_refused([&] { measure_beat(leads, NAN, 300); }, "cannot be measured from nan");
  expect_refused([&] { measure_beat({}, 0, 300); }, "no channels");
  expect_refused([&] { measure_beat(Heart{}.electrodes(), 0, 300); }, "there is no channel \"I\"");
  auto broken = leads;
  broken.values[100] = NAN;
  expect_refused([&] { measure_beat(broken, 0, 300); }, "potentials must be finite");
}

// ---- comparison

TEST(EcgMatch, a_scaled_and_shifted_copy_is_the_same) {
  const Heart heart;
  const auto a = heart.leads();
  for (const double shift : {-17.0, 0.0, 8.0, 20.0}) {
    auto b = Heart{.onset = heart.onset + shift}.leads();
    for (double& v : b.values) v *= 0.4;
    const auto match = compare(a, 60, b, 60, 150, 20);
    EXPECT_NEAR(match.correlation, 1, 1e-12);
    EXPECT_NEAR(match.shift, shift, 1e-9);
    ASSERT_EQ(match.of_channel.size(), 12u);
    for (const double r : match.of_channel) EXPECT_NEAR(r, 1, 1e-9);
  }
  EXPECT_LT(compare(a, 60, Heart{.onset = heart.onset + 40}.leads(), 60, 150, 20).correlation,
            0.9);  // beyond the slack
}

TEST(EcgMatch, another_shape_is_not) {
  const auto a = Heart{.axis = 40}.leads();
  EXPECT_LT(compare(a, 60, Heart{.axis = 130}.leads(), 60, 150, 20).correlation, 0.5);
  EXPECT_LT(compare(a, 60, Heart{.axis = -140}.leads(), 60, 150, 20).correlation, 0.5);
  EXPECT_LT(compare(a, 60, twelve_leads(swapped(Heart{.axis = 40}.electrodes(), "RA", "LL")), 60, 150, 20).correlation,
            0.5);
}

TEST(EcgMatch, intervals_and_the_order_of_channels_may_differ) {
  const Heart heart;
  auto turned = heart.leads();
  for (std::size_t k = 0; k < turned.samples(); ++k)
    std::rotate(turned.values.begin() + static_cast<std::ptrdiff_t>(12 * k),
                turned.values.begin() + static_cast<std::ptrdiff_t>(12 * k + 5),
                turned.values.begin() + static_cast<std::ptrdiff_t>(12 * k + 12));
  std::rotate(turned.names.begin(), turned.names.begin() + 5, turned.names.end());
  EXPECT_NEAR(compare(heart.leads(), 60, turned, 60, 150, 10).correlation, 1, 1e-12);
  const auto fine = Heart{.onset = 83.5, .interval = 0.5}.leads();
  const auto match = compare(heart.leads(), 60, fine, 60, 150, 10);
  EXPECT_NEAR(match.correlation, 1, 1e-9);
  EXPECT_NEAR(match.shift, 3.5, 1e-9);
  EXPECT_NEAR(compare(fine, 60, heart.leads(), 60, 150, 10).shift, -3.5, 1e-9);
}

TEST(EcgMatch, shifts_that_leave_the_record_are_not_tried_and_flat_ones_have_no_shape) {
  const auto a = Heart{}.leads();
  EXPECT_NEAR(compare(a, 0, a, 0, 700, 1e6).correlation, 1, 1e-12);
  auto cut = Heart{.onset = 60}.leads();  // 20 ms earlier, but the window can go back by 10 ms only
  cut.times.erase(cut.times.begin(), cut.times.begin() + 50);
  cut.values.erase(cut.values.begin(), cut.values.begin() + 50 * 12);
  EXPECT_EQ(compare(a, 60, cut, 60, 150, 30).shift, -10);
  auto flat = a;
  std::ranges::fill(flat.values, 0.3);
  const auto match = compare(a, 60, flat, 60, 150, 20);
  EXPECT_TRUE(std::isnan(match.correlation));
  EXPECT_EQ(match.shift, 0);
  auto one_flat = a;
  set(one_flat, "V2", [](double) { return 0.3; });
  const auto partly = compare(a, 60, one_flat, 60, 150, 20);
  EXPECT_TRUE(std::isnan(partly.of_channel[7]));
  EXPECT_GT(partly.correlation, 0.5);
  auto late = a;  // the window of b is flat where it is, but not a little later
  for (std::size_t c = 0; c < 12; ++c) set(late, a.names[c], [](double t) { return t < 300 ? 0 : bump(t, 300, 340); });
  EXPECT_FALSE(std::isnan(compare(a, 60, late, 100, 150, 100).correlation));
}

TEST(EcgMatch, windows_that_are_not_recorded_and_other_channels_are_refused) {
  const auto a = Heart{}.leads();
  expect_refused([&] { compare(a, 600, a, 60, 150, 5); }, "600 to 750 ms of the first record");
  expect_refused([&] { compare(a, 60, a, -1, 150, 5); }, "-1 to 149 ms of the second record");
  expect_refused([&] { compare(a, NAN, a, 60, 150, 5); }, "of the first record");
  expect_refused([&] { compare(a, 60, a, 60, 1.5, 5); }, "holds too few samples");
  expect_refused([&] { compare(a, 60, a, 60, -20, 5); }, "holds too few samples");
  expect_refused([&] { compare(a, 60, a, 60, 150, -1); }, "a slack of -1 ms");
  auto other = a;
  other.names[7] = "V9";
  expect_refused([&] { compare(a, 60, other, 60, 150, 5); }, "there is no channel \"V2\"");
  expect_refused([&] { compare(other, 60, a, 60, 150, 5); }, "there is no channel \"V9\"");
}

}  // namespace
}  // namespace cardiotwin
