#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

namespace cardiotwin::meshes {
namespace {

using Json = nlohmann::ordered_json;

// Rounded to a nanometre, so that the text is short and -0 does not occur.
Json json_of(const Vec3& v) {
  Json list = Json::array();
  for (int i = 0; i < 3; ++i) list.push_back(std::round(v[i] * 1e6) / 1e6 + 0.0);
  return list;
}

Json json_of(const PhantomOptions& o) {
  return {{"seed", o.seed},
          {"semi_axis_long", o.semi_axis_long},
          {"semi_axis_short", o.semi_axis_short},
          {"wall", o.wall},
          {"base_height", o.base_height},
          {"papillary", o.papillary},
          {"translation", json_of(o.translation)},
          {"rotation_degrees", json_of(o.rotation_degrees)},
          {"scar", o.scar},
          {"channel", o.channel},
          {"scar_length", o.scar_length},
          {"scar_width", o.scar_width},
          {"scar_height", o.scar_height},
          {"scar_angle", o.scar_angle},
          {"scar_segments", o.scar_segments},
          {"transmurality", o.transmurality},
          {"border_zone", o.border_zone},
          {"channel_width", o.channel_width},
          {"channel_tilt", o.channel_tilt},
          {"channel_bend", o.channel_bend},
          {"no_reflow", o.no_reflow},
          {"pixel", o.pixel},
          {"slice", o.slice},
          {"offset", o.offset},
          {"noise", o.noise}};
}

Json channel_of(const PhantomTruth& truth, const PhantomOptions& o) {
  if (truth.channel.empty()) return nullptr;
  Json line = Json::array();
  double length = 0;
  for (std::size_t i = 0; i < truth.channel.size(); ++i) {
    line.push_back(json_of(truth.channel[i]));
    if (i > 0) length += (truth.channel[i] - truth.channel[i - 1]).norm();
  }
  return {{"entrance", json_of(truth.channel.front())},
          {"exit", json_of(truth.channel.back())},
          {"width_mm", o.channel_width},
          {"length_mm", length},
          {"centre_line", line}};
}

}  // namespace

void write_phantom(const Phantom& phantom, const PhantomOptions& options, const std::filesystem::path& folder) {
  const PhantomTruth& truth = phantom.truth;
  const Mat3& turn = phantom.image.grid.direction;
  const auto place = [&](double x, double y, double z) { return json_of(turn * Vec3(x, y, z) + options.translation); };
  const Json json = {{"note", research_use_only},
                     {"what",
                      "synthetic left ventricle; positions are scanner coordinates, LPS, in mm; the channel's entrance "
                      "is its apical end"},
                     {"version", version()},
                     {"seed", options.seed},
                     {"channel", channel_of(truth, options)},
                     {"volumes_ml",
                      {{"muscle", truth.muscle_volume},
                       {"scar", truth.scar_volume},
                       {"core", truth.core_volume},
                       {"channel", truth.channel_volume}}},
                     {"ventricle",
                      {{"apex", place(0, 0, -options.semi_axis_long)},
                       {"base_centre", place(0, 0, options.base_height)},
                       {"towards_septum", json_of(turn.col(0))},
                       {"towards_anterior", json_of(turn.col(1))}}},
                     {"labels",
                      {{"1", "LV cavity"},
                       {"2", "myocardium"},
                       {"3", "infarct: core, border zone and channel"},
                       {"4", "no-reflow"},
                       {"5", "RV cavity"}}},
                     {"options", json_of(options)}};
  make_folder(folder);
  write_image(folder / "lge.nii.gz", phantom.image);
  write_labels(folder / "labels.nii.gz", phantom.labels);
  write_text(folder / "truth.json", json.dump(2) + "\n");
}

}  // namespace cardiotwin::meshes
