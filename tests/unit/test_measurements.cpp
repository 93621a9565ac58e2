// What is measured in a patient: tables and exports read, refused where they cannot be what they say.
#include <gtest/gtest.h>

#include <cardiotwin/calibration.hpp>
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/measurements.hpp>
#include <cardiotwin/provenance.hpp>
#include <cardiotwin/random.hpp>
#include <cmath>

#include "small_twin.hpp"
#include "synthetic_ecg.hpp"

namespace cardiotwin {
namespace {

using synthetic::expect_refused;
using synthetic::refusal;

// A plane wave over a sphere of 40 mm.
LatMap random_map(std::uint64_t seed, std::size_t count = 60) {
  Random random(seed);
  LatMap map;
  for (std::size_t i = 0; i < count; ++i) {
    map.points.push_back(40 * Vec3(random.normal(), random.normal(), random.normal()).normalized());
    map.lat.push_back(map.points.back().x() / 0.6 - 20 + random.normal());
    map.bipolar.push_back(i % 7 == 0 ? NAN : random.uniform(0.1, 5));
    map.unipolar.push_back(random.uniform(-10, 10));
  }
  return map;
}

void expect_same(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) << i;
}

bool says(const std::vector<Finding>& findings, const std::string& words, Severity severity) {
  return std::ranges::any_of(
      findings, [&](const Finding& f) { return f.severity == severity && f.text.find(words) != std::string::npos; });
}
std::string all(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& f : findings) text += std::string(name_of(f.severity)) + ": " + f.text + "\n";
  return text;
}

const std::string header = "x [mm],y [mm],z [mm],LAT [ms]\n";
const std::string three = "0,0,0,-20\n50,0,0,30\n0,60,0,70.5\n";

// ---- table

TEST(LatTable, what_is_written_is_read_back_to_the_last_bit) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto map = random_map(seed);
    if (seed % 3 == 0) map.bipolar.clear();
    if (seed % 2 == 0) map.unipolar.clear();
    const auto text = to_csv(map);
    EXPECT_TRUE(text.starts_with(std::string("# ") + research_use_only + "\nx [mm],y [mm],z [mm],LAT [ms]"));
    const auto back = lat_map_from_csv(text);
    EXPECT_EQ(back.points, map.points);
    EXPECT_EQ(back.lat, map.lat);
    expect_same(back.bipolar, map.bipolar);
    expect_same(back.unipolar, map.unipolar);
    EXPECT_EQ(back.left_out + back.merged, 0u);
    EXPECT_EQ(to_csv(back), text);
  }
}

TEST(LatTable, units_and_order_are_the_tables_own) {
  const auto map = lat_map_from_csv(
      "\xEF\xBB\xBF# made elsewhere\r\n\r\nLAT [s], z [cm] ,bipolar [uV],x [m],y [mm]\r\n"
      "0.05,1,1500,0.1,-3\r\n\"-0.01\",-2,,0.02,+4\r\n");
  ASSERT_EQ(map.size(), 2u);
  EXPECT_LT((map.points[0] - Vec3(100, -3, 10)).norm(), 1e-12);
  EXPECT_LT((map.points[1] - Vec3(20, 4, -20)).norm(), 1e-12);
  EXPECT_NEAR(map.lat[0], 50, 1e-12);
  EXPECT_NEAR(map.lat[1], -10, 1e-12);
  EXPECT_NEAR(map.bipolar[0], 1.5, 1e-12);
  EXPECT_TRUE(std::isnan(map.bipolar[1]));
  EXPECT_TRUE(map.unipolar.empty());
  EXPECT_EQ(map.noise, 3);
}

TEST(LatTable, points_without_lat_or_place_are_left_out_and_counted) {
  const auto map = lat_map_from_csv(header + three + "1,2,3,\n1,2,3,nan\nNaN,2,3,4\n,2,3,4\n5,6,7,8\n");
  EXPECT_EQ(map.size(), 4u);
  EXPECT_EQ(map.left_out, 4u);
  EXPECT_TRUE(says(check_lat_map(map), "4 of 8 points have no LAT", Severity::info)) << all(check_lat_map(map));
}

TEST(LatTable, repeated_points_are_one_but_two_lats_at_one_place_are_two_measurements) {
  const auto map = lat_map_from_csv(header + three + "50,0,0,30\n50,0,0,30\n50,0,0,32\n");
  EXPECT_EQ(map.size(), 4u);
  EXPECT_EQ(map.merged, 2u);
  EXPECT_EQ(map.lat, (std::vector<double>{-20, 30, 70.5, 32}));  // in the order of the file
  EXPECT_TRUE(says(check_lat_map(map), "2 points repeat place and LAT", Severity::info));
  EXPECT_FALSE(says(check_lat_map(map), "differ by more than", Severity::warning));
  const auto odd = lat_map_from_csv(header + three + "50,0,1,60\n");
  EXPECT_TRUE(says(check_lat_map(odd), "2 points differ by more than 18 ms", Severity::warning));
}

TEST(LatTable, bad_tables_are_refused_with_line_and_cure) {
  const auto refused = [](const std::string& text, const std::string& words) {
    expect_refused([&] { lat_map_from_csv(text); }, words);
  };
  refused("", "the table ends without a header such as");
  refused("# nothing\n\n", "LAT table, line 2: the table ends without a header");
  refused("x [mm],y [mm],z [mm],lat [ms]\n", "the column \"lat\" is unknown; did you mean \"LAT\"?");
  refused("x [mm],y [mm],z [mm],LAT [ms],biploar [mV]\n", "\"biploar\" is unknown; did you mean \"bipolar\"?");
  refused("x [mm],y [mm],z [mm],LAT\n", "the column \"LAT\" names no unit; write \"LAT [ms]\"");
  refused("x [mm],y [mm],z [mm],LAT [mV]\n", "the column \"LAT\" cannot be in \"mV\"; write a unit as [ms]");
  refused("x [mm],y [mm],z [parsec],LAT [ms]\n", "the column \"z\" cannot be in \"parsec\"; write a unit as [mm]");
  refused("x [mm],y [mm],x [mm],LAT [ms]\n", "two columns are named \"x\"");
  refused("x [mm],y [mm],LAT [ms]\n", "the column \"z\" is missing; x, y, z and LAT are needed");
  refused(header + "1,2,3\n", "LAT table, line 2: it has 3 cells where the header has 4");
  refused(header + "1,2,3,4,5\n", "line 2: it has more than 4 cells");
  refused(header + three + "1,2,3,fast\n",
          "line 5: \"fast\" in the column \"LAT\" is not a number; leave the cell empty");
  refused(header + "1,2,inf,3\n", "\"inf\" in the column \"z\" is not a number");
  refused(header + "1,2,\"3,4\n", "line 2: a quotation mark is not closed");
  refused(header + "1,2,3,4x\n", "\"4x\"");
}

// ---- what can be a map

TEST(LatMap, what_cannot_be_a_map_is_refused_in_a_sentence) {
  const auto refused = [](const std::string& rows, const std::string& words) {
    expect_refused([&] { lat_map_from_csv(header + rows); }, words);
  };
  refused("", "LAT map: it has no points; at least two are needed");
  refused("1,2,3,\n4,5,6,nan\n", "LAT map: none of its 2 points has a place and a LAT");
  refused("0,0,0,5\n50,0,0,5\n", "all 2 LATs are 5 ms");
  refused("0,0,0,5\n50,0,0,-10000\n", "span more than 1000 ms, longer than one beat; leave cells without a LAT empty");
  refused("0,0,0,0\n50,0,0,4.9\n", "span less than 5 ms");
  refused("0,0,0,0.01\n50,0,0,0.1\n", "if they are seconds, write \"LAT [s]\"");
  refused("0,0,0,5\n0.08,0,0,50\n",
          "span 0.08 mm, a chamber's span 15 to 400; in m they would span 80 mm: write \"x [m]");
  refused("0,0,0,5\n8,0,0,50\n", "in cm they would span 80 mm");
  refused("0,0,0,5\n80000,0,0,50\n", "in um they would span 80 mm");
  refused("0,0,0,5\n1e9,0,0,50\n", "give points of a whole chamber, in millimetres");
  auto map = random_map(1);
  map.lat.pop_back();
  expect_refused([&] { map.validate(); }, "60 points need as many LAT values, not 59");
  map = random_map(1), map.bipolar.pop_back();
  expect_refused([&] { map.validate(); }, "60 points need as many bipolar values, not 59");
  map = random_map(1), map.lat[3] = NAN;
  expect_refused([&] { map.validate(); }, "LAT map: point 3 at");
  map = random_map(1), map.unipolar[3] = INFINITY;
  expect_refused([&] { map.validate(); }, "a voltage is infinite");
  map = random_map(1), map.noise = 0;
  expect_refused([&] { to_csv(map); }, "a noise of 0 ms");
}

// ---- CARTO

ForeignMesh carto_sphere() {
  const auto map = random_map(5);
  ForeignMesh mesh;
  mesh.points = map.points;
  for (Index i = 0; i + 2 < static_cast<Index>(map.size()); ++i) mesh.triangles.push_back({i, i + 1, i + 2});
  mesh.node_fields = {{"Unipolar", 1, map.unipolar}, {"Bipolar", 1, map.bipolar}, {"LAT", 1, map.lat}};
  mesh.node_fields[2].values[4] = NAN;
  return mesh;
}

TEST(CartoMap, colours_of_a_mesh_become_a_map) {
  const test::Folder folder;
  const auto mesh = carto_sphere();
  save_mesh(folder / "map.mesh", mesh);
  const auto map = load_lat_map(folder / "map.mesh");
  EXPECT_EQ(map.size(), 59u);
  EXPECT_EQ(map.left_out, 1u);
  EXPECT_EQ(map.frame, "CARTO");
  EXPECT_TRUE(map.title.empty());
  for (std::size_t i = 0; i < map.size(); ++i) {
    const std::size_t k = i < 4 ? i : i + 1;
    EXPECT_LT((map.points[i] - mesh.points[k]).norm(), 1e-5);  // six decimals
    EXPECT_NEAR(map.lat[i], mesh.node_fields[2].values[k], 1e-6);
    EXPECT_NEAR(map.unipolar[i], mesh.node_fields[0].values[k], 1e-6);
    EXPECT_EQ(std::isnan(map.bipolar[i]), std::isnan(mesh.node_fields[1].values[k]));
  }
}

TEST(CartoMap, vertices_of_no_tissue_are_left_out_and_a_mesh_without_lat_is_refused) {
  const test::Folder folder;
  auto mesh = carto_sphere();
  Field group{"GroupID", 1, std::vector<double>(mesh.points.size(), 0)};
  group.values[0] = group.values[9] = -1000000;
  mesh.node_fields.push_back(group);
  save_mesh(folder / "map.mesh", mesh);
  EXPECT_EQ(load_lat_map(folder / "map.mesh").left_out, 3u);
  mesh.node_fields.resize(2);
  save_mesh(folder / "none.mesh", mesh);
  expect_refused([&] { load_lat_map(folder / "none.mesh"); }, "has no vertex colour \"LAT\"");
  expect_refused([&] { load_lat_map(folder / "none.mesh"); }, "none.mesh: CARTO map");
}

const std::string carto_list =
    "VERSION_4_0 1-LV\r\n"
    "P\t1\t3\t0\t-18.5\t67.25\t134.5\t10\t20\t30\t4.5\t1.25\t-35\t120\t0\t4\t5\t\r\n"
    "P\t2\t4\t0\t20.5\t60\t130\t10\t20\t30\t5.5\t0.75\t42\t120\t0\t4\t5\t-1\r\n"
    "P\t3\t5\t0\t21\t62\t130\t10\t20\t30\t5.5\t-10000\t-10000\t120\t1\t4\t5\t-1\r\n"
    "P\t4\t6\t0\t22\t64\t128\t10\t20\t30\t-10000\t-10000\t47\t120\t0\t4\t5\t-1\r\n";

TEST(CartoMap, the_list_of_points_is_read) {
  const auto map = lat_map_from_carto(carto_list);
  ASSERT_EQ(map.size(), 3u);
  EXPECT_EQ(map.left_out, 1u);
  EXPECT_EQ(map.points[0], Vec3(-18.5, 67.25, 134.5));
  EXPECT_EQ(map.lat, (std::vector<double>{-35, 42, 47}));
  EXPECT_EQ(map.unipolar[0], 4.5);
  EXPECT_EQ(map.bipolar[1], 0.75);
  EXPECT_TRUE(std::isnan(map.bipolar[2]) && std::isnan(map.unipolar[2]));
  EXPECT_EQ(to_csv(lat_map_from_csv(to_csv(map))), to_csv(map));
  const auto refused = [](const std::string& text, const std::string& words) {
    expect_refused([&] { lat_map_from_carto(text); }, words);
  };
  refused("x,y\n", "the file begins neither with");
  refused("VERSION_4_0 a\n", "it has no points");
  refused(carto_list + "Q\t1\n", "line 6: a point should begin with \"P\", not \"Q\"");
  refused(carto_list + "P\t1\t2\t0\t1\t2\n", "line 6: the line ends before its coordinates; a point has at least 13");
  refused(carto_list + "P\t1\t2\t0\t1\t2\tthree\t", "its coordinates should be a number, not \"three\"");
}

// ---- damage

// Any text is refused with an InputError or gives a sound map that can be written and read again.
void expect_refused_or_sound(const std::string& text) {
  try {
    const bool carto = text.starts_with("VERSION_") || text.starts_with("#TriangulatedMesh");
    const auto map = carto ? lat_map_from_carto(text) : lat_map_from_csv(text);
    map.validate();
    EXPECT_EQ(lat_map_from_csv(to_csv(map)).size(), map.size());
    check_lat_map(map);
  } catch (const InputError& error) {
    EXPECT_GT(std::string(error.what()).size(), 20u);
  }
}

TEST(LatDamage, files_cut_anywhere_and_wrong_bytes_do_no_harm) {
  const test::Folder folder;
  save_mesh(folder / "map.mesh", carto_sphere());
  const std::vector<std::string> whole{to_csv(random_map(2, 12)), carto_list, read_text(folder / "map.mesh")};
  Random random(33);
  for (const auto& text : whole) {
    const std::size_t stride = 1 + text.size() / 800;
    for (std::size_t length = 0; length < text.size(); length += stride)
      expect_refused_or_sound(text.substr(0, length));
    for (int trial = 0; trial < 1500; ++trial) {
      auto wrong = text;
      for (int flips = 1 + trial % 4; flips > 0; --flips)
        wrong[random.bits() % wrong.size()] =
            trial % 2 ? static_cast<char>(random.bits() & 255) : "0123456789-+.,eE\n\t \"[]#=nai"[random.bits() % 28];
      expect_refused_or_sound(wrong);
    }
  }
  for (int trial = 0; trial < 500; ++trial) {
    std::string garbage(random.bits() % 200, ' ');
    for (char& c : garbage) c = static_cast<char>(random.bits() & 255);
    expect_refused_or_sound(garbage);
    expect_refused_or_sound("VERSION_" + garbage);
    expect_refused_or_sound(header + garbage);
  }
}

// ---- the others

Measurements sound() {
  Measurements all;
  all.lat_maps = {random_map(1)};
  all.velocities = {{.region = "healthy", .axis = Axis::along, .value = 0.6}};
  all.apds = {{.region = "healthy", .cycle_length = 600, .apd = 280}};
  all.erps = {{.site = "rv_apex", .s1 = 600, .erp = 250}};
  all.ecgs = {{.leads = synthetic::Heart{}.leads(), .begin = 0, .end = 700}};
  return all;
}

TEST(Measurements, what_no_heart_does_is_refused) {
  EXPECT_TRUE(Measurements{}.empty());
  EXPECT_NO_THROW(Measurements{}.validate());
  EXPECT_FALSE(sound().empty());
  EXPECT_NO_THROW(sound().validate());
  const auto refused = [](const std::function<void(Measurements&)>& spoil, const std::string& words) {
    auto all = sound();
    spoil(all);
    expect_refused([&] { all.validate(); }, words);
  };
  refused([](auto& m) { m.velocities[0].value = 60; },
          "Velocity of \"healthy\" along its fibres = 60 m/s is outside [0.02, 3]; check its unit");
  refused([](auto& m) { m.velocities[0].value = NAN; }, "= nan m/s is outside");
  refused([](auto& m) { m.velocities[0].region.clear(); }, "Velocity: it names no region");
  refused([](auto& m) { m.velocities[0].noise = 0; }, "a noise of 0 m/s is not positive");
  refused([](auto& m) { m.apds[0].apd = 0.28; }, "APD of \"healthy\" = 0.28 ms is outside [50, 1000]");
  refused([](auto& m) { m.apds[0].cycle_length = 250; }, "= 280 ms does not fit into a cycle of 250 ms");
  refused([](auto& m) { m.erps[0].site.clear(); }, "ERP: it has neither a site nor a position");
  refused([](auto& m) { m.erps[0].s1 = NAN; }, "ERP at \"rv_apex\" = 250 ms does not fit into a cycle of nan ms");
  refused([](auto& m) { m.ecgs[0].noise = -1; }, "ECG: a noise of -1 mV");
  refused([](auto& m) { m.ecgs[0].end = 900; },
          "the beat from 0 to 900 ms is not in the record, which is from 0 to 700");
  refused([](auto& m) { m.ecgs[0].leads.values[7] = NAN; }, "potentials must be finite");
  refused([](auto& m) { m.lat_maps[0].noise = NAN; }, "a noise of nan ms");
  auto placed = sound();
  placed.erps[0].site.clear(), placed.erps[0].position = {1, 2, 3};
  EXPECT_NO_THROW(placed.validate());
}

// ---- leads

Ecg recorded(double noise = 0.005, double axis = 40) {
  auto leads = synthetic::Heart{.axis = axis}.leads();
  Random random(4);
  for (double& v : leads.values) v += noise * random.normal();
  for (std::size_t k = 0; k < leads.values.size(); ++k) leads.values[k] += 0.1 * static_cast<double>(k % 12);  // levels
  return leads;
}

Ecg turned_over(Ecg ecg, const std::string& name) {
  const auto signal = ecg.channel(name);
  synthetic::set(ecg, name, [&](double t) { return -signal[static_cast<std::size_t>(t)]; });
  return ecg;
}

Ecg without(const Ecg& ecg, const std::vector<std::string>& names) {
  Ecg rest{.times = ecg.times};
  std::vector<std::size_t> kept;
  for (std::size_t c = 0; c < ecg.names.size(); ++c) {
    if (std::ranges::find(names, ecg.names[c]) != names.end()) continue;
    kept.push_back(c), rest.names.push_back(ecg.names[c]);
  }
  for (std::size_t k = 0; k < ecg.samples(); ++k)
    for (const auto c : kept) rest.values.push_back(ecg.at(k, c));
  return rest;
}

TEST(EcgCheck, good_leads_pass_in_silence) {
  for (const double axis : {-60.0, -20.0, 10.0, 40.0, 80.0, 110.0})
    EXPECT_TRUE(check_ecg(recorded(0.005, axis)).empty()) << axis << "\n" << all(check_ecg(recorded(0.005, axis)));
  EXPECT_TRUE(check_ecg(EcgMeasure{.leads = recorded(), .begin = 0, .end = 700}).empty())
      << all(check_ecg(EcgMeasure{.leads = recorded(), .begin = 0, .end = 700}));
}

TEST(EcgCheck, a_limb_lead_turned_over_is_named) {
  for (const std::string name : {"I", "II", "III", "aVR", "aVL", "aVF"}) {
    const auto found = check_ecg(turned_over(recorded(), name));
    EXPECT_TRUE(says(found, "turned over, \"" + name + "\" would agree with the others: invert it", Severity::severe))
        << all(found);
  }
  // Three leads cannot tell a turned I from II and III exchanged, nor which of several it was.
  const auto three_leads = without(turned_over(recorded(), "I"), {"aVR", "aVL", "aVF"});
  EXPECT_TRUE(says(check_ecg(three_leads), "turned over, \"I\" would agree", Severity::severe))
      << all(check_ecg(three_leads));
}

TEST(EcgCheck, exchanged_names_are_found_and_a_foreign_lead_is_singled_out) {
  const auto found = check_ecg(synthetic::swapped(recorded(), "II", "aVL"));
  EXPECT_TRUE(says(found, "exchanging \"II\" with \"aVL\" would reconcile them", Severity::severe)) << all(found);
  auto foreign = recorded();
  synthetic::set(foreign, "aVF", [](double t) { return std::sin(t / 30); });
  EXPECT_TRUE(says(check_ecg(foreign), "without \"aVF\" the others agree: leave it out", Severity::severe))
      << all(check_ecg(foreign));
  synthetic::set(foreign, "I", [](double t) { return std::cos(t / 17); });
  EXPECT_TRUE(says(check_ecg(foreign), "at least one is in another unit", Severity::severe)) << all(check_ecg(foreign));
}

TEST(EcgCheck, exchanged_arms_keep_every_identity_and_are_only_warned_of) {
  auto potentials = synthetic::Heart{}.electrodes();
  const auto arms = twelve_leads(synthetic::swapped(potentials, "RA", "LA"));
  const auto found = check_ecg(arms);
  ASSERT_EQ(found.size(), 1u) << all(found);
  EXPECT_EQ(found[0].severity, Severity::warning);
  EXPECT_NE(found[0].text.find("the arm electrodes may be exchanged (I turned over, II with III, aVR with aVL)"),
            std::string::npos);
}

TEST(EcgCheck, missing_and_flat_leads_are_named) {
  const auto found = check_ecg(without(recorded(), {"aVF", "V4"}));
  EXPECT_EQ(found.size(), 2u) << all(found);
  EXPECT_TRUE(says(found, "Lead \"aVF\" is missing, but follows from two other limb leads", Severity::info));
  EXPECT_TRUE(says(found, "Lead \"V4\" is missing: nothing will be fitted to it", Severity::warning));
  auto renamed = recorded();
  renamed.names[renamed.index("V4")] = "v4";
  EXPECT_TRUE(says(check_ecg(renamed), "did you mean \"v4\"?", Severity::warning)) << all(check_ecg(renamed));
  auto dead = recorded();
  synthetic::set(dead, "V2", [](double) { return 0.3; });
  EXPECT_TRUE(says(check_ecg(dead), "Lead \"V2\" is flat, 0 mV from peak to peak", Severity::severe));
  dead.values[5] = NAN;
  expect_refused([&] { check_ecg(dead); }, "\"aVF\" is nan at 0 ms");
  EXPECT_EQ(check_ecg(Ecg{.times = {0}, .names = {"I"}, .values = {0}}).size(), 12u);
}

TEST(EcgCheck, the_beat_must_be_there_and_stand_out) {
  const auto leads = recorded();
  const auto found = [&](double begin, double end, double noise) {
    return check_ecg(EcgMeasure{.leads = leads, .begin = begin, .end = end, .noise = noise});
  };
  EXPECT_TRUE(says(found(0, 700, 1), "mV high with a noise of 1 mV", Severity::severe)) << all(found(0, 700, 1));
  EXPECT_TRUE(says(found(76, 700, 0.05), "after the window: begin at least 10 ms earlier", Severity::warning) ||
              says(found(76, 700, 0.05), "No QRS is found", Severity::severe))
      << all(found(76, 700, 0.05));
  expect_refused([&] { found(0, 1.5, 0.05); }, "from 0 to 1.5 ms there are 2 samples; at least three");
  auto p_wave = synthetic::Heart{.onset = 200, .duration = 900}.leads();
  for (const auto& [sign, warned] : {std::pair{-1.0, true}, {1.0, false}}) {
    auto atria = p_wave;
    const auto first = p_wave.channel("I"), second = p_wave.channel("II");
    for (const std::string name : {"I", "III", "aVR", "aVL", "aVF"}) {
      const double part = name == "I" ? 1 : name == "III" ? -1 : name == "aVL" ? 1 : -0.5;
      const auto signal = p_wave.channel(name);
      synthetic::set(atria, name, [&, s = sign](double t) {
        return signal[static_cast<std::size_t>(t)] + s * part * 0.12 * synthetic::bump(t, 40, 140);
      });
    }
    const auto findings = check_ecg(EcgMeasure{.leads = atria, .begin = 0, .end = 900});
    EXPECT_EQ(says(findings, "P is negative in I", Severity::warning), warned) << all(findings);
    EXPECT_EQ(findings.size(), warned ? 1u : 0u) << all(findings);
  }
}

}  // namespace
}  // namespace cardiotwin
