// Activation maps from CARTO 3's exports, told apart by how they begin.
//
// The list of points, VERSION_4 to 6, as three published readers have it: 13 columns are common to all versions. Two of
// the three read unipolar before bipolar, as .mesh has them.
#include <fmt/format.h>

#include <cardiotwin/io.hpp>

#include "io/exchange/formats.hpp"
#include "io/exchange/text.hpp"
#include "lat_points.hpp"

namespace cardiotwin {
namespace {

constexpr double no_data = -10000;
constexpr double no_tissue = -1000000;  // as a vertex' group
constexpr std::string_view mesh_begins = "#TriangulatedMesh", list_begins = "VERSION_";

const Field* field_of(const ForeignMesh& mesh, std::string_view name) {
  for (const auto& field : mesh.node_fields)
    if (field.name == name && field.components == 1) return &field;
  return nullptr;
}

LatMap from_mesh(std::string_view text) {
  const ForeignMesh mesh = exchange::read_carto(text, {});
  const auto *lat = field_of(mesh, "LAT"), *bipolar = field_of(mesh, "Bipolar"), *unipolar = field_of(mesh, "Unipolar"),
             *group = field_of(mesh, "GroupID");
  if (!lat)
    throw InputError(
        "CARTO map: the mesh has no vertex colour \"LAT\" (exports of version 7 on have none); read the list of "
        "points, "
        "*_car.txt, instead");
  LatPoints points;
  for (std::size_t i = 0; i < mesh.points.size(); ++i) {
    const auto value = [&](const Field* field) { return field ? field->values[i] : NAN; };
    const bool tissue = !group || group->values[i] != no_tissue;
    points.add(mesh.points[i], tissue ? value(lat) : NAN, value(bipolar), value(unipolar));
  }
  return points.finish("CARTO");
}

// The next column of this line, which must have it.
double number_in_line(exchange::Text& text, const char* what) {
  if (text.line_ends()) text.fail(fmt::format("the line ends before {}; a point has at least 13 columns", what));
  const double value = text.number<double>(what);
  return value == no_data ? NAN : value;
}

LatMap from_list(std::string_view bytes) {
  exchange::Text text(bytes);
  text.line();
  LatPoints points;
  while (!text.at_end()) {
    if (const auto mark = text.word(); mark != "P")
      text.fail(fmt::format("a point should begin with \"P\", not \"{}\"", mark.substr(0, 20)));
    for (int k = 0; k < 3; ++k) number_in_line(text, "the point's numbers");
    Vec3 place;
    for (int k = 0; k < 3; ++k) place[k] = number_in_line(text, "its coordinates");
    for (int k = 0; k < 3; ++k) number_in_line(text, "its angles");
    const double unipolar = number_in_line(text, "its unipolar voltage");
    const double bipolar = number_in_line(text, "its bipolar voltage");
    const double lat = number_in_line(text, "its LAT");
    text.line();
    points.add(place, lat, bipolar, unipolar);
  }
  return points.finish("CARTO");
}

}  // namespace

LatMap lat_map_from_carto(std::string_view text) {
  if (text.starts_with(mesh_begins)) return from_mesh(text);
  if (text.starts_with(list_begins)) return from_list(text);
  throw InputError(fmt::format("CARTO map: the file begins neither with \"{}\" (.mesh) nor with \"{}\" (*_car.txt)",
                               mesh_begins, list_begins));
}

LatMap load_lat_map(const std::filesystem::path& path) {
  const auto text = read_text(path);
  try {
    const bool carto = text.starts_with(mesh_begins) || text.starts_with(list_begins);
    return carto ? lat_map_from_carto(text) : lat_map_from_csv(text);
  } catch (const InputError& error) {
    throw FileError(fmt::format("{}: {}", path.string(), error.what()));
  }
}

}  // namespace cardiotwin
