// Activation maps: what holds of them, and their table as text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/measurements.hpp>
#include <cardiotwin/provenance.hpp>
#include <cctype>

#include "csv_cells.hpp"
#include "lat_points.hpp"
#include "point_grid.hpp"

namespace cardiotwin {
namespace {

constexpr const char* who = "LAT map";
constexpr double least_span = 5, most_span = 1000;      // [ms]
constexpr double least_extent = 15, most_extent = 400;  // [mm]
constexpr double least_heart = 30, most_heart = 250;    // [mm] what maps of whole chambers span
constexpr double near = 2;                              // [mm] within which LATs should agree

double extent_of(const std::vector<Vec3>& points) {
  Vec3 low = points.front(), high = low;
  for (const auto& p : points) low = low.cwiseMin(p), high = high.cwiseMax(p);
  return (high - low).maxCoeff();
}

// "; they look like ..." where one of the units would make `extent` that of a chamber.
std::string other_unit(double extent) {
  constexpr std::array<std::pair<double, const char*>, 3> units{{{10, "cm"}, {1000, "m"}, {0.001, "um"}}};
  for (const auto& [scale, unit] : units) {
    if (extent * scale >= least_heart && extent * scale <= most_heart)
      return fmt::format("; in {0} they would span {1:.3g} mm: write \"x [{0}],y [{0}],z [{0}]\" in the table's header",
                         unit, extent * scale);
  }
  return "; give points of a whole chamber, in millimetres";
}

void require_extent(const std::vector<Vec3>& points) {
  const double extent = extent_of(points);
  if (extent < least_extent || extent > most_extent)
    throw InputError(fmt::format("{}: its {} points span {:.3g} mm, a chamber's span {:g} to {:g}{}", who,
                                 points.size(), extent, least_extent, most_extent, other_unit(extent)));
}

void require_span(const std::vector<double>& lat) {
  const auto [low, high] = std::ranges::minmax(lat);
  const double span = high - low;
  if (span == 0)
    throw InputError(
        fmt::format("{}: all {} LATs are {:g} ms, which says nothing of how the wave ran; annotate them anew", who,
                    lat.size(), low));
  if (span > most_span)
    throw InputError(
        fmt::format("{}: LATs from {:g} to {:g} ms span more than {:g} ms, longer than one beat; leave cells without a "
                    "LAT empty (some programs write -10000) or give the unit, such as \"LAT [us]\"",
                    who, low, high, most_span));
  if (span < least_span)
    throw InputError(fmt::format("{}: LATs from {:g} to {:g} ms span less than {:g} ms{}", who, low, high, least_span,
                                 1000 * span >= least_span && 1000 * span <= most_span
                                     ? "; if they are seconds, write \"LAT [s]\" in the table's header"
                                     : "; map more of the chamber"));
}

}  // namespace

void LatMap::validate() const {
  if (points.empty())
    throw InputError(left_out > 0 ? fmt::format("{}: none of its {} points has a place and a LAT; at least two are "
                                                "needed",
                                                who, left_out)
                                  : fmt::format("{}: it has no points; at least two are needed", who));
  for (const auto& [name, values] : {std::pair{"LAT", &lat}, {"bipolar", &bipolar}, {"unipolar", &unipolar}}) {
    if (values->size() != size() && (values == &lat || !values->empty()))
      throw InputError(fmt::format("{}: {} points need as many {} values, not {}", who, size(), name, values->size()));
  }
  for (std::size_t i = 0; i < size(); ++i) {
    if (!points[i].allFinite() || !std::isfinite(lat[i]))
      throw InputError(fmt::format("{}: point {} at ({}, {}, {}) mm has LAT {} ms; leave out what is not finite", who,
                                   i, points[i].x(), points[i].y(), points[i].z(), lat[i]));
  }
  for (const auto* voltage : {&bipolar, &unipolar})
    if (std::ranges::any_of(*voltage, [](double v) { return std::isinf(v); }))
      throw InputError(fmt::format("{}: a voltage is infinite; write NaN where there is none", who));
  if (!(noise > 0 && noise < 100))
    throw InputError(fmt::format("{}: a noise of {:g} ms is outside (0, 100); catheters have 2 to 10", who, noise));
  require_extent(points);
  require_span(lat);
}

void LatPoints::add(const Vec3& place, double lat, double bipolar, double unipolar) {
  if (!place.allFinite() || !std::isfinite(lat)) {
    ++map_.left_out;
    return;
  }
  map_.points.push_back(place), map_.lat.push_back(lat);
  map_.bipolar.push_back(std::isfinite(bipolar) ? bipolar : NAN);
  map_.unipolar.push_back(std::isfinite(unipolar) ? unipolar : NAN);
}

LatMap LatPoints::finish(std::string frame) {
  LatMap kept{.frame = std::move(frame), .left_out = map_.left_out};
  std::vector<std::size_t> order(map_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto key = [&](std::size_t i) {
    const auto& p = map_.points[i];
    return std::array{p.x(), p.y(), p.z(), map_.lat[i]};
  };
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  std::vector<char> repeats(map_.size(), 0);
  for (std::size_t k = 1; k < order.size(); ++k) repeats[order[k]] = key(order[k]) == key(order[k - 1]);
  for (std::size_t i = 0; i < map_.size(); ++i) {
    if (repeats[i]) {
      ++kept.merged;
      continue;
    }
    kept.points.push_back(map_.points[i]), kept.lat.push_back(map_.lat[i]);
    kept.bipolar.push_back(map_.bipolar[i]), kept.unipolar.push_back(map_.unipolar[i]);
  }
  for (auto* voltage : {&kept.bipolar, &kept.unipolar})
    if (std::ranges::all_of(*voltage, [](double v) { return std::isnan(v); })) voltage->clear();
  kept.validate();
  return kept;
}

std::vector<Finding> check_lat_map(const LatMap& map) {
  map.validate();
  std::vector<Finding> findings;
  if (map.left_out > 0)
    findings.push_back({map.left_out > map.size() ? Severity::warning : Severity::info,
                        fmt::format("{} of {} points have no LAT or no place and were left out.", map.left_out,
                                    map.left_out + map.size() + map.merged)});
  if (map.merged > 0)
    findings.push_back({Severity::info,
                        fmt::format("{} points repeat place and LAT of another and were merged with it.", map.merged)});
  const PointGrid grid(map.points, near);
  std::size_t apart = 0;
  for (std::size_t i = 0; i < map.size(); ++i) {
    bool differs = false;
    grid.near(map.points[i], [&](std::size_t j) {
      differs |= (map.points[i] - map.points[j]).norm() <= near && std::abs(map.lat[i] - map.lat[j]) > 6 * map.noise;
    });
    apart += differs;
  }
  if (apart > 0)
    findings.push_back(
        {Severity::warning,
         fmt::format("{} points differ by more than {:g} ms from another within {:g} mm: a line of block, "
                     "two wavefronts, or a wrong annotation; look at their electrograms.",
                     apart, 6 * map.noise, near)});
  return findings;
}

// ---- table

namespace {

constexpr const char* table = "LAT table";
const std::vector<std::string> columns{"x", "y", "z", "LAT", "bipolar", "unipolar"};
constexpr std::size_t needed = 4;  // of them

Dimension dimension_of(std::size_t column) {
  return column < 3 ? dimension::length : column == 3 ? dimension::time : dimension::voltage;
}
const char* example_unit(std::size_t column) { return column < 3 ? "mm" : column == 3 ? "ms" : "mV"; }

// As suggestion(), to which "lat" is nothing like "LAT".
std::string nearest_column(std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  for (const auto& column : columns)
    if (std::ranges::equal(name, column, same)) return fmt::format("; did you mean \"{}\"?", column);
  return suggestion(csv::shown(name), columns);
}

class Reader {
 public:
  void read(std::string_view row, std::size_t line) {
    if (places_.empty())
      read_header(row, line);
    else
      read_point(row, line);
  }

  LatMap finish(std::size_t lines) {
    if (places_.empty())
      csv::refuse(table, lines, "the table ends without a header such as \"x [mm],y [mm],z [mm],LAT [ms]\"");
    return points_.finish({});
  }

 private:
  void read_header(std::string_view row, std::size_t line) {
    std::vector<std::size_t> found;
    for (const auto& cell : csv::cells_of(row, 2 * columns.size(), table, line)) {
      const auto [name, unit] = csv::heading_of(cell);
      const auto known = std::ranges::find(columns, name);
      if (known == columns.end())
        csv::refuse(table, line, fmt::format("the column \"{}\" is unknown{}", csv::shown(name), nearest_column(name)));
      const auto column = static_cast<std::size_t>(known - columns.begin());
      if (std::ranges::find(found, column) != found.end())
        csv::refuse(table, line, fmt::format("two columns are named \"{}\"; names must differ", name));
      if (unit.empty())
        csv::refuse(table, line,
                    fmt::format("the column \"{0}\" names no unit; write \"{0} [{1}]\"", name, example_unit(column)));
      const auto scale = csv::scale_of(unit, dimension_of(column));
      if (!scale)
        csv::refuse(table, line,
                    fmt::format("the column \"{}\" cannot be in \"{}\"; write a unit as [{}]", name, csv::shown(unit),
                                example_unit(column)));
      found.push_back(column), scales_.push_back(*scale);
    }
    for (std::size_t column = 0; column < needed; ++column) {
      if (std::ranges::find(found, column) == found.end())
        csv::refuse(table, line,
                    fmt::format("the column \"{}\" is missing; x, y, z and LAT are needed", columns[column]));
    }
    places_ = found;
  }

  void read_point(std::string_view row, std::size_t line) {
    const auto cells = csv::cells_of(row, places_.size(), table, line);
    if (cells.size() != places_.size())
      csv::refuse(table, line,
                  fmt::format("it has {} cells where the header has {} columns", cells.size(), places_.size()));
    std::array<double, 6> values;
    values.fill(NAN);
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const auto value = cells[c].empty() ? std::optional<double>(NAN) : csv::number_of(cells[c]);
      if (!value || std::isinf(*value * scales_[c]))
        csv::refuse(table, line,
                    fmt::format("\"{}\" in the column \"{}\" is not a number; leave the cell empty where there is none",
                                csv::shown(cells[c]), columns[places_[c]]));
      values[places_[c]] = *value * scales_[c];
    }
    points_.add({values[0], values[1], values[2]}, values[3], values[4], values[5]);
  }

  std::vector<std::size_t> places_;  // which column each cell is, in the order of the table
  std::vector<double> scales_;
  LatPoints points_;
};

}  // namespace

std::string to_csv(const LatMap& map) {
  map.validate();
  std::string text = fmt::format("# {}\nx [mm],y [mm],z [mm],LAT [ms]", research_use_only);
  if (!map.bipolar.empty()) text += ",bipolar [mV]";
  if (!map.unipolar.empty()) text += ",unipolar [mV]";
  text += '\n';
  for (std::size_t i = 0; i < map.size(); ++i) {
    const auto& p = map.points[i];
    text += fmt::format("{},{},{},{}", p.x(), p.y(), p.z(), map.lat[i]);
    for (const auto* voltage : {&map.bipolar, &map.unipolar}) {
      if (voltage->empty()) continue;
      text += ',';
      if (!std::isnan((*voltage)[i])) text += fmt::format("{}", (*voltage)[i]);
    }
    text += '\n';
  }
  return text;
}

LatMap lat_map_from_csv(std::string_view text) {
  Reader reader;
  const auto lines = csv::each_row(text, [&](std::string_view row, std::size_t line) { reader.read(row, line); });
  return reader.finish(lines);
}

}  // namespace cardiotwin
