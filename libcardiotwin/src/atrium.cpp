#include <cardiotwin/atrium.hpp>
#include <cardiotwin/error.hpp>
#include <limits>

#include "connected.hpp"

namespace cardiotwin {

std::vector<Site> endocardial_sites(const Anatomy& anatomy, const std::vector<std::pair<std::string, Vec3>>& wanted,
                                    double radius) {
  const Mesh& mesh = anatomy.mesh;
  std::vector<std::uint8_t> alive(mesh.node_count(), 0), inner(mesh.node_count(), 0);
  const auto component = largest_conducting_component(anatomy);
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    if (!component[t]) continue;
    for (const Index node : mesh.tets()[t]) alive[std::size_t(node)] = 1;
  }
  for (const auto& face : anatomy.surface) {
    if (face.tag != Surface::endo) continue;
    for (const Index node : face.nodes) inner[std::size_t(node)] = 1;
  }
  std::vector<Site> sites;
  for (const auto& [name, place] : wanted) {
    Index best = -1;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < alive.size(); ++i) {
      if (!alive[i] || !inner[i]) continue;
      if (const double d = (mesh.points()[i] - place).norm(); d < least) least = d, best = Index(i);
    }
    if (best < 0) throw InputError("Pacing sites: no living tissue at the endocardium; is all of the muscle core?");
    sites.push_back(make_site(anatomy, name, mesh.points()[std::size_t(best)], radius));
  }
  return sites;
}

}  // namespace cardiotwin
