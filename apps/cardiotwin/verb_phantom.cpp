// cardiotwin phantom: a synthetic patient with known truth.

#include <fmt/format.h>

#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/phantom.hpp>
#include <cardiotwin/meshes/phantom_atrium.hpp>

#include "job.hpp"
#include "phantom_rows.hpp"

namespace cardiotwin::app {

void add_phantom_rows(Options& rows, meshes::PhantomOptions& p) {
  rows.quantity("pixel", p.pixel, "mm", 0.3, 5, "in-plane pixel");
  rows.quantity("slice", p.slice, "mm", 0.3, 20, "slice spacing");
  rows.quantity("semi_axis_long", p.semi_axis_long, "mm", 20, 120, "epicardial semi-axis, base to apex");
  rows.quantity("semi_axis_short", p.semi_axis_short, "mm", 10, 60, "epicardial semi-axis, short");
  rows.quantity("wall", p.wall, "mm", 3, 20, "wall thickness");
  rows.quantity("base_height", p.base_height, "mm", -40, 60, "height of the basal cut above the ellipsoid's equator");
  rows.flag("papillary", p.papillary, "papillary muscles and trabeculae in the cavity");
  rows.vector("translation", p.translation, "mm", "moves the heart and its image");
  rows.vector("rotation", p.rotation_degrees, "degrees", "turns the heart and its image about x, y, z");
  rows.quantity("scar_length", p.scar_length, "mm", 1, 120, "infarct along the long axis");
  rows.quantity("scar_width", p.scar_width, "mm", 1, 200, "infarct around the circumference");
  rows.quantity("scar_height", p.scar_height, "mm", -100, 60, "height of the infarct's centre");
  rows.number("scar_angle", p.scar_angle, -360, 360,
              "infarct's centre in degrees from the septum towards the anterior wall");
  rows.custom(
      "scar_segments", "1..17,...",
      [&p](const std::string& text) {
        p.scar_segments.clear();
        for (const auto& word : split(text)) {
          const int segment =
              word.find_first_not_of("0123456789") == std::string::npos && word.size() < 3 ? std::stoi(word) : 0;
          if (segment < 1 || segment > 17)
            throw InputError(fmt::format("\"{}\" is not an AHA segment from 1 to 17", word));
          p.scar_segments.push_back(segment);
        }
      },
      [&p] {
        std::string text;
        for (const int segment : p.scar_segments) text += fmt::format("{}{}", text.empty() ? "" : ",", segment);
        return text;
      },
      "AHA segments of the infarct, instead of a patch");
  rows.number("transmurality", p.transmurality, 0.05, 1, "share of the wall that is scar, from the endocardium");
  rows.quantity("border_zone", p.border_zone, "mm", 0, 20, "width of the border zone around the core");
  rows.quantity("channel_width", p.channel_width, "mm", 1, 30, "width of the surviving channel");
  rows.number("channel_tilt", p.channel_tilt, -80, 80, "degrees the channel leans off the long axis");
  rows.quantity("channel_bend", p.channel_bend, "mm", -30, 30, "sideways bulge of the channel's middle");
  rows.number("offset", p.offset, 0, 1e5, "image value of no signal, as in phase-sensitive reconstruction");
  rows.number("noise", p.noise, 0, 1000, "Rician noise, in image units (healthy to scar is 272)");
}

namespace {

void add_atrium_rows(Options& rows, meshes::AtriumPhantomOptions& p) {
  rows.quantity("la_voxel", p.voxel, "mm", 0.3, 3, "atrium: isotropic voxel");
  rows.quantity("la_width", p.width, "mm", 25, 120, "atrium: its cavity from left to right, the rest in proportion");
  rows.quantity("la_wall", p.wall, "mm", 1, 6, "atrium: wall thickness");
  rows.text("la_veins", p.veins, "atrium: its pulmonary veins; trunk: the left ones leave together",
            {"four", "five", "trunk", "three"});
  rows.quantity("la_vein_length", p.vein_length, "mm", 2, 40, "atrium: of the vein stubs");
  rows.flag("la_wall_labels", p.wall_labels, "atrium: label wall, scar and left ventricle, too");
  rows.quantity("la_scar_width", p.scar_width, "mm", 2, 60, "atrium: dense scar of the posterior wall, left to right");
  rows.quantity("la_scar_height", p.scar_height, "mm", 2, 60, "atrium: the same, upwards");
  rows.quantity("la_gap", p.channel_width, "mm", 1, 30, "atrium: width of the surviving gap in it");
  rows.quantity("la_fibrosis", p.fibrosis_radius, "mm", 0, 30, "atrium: radius of the fibrosis in the anterior wall");
}

struct PhantomJob {
  Options options{"phantom"};
  meshes::PhantomOptions phantom;
  meshes::AtriumPhantomOptions atrium;
  std::filesystem::path out = "case";
  std::string anatomy = "left-ventricle";
  bool no_scar = false, no_channel = false;

  void declare() {
    options.path("out", out, "folder for lge.nii.gz, labels.nii.gz and truth.json");
    options.text("anatomy", anatomy, "which chamber; the ventricle's image shows the right ventricle's cavity, too",
                 {"left-ventricle", "left-atrium"});
    options.seed("seed", phantom.seed, "of the noise and the no-reflow pocket");
    options.flag("no_scar", no_scar, "a healthy heart");
    options.flag("no_channel", no_channel, "scar without a surviving channel");
    add_phantom_rows(options, phantom);
    add_atrium_rows(options, atrium);
  }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  void run() {
    make_folder(out);
    anatomy == "left-atrium" ? make_atrium() : make_ventricle();
  }

  void make_ventricle() {
    phantom.scar = !no_scar;
    phantom.channel = !no_channel && !no_scar;
    const auto patient = meshes::make_phantom(phantom, console());
    meshes::write_phantom(patient, phantom, out);
    const auto& truth = patient.truth;
    const auto& size = patient.image.grid.size;
    say(fmt::format("{}: {} x {} x {} voxels, muscle {:.1f} ml, scar {:.1f} ml, channel {:.2f} ml", out.string(),
                    size[0], size[1], size[2], truth.muscle_volume, truth.scar_volume, truth.channel_volume));
  }

  void make_atrium() {
    atrium.seed = phantom.seed, atrium.noise = phantom.noise;
    atrium.translation = phantom.translation, atrium.rotation_degrees = phantom.rotation_degrees;
    atrium.border_zone = phantom.border_zone;
    atrium.scar = !no_scar, atrium.channel = !no_channel && !no_scar;
    const auto patient = meshes::make_atrium_phantom(atrium, console());
    meshes::write_phantom(patient, atrium, out);
    const auto& truth = patient.truth;
    const auto& size = patient.image.grid.size;
    say(fmt::format(
        "{}: {} x {} x {} voxels, cavity {:.1f} ml, wall {:.1f} ml, dense scar {:.2f} ml, fibrosis {:.2f} ml",
        out.string(), size[0], size[1], size[2], truth.cavity_volume, truth.wall_volume, truth.dense_volume,
        truth.fibrosis_volume));
  }
};

}  // namespace

void add_phantom(CLI::App& app) {
  add_verb<PhantomJob>(app, "phantom", "A synthetic patient with known truth.", "nothing but options",
                       "lge.nii.gz, labels.nii.gz and truth.json in --out");
}

}  // namespace cardiotwin::app
