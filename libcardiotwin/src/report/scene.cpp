#include "report/scene.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/html.hpp"

namespace cardiotwin::report {
namespace {

constexpr std::uint16_t inactive = 65535;

std::string base64_words(const std::vector<std::uint16_t>& words) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(2 * words.size());
  for (const auto w : words)
    bytes.push_back(static_cast<std::uint8_t>(w & 0xff)), bytes.push_back(static_cast<std::uint8_t>(w >> 8));
  return base64(bytes);
}

// Dividing by a power of ten, not multiplying by its inverse, keeps the decimal short.
double rounded(double value, double per) { return std::isfinite(value) ? std::round(value * per) / per : 0; }

Json vector_json(const Vec3& p) { return {rounded(p.x(), 1000), rounded(p.y(), 1000), rounded(p.z(), 1000)}; }

Json surface_json(const DisplaySurface& surface) {
  Vec3 low = Vec3::Zero(), high = Vec3::Ones();
  if (!surface.points.empty()) low = high = surface.points.front();
  for (const auto& p : surface.points) low = low.cwiseMin(p), high = high.cwiseMax(p);
  const double extent = std::max((high - low).maxCoeff(), 1e-6);
  std::vector<std::uint16_t> positions, indices;
  std::vector<std::uint8_t> tissue;
  for (std::size_t v = 0; v < surface.points.size(); ++v) {
    for (int axis = 0; axis < 3; ++axis)
      positions.push_back(
          static_cast<std::uint16_t>(std::lround((surface.points[v][axis] - low[axis]) / extent * 65535)));
    for (const auto share : surface.tissue[v]) tissue.push_back(static_cast<std::uint8_t>(std::lround(share * 255)));
  }
  for (const auto& triangle : surface.triangles)
    for (const auto v : triangle) indices.push_back(static_cast<std::uint16_t>(v));
  return {{"origin", vector_json(low)},
          {"extent", extent},
          {"centre", vector_json((low + high) / 2)},
          {"vertices", surface.points.size()},
          {"counts", surface.counts},
          {"positions", base64_words(positions)},
          {"tissue", base64(tissue)},
          {"triangles", base64_words(indices)}};
}

std::vector<std::uint16_t> quantised_lat(const Circuit& circuit, const DisplaySurface& surface) {
  std::vector<std::uint16_t> words(surface.points.size(), inactive);
  if (!(circuit.cycle_length > 0)) return words;
  for (std::size_t v = 0; v < words.size(); ++v) {
    const auto node = static_cast<std::size_t>(surface.nodes[v]);
    const double lat = node < circuit.lat.values.size() ? circuit.lat.values[node] : NAN;
    if (!std::isfinite(lat)) continue;
    const double phase = lat / circuit.cycle_length;
    words[v] = static_cast<std::uint16_t>(std::min(65534L, std::lround((phase - std::floor(phase)) * 65534)));
  }
  return words;
}

// LAT of the active node nearest to p; a path is short, so a plain search costs less than an index.
double lat_at(const Anatomy& anatomy, const Circuit& circuit, const Vec3& p) {
  double best = INFINITY, lat = 0;
  const auto points = anatomy.mesh.points();
  for (std::size_t n = 0; n < std::min(points.size(), circuit.lat.values.size()); ++n) {
    const double distance = (points[n] - p).squaredNorm();
    if (distance < best && std::isfinite(circuit.lat.values[n])) best = distance, lat = circuit.lat.values[n];
  }
  return lat;
}

Json line_json(const Anatomy& anatomy, const Circuit& circuit, const std::vector<Vec3>& line) {
  Json points = Json::array();
  for (const auto& p : line) {
    auto point = vector_json(p);
    point.push_back(rounded(lat_at(anatomy, circuit, p), 10));
    points.push_back(point);
  }
  return points;
}

Json circuit_json(const Study& study, std::size_t index, const DisplaySurface& surface) {
  const auto& circuit = study.plan.circuits[index];
  const auto& anatomy = study.twin.anatomy;
  return {{"name", fmt::format("Circuit {} ({} ms)", index + 1, fixed(circuit.cycle_length, 0))},
          {"cycle", rounded(circuit.cycle_length, 100)},
          {"isthmus", vector_json(circuit.isthmus)},
          {"entrance", vector_json(circuit.entrance)},
          {"exit", vector_json(circuit.exit)},
          {"path", line_json(anatomy, circuit, circuit.path)},
          {"line", line_json(anatomy, circuit, circuit.isthmus_line)},
          {"lat", base64_words(quantised_lat(circuit, surface))}};
}

}  // namespace

std::string base64(std::span<const std::uint8_t> bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string code;
  code.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) code += k <= n ? digits[word >> (18 - 6 * k) & 63] : '=';
  }
  return code;
}

std::size_t vertex_limit(std::size_t circuits) {
  // Bytes per vertex before base64: position 6, tissue 4, two triangles 12, and 2 for each circuit.
  return std::min<std::size_t>(60000, 1'800'000 / (22 + 2 * circuits));
}

Json scene_json(const Study& study, const DisplaySurface& surface) {
  Json scene{{"surface", surface_json(surface)},
             {"circuits", Json::array()},
             {"targets", Json::array()},
             {"sites", Json::array()}};
  for (std::size_t i = 0; i < study.plan.circuits.size(); ++i)
    scene["circuits"].push_back(circuit_json(study, i, surface));
  for (const auto& target : study.plan.targets)
    scene["targets"].push_back(
        {{"rank", target.rank},
         {"position", vector_json(target.lesion.position)},
         {"radius", rounded(target.lesion.radius, 1000)},
         {"text", fmt::format("Target {}: {}, radius {} mm", target.rank,
                              place_label(study.twin.anatomy, target.lesion.position, target.aha),
                              fixed(target.lesion.radius, 1))}});
  for (const auto& site : study.twin.anatomy.sites) {
    const auto* before = result(study.plan, site.name, 0);
    scene["sites"].push_back({{"name", site.name},
                              {"position", vector_json(site.position)},
                              {"state", !before             ? "not paced"
                                        : before->inducible ? "inducible"
                                                            : "not inducible"},
                              {"text", before ? before->outcome : "not paced"}});
  }
  const auto& anatomy = study.twin.anatomy;
  scene["axis"] = {vector_json(anatomy.apex), vector_json(anatomy.base_centre)};
  return scene;
}

}  // namespace cardiotwin::report
