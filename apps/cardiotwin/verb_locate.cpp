// cardiotwin locate: where in the ventricles is a point, and the other way round; and where is it in another heart.

#include <fmt/format.h>

#include <cardiotwin/coordinates.hpp>
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/twin.hpp>
#include <cardiotwin/valves.hpp>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "job.hpp"
#include "site_rows.hpp"

namespace cardiotwin::app {
namespace {

using Json = nlohmann::ordered_json;

struct Asked {
  std::string name;
  std::optional<Vec3> position;
  Place place;
};

std::optional<double> number_in(const std::string& word) {
  double value{};
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failed != std::errc{} || end != word.data() + word.size() || !std::isfinite(value)) return {};
  return value;
}

// Rows "x,y,z" or "name,x,y,z" [mm, LPS], also with semicolons or tabs; a first row without numbers is a heading.
std::vector<Asked> read_points(const std::filesystem::path& path) {
  std::vector<Asked> asked;
  std::string text = read_text(path);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  for (char& c : text) c = c == ';' || c == '\t' ? ',' : c;
  int row = 0;
  bool heading = true;
  for (const auto& line : split(text, '\n')) {
    ++row;
    if (line.starts_with("#")) continue;
    const auto words = split(line);
    std::vector<std::optional<double>> numbers;
    for (const auto& word : words) numbers.push_back(number_in(word));
    const std::size_t n = words.size(), first = n >= 3 ? n - 3 : 0;
    const bool named = n == 4, good = (n == 3 || named) && numbers[first] && numbers[first + 1] && numbers[first + 2];
    if (!good && heading && n >= 3 && !numbers[n - 1]) {
      heading = false;
      continue;
    }
    heading = false;
    if (!good)
      throw InputError(fmt::format("{}: row {} (\"{}\") must be x,y,z or name,x,y,z in mm", path.string(), row, line));
    asked.push_back({named ? words[0] : fmt::format("{}", asked.size() + 1),
                     Vec3(*numbers[first], *numbers[first + 1], *numbers[first + 2]),
                     {}});
  }
  if (asked.empty()) throw InputError(fmt::format("{} holds no point", path.string()));
  return asked;
}

Json json_of(const Vec3& p) { return Json::array({p.x(), p.y(), p.z()}); }

struct LocateJob {
  Options options{"locate"};
  std::filesystem::path twin, points, to, fields, out;
  std::vector<Vec3> at;
  std::vector<Place> places;
  std::string at_text, place_text;
  bool rings = false, json = false;

  void declare() {
    options.path("twin", twin, "the heart"), options.positional(), options.required();
    options.custom(
        "at", "X,Y,Z mm", [this](const std::string& text) { read_at(text); }, [this] { return at_text; },
        "a point [mm, LPS]; may be repeated");
    options.path("points", points, "CSV of points: x,y,z or name,x,y,z [mm, LPS]");
    options.custom(
        "place", "APICOBASAL,ROTATIONAL,TRANSMURAL[,lv|rv]", [this](const std::string& text) { read_places(text); },
        [this] { return place_text; },
        "a place: 0 apex to 1 base; degrees from the septum's middle towards the anterior wall; 0 endo to 1 epi; may "
        "be "
        "repeated");
    options.path("to", to, "another twin, in which the same places are found");
    options.path("fields", fields, "with --to and --out: VTU of TWIN whose fields are carried over, such as maps.vtu");
    options.path("out", out, "VTU: the heart with its coordinates; with --to the other one with fields of this one");
    options.flag("rings", rings, "list the valve rings");
    options.flag("json", json, "print JSON", true);
  }

  void read_at(const std::string& text) {
    const auto words = split(text);
    if (words.empty() || words.size() % 3 != 0) throw InputError(fmt::format("\"{}\" must be x,y,z", text));
    at.clear(), at_text = text;
    for (std::size_t i = 0; i < words.size(); i += 3)
      at.push_back(parse_vector(words[i] + "," + words[i + 1] + "," + words[i + 2], "mm", true));
  }
  void read_places(const std::string& text) {
    const auto words = split(text);
    places.clear(), place_text = text;
    for (std::size_t i = 0; i < words.size();) {
      const bool said = i + 3 < words.size() && (words[i + 3] == "lv" || words[i + 3] == "rv");
      const auto first = words.begin() + static_cast<std::ptrdiff_t>(i);
      i = std::min(words.size(), i + (said ? 4 : 3));
      places.push_back(read_place({first, words.begin() + static_cast<std::ptrdiff_t>(i)}));
    }
  }

  static std::string left() { return "nothing was written, so the same command begins anew"; }

  void run() {
    if (!fields.empty() && (to.empty() || out.empty()))
      throw InputError("--fields needs --to, the heart they are carried to, and --out, the file to write");
    if (!out.empty()) require_writable(out);
    const Monitor monitor = console();
    const auto asked = wanted();
    const Anatomy heart = Anatomy::load(twin);
    const Atlas atlas(heart, monitor);
    std::optional<Anatomy> other;
    std::optional<Atlas> other_atlas;
    if (!to.empty()) other = Anatomy::load(to), other_atlas.emplace(*other, monitor);
    Json all = Json::array();
    for (const auto& each : asked.empty() ? sites_of(heart) : asked)
      all.push_back(entry(each, heart, atlas, other ? &*other : nullptr, other_atlas ? &*other_atlas : nullptr));
    if (!out.empty()) {
      other ? save(out, *other, carried(heart, atlas, *other_atlas, monitor))
            : save(out, heart, coordinate_maps(atlas.coordinates()));
    }
    print(all, heart);
  }

  std::vector<Asked> wanted() const {
    std::vector<Asked> asked;
    if (!points.empty()) asked = read_points(points);
    for (const auto& p : at) asked.push_back({fmt::format("{}", asked.size() + 1), p, {}});
    for (const auto& p : places) asked.push_back({fmt::format("{}", asked.size() + 1), {}, p});
    return asked;
  }
  static std::vector<Asked> sites_of(const Anatomy& heart) {
    std::vector<Asked> asked;
    for (const auto& site : heart.sites) asked.push_back({site.name, site.position, {}});
    return asked;
  }

  static Json place_json(const Atlas::Found& found, const Anatomy& heart) {
    const int aha = heart.aha.empty() ? 0 : heart.aha[static_cast<std::size_t>(found.tet)];
    return {{"position_mm_lps", json_of(found.position)},
            {"apicobasal", found.place.apicobasal},
            {"rotational_degrees", found.place.rotational},
            {"transmural", found.place.transmural},
            {"ventricle", found.place.ventricle == Ventricle::left ? "LV" : "RV"},
            {"aha", aha},
            {"words", place_words(found.place, aha)},
            {"off_mm", found.off}};
  }
  static Json entry(const Asked& asked, const Anatomy& heart, const Atlas& atlas, const Anatomy* other,
                    const Atlas* other_atlas) {
    Json json{{"name", asked.name}};
    const auto found = asked.position ? atlas.at(*asked.position) : atlas.at(asked.place);
    if (asked.position) json["asked_mm_lps"] = json_of(*asked.position);
    json.update(place_json(found, heart));
    if (other && other_atlas->has(found.place.ventricle))
      json["mapped"] = place_json(other_atlas->at(asked.position ? found.place : asked.place), *other);
    return json;
  }

  /// Coordinates of the other heart, this one's regions, and the fields that were asked for.
  std::vector<Map> carried(const Anatomy& heart, const Atlas& atlas, const Atlas& other, const Monitor& monitor) const {
    auto maps = coordinate_maps(other.coordinates());
    const auto labels = heart.mesh.labels();
    const Map region{.name = "region carried", .at = Location::tet, .values = {labels.begin(), labels.end()}};
    maps.push_back(map_field(atlas, region, other, monitor));
    if (fields.empty()) return maps;
    const auto file = load_mesh(fields, {}, monitor);
    const auto carry = [&](const std::vector<Field>& list, Location where) {
      for (const auto& field : list) {
        const Map map{
            .name = field.name + " carried", .at = where, .components = field.components, .values = field.values};
        maps.push_back(map_field(atlas, map, other, monitor));
      }
    };
    carry(file.node_fields, Location::node), carry(file.tet_fields, Location::tet);
    return maps;
  }

  void print(const Json& all, const Anatomy& heart) const {
    const auto found_rings = rings ? valve_rings(heart) : std::vector<ValveRing>();
    if (json) {
      Json whole{{"note", research_use_only}, {"twin", twin.string()}, {"places", all}};
      for (const auto& r : found_rings)
        whole["rings"].push_back({{"name", r.name},
                                  {"centre_mm_lps", json_of(r.centre)},
                                  {"normal", json_of(r.normal)},
                                  {"perimeter_mm", r.perimeter},
                                  {"area_mm2", r.area},
                                  {"nodes", r.nodes}});
      return say(whole.dump(1, ' ', false, Json::error_handler_t::replace));
    }
    say("name          x       y       z [mm]  apicobasal  rotational  transmural  where");
    for (const auto& e : all) {
      say(line(e.at("name").get<std::string>(), e));
      if (e.contains("mapped"))
        say(line("  there", e.at("mapped")));
      else if (!to.empty())
        say("  there   no such place: that heart has no right ventricle");
    }
    for (const auto& r : found_rings)
      say(
          fmt::format("ring {}: centre ({:.1f}, {:.1f}, {:.1f}), normal ({:.2f}, {:.2f}, {:.2f}), perimeter {:.0f} mm, "
                      "area {:.0f} mm2, {} nodes",
                      r.name, r.centre[0], r.centre[1], r.centre[2], r.normal[0], r.normal[1], r.normal[2], r.perimeter,
                      r.area, r.nodes.size()));
    if (!out.empty()) say(out.string());
    say(research_use_only);
  }
  static std::string line(const std::string& name, const Json& e) {
    const auto number = [&](const char* key) { return e.at(key).get<double>(); };
    const auto& p = e.at("position_mm_lps");
    const int aha = e.at("aha").get<int>();
    std::string text =
        fmt::format("{:<8}{:8.1f}{:8.1f}{:8.1f}{:14.3f}{:10.1f}{:13.3f}  {}", name, p[0].get<double>(),
                    p[1].get<double>(), p[2].get<double>(), number("apicobasal"), number("rotational_degrees"),
                    number("transmural"), e.at("words").get<std::string>());
    if (aha > 0) text += fmt::format(" (AHA {})", aha);
    if (number("off_mm") > 0.5) text += fmt::format(", {:.1f} mm from what was asked", number("off_mm"));
    return text;
  }
};

}  // namespace

void add_locate(CLI::App& app) {
  add_verb<LocateJob>(app, "locate",
                      "Ventricular coordinates and the name in words of points; points of coordinates; the same places "
                      "in another heart.",
                      "a .twin, and points (flags or CSV); without any its sites",
                      "a table, or JSON, on stdout; with --out a VTU");
}

}  // namespace cardiotwin::app
