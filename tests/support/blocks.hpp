#pragma once
/// Small twins for tests: a box of muscle with a stimulus at its low-x end.

#include <cardiotwin/simulation.hpp>
#include <cmath>

namespace cardiotwin::test {

inline Twin block_twin(Mesh mesh, Tissue tissue, const Vec3& fiber = Vec3::UnitX()) {
  Twin twin;
  twin.anatomy.mesh = std::move(mesh);
  twin.anatomy.fibers = uniform_fibers(twin.anatomy.mesh, fiber);
  twin.anatomy.regions = {{region::healthy, "healthy"},
                          {region::border_zone, "border_zone"},
                          {region::core, "core"},
                          {region::channel, "channel"}};
  twin.tissue = std::move(tissue);
  return twin;
}

/// Labels every tet by `label(centroid)`.
template <class Rule>
Mesh relabel(const Mesh& mesh, const Rule& label) {
  std::vector<Label> labels(mesh.tet_count());
  for (std::size_t t = 0; t < labels.size(); ++t) labels[t] = label(mesh.centroid(t));
  return {{mesh.points().begin(), mesh.points().end()}, {mesh.tets().begin(), mesh.tets().end()}, labels};
}

template <class Rule>
std::vector<Index> nodes_where(const Mesh& mesh, const Rule& rule) {
  std::vector<Index> nodes;
  for (std::size_t i = 0; i < mesh.node_count(); ++i)
    if (rule(mesh.points()[i])) nodes.push_back(static_cast<Index>(i));
  return nodes;
}

/// One pulse at x <= `depth`.
inline Protocol pulse_at_low_end(const Mesh& mesh, double depth = 1.0, double start = 0.0) {
  Protocol protocol;
  protocol.stimuli.push_back(
      {.nodes = nodes_where(mesh, [&](const Vec3& p) { return p.x() <= depth; }), .start = start});
  return protocol;
}

template <class Make>
std::string message(Make make) {
  try {
    make();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace cardiotwin::test
