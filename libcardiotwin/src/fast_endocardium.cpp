#include <fmt/core.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/fast_endocardium.hpp>
#include <cardiotwin/surface_distance.hpp>
#include <cardiotwin/units.hpp>

namespace cardiotwin {

double mark_fast_endocardium(Twin& twin, double depth, const Monitor& monitor) {
  if (!(depth > 0 && depth <= 10))
    throw InputError(fmt::format("Fast endocardium: a depth of {:g} mm is outside (0, 10]; 1 mm is usual", depth));
  Anatomy& anatomy = twin.anatomy;
  const Mesh& mesh = anatomy.mesh;
  if (const auto taken = anatomy.regions.find(region::fast_endocardium);
      taken != anatomy.regions.end() && taken->second != "fast_endocardium")
    throw InputError(
        fmt::format("Fast endocardium: its label {} is that of region \"{}\" in this twin; import it again",
                    int(region::fast_endocardium), taken->second));
  std::vector<Triangle> endocardium;
  for (const auto& face : anatomy.surface)
    if (face.tag == Surface::endo || face.tag == Surface::endo_rv) endocardium.push_back(face.nodes);
  if (endocardium.empty())
    throw InputError("Fast endocardium: no face is tagged as endocardium; build the twin from an image, or tag it");
  if (const double edge = quality(mesh).mean_edge; depth < 0.75 * edge)
    monitor.warn(
        fmt::format("fast endocardium: {:g} mm are thin for an edge of {:.2f} mm, so the layer has gaps; a mesh "
                    "of {:.1f} mm would close them",
                    depth, edge, depth));
  const SurfaceDistance to_endocardium(mesh.points(), std::move(endocardium));
  std::vector<Label> labels(mesh.labels().begin(), mesh.labels().end());
  const auto count = static_cast<Index>(mesh.tet_count());
#pragma omp parallel for schedule(dynamic, 1024)
  for (Index t = 0; t < count; ++t) {
    if (labels[t] == region::healthy && to_endocardium(mesh.centroid(t)) <= depth) labels[t] = region::fast_endocardium;
  }
  double volume = 0;
  for (std::size_t t = 0; t < labels.size(); ++t)
    if (labels[t] == region::fast_endocardium) volume += mesh.volume(t) / units::ml;
  anatomy.mesh =
      Mesh({mesh.points().begin(), mesh.points().end()}, {mesh.tets().begin(), mesh.tets().end()}, std::move(labels));
  anatomy.regions[region::fast_endocardium] = "fast_endocardium";
  add_fast_endocardium(twin.tissue);
  return volume;
}

}  // namespace cardiotwin
