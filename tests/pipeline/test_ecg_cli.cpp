// Electrocardiograms, torsos and the bidomain as a user of the command line meets them.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "shell.hpp"

using namespace cardiotwin;
using test::bytes_of, test::cardiotwin_in, test::contains, test::expect_refused, test::Folder, test::small_twin;

TEST(EcgCli, SimulateRecordsAnEcgAndSolvesTheBidomain) {
  const Folder folder;
  auto twin = small_twin();
  for (auto& [name, region] : twin.tissue.regions) region.variant.clear(), region.parameters.clear();
  twin.save(folder / "heart.twin");
  const std::string common = "simulate heart.twin --site aha1 --s1 100x1 --duration 30 ";
  const auto run = cardiotwin_in(folder, common + "--ecg --torso-frame scanner --torso-edge 4 --out a");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(contains(run.out, "ECG of the beat at 0 ms: QRS")) << run.out;
  for (const char* file : {"ecg.csv", "vcg.csv", "ecg.svg", "electrodes.csv", "torso.vtu"})
    EXPECT_TRUE(std::filesystem::exists(folder / "a" / file)) << file;
  EXPECT_TRUE(contains(bytes_of(folder / "a" / "ecg.csv"), "time [ms],I [mV],II [mV]"));
  for (const char* file : {"ecg.csv", "ecg.svg", "electrodes.csv"})
    EXPECT_TRUE(contains(bytes_of(folder / "a" / file), "Research use only")) << file;

  const auto bidomain = cardiotwin_in(
      folder, common +
                  "--model bidomain --torso bath --bath-margin 3 --catheters \"a=-1,1,1 mm,b=5,2,1 mm\" --bipolar a-b "
                  "--currents \"-1,1,1,0.6,50,10,2;5,2,1,0.6,-50,10,2\" --out b");
  ASSERT_EQ(bidomain.code, 0) << bidomain.err;
  EXPECT_TRUE(contains(bidomain.out, "extracellular potential solved for")) << bidomain.out;
  EXPECT_TRUE(contains(bytes_of(folder / "b" / "electrograms.csv"), "time [ms],a [mV],b [mV],a-b [mV]"));
  EXPECT_TRUE(std::filesystem::exists(folder / "b" / "potential.vtu"));

  expect_refused(folder, common + "--model bidomain --currents 2,1,1,1,50,10,2",
                 "add up to 50 uA, and nothing is grounded");
  expect_refused(folder, common + "--currents 2,1,1,1,0,10,2", "which a monodomain has not");
  expect_refused(folder, common + "--ecg --torso none", "--ecg needs a torso");
  expect_refused(folder, common + "--ecg --torso bath", "there is no electrode \"RA\"");
  expect_refused(folder, common + "--grounds 1,2,3", "it must read x,y,z,radius");
  const auto wrong = cardiotwin_in(folder, common + "--torso bath --torso-conductivity bat=1 --out c");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_TRUE(contains(wrong.err, "the torso has no \"bat\"; did you mean \"bath\"?")) << wrong.err;
  const auto outside = cardiotwin_in(folder, common + "--torso bath --catheters \"tip=2,1.5,90 mm\" --out c");
  EXPECT_EQ(outside.code, 2);
  EXPECT_TRUE(contains(outside.err, "Electrode \"tip\" at (2.0, 1.5, 90.0) mm lies 68.0 mm outside the torso"))
      << outside.err;
  EXPECT_FALSE(std::filesystem::exists(folder / "c"));
}
