// Leads, measures, comparison, table and paper of electrocardiograms whose truth is known.
#include <gtest/gtest.h>

#include <cardiotwin/ecg.hpp>
#include <cardiotwin/ecg_paper.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/provenance.hpp>
#include <functional>
#include <numbers>
#include <random>
#include <regex>

namespace cardiotwin {
namespace {

constexpr double pi = std::numbers::pi;

const std::vector<std::string> electrode_names{"RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6"};

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

// One channel written over; tests spoil records with it.
void set(Ecg& ecg, std::string_view name, const std::function<double(double)>& value) {
  for (std::size_t k = 0; k < ecg.samples(); ++k)
    ecg.values[k * ecg.names.size() + ecg.index(name)] = value(ecg.times[k]);
}

Ecg swapped(Ecg ecg, std::string_view one, std::string_view other) {
  std::swap(ecg.names[ecg.index(one)], ecg.names[ecg.index(other)]);
  return ecg;
}

// What the call refuses with; empty where it does not.
std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

void expect_refused(const std::function<void()>& call, const std::string& words) {
  const auto said = refusal(call);
  EXPECT_NE(said.find(words), std::string::npos) << "said: " << said << "\nwanted: " << words;
}

// A raised cosine of height 1 between two times: it begins and ends where it is said to, with a level slope.
double bump(double t, double begin, double end) {
  return t <= begin || t >= end ? 0 : (1 - std::cos(2 * pi * (t - begin) / (end - begin))) / 2;
}

// Ventricles that are one dipole in the frontal plane, limbs in the corners of Einthoven's triangle, V1 ... V6 around.
struct Heart {
  double axis = 40;       // [degrees] of all of QRS
  double sign = 1;        // of the waves
  double onset = 80;      // [ms]
  double t_size = 0.2;    // of the dipole
  double t_axis = 10;     // [degrees] from the axis of QRS
  double interval = 1;    // [ms]
  double duration = 700;  // [ms]

  static constexpr double qrs = 96, t_begin = 190, t_length = 160;
  double qrs_end() const { return onset + qrs; }
  // A raised cosine is steepest halfway down, a quarter of its length before its end, and its tangent there meets zero
  // length/(2 pi) later.
  double t_end() const { return onset + t_begin + t_length * (0.75 + 1 / (2 * pi)); }

  Ecg electrodes() const;
  Ecg leads() const { return twelve_leads(electrodes()); }
  EcgMeasures measures() const { return measure_beat(leads(), 0, duration); }
};

Ecg Heart::electrodes() const {
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

double turn(double from, double to) { return std::remainder(to - from, 360.0); }

// ---- leads

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

// ---- measures

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

// ---- paper

// Names of the elements in order of their beginning; throws where tags do not nest, attributes are not quoted, or a
// bare
// "&" or "<" is left.
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
