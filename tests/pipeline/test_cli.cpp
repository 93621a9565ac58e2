// The command line as a user meets it: the built program is run, its streams and exit code are read.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cardiotwin/provenance.hpp>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "shell.hpp"

using namespace cardiotwin;
using test::cardiotwin_in, test::contains, test::expect_refused;
using test::Folder, test::bytes_of, test::small_twin, test::write_bytes;

namespace {

const char* const verbs[] = {"phantom", "build",  "inspect", "scar", "check",   "calibrate", "simulate",
                             "plan",    "report", "demo",    "cell", "convert", "locate"};

TEST(Cli, HelpOfEachVerbSaysWhatGoesInAndComesOut) {
  const Folder folder;
  for (const std::string verb : verbs) {
    const auto run = cardiotwin_in(folder, verb + " --help");
    EXPECT_EQ(run.code, 0) << verb;
    EXPECT_EQ(run.err, "") << verb;
    for (const char* part : {"In:", "Out:", "Research use only", "--case", "--template"}) {
      EXPECT_TRUE(contains(run.out, part)) << verb << ": " << part;
    }
  }
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Cli, HelpShowsEveryDefaultAndRange) {
  const Folder folder;
  const auto run = cardiotwin_in(folder, "build --help");
  EXPECT_TRUE(contains(run.out, "--edge mm ")) << run.out;
  EXPECT_TRUE(contains(run.out, "[1 mm]")) << run.out;
  EXPECT_FALSE(contains(run.out, "...")) << run.out;
  EXPECT_TRUE(contains(run.out, "0.2 to 5 mm"));
  EXPECT_TRUE(contains(cardiotwin_in(folder, "plan --help").out, "[600 ms]"));
  EXPECT_TRUE(contains(cardiotwin_in(folder, "plan --help").out, "aha17"));
}

TEST(Cli, TheProgramAloneListsItsVerbs) {
  const Folder folder;
  const auto help = cardiotwin_in(folder, "--help");
  EXPECT_EQ(help.code, 0);
  for (const std::string verb : verbs) EXPECT_TRUE(contains(help.out, verb)) << verb;
  EXPECT_TRUE(contains(help.out, "Research use only"));
  const auto numbers = cardiotwin_in(folder, "--version");
  EXPECT_EQ(numbers.code, 0);
  EXPECT_EQ(numbers.out, version() + "\n");
  EXPECT_EQ(cardiotwin_in(folder, "").code, 2);
}

TEST(Cli, WrongWordsAreRefusedWithASuggestion) {
  const Folder folder;
  const auto fantom = cardiotwin_in(folder, "fantom");
  EXPECT_EQ(fantom.code, 2);
  EXPECT_EQ(fantom.err, "cardiotwin: \"fantom\" is not expected; did you mean \"phantom\"?\n");
  expect_refused(folder, "phantom --chanel-width 3", "did you mean \"--channel-width\"?");
  expect_refused(folder, "build --image a.nii.gz", "--out must be given");
  expect_refused(folder, "build --image a.nii.gz --out a.twin", "--image and --labels, or else from a --surface");
  expect_refused(folder, "check", "twin must be given");
  expect_refused(folder, "phantom --slice", "--slice");
  expect_refused(folder, "phantom --slice 2 --slice 3", "--slice is given 2 times");
}

TEST(Cli, WrongValuesAreRefusedInOneSentence) {
  const Folder folder;
  expect_refused(folder, "phantom --slice 3ms", "\"3ms\" is a time, but a length such as \"1 mm\" is needed");
  expect_refused(folder, "phantom --slice 300", "--slice: 300 mm is outside [0.3, 20] mm");
  expect_refused(folder, "phantom --slice 3cm", "30 mm is outside");
  expect_refused(folder, "phantom --slice thick", "--slice");
  expect_refused(folder, "phantom --slice nan", "--slice");
  expect_refused(folder, "phantom --seed -1", "non-negative integer");
  expect_refused(folder, "phantom --seed 1.5", "non-negative integer");
  expect_refused(folder, "phantom --translation 1,2", "three values");
  expect_refused(folder, "phantom --scar-segments 18", "not an AHA segment");
  expect_refused(folder, "build --image a --labels b --out c.twin --convention emidek", "did you mean \"emidec\"?");
  expect_refused(folder, "simulate a.twin --s1 600", "600x2");
  expect_refused(folder, "simulate a.twin --s1 600x0", "600x2");
  expect_refused(folder, "calibrate a.twin --cv healthy:0.6", "healthy=0.6,0.3");
  expect_refused(folder, "calibrate a.twin --cv healthy=fast", "--cv");
  expect_refused(folder, "plan a.twin --max-rounds 0", "outside [1, 20]");
}

TEST(Cli, MissingAndDamagedFilesAreRefused) {
  const Folder folder;
  for (const char* verb : {"check", "calibrate", "simulate", "plan"}) {
    expect_refused(folder, std::string(verb) + " none.twin", "none.twin does not exist");
  }
  write_bytes(folder / "text.twin", "not a twin");
  expect_refused(folder, "check text.twin", "text.twin is not a cardiotwin twin file");
  small_twin().save(folder / "heart.twin");
  auto bytes = bytes_of(folder / "heart.twin");
  bytes[bytes.size() / 3] ^= 4;
  write_bytes(folder / "flipped.twin", bytes);
  expect_refused(folder, "check flipped.twin", "damaged or truncated");
  bytes = bytes_of(folder / "heart.twin");
  bytes.replace(bytes.find("format 1"), 8, "format 9");
  write_bytes(folder / "newer.twin", bytes);
  expect_refused(folder, "plan newer.twin", "written by a newer cardiotwin (format 9, this one reads 1)");
  expect_refused(folder, "report none", "none");
  expect_refused(folder, "plan heart.twin --resume", "holds no study");
}

TEST(Cli, CaseFilesAreCheckedKeyByKey) {
  const Folder folder;
  const auto refused = [&](const std::string& toml, const std::string& sentence) {
    write_bytes(folder / "case.toml", toml);
    expect_refused(folder, "phantom --case case.toml", sentence);
  };
  refused("slcie = \"3 mm\"\n", "case file case.toml, line 1: unknown key \"slcie\"; did you mean \"slice\"?");
  refused("seed = 3\nslice = \"3 ms\"\n", "line 2: --slice: \"3 ms\" is a time, but a length");
  refused("slice = \"3\"\n", "needs its unit");
  refused("slice = 3\n", "slice must be text in quotes, with its unit");
  refused("seed = \"3\"\n", "seed must be a number");
  refused("no_scar = \"yes\"\n", "no_scar must be");
  refused("slice = \"300 mm\"\n", "outside [0.3, 20] mm");
  refused("slice = \n", "case file case.toml, line 1");
  refused("[image]\nslice = \"3 mm\"\n", "unknown key \"image\"");
  expect_refused(folder, "phantom --case none.toml", "none.toml does not exist");
}

TEST(Cli, TheTemplateIsACaseFileThatReadsBack) {
  const Folder folder;
  for (const std::string verb : verbs) {
    const auto first = cardiotwin_in(folder, verb + " --template");
    ASSERT_EQ(first.code, 0) << verb << first.err;
    EXPECT_TRUE(contains(first.out, "Research use only")) << verb;
  }
  // With every key set to its default a dry run says what a run without case file says.
  const auto sample = cardiotwin_in(folder, "phantom --template").out;
  EXPECT_TRUE(contains(sample, "\nslice = \"1.4 mm\"\n")) << sample;
  EXPECT_TRUE(contains(sample, "\nseed = 7\n"));
  small_twin().save(folder / "heart.twin");
  write_bytes(folder / "case.toml", cardiotwin_in(folder, "simulate --template").out);
  const auto plain = cardiotwin_in(folder, "simulate heart.twin --dry-run --site aha1");
  const auto with = cardiotwin_in(folder, "simulate heart.twin --dry-run --site aha1 --case case.toml");
  EXPECT_EQ(plain.code, 0) << plain.err;
  EXPECT_EQ(with.out, plain.out) << with.err;
}

TEST(Cli, FlagsOverrideTheCaseFile) {
  const Folder folder;
  small_twin().save(folder / "heart.twin");
  write_bytes(
      folder / "case.toml",
      "twin = \"heart.twin\"\nsite = \"aha1\"\ns2 = \"0.31 s\"\ndt = \"0.01 ms\"\nprobes = [\"aha1\", \"aha7\"]\n");
  const auto run = cardiotwin_in(folder, "simulate --case case.toml --dt 0.02 --dry-run");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(contains(run.out, "\ns2 = \"310 ms\"\n")) << run.out;
  EXPECT_TRUE(contains(run.out, "\ndt = \"0.02 ms\"\n"));
  EXPECT_TRUE(contains(run.out, "\nprobes = \"aha1,aha7\"\n"));
  EXPECT_TRUE(contains(run.out, "time-step limit"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));  // a dry run writes nothing
}

TEST(Cli, SimulateWritesWholeResultsWithTheirOrigin) {
  const Folder folder;
  auto twin = small_twin();
  for (auto& [name, region] : twin.tissue.regions) region.variant.clear(), region.parameters.clear();
  twin.save(folder / "heart.twin");
  const std::string arguments =
      "simulate heart.twin --site aha1 --s1 100x1 --duration 12 --probes aha1,aha7 --probe-interval 2 --snapshots 4 "
      "--out ";
  const auto run = cardiotwin_in(folder, arguments + "a");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  for (const char* file :
       {"maps.vtu", "probes.csv", "snapshots.vtkhdf", "snapshots.xdmf", "effective.toml", "provenance.json"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / "a" / file)) << file;
  }
  const auto csv = bytes_of(folder / "a" / "probes.csv");
  EXPECT_TRUE(contains(csv, "Research use only"));
  EXPECT_TRUE(contains(csv, "\ntime_ms,aha1,aha7\n"));
  const auto origin = provenance_from_json(bytes_of(folder / "a" / "provenance.json"));
  ASSERT_EQ(origin.steps.size(), 2u);
  EXPECT_EQ(origin.steps[1].verb, "simulate");
  EXPECT_EQ(origin.steps[1].inputs.at("twin"), sha256_of_file(folder / "heart.twin"));
  EXPECT_EQ(origin.steps[1].options.at("s1"), "100 ms x 1");

  // The effective options are a case file that gives the same results, bit for bit.
  const auto again = cardiotwin_in(folder, "simulate --case a/effective.toml --out b");
  ASSERT_EQ(again.code, 0) << again.err;
  for (const char* file : {"maps.vtu", "probes.csv", "snapshots.vtkhdf", "provenance.json"}) {
    EXPECT_TRUE(bytes_of(folder / "a" / file) == bytes_of(folder / "b" / file)) << file;
  }
}

TEST(Cli, CalibrateChoosesTheStiffnessByWhatItHoldsTo) {
  const Folder folder;
  auto twin = small_twin();
  for (auto& [name, region] : twin.tissue.regions)
    region.variant.clear(), region.parameters.clear(), region.wanted = {.along = 0.5, .across = 0.5};
  twin.save(folder / "heart.twin");
  const auto chosen = [&](const std::string& velocities, const std::string& more = "") {
    const auto run =
        cardiotwin_in(folder, "calibrate heart.twin --cv healthy=" + velocities + " --json --out b.twin" + more);
    EXPECT_EQ(run.code, 0) << run.err;
    return nlohmann::json::parse(run.out).at("stiffness").get<std::string>();
  };
  EXPECT_EQ(chosen("0.6,0.5"), "p1");
  EXPECT_EQ(chosen("0.6,0.25"), "nodal-gradient");  // P1's velocities across the fibre are spread too far
  EXPECT_EQ(chosen("0.6,0.25", " --stiffness p1"), "p1");
}

TEST(Cli, InspectSaysWhatAnImageIs) {
  const Folder folder;
  ASSERT_EQ(cardiotwin_in(folder, "phantom --pixel 3 --slice 8 --out case").code, 0);
  const auto run =
      cardiotwin_in(folder, "inspect case/lge.nii.gz --labels case/labels.nii.gz --out m.png --json i.json");
  ASSERT_EQ(run.code, 0) << run.err;
  for (const char* part : {"NIfTI-1, gzip", "every 8 mm", "apex to base by the labels", "phantom (guessed)",
                           "LV cavity", " ml  slices ", "Research use only"})
    EXPECT_TRUE(contains(run.out, part)) << part << "\n" << run.out;
  EXPECT_TRUE(contains(bytes_of(folder / "m.png"), "Research use only"));
  const auto json = nlohmann::json::parse(bytes_of(folder / "i.json"));
  EXPECT_EQ(json["sha256"], sha256_of_file(folder / "case/lge.nii.gz"));
  EXPECT_EQ(json["spacing_mm"][2], 8);
  EXPECT_FALSE(contains(bytes_of(folder / "i.json"), "case"));  // no path, as it may name the patient
  expect_refused(folder, "inspect case", "holds no DICOM images");
  expect_refused(folder, "inspect case/truth.json", "not an image in a known format");
  expect_refused(folder, "inspect case/lge.nii.gz --labels case/lge.nii.gz", "must hold whole numbers");
  expect_refused(folder, "inspect case/lge.nii.gz --labels case/labels.nii.gz --convention 1=lv_blood",
                 "but found 0 (");
  expect_refused(folder, "inspect case/lge.nii.gz --out none/m.png", "none");
}

TEST(Cli, ScarWritesItsStatisticsSweepAndPictures) {
  const Folder folder;
  ASSERT_EQ(cardiotwin_in(folder, "phantom --pixel 3 --slice 8 --out case").code, 0);
  const std::string input = "scar --image case/lge.nii.gz --labels case/labels.nii.gz ";
  const auto run = cardiotwin_in(folder, input + "--sweep-step 0.25 --spacing 2 --remote auto --out scar");
  ASSERT_EQ(run.code, 0) << run.err;
  for (const char* part : {"remote region", "sensitivity", "Dice", "transmurality", "Research use only"})
    EXPECT_TRUE(contains(run.out, part)) << run.out;
  for (const char* file : {"scar.json", "sweep.csv", "segments.csv", "sweep.svg", "montage.png"})
    EXPECT_TRUE(contains(bytes_of(folder / (std::string("scar/") + file)), "Research use only")) << file;
  const auto json = nlohmann::json::parse(bytes_of(folder / "scar/scar.json"));
  EXPECT_EQ(json["inputs"]["image"].get<std::string>().size(), 64u);
  expect_refused(folder, input + "--remote aha:18", "not an AHA segment");
  const auto no_file = cardiotwin_in(folder, input + "--remote none.nii.gz");
  EXPECT_EQ(no_file.code, 2);
  EXPECT_TRUE(contains(no_file.err, "none.nii.gz does not exist")) << no_file.err;
  expect_refused(folder, input + "--scar-method p98", "did you mean \"p99\"?");
  const auto reversed = cardiotwin_in(folder, input + "--scar-method iir --iir-core 1");
  EXPECT_EQ(reversed.code, 2);
  EXPECT_TRUE(contains(reversed.err, "iir_core must lie in [iir_border_zone, 5]")) << reversed.err;
}

TEST(Cli, SimulateGoesOnFromAStateItKept) {
  const Folder folder;
  auto twin = small_twin();
  for (auto& [name, region] : twin.tissue.regions) region.variant.clear(), region.parameters.clear();
  twin.save(folder / "heart.twin");
  const std::string simulate = "simulate heart.twin --site aha1 --s1 100x1 --dt 0.02 ";
  ASSERT_EQ(cardiotwin_in(folder, simulate + "--duration 6 --keep-state --out a").code, 0);
  const auto rest = cardiotwin_in(folder, simulate + "--duration 12 --from a/state.bin --keep-state --out b");
  ASSERT_EQ(rest.code, 0) << rest.err;
  ASSERT_EQ(cardiotwin_in(folder, simulate + "--duration 12 --keep-state --out c").code, 0);
  EXPECT_TRUE(bytes_of(folder / "b/state.bin") == bytes_of(folder / "c/state.bin"));
  EXPECT_TRUE(contains(bytes_of(folder / "b/provenance.json"), sha256_of_file(folder / "a/state.bin")));
  expect_refused(folder, simulate + "--duration 5 --from a/state.bin", "a state at 6 ms already");
  expect_refused(folder, "simulate heart.twin --site aha1 --dt 0.01 --from a/state.bin",
                 "another problem (mesh, tissue, dt");
  expect_refused(folder, simulate + "--from heart.twin", "heart.twin is not a simulation's state");

  const auto reference = cardiotwin_in(folder, simulate + "--duration 6 --backend reference --out d");
  ASSERT_EQ(reference.code, 0) << reference.err;
  EXPECT_TRUE(contains(bytes_of(folder / "d/provenance.json"), "reference/fp64"));
  expect_refused(folder, simulate + "--backend gpu", "Backend \"gpu\" is unknown");
}

TEST(Cli, SimulateThatBlowsUpKeepsTheLastGoodState) {
  const Folder folder;
  auto twin = small_twin();
  for (auto& [name, region] : twin.tissue.regions) region.variant.clear(), region.parameters = {{"tau_in", 0.01}};
  twin.save(folder / "heart.twin");
  const std::string simulate =
      "simulate heart.twin --site aha1 --s1 400x2 --dt 0.2 --duration 500 ";  // an upstroke of 0.04 ms
  const auto run = cardiotwin_in(folder, simulate + "--s2 0");
  EXPECT_EQ(run.code, 1) << run.err;
  EXPECT_TRUE(contains(run.err, "V stopped being finite between")) << run.err;
  EXPECT_TRUE(contains(run.err, "--from run/last_good.bin")) << run.err;
  EXPECT_TRUE(std::filesystem::exists(folder / "run/last_good.bin"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run/maps.vtu"));
}

// Every `cardiotwin cell` line of the README, as it stands there.
TEST(Cli, TheReadmesCellsRun) {
  const Folder folder;
  const auto readme = bytes_of(std::filesystem::path(CARDIOTWIN_SOURCE) / "README.md");
  int lines = 0;
  for (std::size_t at = readme.find("\ncardiotwin cell"); at != std::string::npos;
       at = readme.find("\ncardiotwin cell", at + 1)) {
    const auto line = readme.substr(at + 12, readme.find('\n', at + 1) - at - 12);
    const auto run = cardiotwin_in(folder, line.substr(0, line.find('#')));
    EXPECT_EQ(run.code, 0) << line << "\n" << run.err;
    EXPECT_FALSE(run.out.empty()) << line;
    ++lines;
  }
  EXPECT_GE(lines, 5);
}

TEST(Cli, CellPacesOneOfEveryKind) {
  const Folder folder;
  const auto list = cardiotwin_in(folder, "cell --list");
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_TRUE(contains(list.out, "tentusscher-2006")) << list.out;
  EXPECT_TRUE(contains(list.out, "10.1152/ajpheart.00109.2006"));
  const auto table = cardiotwin_in(folder, "cell tentusscher-2006 --variant mid --parameters");
  EXPECT_TRUE(contains(table.out, "g_Ks")) << table.out;
  EXPECT_TRUE(contains(table.out, "0.098"));
  const auto run =
      cardiotwin_in(folder, "cell mitchell-schaeffer --beats 3 --bcl 600 --trace t.csv --sample 1 --csv b.csv");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  for (const char* part : {"APD90", "twice the threshold", "of 3 beats", "dt 0.02 ms"})
    EXPECT_TRUE(contains(run.out, part)) << part << run.out;
  const auto trace = bytes_of(folder / "t.csv");
  EXPECT_TRUE(trace.starts_with("# Research use only")) << trace.substr(0, 200);
  EXPECT_TRUE(contains(trace, "bcl=\"600 ms\""));
  EXPECT_TRUE(contains(trace, "\ntime_ms,V_mV,h\n0,"));
  EXPECT_EQ(std::count(trace.begin(), trace.end(), '\n'), 3 + 1 + 601);
  EXPECT_TRUE(contains(bytes_of(folder / "b.csv"), "\nbeat,start_ms,rest_mV"));
}

TEST(Cli, CellSaysInJsonWhatItSaysInWords) {
  const Folder folder;
  const auto run = cardiotwin_in(folder, "cell mitchell-schaeffer --beats 2 --bcl 600 --json");
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_NEAR(json["last"]["apd90_ms"].get<double>(), 273, 15);
  EXPECT_EQ(json["captured_beats"], 2);
  EXPECT_TRUE(contains(json["provenance"]["notice"], "Research use only"));
  EXPECT_EQ(json["provenance"]["steps"][0]["verb"], "cell");
  const auto weak = cardiotwin_in(folder, "cell mitchell-schaeffer --beats 1 --bcl 600 --amplitude 1 --json");
  EXPECT_EQ(weak.code, 0);
  EXPECT_TRUE(contains(weak.err, "warning: 1 of 1 beats were not captured")) << weak.err;
  EXPECT_TRUE(nlohmann::json::parse(weak.out)["last"]["apd90_ms"].is_null());
}

TEST(Cli, CellStudiesDrugsRestitutionAndPopulations) {
  const Folder folder;
  const auto drug = cardiotwin_in(
      folder,
      "cell tentusscher-2006 --beats 1 --bcl 500 --json --drug 'g_Kr: ic50=0.1 uM, hill=1, g_CaL: ic50=2000 nM' "
      "--concentration '0, 0.1, 1 uM'");
  ASSERT_EQ(drug.code, 0) << drug.err;
  const auto rows = nlohmann::json::parse(drug.out)["concentrations"];
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["change_percent"], 0);
  EXPECT_GT(rows[1]["change_percent"].get<double>(), 2);
  const auto curve = cardiotwin_in(
      folder, "cell mitchell-schaeffer --restitution s1s2 --beats 2 --bcl 600 --by 50 --dt 0.1 --csv r.csv");
  ASSERT_EQ(curve.code, 0) << curve.err;
  EXPECT_TRUE(contains(curve.out, "effective refractory period")) << curve.out;
  EXPECT_TRUE(contains(bytes_of(folder / "r.csv"), "interval_ms,di_ms,apd90_ms,peak_mV,captured\n600,"));
  const auto people = cardiotwin_in(
      folder,
      "cell mitchell-schaeffer --population 40 --vary tau_close,tau_out --beats 2 --bcl 500 --dt 0.1 --csv p.csv");
  ASSERT_EQ(people.code, 0) << people.err;
  EXPECT_TRUE(contains(people.out, "40 cells, seed 1")) << people.out;
  const auto table = bytes_of(folder / "p.csv");
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2 + 1 + 40);
  EXPECT_TRUE(contains(table, "\ncell,factor_tau_close,factor_tau_out,rest_mV"));
}

TEST(Cli, CellRefusesWhatCannotBe) {
  const Folder folder;
  const std::string cell = "cell tentusscher-2006 ";
  expect_refused(folder, "cell", "model must be given: one of mitchell-schaeffer-modified");
  expect_refused(folder, "cell tentuscher-2006", "did you mean \"tentusscher-2006\"?");
  expect_refused(folder, cell + "--variant eip", "did you mean \"epi\"?");
  expect_refused(folder, cell + "--set g_kr=0.1", "did you mean \"g_Kr\"?");
  expect_refused(folder, cell + "--set g_Kr=nan", "--set: g_Kr = \"nan\" is not a plain finite number");
  expect_refused(folder, cell + "--set g_Kr=99", "g_Kr = 99 nS/pF is outside [0, 5]");
  expect_refused(folder, cell + "--set g_Kr", "not of the form g_Kr=0.1");
  expect_refused(folder, cell + "--scale g_Kr=-1", "the factor -1 of g_Kr");
  expect_refused(folder, cell + "--bcl 20 --duration 30", "must be longer than the pulse of 30 ms");
  expect_refused(folder, cell + "--drug 'g_Kr: ic50=-1' --concentration 1", "must be above 0");
  expect_refused(folder, cell + "--drug 'g_Kr: ic50=1 mm' --concentration 1", "a length, but a concentration");
  expect_refused(folder, cell + "--drug 'g_Kr: ic50=1'", "--drug needs --concentration");
  expect_refused(folder, cell + "--population 10", "--population needs --vary");
  expect_refused(folder, cell + "--restitution s1s3", "did you mean \"s1s2\"?");
  expect_refused(folder, cell + "--by 3", "need --restitution");
  expect_refused(folder, cell + "--trace none/x.csv", "the folder none does not exist");
}

TEST(Cli, ConvertTakesATwinOutAndBringsItBack) {
  const Folder folder;
  small_twin().save(folder / "heart.twin");
  const auto out = cardiotwin_in(folder, "convert heart.twin heart");
  ASSERT_EQ(out.code, 0) << out.err;
  EXPECT_TRUE(contains(out.err, "tissue, landmarks and the origin of the twin stay behind")) << out.err;
  for (const char* file : {"heart.pts", "heart.elem", "heart.lon", "heart.aha7.vtx", "heart.endo.vtx"})
    EXPECT_TRUE(std::filesystem::exists(folder / file)) << file;
  expect_refused(folder, "convert heart.pts back.twin", "no region is named for tag 1, 2, 3 of the file");
  expect_refused(folder, "convert heart.pts back.twin --regions 1:healthy", "must read TAG=NAME");
  expect_refused(folder, "convert heart.pts back.twin --regions 1=helthy,2=core,3=core", "did you mean \"healthy\"?");
  const auto back = cardiotwin_in(folder, "convert heart.lon back.twin --regions 1=healthy,2=border_zone,3=core");
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_TRUE(contains(back.out, "site aha7")) << back.out;
  const auto twin = Twin::load(folder / "back.twin");
  EXPECT_EQ(twin.anatomy.mesh.tet_count(), small_twin().anatomy.mesh.tet_count());
  ASSERT_EQ(twin.provenance.steps.size(), 1u);
  EXPECT_EQ(twin.provenance.steps[0].inputs.at("heart.elem"), sha256_of_file(folder / "heart.elem"));
  EXPECT_EQ(twin.provenance.steps[0].inputs.size(), 8u);
  EXPECT_FALSE(twin.provenance.steps[0].warnings.empty());
  const auto run = cardiotwin_in(folder, "simulate back.twin --site aha7 --s1 100x1 --duration 5");
  EXPECT_EQ(run.code, 0) << run.err;

  ASSERT_EQ(cardiotwin_in(folder, "convert run/maps.vtu maps.msh").code, 0);
  ASSERT_EQ(cardiotwin_in(folder, "convert maps.msh maps.stl").code, 0);
  EXPECT_TRUE(contains(bytes_of(folder / "maps.msh"), "\"LAT first\""));
  EXPECT_TRUE(contains(bytes_of(folder / "maps.stl").substr(0, 80), "Research use only"));
}

TEST(Cli, ConvertRefusesWhatCannotBe) {
  const Folder folder;
  small_twin().save(folder / "heart.twin");
  expect_refused(folder, "convert heart.twin", "out must be given");
  expect_refused(folder, "convert heart.twin a.twin", "both twins");
  expect_refused(folder, "convert heart.twin a.vtuu", "did you mean \".vtu\"?");
  expect_refused(folder, "convert heart.twin a.msh b.msh", "\"b.msh\" is not expected");
  expect_refused(folder, "convert none.vtu a.msh", "none.vtu does not exist");
  expect_refused(folder, "convert none a.msh", "none does not exist");
  write_bytes(folder / "bad.msh", "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 99999999 1 9\n$EndNodes\n");
  expect_refused(folder, "convert bad.msh a.vtu", "bad.msh: line 5: 99999999 nodes are announced, but only");
  expect_refused(folder, "convert heart.twin none/a.vtu", "the folder none does not exist");
}

TEST(Cli, WritingWhereItCannotIsRefused) {
  const Folder folder;
  small_twin().save(folder / "heart.twin");
  expect_refused(folder, "simulate heart.twin --site aha1 --out heart.twin/run", "heart.twin/run");
  expect_refused(folder, "phantom --out heart.twin", "heart.twin");
}

class Interrupted : public ::testing::TestWithParam<int> {};

TEST_P(Interrupted, EndsWith130AndSaysHowToGoOn) {
  const Folder folder;
  auto twin = small_twin();
  for (auto& [name, region] : twin.tissue.regions) region.variant.clear(), region.parameters.clear();
  twin.save(folder / "heart.twin");
  const pid_t child = ::fork();
  if (child == 0) {
    if (::chdir(folder.path().c_str()) != 0 || !std::freopen("err", "w", stderr) || !std::freopen("out", "w", stdout))
      ::_exit(99);
    ::execl(CARDIOTWIN_CLI, CARDIOTWIN_CLI, "simulate", "heart.twin", "--site", "aha1", "--duration", "1000000",
            nullptr);
    ::_exit(98);
  }
  // Once the options are on disk the run has begun.
  for (int i = 0; i < 600 && !std::filesystem::exists(folder / "run/effective.toml"); ++i) ::usleep(50000);
  ::usleep(300000);
  ::kill(child, GetParam());
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  const auto err = bytes_of(folder / "err");
  EXPECT_TRUE(err.starts_with("cardiotwin simulate: interrupted by the user; ")) << err;
  EXPECT_TRUE(contains(err, "same command")) << err;
  EXPECT_FALSE(std::filesystem::exists(folder / "run/maps.vtu"));
}

INSTANTIATE_TEST_SUITE_P(Cli, Interrupted, ::testing::Values(SIGINT, SIGTERM), [](const auto& instance) {
  return instance.param == SIGINT ? std::string("ByCtrlC") : std::string("ByABatchSystem");
});

}  // namespace
