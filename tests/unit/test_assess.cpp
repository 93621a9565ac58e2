// The gate before a twin: every finding has a phantom damaged on purpose that raises it, and one that does not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cardiotwin/meshes/assess.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cmath>
#include <functional>

#include "../../meshes/src/voxels.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;

namespace {

const Phantom& clean() {
  static const Phantom made = make_phantom({.pixel = 2, .slice = 5});
  return made;
}

std::string said(const std::vector<Finding>& findings, Severity severity) {
  std::string text;
  for (const auto& f : findings) {
    if (f.severity == severity) text += f.text + "\n";
  }
  return text;
}

// What `assess` says of the clean phantom once `damage` is done to it.
struct Damaged {
  std::string warnings, severe;
};
Damaged after(const std::function<void(Phantom&)>& damage, const AssessOptions& options = {}) {
  Phantom phantom = clean();
  damage(phantom);
  const auto findings = assess(phantom.image, phantom.labels, options);
  return {said(findings, Severity::warning), said(findings, Severity::severe)};
}

// Calls f(position in the heart's own frame, slice, label) for every voxel.
void for_labels(Phantom& phantom, const std::function<void(const Vec3&, int, std::uint8_t&)>& f) {
  for_each_voxel(phantom.labels.grid, [&](int i, int j, int k, std::size_t v) {
    f(phantom.labels.grid.position(Vec3(i, j, k)), k, phantom.labels.values[v]);
  });
}

bool is_left(std::uint8_t label) { return label >= 1 && label <= 4; }

// First and last slice with the left ventricle.
std::array<int, 2> extent() {
  std::array<int, 2> found{1 << 20, -1};
  Phantom phantom = clean();
  for_labels(phantom, [&](const Vec3&, int k, std::uint8_t& label) {
    if (is_left(label)) found = {std::min(found[0], k), std::max(found[1], k)};
  });
  return found;
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Assess, ACleanPhantomRaisesNothing) {
  const auto same = after([](Phantom&) {});
  EXPECT_EQ(same.warnings, "");
  EXPECT_EQ(same.severe, "");
  const auto numbers = said(assess(clean().image, clean().labels), Severity::info);
  EXPECT_SAYS(numbers, "labelled infarct over muscle");
  // Without scar, turned and moved, as fine as a 3-D image: still nothing.
  const auto other = make_phantom({.translation = Vec3(40, -20, 9),
                                   .rotation_degrees = Vec3(30, 20, 10),
                                   .scar = false,
                                   .channel = false,
                                   .pixel = 2,
                                   .slice = 2});
  for (const auto& f : assess(other.image, other.labels)) EXPECT_EQ(f.severity, Severity::info) << f.text;
}

TEST(Assess, FewSlicesAndThickOnesAreNamed) {
  const auto thick = make_phantom({.pixel = 2, .slice = 10});
  EXPECT_SAYS(said(assess(thick.image, thick.labels), Severity::warning), "slices are 10.0 mm apart");
  // Half a slice of the default phantom's basal ring of 27.5 mm mid-wall radius and 9 mm: 7.8 ml of 108.
  EXPECT_SAYS(said(assess(thick.image, thick.labels), Severity::warning), "its volume is known to 7 %");
  const auto few = make_phantom({.pixel = 2, .slice = 15});  // 90 mm of heart in 6 slices
  Phantom cut = few;
  for_labels(cut, [](const Vec3& p, int, std::uint8_t& label) {
    if (p.z() > -15) label = 0;
  });
  EXPECT_SAYS(said(assess(cut.image, cut.labels), Severity::warning), "slices show the left ventricle");
  for_labels(cut, [](const Vec3& p, int, std::uint8_t& label) {
    if (p.z() > -45) label = 0;
  });
  EXPECT_SAYS(said(assess(cut.image, cut.labels), Severity::severe), "slices show the left ventricle");
  // Beyond twice the wall neighbours share no wall.
  const auto thin = make_phantom({.wall = 5, .scar = false, .channel = false, .pixel = 1.5, .slice = 12});
  EXPECT_SAYS(said(assess(thin.image, thin.labels, {.edge = 0.5}), Severity::severe), "slices are 12.0 mm apart");
}

TEST(Assess, GapsBetweenSlicesAreNamedWhereTheFileTellsThem) {
  EXPECT_EQ(after([](Phantom&) {}, {.slice_thickness = 5}).warnings, "");
  EXPECT_SAYS(after([](Phantom&) {}, {.slice_thickness = 3.5}).warnings, "gaps of 1.5 mm, so 30 %");
  EXPECT_SAYS(after([](Phantom&) {}, {.slice_thickness = 2}).severe, "60 %");
}

TEST(Assess, SlicesWithoutLabelsBetweenOthersAreNamed) {
  const auto [low, high] = extent();
  const auto without = [&, first = low](int count) {
    return after([&](Phantom& p) {
      for_labels(p, [&](const Vec3&, int k, std::uint8_t& label) {
        if (k >= first + 5 && k < first + 5 + count) label = 0;
      });
    });
  };
  EXPECT_SAYS(without(1).warnings, fmt::format("carry no labels (number {})", low + 6));
  EXPECT_SAYS(without(6).severe, "carry no labels");
}

TEST(Assess, ACutApexAndACutBaseAreNamed) {
  const auto cut = [&](double low, double high) {
    return after([&](Phantom& p) {
      for_labels(p, [&](const Vec3& at, int, std::uint8_t& label) {
        if (at.z() < low || at.z() > high) label = 0;
      });
    });
  };
  EXPECT_SAYS(cut(-58, 99).warnings, "end above the apex");  // 0.58 of the cavity's width
  EXPECT_SAYS(cut(-40, 99).severe, "end above the apex");    // 0.83
  EXPECT_SAYS(cut(-99, -22).warnings, "base or apex are probably not covered");
  EXPECT_SAYS(cut(-99, -50).severe, "base or apex are probably not covered");
}

TEST(Assess, ALeftVentricleAtTheStacksEndOrTheImagesEdgeIsNamed) {
  const auto [low, high] = extent();
  const auto crop = [](const auto& whole, int i0, int k0, int k1) {
    auto part = whole;
    part.values.clear();
    part.grid.size = {whole.grid.size[0] - i0, whole.grid.size[1], k1 - k0};
    part.grid.origin = whole.grid.position(Vec3(i0, 0, k0));
    for (int k = k0; k < k1; ++k) {
      for (int j = 0; j < whole.grid.size[1]; ++j) {
        for (int i = i0; i < whole.grid.size[0]; ++i) part.values.push_back(whole.values[whole.grid.offset(i, j, k)]);
      }
    }
    return part;
  };
  const auto cropped = [&](int i0, int k0, int k1) {
    return after([&](Phantom& p) { p.image = crop(p.image, i0, k0, k1), p.labels = crop(p.labels, i0, k0, k1); });
  };
  const int n = clean().labels.grid.size[2];
  EXPECT_SAYS(cropped(0, low, n).warnings, "reaches the first slice of the stack at its apex");
  EXPECT_SAYS(cropped(0, 0, high + 1).warnings, "reaches the last slice of the stack at its base");
  EXPECT_SAYS(cropped(clean().labels.grid.size[0] / 4, 0, n).severe, "touches the image's edge");
}

TEST(Assess, NoiseAndPoorContrastAreNamed) {
  const auto noisy = [](double noise) {
    const auto made = make_phantom({.pixel = 2, .slice = 5, .noise = noise});
    return assess(made.image, made.labels);
  };
  EXPECT_EQ(said(noisy(20), Severity::warning), "");
  EXPECT_SAYS(said(noisy(40), Severity::warning), "blood differs from muscle by only");
  EXPECT_SAYS(said(noisy(60), Severity::warning), "blood is only");
  EXPECT_SAYS(said(noisy(60), Severity::warning), "labelled infarct differs from muscle by only");
  // Blood as dark as muscle, or darker.
  const auto blood = [](double to) {
    return after([&](Phantom& p) {
      for (std::size_t v = 0; v < p.image.values.size(); ++v)
        if (p.labels.values[v] == lv_cavity) p.image.values[v] += float(to - 250);
    });
  };
  EXPECT_SAYS(blood(120).severe, "blood differs from muscle by only");
  EXPECT_SAYS(blood(60).severe, "is no brighter than muscle");
  // Infarct drawn where nothing enhances.
  EXPECT_SAYS(after([](Phantom& p) {
                for_labels(p, [](const Vec3& at, int, std::uint8_t& label) {
                  if (label == infarct || label == no_reflow) label = muscle;
                  if (label == muscle && at.y() < -15 && std::abs(at.z() + 20) < 15) label = infarct;
                });
              }).severe,
              "labelled infarct differs from muscle");
}

TEST(Assess, HolesIslandsAndLeaksAreNamed) {
  const auto hole = after([](Phantom& p) {
    for_labels(p, [](const Vec3& at, int, std::uint8_t& label) {
      if (label == muscle && (at - Vec3(0, -27.5, -10)).norm() < 3.5) label = background;
    });
  });
  EXPECT_SAYS(hole.warnings, "the muscle label has ");
  const auto island = after([](Phantom& p) {
    for_labels(p, [](const Vec3& at, int, std::uint8_t& label) {
      if ((at - Vec3(-36, 36, -60)).norm() < 7) label = muscle;
    });
  });
  EXPECT_SAYS(island.warnings, "muscle label are not connected");
  const auto stray = after([](Phantom& p) {
    for_labels(p, [](const Vec3& at, int, std::uint8_t& label) {
      if ((at - Vec3(-36, 36, -60)).norm() < 7) label = infarct;
    });
  });
  EXPECT_SAYS(stray.warnings, "infarct label lie outside the muscle");
  EXPECT_EQ(stray.warnings.find("muscle label are"), std::string::npos) << stray.warnings;
  const auto drop = after([](Phantom& p) {
    for_labels(p, [](const Vec3& at, int, std::uint8_t& label) {
      if ((at - Vec3(-36, 36, -60)).norm() < 7) label = lv_cavity;
    });
  });
  EXPECT_SAYS(drop.warnings, "cavity label are not connected");
  const auto leak = [](double radius) {
    return after([&](Phantom& p) {
      for_labels(p, [&](const Vec3& at, int, std::uint8_t& label) {
        if (at.y() < 0 && std::hypot(at.x(), at.z() + 20) < radius && label == muscle) label = lv_cavity;
      });
    });
  };
  EXPECT_SAYS(leak(6).warnings, "the cavity meets background");
  EXPECT_SAYS(leak(15).severe, "the cavity meets background");
}

TEST(Assess, AWallThinnerThanTheMeshCanCarryIsNamed) {
  const auto thin = make_phantom({.wall = 3, .scar = false, .channel = false, .pixel = 1.2, .slice = 5});
  EXPECT_SAYS(said(assess(thin.image, thin.labels, {.edge = 4}), Severity::severe), "one edge of 4 mm");
  EXPECT_EQ(said(assess(thin.image, thin.labels, {.edge = 1}), Severity::severe), "");
}

TEST(Assess, LabelsMovedAgainstTheImageAreNamed) {
  const auto moved = [](int pixels) {
    return after([&](Phantom& p) {
      const Labels before = p.labels;
      for_each_voxel(p.labels.grid, [&](int i, int j, int k, std::size_t v) {
        p.labels.values[v] = label_at(before, i + pixels, j, k);
      });
    });
  };
  EXPECT_EQ(moved(1).warnings, "");  // 2 mm: a partial voxel's worth
  EXPECT_SAYS(moved(2).warnings + moved(2).severe, "probably not aligned");
  EXPECT_SAYS(moved(4).severe, "probably not aligned");
}

TEST(Assess, RealCasesGetTheirWarningsAndNothingSevere) {
  const std::filesystem::path folder = std::filesystem::path(CARDIOTWIN_SHARED) / "data" / "lge";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the real cases are not here: " << folder;
  for (const std::string name : {"samplePositive", "sampleNegative"}) {
    const auto findings =
        assess(read_image(folder / (name + "_Images.nii.gz")),
               canonical_labels(read_labels(folder / (name + "_Contours.nii.gz")), "emidec"), {.edge = 1});
    EXPECT_EQ(said(findings, Severity::severe), "") << name;
    const auto warnings = said(findings, Severity::warning);
    EXPECT_SAYS(warnings, name == "samplePositive" ? "13.0 mm apart" : "10.0 mm apart");
    EXPECT_SAYS(warnings, "reaches the first slice of the stack at its apex");
    EXPECT_SAYS(warnings, "reaches the last slice of the stack at its base");
    EXPECT_SAYS(warnings, "so its volume is known to");
    EXPECT_EQ(std::ranges::count(warnings, '\n'), 4) << warnings;
  }
}

TEST(Assess, WhatCannotBeAssessedIsRefused) {
  Labels empty = clean().labels;
  std::ranges::fill(empty.values, std::uint8_t(0));
  EXPECT_THROW(assess(clean().image, empty), InputError);
  Labels other = clean().labels;
  other.grid.spacing[0] = 1;
  EXPECT_THROW(assess(clean().image, other), InputError);
  EXPECT_THROW(assess(clean().image, clean().labels, {.edge = 0}), InputError);
}

}  // namespace
