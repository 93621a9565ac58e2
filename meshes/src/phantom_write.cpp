#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/provenance.hpp>
#include <nlohmann/json.hpp>

#include "phantom_parts.hpp"

namespace cardiotwin::meshes {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const PhantomOptions& o) {
  return {{"seed", o.seed},
          {"semi_axis_long", o.semi_axis_long},
          {"semi_axis_short", o.semi_axis_short},
          {"wall", o.wall},
          {"base_height", o.base_height},
          {"papillary", o.papillary},
          {"translation", point_json(o.translation)},
          {"rotation_degrees", point_json(o.rotation_degrees)},
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

}  // namespace

void write_phantom(const Phantom& phantom, const PhantomOptions& options, const std::filesystem::path& folder) {
  const PhantomTruth& truth = phantom.truth;
  const Mat3& turn = phantom.image.grid.direction;
  const auto place = [&](double x, double y, double z) {
    return point_json(turn * Vec3(x, y, z) + options.translation);
  };
  const Json json = {{"note", research_use_only},
                     {"what",
                      "synthetic left ventricle; positions are scanner coordinates, LPS, in mm; the channel's entrance "
                      "is its apical end"},
                     {"version", version()},
                     {"seed", options.seed},
                     {"channel", channel_json(truth.channel, options.channel_width)},
                     {"volumes_ml",
                      {{"muscle", truth.muscle_volume},
                       {"scar", truth.scar_volume},
                       {"core", truth.core_volume},
                       {"channel", truth.channel_volume}}},
                     {"ventricle",
                      {{"apex", place(0, 0, -options.semi_axis_long)},
                       {"base_centre", place(0, 0, options.base_height)},
                       {"towards_septum", point_json(turn.col(0))},
                       {"towards_anterior", point_json(turn.col(1))}}},
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
