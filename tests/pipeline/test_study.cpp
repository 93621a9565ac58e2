// The pacing study end to end on a small slab: a dead square with a slow channel through it, paced from three sites.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/plan.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace cardiotwin {
namespace {

enum class Scar { none, closed, with_channel };

/// 88 x 80 x 4 mm at 2 mm: the dead square spans x in (20, 68), y in (16, 64), its channel of 8 mm runs along x at y
/// = 40. Velocities: 0.7 m/s outside and 0.3 in the channel, by the continuum's formula, fast enough that 2 mm suffices
/// for a test of the study's logic.
Twin slab(Scar scar) {
  Twin twin;
  Anatomy& anatomy = twin.anatomy;
  const Mesh block = lattice_block({88, 80, 4.5}, 2.0);
  std::vector<Label> labels;
  for (std::size_t t = 0; t < block.tet_count(); ++t) {
    const Vec3 c = block.centroid(t);
    const bool dead = scar != Scar::none && c.x() > 20 && c.x() < 68 && c.y() > 16 && c.y() < 64;
    const bool channel = scar == Scar::with_channel && std::abs(c.y() - 40) < 4;
    labels.push_back(!dead ? region::healthy : channel ? region::channel : region::core);
  }
  anatomy.mesh =
      Mesh({block.points().begin(), block.points().end()}, {block.tets().begin(), block.tets().end()}, labels);
  anatomy.fibers = uniform_fibers(anatomy.mesh);
  anatomy.regions[region::healthy] = "healthy";
  if (scar != Scar::none) anatomy.regions[region::core] = "core";
  if (scar == Scar::with_channel) anatomy.regions[region::channel] = "channel";
  for (const auto& face : boundary_faces(anatomy.mesh)) anatomy.surface.push_back({face.nodes, face.tet, Surface::epi});
  for (const auto& p : anatomy.mesh.points()) anatomy.depth.push_back(p.z() / 4.5), anatomy.height.push_back(0);
  anatomy.aha.assign(anatomy.mesh.tet_count(), 7);
  anatomy.sites = {make_site(anatomy, "aha1", {8, 40, 2}), make_site(anatomy, "aha2", {82, 10, 2}),
                   make_site(anatomy, "aha3", {44, 72, 2})};
  twin.tissue = Tissue::library("post-infarct");
  for (auto& [name, region] : twin.tissue.regions) {
    const double velocity = name == "channel" ? 0.3 : 0.7;
    const double sigma = 0.84 * (velocity / 0.74) * (velocity / 0.74);
    region.conductivity = {.along = sigma, .across = sigma};
    region.wanted = {.along = velocity, .across = velocity};
  }
  return twin;
}

PlanOptions quick() {
  PlanOptions options;
  options.dt = 0.2;
  options.s1_beats = 1;
  options.sustained = 800;
  options.followed = 1300;
  options.accept_unfit = true;  // 2 mm is no mesh for a patient
  return options;
}

std::filesystem::path fresh_folder(const std::string& name) {
  // CTest runs every test in a process of its own, several at a time.
  const auto folder =
      std::filesystem::path(testing::TempDir()) / ("cardiotwin_study_" + name + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  return folder;
}

struct Finished {
  std::filesystem::path folder;
  Twin twin;
  Plan plan;
};

/// Nine electrodes around the slab in an unbounded medium.
std::shared_ptr<const LeadFields> leads_of(const Twin& twin) {
  std::vector<Electrode> electrodes;
  for (const char* name : {"RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6"}) {
    const double angle = 0.7 * double(electrodes.size());
    electrodes.push_back({name, Vec3(44 + 120 * std::cos(angle), 40 + 120 * std::sin(angle), 60)});
  }
  return std::make_shared<const LeadFields>(unbounded_lead_fields(twin, electrodes, 0.2));
}

PlanOptions quick(const Twin& twin) {
  PlanOptions options = quick();
  options.leads = leads_of(twin);
  return options;
}

Finished finish(const std::string& name) {
  Finished study{fresh_folder(name), slab(Scar::with_channel), {}};
  study.plan = run_study(study.twin, study.folder, quick(study.twin));
  return study;
}

double distance_to_channel(const Vec3& p) {
  return (p - Vec3(std::clamp(p.x(), 20.0, 68.0), 40, std::clamp(p.z(), 0.0, 4.5))).norm();
}

void expect_a_target_on_the_channel(const Finished& whole) {
  const Plan& plan = whole.plan;
  ASSERT_TRUE(plan.inducible_before) << plan.conclusion;
  EXPECT_FALSE(plan.inducible_after) << plan.conclusion;
  ASSERT_FALSE(plan.circuits.empty());
  for (const auto& circuit : plan.circuits) {
    EXPECT_GT(circuit.cycle_length, 200);
    EXPECT_LT(circuit.cycle_length, 500);
    EXPECT_LT(distance_to_channel(circuit.isthmus), 3) << circuit.isthmus.transpose();
    EXPECT_EQ(circuit.aha_isthmus, 7);
  }
  ASSERT_FALSE(plan.targets.empty());
  const Target& first = plan.targets.front();
  EXPECT_EQ(first.rank, 1);
  EXPECT_LT(distance_to_channel(first.lesion.position), 3);
  EXPECT_EQ(first.lesion.radius, 5);
  EXPECT_NEAR(first.depth, 4.5, 1e-6);  // 1 / |gradient of depth|
  EXPECT_GT(first.share, 0);
  EXPECT_LE(first.share, 1);
  EXPECT_FALSE(first.induced_from.empty());
  EXPECT_FALSE(first.evidence.empty());
}

void expect_every_site_paced_before_and_after(const Finished& whole) {
  const Plan& plan = whole.plan;
  std::map<int, std::vector<std::string>> paced;
  for (const auto& result : plan.results) {
    paced[result.round].push_back(result.site);
    EXPECT_EQ(result.inducible, result.circuit >= 0);
    EXPECT_FALSE(result.outcome.empty());
    for (const double interval : result.coupling) EXPECT_NEAR(std::remainder(interval, 10), 0, 1e-9);
  }
  EXPECT_EQ(paced.at(0).size(), 3u);
  EXPECT_EQ(paced.rbegin()->second.size(), 3u);
  ASSERT_EQ(plan.circuit_sites.size(), plan.circuits.size());
}

void expect_the_folder_to_hold_the_study(const Finished& whole) {
  const auto& [folder, twin, plan] = whole;
  const Plan loaded = load_plan(folder);
  EXPECT_EQ(loaded.conclusion, plan.conclusion);
  EXPECT_EQ(loaded.circuits.size(), plan.circuits.size());
  const auto study = nlohmann::json::parse(read_text(folder / "study.json"));
  EXPECT_EQ(study.at("options").at("dt_ms"), 0.2);
  EXPECT_TRUE(study.at("check").is_object());
  EXPECT_NE(study.dump().find("Research use only"), std::string::npos);
  EXPECT_EQ(Twin::load(folder / "heart.twin").anatomy.mesh.node_count(), twin.anatomy.mesh.node_count());
}

TEST(Study, interrupted_and_resumed_it_gives_the_same_bytes) {
  const Finished whole = finish("whole");
  const auto folder = fresh_folder("resumed");
  // Stopped while the twin is checked, between runs before lesions, and during pacing again.
  for (const double share : {0.0, 0.4, 0.7}) {
    Monitor monitor;
    double done = 0;
    monitor.progress = [&](std::string_view, double now) { done = now; };
    monitor.cancelled = [&] { return done >= share; };
    EXPECT_THROW(run_study(whole.twin, folder, quick(whole.twin), monitor), Interrupted) << share;
    EXPECT_THROW(load_plan(folder), FileError);  // an unfinished study is not taken for a finished one
  }
  // A torn file of a run, as a crash of the disk could leave it, is noticed and the run done again.
  std::set<std::filesystem::path> runs;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "runs"))
    if (entry.path().extension() == ".json") runs.insert(entry.path());
  ASSERT_GE(runs.size(), 2u);
  std::filesystem::resize_file(*runs.rbegin(), 20);
  int warnings = 0;
  Monitor monitor;
  monitor.warning = [&](std::string_view) { ++warnings; };
  run_study(whole.twin, folder, quick(whole.twin), monitor);
  EXPECT_EQ(warnings, 1);
  EXPECT_EQ(read_text(folder / "circuit_1_ecg.csv"), read_text(whole.folder / "circuit_1_ecg.csv"));
  EXPECT_EQ(read_text(folder / "plan.json"), read_text(whole.folder / "plan.json"));
  EXPECT_EQ(read_text(folder / "study.json"), read_text(whole.folder / "study.json"));
  const auto maps = load_maps(folder / "circuits.h5"), same = load_maps(whole.folder / "circuits.h5");
  ASSERT_EQ(maps.size(), same.size());
  for (std::size_t i = 0; i < maps.size(); ++i)
    EXPECT_EQ(std::memcmp(maps[i].values.data(), same[i].values.data(), maps[i].values.size() * sizeof(double)), 0);
}

void expect_a_finished_study_to_be_read_not_run_again(const Finished& whole) {
  const auto copy = fresh_folder("finished");
  std::filesystem::copy(whole.folder, copy, std::filesystem::copy_options::recursive);
  std::filesystem::remove(copy / "plan.json");
  Monitor monitor;
  double least = 2, last = -1;
  monitor.progress = [&](std::string_view, double done) { least = std::min(least, done - last), last = done; };
  run_study(whole.twin, copy, quick(whole.twin), monitor);
  EXPECT_EQ(read_text(copy / "plan.json"), read_text(whole.folder / "plan.json"));
  EXPECT_GE(least, 0);  // progress never falls back
  EXPECT_EQ(last, 1);
}

void expect_other_options_or_another_twin_refused_by_name(const Finished& whole) {
  const auto refused = [&](const Twin& twin, const PlanOptions& options, const std::string& word) {
    try {
      run_study(twin, whole.folder, options);
      ADD_FAILURE() << "accepted, though " << word << " differs";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  PlanOptions options = quick(whole.twin);
  options.s1 = 500;
  refused(whole.twin, options, "s1_ms");
  options = quick(whole.twin);
  options.sites = {"aha1"};
  refused(whole.twin, options, "sites");
  refused(whole.twin, quick(), "this run asks for none");
  Twin other = whole.twin;
  other.tissue["channel"].parameters["tau_close"] = 190;
  refused(other, quick(), "another twin");
}

void expect_two_processes_not_to_share_a_folder(const Finished& whole) {
  const int held = ::open((whole.folder / "study.lock").c_str(), O_RDWR);
  ASSERT_GE(held, 0);
  ASSERT_EQ(::flock(held, LOCK_EX | LOCK_NB), 0);  // free again after a study
  EXPECT_THROW(run_study(whole.twin, whole.folder, quick(whole.twin)), InputError);
  ::close(held);
}

/// The tachycardia's ECG repeats with its cycle, in every lead that moves.
void expect_an_ecg_of_each_circuit(const Finished& whole) {
  for (const Circuit& circuit : whole.plan.circuits) {
    const Ecg& ecg = circuit.ecg;
    ASSERT_EQ(ecg.names.size(), 12u);
    ASSERT_GT(ecg.times.back(), 2.9 * circuit.cycle_length);
    const double cycle = circuit.cycle_length;
    EXPECT_GT(compare(ecg, 0, ecg, cycle, cycle, 40).correlation, 0.93);  // it may still be slowing
    EXPECT_LT(compare(ecg, 0, ecg, 0.5 * cycle, cycle, 40).correlation, 0.8);  // a flat or constant record would not
  }
  const Ecg kept = ecg_from_csv(read_text(whole.folder / "circuit_1_ecg.csv"));
  EXPECT_EQ(kept.values, whole.plan.circuits.front().ecg.values);
}

TEST(Study, leads_must_be_of_the_twin_and_whole) {
  const Twin twin = slab(Scar::none);
  const auto refused = [&](const std::string& word, auto change) {
    LeadFields leads = *leads_of(twin);
    change(leads);
    PlanOptions options = quick();
    options.leads = std::make_shared<const LeadFields>(leads);
    try {
      run_study(twin, fresh_folder("leads"), options);
      ADD_FAILURE() << "accepted: " << word;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refused("V6", [](LeadFields& l) { l.names.back() = "V7"; });
  refused("nodes", [](LeadFields& l) { l.weights[3].pop_back(); });
}

TEST(Study, a_channel_is_found_closed_and_stays_closed) {
  const Finished whole = finish("channel");
  expect_a_target_on_the_channel(whole);
  expect_every_site_paced_before_and_after(whole);
  expect_the_folder_to_hold_the_study(whole);
  expect_an_ecg_of_each_circuit(whole);
  expect_a_finished_study_to_be_read_not_run_again(whole);
  expect_other_options_or_another_twin_refused_by_name(whole);
  expect_two_processes_not_to_share_a_folder(whole);
}

TEST(Study, controls_have_no_circuit_and_no_target) {
  for (const Scar scar : {Scar::none, Scar::closed}) {
    const auto folder = fresh_folder("control");
    const Plan plan = run_study(slab(scar), folder, quick());
    EXPECT_FALSE(plan.inducible_before) << plan.conclusion;
    EXPECT_FALSE(plan.inducible_after);
    EXPECT_TRUE(plan.circuits.empty());
    EXPECT_TRUE(plan.targets.empty());
    EXPECT_EQ(plan.conclusion.rfind("Not inducible", 0), 0u) << plan.conclusion;
    EXPECT_EQ(plan.results.size(), 3u);
    for (const auto& result : plan.results) EXPECT_EQ(result.coupling.size(), 3u) << result.site;  // paced to the end
  }
}

TEST(Study, an_unfit_twin_is_refused_with_the_cure) {
  PlanOptions options = quick();
  options.accept_unfit = false;
  options.velocity_limit = 0.001;
  const auto folder = fresh_folder("unfit");
  try {
    run_study(slab(Scar::none), folder, options);
    ADD_FAILURE() << "accepted";
  } catch (const InputError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("not fit"), std::string::npos);
    EXPECT_NE(text.find("calibrate"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "study.json"));
}

TEST(Study, impossible_options_are_refused) {
  const Twin twin = slab(Scar::none);
  const auto refused = [&](auto change) {
    PlanOptions options = quick();
    change(options);
    EXPECT_THROW(run_study(twin, fresh_folder("options"), options), InputError);
  };
  refused([](PlanOptions& o) { o.dt = -0.1; });
  refused([](PlanOptions& o) { o.dt = 0.3; });  // no divisor of 10 ms
  refused([](PlanOptions& o) { o.s1 = 50; });
  refused([](PlanOptions& o) { o.followed = o.sustained - 1; });
  refused([](PlanOptions& o) { o.lesion_radius = 0; });
  refused([](PlanOptions& o) { o.sites = {"aha99"}; });
  refused([](PlanOptions& o) { o.sites = {"aha1", "aha1"}; });
  EXPECT_FALSE(std::filesystem::exists(fresh_folder("options")));
}

}  // namespace
}  // namespace cardiotwin
