// STL, text and binary. It has no shared points: equal coordinates are one point again after reading.

#include <Eigen/Geometry>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "formats.hpp"
#include "text.hpp"

namespace cardiotwin::exchange {
namespace {

static_assert(std::endian::native == std::endian::little, "binary files are little-endian");

constexpr std::size_t header = 84, record = 50;  // bytes

std::vector<Vec3> read_binary(std::string_view bytes, std::size_t count) {
  std::vector<Vec3> corners;
  corners.reserve(3 * count);
  for (std::size_t t = 0; t < count; ++t) {
    float values[9];
    std::memcpy(values, bytes.data() + header + record * t + 12, sizeof values);
    for (int c = 0; c < 3; ++c) corners.emplace_back(values[3 * c], values[3 * c + 1], values[3 * c + 2]);
  }
  return corners;
}

// Only "vertex" matters; solids, facets and normals are passed over.
std::vector<Vec3> read_text(std::string_view bytes) {
  Text text(bytes);
  std::vector<Vec3> corners;
  bool ended = false;
  while (!text.at_end()) {
    Text ahead = text;
    const auto word = ahead.word();
    ended = word == "endsolid";
    if (word != "vertex" && word != "endloop") {
      text.line();
      continue;
    }
    text.word();
    if (word == "endloop" && corners.size() % 3 != 0) text.fail("a facet has not 3 corners");
    if (word == "endloop") continue;
    auto& corner = corners.emplace_back();
    for (int k = 0; k < 3; ++k) corner[k] = text.number<double>("a coordinate");
  }
  if (!ended) text.fail("the file ends without endsolid");
  if (corners.size() % 3 != 0) text.fail("a facet has not 3 corners");
  return corners;
}

// Points in the order in which they first come.
ForeignMesh merge(std::vector<Vec3> corners) {
  for (std::size_t i = 0; i < corners.size(); ++i) {
    if (!corners[i].allFinite()) throw InputError(fmt::format("a corner of facet {} is not finite", i / 3));
    corners[i] += Vec3::Zero();  // -0 and 0 are the same place
  }
  std::vector<Index> order(corners.size());
  std::iota(order.begin(), order.end(), Index(0));
  const auto key = [&](Index i) {
    const auto& p = corners[static_cast<std::size_t>(i)];
    return std::tuple(p.x(), p.y(), p.z());
  };
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return std::pair(key(a), a) < std::pair(key(b), b); });
  std::vector<Index> first(corners.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool same = i > 0 && key(order[i]) == key(order[i - 1]);
    first[static_cast<std::size_t>(order[i])] = same ? first[static_cast<std::size_t>(order[i - 1])] : order[i];
  }
  ForeignMesh mesh;
  std::vector<Index> place(corners.size());
  mesh.triangles.resize(corners.size() / 3);
  for (std::size_t i = 0; i < corners.size(); ++i) {
    if (first[i] == static_cast<Index>(i)) {
      place[i] = static_cast<Index>(mesh.points.size());
      mesh.points.push_back(corners[i]);
    }
    mesh.triangles[i / 3][i % 3] = place[static_cast<std::size_t>(first[i])];
  }
  return mesh;
}

}  // namespace

ForeignMesh read_stl(std::string_view bytes, const Monitor&) {
  if (bytes.size() >= header) {
    std::uint32_t count;
    std::memcpy(&count, bytes.data() + 80, sizeof count);
    if (bytes.size() == header + record * static_cast<std::size_t>(count)) return merge(read_binary(bytes, count));
    if (!bytes.starts_with("solid"))
      throw InputError(fmt::format("{} facets are announced, but the file has {} bytes", count, bytes.size()));
  }
  if (!bytes.starts_with("solid")) throw InputError("the file is neither a binary STL nor begins with \"solid\"");
  return merge(read_text(bytes));
}

std::string write_stl(const ForeignMesh& mesh) {
  std::string out = signature().substr(0, 80);
  out.resize(80, ' ');
  const auto put = [&](const void* value, std::size_t size) { out.append(static_cast<const char*>(value), size); };
  const auto put_vector = [&](const Vec3& v) {
    const Eigen::Vector3f f = v.cast<float>();
    put(f.data(), 12);
  };
  for (std::size_t i = 0; i < mesh.points.size(); ++i)
    if (!mesh.points[i].cast<float>().allFinite())
      throw InputError(fmt::format("point {} lies too far away for the 32-bit numbers of STL", i));
  const auto count = static_cast<std::uint32_t>(mesh.triangles.size());
  put(&count, 4);
  for (const auto& t : mesh.triangles) {
    const auto at = [&](int k) -> const Vec3& {
      return mesh.points[static_cast<std::size_t>(t[static_cast<std::size_t>(k)])];
    };
    const Vec3 normal = (at(1) - at(0)).cross(at(2) - at(0));
    put_vector(normal.norm() > 0 ? Vec3(normal.normalized()) : Vec3::Zero());
    for (int k = 0; k < 3; ++k) put_vector(at(k));
    put("\0\0", 2);
  }
  return out;
}

}  // namespace cardiotwin::exchange
