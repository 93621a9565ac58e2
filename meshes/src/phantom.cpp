#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/meshes/phantom.hpp>
#include <cmath>
#include <optional>

#include "phantom_heart.hpp"
#include "phantom_parts.hpp"

namespace cardiotwin::meshes {
namespace {

// Signal above the offset, in image units. Border zone and channel lie half way between healthy muscle and core.
constexpr double signal_of(Stuff stuff) {
  switch (stuff) {
    case Stuff::background:
      return 20;
    case Stuff::lv_blood:
    case Stuff::rv_blood:
      return 250;
    case Stuff::healthy:
      return 112;
    case Stuff::border_zone:
    case Stuff::channel:
      return 248;
    case Stuff::core:
      return 384;
    case Stuff::no_reflow:
      return 60;
  }
  return 0;
}
constexpr int stuffs = 8;

void check(const PhantomOptions& o) {
  require_between(o.semi_axis_short, "semi_axis_short", 10, 100);
  require_between(o.semi_axis_long, "semi_axis_long", o.semi_axis_short, 200);
  require_between(o.wall, "wall", 2, o.semi_axis_short - 3);
  require_between(o.base_height, "base_height", -0.5 * o.semi_axis_long, 0.8 * (o.semi_axis_long - o.wall));
  require_between(o.pixel, "pixel", 0.3, 5);
  require_between(o.slice, "slice", 0.3, 15);
  require_between(o.noise, "noise", 0, 1000, "");
  require_between(o.offset, "offset", 0, 1e6, "");
  for (int i = 0; i < 3; ++i) {
    require_between(o.translation[i], "translation", -1e4, 1e4);
    require_between(o.rotation_degrees[i], "rotation_degrees", -360, 360, " degrees");
  }
  if (!o.scar) return;
  require_between(o.transmurality, "transmurality", 0.1, 1, "");
  require_between(o.border_zone, "border_zone", 0, 20);
  if (o.scar_segments.empty()) {
    require_between(o.scar_length, "scar_length", 5, 300);
    require_between(o.scar_width, "scar_width", 5, 300);
    require_between(o.scar_angle, "scar_angle", -360, 360, " degrees");
    require_between(o.scar_height, "scar_height", o.wall - o.semi_axis_long, o.base_height);
  }
  for (int segment : o.scar_segments) require_between(segment, "scar_segments", 1, 17, "");
  if (!o.channel) return;
  require_between(o.channel_width, "channel_width", 1, 50);
  require_between(o.channel_tilt, "channel_tilt", -60, 60, " degrees");
  require_between(o.channel_bend, "channel_bend", -50, 50);
  if (o.scar_segments.empty() && o.channel_width > 0.8 * o.scar_width) {
    throw InputError(fmt::format("phantom: channel_width {:g} mm must be at most 0.8 of scar_width {:g} mm",
                                 o.channel_width, o.scar_width));
  }
}

// The stack is perpendicular to the long axis and turns with the heart; a slice boundary falls on the base plane.
Grid grid_of(const PhantomOptions& o, const Ventricle& ventricle) {
  constexpr double rim = 15;
  const int beyond = std::max(2, int(std::ceil(6 / o.slice)));
  const int slices = int(std::ceil((o.semi_axis_long + o.base_height) / o.slice - 1e-9)) + beyond;
  const Vec3 low(-o.semi_axis_short - rim, -o.semi_axis_short - rim, o.base_height - (slices - 0.5) * o.slice);
  Grid grid;
  grid.spacing = {o.pixel, o.pixel, o.slice};
  grid.size = {int(std::ceil((ventricle.right_reach() + rim - low[0]) / o.pixel)),
               int(std::ceil(-2 * low[1] / o.pixel)), slices + beyond};
  grid.direction = rotation_of(o.rotation_degrees);
  grid.origin = grid.direction * low + o.translation;
  return grid;
}

struct Scene {
  Ventricle ventricle;
  std::optional<Infarct> infarct;

  Stuff at(const Vec3& p, bool scarred) const {
    if (ventricle.in_cavity(p)) return Stuff::lv_blood;
    if (ventricle.in_epicardium(p)) return scarred ? infarct->stuff(ventricle.place(p)) : Stuff::healthy;
    return ventricle.in_right_ventricle(p) ? Stuff::rv_blood : Stuff::background;
  }
};

using Counts = std::array<std::int64_t, stuffs>;

// What most of the voxel is: first muscle or not, then which muscle. Border zone and channel belong to the infarct.
std::uint8_t label_of(const Counts& n) {
  const auto count = [&](Stuff stuff) { return n[std::size_t(stuff)]; };
  const auto infarct = count(Stuff::core) + count(Stuff::border_zone) + count(Stuff::channel);
  const auto muscle = count(Stuff::healthy) + infarct + count(Stuff::no_reflow);
  const auto lv = count(Stuff::lv_blood), rv = count(Stuff::rv_blood), none = count(Stuff::background);
  const auto most = std::max({muscle, lv, rv, none});
  if (muscle == most) {
    if (count(Stuff::no_reflow) >= std::max(infarct, count(Stuff::healthy))) return 4;
    return infarct >= count(Stuff::healthy) ? 3 : 2;
  }
  return lv == most ? 1 : rv == most ? 5 : 0;
}

Counts sample_voxel(const Scene& scene, const Vec3& centre, const PhantomOptions& o, int across, int along,
                    double reach, bool scarred) {
  Counts counts{};
  if (!scarred && scene.ventricle.far_from_surfaces(centre, reach)) {
    counts[std::size_t(scene.at(centre, false))] = across * across * along;
    return counts;
  }
  for (int c = 0; c < along; ++c) {
    for (int b = 0; b < across; ++b) {
      for (int a = 0; a < across; ++a) {
        const Vec3 shift(((a + 0.5) / across - 0.5) * o.pixel, ((b + 0.5) / across - 0.5) * o.pixel,
                         ((c + 0.5) / along - 0.5) * o.slice);
        ++counts[std::size_t(scene.at(centre + shift, scarred))];
      }
    }
  }
  return counts;
}

// Mean signal and label of every voxel from samples at most half a millimetre apart; returns how many samples were
// what.
Counts sample(const Scene& scene, const PhantomOptions& o, Phantom& phantom, const Monitor& monitor) {
  const Grid& grid = phantom.image.grid;
  const int across = std::max(3, int(std::ceil(o.pixel / 0.5))), along = std::max(5, int(std::ceil(o.slice / 0.5)));
  const Vec3 first = grid.direction.transpose() * (grid.origin - o.translation);
  const double reach = Vec3(o.pixel, o.pixel, o.slice).norm() / 2;
  Counts total{};
  for (int k = 0; k < grid.size[2]; ++k) {
    monitor.poll();
    monitor.report("imaging the phantom", double(k) / grid.size[2]);
    std::vector<Counts> rows(grid.size[1], Counts{});
#pragma omp parallel for schedule(dynamic)
    for (int j = 0; j < grid.size[1]; ++j) {
      for (int i = 0; i < grid.size[0]; ++i) {
        const Vec3 centre = first + Vec3(i * o.pixel, j * o.pixel, k * o.slice);
        // Places are projected along the wall's normal, which stretches distances by less than the factor here.
        const bool scarred = scene.infarct && scene.infarct->near(scene.ventricle.place(centre), 1.5 * reach);
        const Counts counts = sample_voxel(scene, centre, o, across, along, reach, scarred);
        double signal = 0;
        for (int s = 0; s < stuffs; ++s) signal += double(counts[s]) * signal_of(Stuff(s)), rows[j][s] += counts[s];
        const std::size_t voxel = grid.offset(i, j, k);
        phantom.image.values[voxel] = float(signal / (across * across * along));
        phantom.labels.values[voxel] = label_of(counts);
      }
    }
    for (const Counts& row : rows) {
      for (int s = 0; s < stuffs; ++s) total[s] += row[s];
    }
  }
  return total;
}

}  // namespace

Phantom make_phantom(const PhantomOptions& options, const Monitor& monitor) {
  check(options);
  Scene scene{Ventricle(options), std::nullopt};
  if (options.scar) scene.infarct.emplace(scene.ventricle, options);
  Phantom phantom;
  phantom.image.grid = phantom.labels.grid = grid_of(options, scene.ventricle);
  phantom.image.values.resize(phantom.image.grid.count());
  phantom.labels.values.resize(phantom.image.grid.count());
  const Counts counts = sample(scene, options, phantom, monitor);
  add_noise(phantom.image, options.seed, options.noise, options.offset);

  const int across = std::max(3, int(std::ceil(options.pixel / 0.5))),
            along = std::max(5, int(std::ceil(options.slice / 0.5)));
  const double ml = options.pixel * options.pixel * options.slice / (across * across * along) / 1000;
  const auto volume = [&](std::initializer_list<Stuff> which) {
    std::int64_t n = 0;
    for (Stuff stuff : which) n += counts[std::size_t(stuff)];
    return double(n) * ml;
  };
  PhantomTruth& truth = phantom.truth;
  truth.core_volume = volume({Stuff::core, Stuff::no_reflow});
  truth.channel_volume = volume({Stuff::channel});
  truth.scar_volume = volume({Stuff::core, Stuff::no_reflow, Stuff::channel, Stuff::border_zone});
  truth.muscle_volume = truth.scar_volume + volume({Stuff::healthy});
  if (scene.infarct) {
    const Mat3 turn = rotation_of(options.rotation_degrees);
    for (const Vec3& p : scene.infarct->centre_line()) truth.channel.push_back(turn * p + options.translation);
  }
  return phantom;
}

}  // namespace cardiotwin::meshes
