#include "phantom_atrium.hpp"

#include <fmt/format.h>

#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>

#include "phantom_parts.hpp"
#include "voxels.hpp"

namespace cardiotwin::meshes {
namespace {

// Wall against blood as in atrial images: healthy below 0.97 of it, fibrosis within 1.20 to 1.32, dense scar above; the
// gap in it somewhat enhanced.
constexpr std::array<double, atrial_stuffs> signal{40, 250, 250, 190, 308, 400, 285};
constexpr std::array<std::uint8_t, atrial_stuffs> wall_label{
    background, std::uint8_t(Meaning::la_blood), lv_cavity, muscle, infarct, infarct, infarct};

void check(const AtriumPhantomOptions& o) {
  require_between(o.width, "width", 25, 120);
  require_between(o.wall, "wall", 1, 6);
  require_between(o.vein_length, "vein_length", 2, 40);
  require_between(o.voxel, "voxel", 0.3, 3);
  require_between(o.noise, "noise", 0, 1000, "");
  require_between(o.fibrosis_radius, "fibrosis_radius", 0, 30);
  require_between(o.border_zone, "border_zone", 0, 20);
  require_between(o.scar_width, "scar_width", 2, 60);
  require_between(o.scar_height, "scar_height", 2, 60);
  for (int i = 0; i < 3; ++i) {
    require_between(o.translation[i], "translation", -1e4, 1e4);
    require_between(o.rotation_degrees[i], "rotation_degrees", -360, 360, " degrees");
  }
  if (o.veins != "four" && o.veins != "five" && o.veins != "trunk" && o.veins != "three")
    throw InputError(fmt::format("phantom: veins \"{}\" is unknown; four, five, trunk or three are known", o.veins));
  if (o.scar && o.channel) require_between(o.channel_width, "channel_width", 1, 0.8 * o.scar_width);
}

Grid grid_of(const AtriumPhantomOptions& o, const Atrium& atrium) {
  constexpr double rim = 10;
  const Vec3 low = atrium.low() - Vec3::Constant(rim), size = atrium.high() + Vec3::Constant(rim) - low;
  Grid grid;
  grid.spacing = Vec3::Constant(o.voxel);
  for (int a = 0; a < 3; ++a) grid.size[a] = int(std::ceil(size[a] / o.voxel)) + 1;
  grid.direction = rotation_of(o.rotation_degrees);
  grid.origin = grid.direction * low + o.translation;
  return grid;
}

using Counts = std::array<std::int64_t, atrial_stuffs>;

Counts sample_voxel(const Atrium& atrium, const Vec3& centre, double voxel, int across) {
  Counts counts{};
  if (atrium.uniform_within(centre, 0.87 * voxel)) {  // half a diagonal
    counts[std::size_t(atrium.stuff(centre))] = across * across * across;
    return counts;
  }
  for (int s = 0; s < across * across * across; ++s) {
    const Vec3 at(s % across + 0.5, s / across % across + 0.5, s / (across * across) + 0.5);
    ++counts[std::size_t(atrium.stuff(centre + voxel * (at / across - Vec3::Constant(0.5))))];
  }
  return counts;
}

// What most of the voxel is: first cavity, wall, ventricle or nothing, then scar or not.
std::uint8_t label_of(const Counts& n, bool with_wall) {
  const auto count = [&](AtrialStuff stuff) { return n[std::size_t(stuff)]; };
  const auto scar = count(AtrialStuff::fibrosis) + count(AtrialStuff::dense) + count(AtrialStuff::channel);
  const auto wall = scar + count(AtrialStuff::healthy), blood = count(AtrialStuff::blood),
             ventricle = count(AtrialStuff::lv_blood), none = count(AtrialStuff::background);
  if (!with_wall) return 2 * blood > wall + blood + ventricle + none ? 1 : 0;
  const auto most = std::max({wall, blood, ventricle, none});
  if (wall == most) return wall_label[std::size_t(2 * scar >= wall ? AtrialStuff::dense : AtrialStuff::healthy)];
  return wall_label[std::size_t(blood == most       ? AtrialStuff::blood
                                : ventricle == most ? AtrialStuff::lv_blood
                                                    : AtrialStuff::background)];
}

Counts sample(const Atrium& atrium, const AtriumPhantomOptions& o, int across, AtriumPhantom& phantom,
              const Monitor& monitor) {
  const Grid& grid = phantom.image.grid;
  const Vec3 first = grid.direction.transpose() * (grid.origin - o.translation);
  Counts total{};
  for (int k = 0; k < grid.size[2]; ++k) {
    monitor.poll();
    monitor.report("imaging the phantom", double(k) / grid.size[2]);
    std::vector<Counts> rows(std::size_t(grid.size[1]), Counts{});
#pragma omp parallel for schedule(dynamic)
    for (int j = 0; j < grid.size[1]; ++j) {
      for (int i = 0; i < grid.size[0]; ++i) {
        const Counts counts = sample_voxel(atrium, first + o.voxel * Vec3(i, j, k), o.voxel, across);
        double sum = 0;
        for (int s = 0; s < atrial_stuffs; ++s) sum += double(counts[s]) * signal[s], rows[j][s] += counts[s];
        const std::size_t voxel = grid.offset(i, j, k);
        phantom.image.values[voxel] = float(sum / (across * across * across));
        phantom.labels.values[voxel] = label_of(counts, o.wall_labels);
      }
    }
    for (const Counts& row : rows)
      for (int s = 0; s < atrial_stuffs; ++s) total[s] += row[s];
  }
  return total;
}

AtriumPhantomTruth truth_of(const Atrium& atrium, const AtriumPhantomOptions& o, const Counts& counts, int across) {
  AtriumPhantomTruth truth;
  const Mat3 turn = rotation_of(o.rotation_degrees);
  truth.openings.push_back(atrium.mitral());
  for (const VeinTube& v : atrium.veins())
    truth.openings.push_back({v.name, v.start + v.end * v.direction, v.direction, v.radius});
  for (auto& opening : truth.openings)
    opening.centre = turn * opening.centre + o.translation, opening.normal = turn * opening.normal;
  for (const Vec3& p : atrium.channel_line()) truth.channel.push_back(turn * p + o.translation);
  const double ml = std::pow(o.voxel / across, 3) / 1000;
  const auto volume = [&](AtrialStuff stuff) { return double(counts[std::size_t(stuff)]) * ml; };
  truth.cavity_volume = volume(AtrialStuff::blood);
  truth.dense_volume = volume(AtrialStuff::dense), truth.channel_volume = volume(AtrialStuff::channel);
  truth.fibrosis_volume = volume(AtrialStuff::fibrosis) + truth.channel_volume;
  truth.wall_volume = truth.dense_volume + truth.fibrosis_volume + volume(AtrialStuff::healthy);
  return truth;
}

nlohmann::ordered_json json_of(const AtriumPhantomOptions& o) {
  return {{"seed", o.seed},
          {"width", o.width},
          {"wall", o.wall},
          {"vein_length", o.vein_length},
          {"veins", o.veins},
          {"appendage", o.appendage},
          {"translation", point_json(o.translation)},
          {"rotation_degrees", point_json(o.rotation_degrees)},
          {"scar", o.scar},
          {"channel", o.channel},
          {"scar_width", o.scar_width},
          {"scar_height", o.scar_height},
          {"border_zone", o.border_zone},
          {"channel_width", o.channel_width},
          {"fibrosis_radius", o.fibrosis_radius},
          {"voxel", o.voxel},
          {"noise", o.noise},
          {"wall_labels", o.wall_labels}};
}

}  // namespace

AtriumPhantom make_atrium_phantom(const AtriumPhantomOptions& options, const Monitor& monitor) {
  check(options);
  const Atrium atrium(options);
  AtriumPhantom phantom;
  phantom.image.grid = phantom.labels.grid = grid_of(options, atrium);
  phantom.image.values.resize(phantom.image.grid.count());
  phantom.labels.values.resize(phantom.image.grid.count());
  const int across = std::max(3, int(std::ceil(options.voxel / 0.5)));
  const Counts counts = sample(atrium, options, across, phantom, monitor);
  add_noise(phantom.image, options.seed, options.noise, 0);
  phantom.truth = truth_of(atrium, options, counts, across);
  return phantom;
}

void write_phantom(const AtriumPhantom& phantom, const AtriumPhantomOptions& options,
                   const std::filesystem::path& folder) {
  const AtriumPhantomTruth& truth = phantom.truth;
  auto openings = nlohmann::ordered_json::array();
  for (const auto& o : truth.openings) {
    openings.push_back({{"name", o.name},
                        {"centre", point_json(o.centre)},
                        {"normal", point_json(o.normal)},
                        {"radius_mm", std::round(o.radius * 1000) / 1000}});
  }
  nlohmann::ordered_json labels{{"1", "left-atrial cavity"}};
  if (options.wall_labels) {
    labels = {{"1", "LV cavity"},
              {"2", "atrial wall"},
              {"3", "scar: dense, fibrosis and channel"},
              {"7", "left-atrial cavity"}};
  }
  const nlohmann::ordered_json json = {
      {"note", research_use_only},
      {"what",
       "synthetic left atrium; positions are scanner coordinates, LPS, in mm; the channel begins at its lower end"},
      {"version", version()},
      {"seed", options.seed},
      {"openings", openings},
      {"channel", channel_json(truth.channel, options.channel_width)},
      {"volumes_ml",
       {{"cavity", truth.cavity_volume},
        {"wall", truth.wall_volume},
        {"dense", truth.dense_volume},
        {"fibrosis", truth.fibrosis_volume},
        {"channel", truth.channel_volume}}},
      {"labels", labels},
      {"options", json_of(options)}};
  make_folder(folder);
  write_image(folder / "lge.nii.gz", phantom.image);
  write_labels(folder / "labels.nii.gz", phantom.labels);
  write_text(folder / "truth.json", json.dump(2) + "\n");
}

}  // namespace cardiotwin::meshes
