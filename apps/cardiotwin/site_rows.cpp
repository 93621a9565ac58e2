#include "site_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <charconv>
#include <cmath>

namespace cardiotwin::app {
namespace {

constexpr double farthest = 20;  // [mm] from the muscle: beyond that the point is of another patient or another frame

double read_number(const std::string& word) {
  double value{};
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failed != std::errc{} || end != word.data() + word.size() || !std::isfinite(value))
    throw InputError(fmt::format("\"{}\" is not a number", word));
  return value;
}

WantedSite read_site(const std::string& name, const std::vector<std::string>& words) {
  WantedSite site{.name = name, .position = {}, .place = {}, .text = fmt::format("{}", fmt::join(words, ","))};
  const bool has_unit = words.size() == 3 && words[2].find("m") != std::string::npos;
  if (has_unit)
    site.position = parse_vector(site.text, "mm", false);
  else
    site.place = read_place(words);
  return site;
}

std::size_t nearest_node(const Mesh& mesh, const Vec3& p) {
  const auto points = mesh.points();
  const auto nearer = [&](const Vec3& a, const Vec3& b) { return (a - p).squaredNorm() < (b - p).squaredNorm(); };
  return static_cast<std::size_t>(std::min_element(points.begin(), points.end(), nearer) - points.begin());
}

}  // namespace

Place read_place(const std::vector<std::string>& words) {
  if (words.size() < 3 || words.size() > 4 || (words.size() == 4 && words[3] != "lv" && words[3] != "rv"))
    throw InputError(fmt::format(
        "\"{}\" must be x,y,z with mm behind it, or apicobasal,rotational,transmural with lv or rv behind it",
        fmt::join(words, ",")));
  Place place{.apicobasal = read_number(words[0]),
              .rotational = read_number(words[1]),
              .transmural = read_number(words[2]),
              .ventricle = words.size() == 4 && words[3] == "rv" ? Ventricle::right : Ventricle::left};
  for (const double share : {place.apicobasal, place.transmural}) {
    if (!(share >= 0 && share <= 1))
      throw InputError(fmt::format("\"{}\": apicobasal and transmural lie in [0, 1]; behind a position write mm",
                                   fmt::join(words, ",")));
  }
  return place;
}

std::vector<WantedSite> read_sites(const std::string& text) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const auto& word : split(text)) {
    const auto equal = word.find('=');
    if (equal == 0 || (equal == std::string::npos && groups.empty()))
      throw InputError(fmt::format("\"{}\" must read NAME=x,y,z mm or NAME=apicobasal,rotational,transmural", word));
    if (equal != std::string::npos) groups.push_back({word.substr(0, equal), {}});
    groups.back().second.push_back(equal == std::string::npos ? word : word.substr(equal + 1));
  }
  std::vector<WantedSite> sites;
  for (const auto& [name, words] : groups) sites.push_back(read_site(name, words));
  return sites;
}

void add_site_row(Options& rows, std::vector<WantedSite>& sites, const std::string& doc) {
  rows.custom(
      "site", "NAME=X,Y,Z mm | NAME=APICOBASAL,ROTATIONAL,TRANSMURAL[,lv|rv]",
      [&sites](const std::string& text) { sites = read_sites(text); },
      [&sites] {
        std::string text;
        for (const auto& site : sites) text += fmt::format("{}{}={}", text.empty() ? "" : ",", site.name, site.text);
        return text;
      },
      doc);
}

void place_sites(Anatomy& anatomy, const std::vector<WantedSite>& sites, double radius, const Monitor& monitor) {
  std::optional<Atlas> atlas;
  const Mesh& mesh = anatomy.mesh;
  for (const auto& wanted : sites) {
    if (std::any_of(anatomy.sites.begin(), anatomy.sites.end(), [&](const Site& s) { return s.name == wanted.name; }))
      throw InputError(fmt::format("--site: there is a site \"{}\" already; choose another name", wanted.name));
    Vec3 at;
    if (wanted.position) {
      const Vec3 nearest = mesh.points()[nearest_node(mesh, *wanted.position)];
      const double off = (nearest - *wanted.position).norm();
      if (off > farthest)
        throw InputError(
            fmt::format("--site: \"{}\" lies {:.0f} mm from the muscle; positions are in scanner "
                        "coordinates, LPS, in mm",
                        wanted.name, off));
      at = off > radius ? nearest : *wanted.position;
      if (off > radius)
        monitor.warn(fmt::format("site \"{}\" lies {:.1f} mm from the muscle and was moved onto it", wanted.name, off));
    } else {
      if (!atlas) atlas.emplace(anatomy, monitor);
      const auto found = atlas->at(wanted.place);
      at = found.position;
      if (found.off > radius)
        monitor.warn(fmt::format("site \"{}\": this heart has no such place; the nearest is {:.1f} mm off", wanted.name,
                                 found.off));
    }
    anatomy.sites.push_back(make_site(anatomy, wanted.name, at, radius));
    const Vec3 paced = mesh.points()[static_cast<std::size_t>(anatomy.sites.back().nodes.front())];
    if (anatomy.sites.back().nodes.size() == 1 && (paced - at).norm() > radius)
      monitor.warn(
          fmt::format("site \"{}\" lies in tissue that does not conduct; the nearest that does is {:.1f} mm away",
                      wanted.name, (paced - at).norm()));
  }
}

}  // namespace cardiotwin::app
