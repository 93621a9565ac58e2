#include <gtest/gtest.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/stimulus.hpp>

namespace cardiotwin {
namespace {

const Site site{.name = "here", .position = Vec3::Zero(), .nodes = {3, 4}};

TEST(Stimulus, s1s2_places_beats_and_then_extra_stimuli_after_one_another) {
  const auto protocol = Protocol::s1s2(site, {.s1 = 600, .beats = 3, .s2 = 290, .s3 = 250, .s4 = 0, .start = 5});
  std::vector<double> starts;
  for (const auto& s : protocol.stimuli) {
    starts.push_back(s.start);
    EXPECT_EQ(s.nodes, site.nodes);
    EXPECT_EQ(s.duration, 2);
  }
  EXPECT_EQ(starts, (std::vector<double>{5, 605, 1205, 1495, 1745}));
  EXPECT_EQ(protocol.last_stimulus(), 1745);
}

TEST(Stimulus, nonsense_is_refused) {
  EXPECT_THROW(Protocol::s1s2(site, {.beats = 0}), InputError);
  EXPECT_THROW(Protocol::s1s2(site, {.s1 = 0}), InputError);
  EXPECT_THROW(Protocol::s1s2(site, {.s3 = 200}), InputError);
  EXPECT_THROW(Protocol::s1s2(site, {.s2 = -200}), InputError);
  EXPECT_THROW(Protocol::s1s2(site, {.start = -1}), InputError);
  EXPECT_THROW(Protocol::s1s2(site, {.duration = 0}), InputError);
  EXPECT_THROW(Protocol::s1s2(site, {.amplitude = 5000}), InputError);
  EXPECT_THROW(Protocol::s1s2(Site{.name = "nowhere", .position = Vec3::Zero(), .nodes = {}}, {}), InputError);
}

}  // namespace
}  // namespace cardiotwin
