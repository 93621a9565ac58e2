#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atrium.hpp"

namespace cardiotwin::meshes {
namespace {

// A wall of three elements needs an edge of a third of it; the mesher's surface rounds a little of it away.
double fine_edge(double wanted, double wall, const Monitor& monitor) {
  constexpr double share = 0.3;
  const double needed = std::max(0.2, std::floor(100 * share * wall) / 100);
  if (wanted <= needed) return wanted;
  monitor.tell(fmt::format(
      "mesh: an edge of {:g} mm would put fewer than three elements across a wall of {:.1f} mm, so {:g} mm is used",
      wanted, wall, needed));
  return needed;
}

}  // namespace

BuiltAtrium build_atrium(const Image& image, const LabelValues& values, const BuildOptions& options,
                         const Monitor& monitor) {
  BuiltAtrium built;
  const AtrialLabels given = atrial_labels(values, options.convention, monitor);
  monitor.report("build: veins and valve", 0.05);
  const AtrialShape shape = atrial_shape(given, options.mitral, monitor);
  built.mitral_source = shape.mitral_source;
  monitor.report("build: wall", 0.1);
  const AtrialWall wall = atrial_wall(given, shape, options.la_wall, monitor);
  built.wall = wall.thickness, built.spacing = wall.labels.grid.spacing.x();
  built.labels = labels_with_wall(given, wall);
  monitor.poll();

  monitor.report("build: scar", 0.2);
  const Labels scar = segment_scar(image, built.labels, options.scar, built.scar, monitor);
  Labels regions = fine_regions(scar, wall.labels);
  built.channel_volume = mark_channel(regions, options.scar.channel_closing);
  monitor.poll();

  monitor.report("build: mesh", 0.3);
  built.edge = fine_edge(options.edge, wall.thickness, monitor);
  // A Gaussian near the wall's own thickness would thin it.
  const double smoothing = std::min(options.smoothing, 0.3 * wall.thickness);
  Mesh mesh = stuff(tissue_field(wall.labels, smoothing), regions, {.edge = built.edge}, monitor);
  monitor.report("build: surface and fibres", 0.6);
  built.anatomy = atrial_anatomy(std::move(mesh), wall, shape, options.site_radius, monitor);
  return built;
}

}  // namespace cardiotwin::meshes
