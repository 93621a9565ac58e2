#include "report/page.hpp"

#include <fmt/format.h>

#include <map>
#include <stdexcept>

#include "report/files.hpp"
#include "report/scene.hpp"
#include "report/sections.hpp"

namespace cardiotwin::report {
namespace {

using Slots = std::map<std::string, std::string, std::less<>>;

// One pass, so that what is inserted is never read again as a slot.
std::string filled(std::string_view pattern, const Slots& slots) {
  std::string page;
  for (;;) {
    const auto open = pattern.find("{{"), close = pattern.find("}}", open);
    if (open == std::string_view::npos || close == std::string_view::npos) return page.append(pattern);
    const auto slot = slots.find(pattern.substr(open + 2, close - open - 2));
    if (slot == slots.end())
      throw std::logic_error(fmt::format("report page: nothing fills {}", pattern.substr(open, close + 2 - open)));
    page.append(pattern.substr(0, open)).append(slot->second);
    pattern.remove_prefix(close + 2);
  }
}

// A script element ends at "</": no "<" may stand in its text.
std::string script_safe(const Json& json) {
  std::string safe;
  for (const char c : json.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  }
  return safe;
}

std::string stills(const Study& study, const DisplaySurface& surface) {
  const auto coarse = thinned(surface, 4500);
  std::vector<Pin> pins;
  for (const auto& target : study.plan.targets) pins.push_back({target.lesion.position, std::to_string(target.rank)});
  const auto figure = [&](const Vec3& back, const Vec3& up, const std::string& title) {
    return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>", still_svg(coarse, back, up, pins, title),
                       escape(title));
  };
  const Vec3 head = Vec3::UnitZ();
  if (pins.empty())
    return figure(-Vec3::UnitY(), head, "Seen from the front") +
           figure(Vec3::UnitX(), head, "Seen from the patient's left");
  const auto& anatomy = study.twin.anatomy;
  const Vec3 axis = (anatomy.base_centre - anatomy.apex).normalized(), q = pins.front().position - anatomy.apex;
  Vec3 out = q - axis * q.dot(axis);
  if (out.norm() < 2) out = -axis;
  // Straight from the head or the feet "up" would be lost.
  const Vec3 up = std::abs(out.normalized().z()) > 0.95 ? Vec3(-Vec3::UnitY()) : head;
  return figure(out, up, "Seen towards target 1") + figure(-Vec3::UnitY(), head, "Seen from the front");
}

}  // namespace

std::string page(const Study& study) {
  const auto surface = thinned(display_surface(study.twin.anatomy), vertex_limit(study.plan.circuits.size()));
  const auto& plan = study.plan;
  std::string script;
  for (const auto part : {matrix_js, shaders_js, shapes_js, viewer_js, controls_js}) script.append(part);
  const Html sections = circuits_section(study) + ecg_section(study) + scar_section(study) + trust_section(study) + tissue_section(study) +
                        provenance_section(study);
  return filled(page_html, {{"version", escape(version())},
                            {"twin_short", escape(study.twin_sha256.substr(0, 12))},
                            {"research_use_only", escape(research_use_only)},
                            {"style", std::string(page_css)},
                            {"headline", escape(headline(study))},
                            {"verdict_class", !plan.inducible_before ? "negative"
                                              : plan.inducible_after ? "remaining"
                                                                     : "cured"},
                            {"alert", study.fit ? ""
                                                : tag("p",
                                                      text("The twin did not pass its check; read the findings with "
                                                           "doubt (see: how far it can be trusted)."),
                                                      "alert")
                                                      .code},
                            {"conclusion", escape(plan.conclusion)},
                            {"key_figures", key_figures(study).code},
                            {"targets", targets_section(study).code},
                            {"inducibility", inducibility_section(study).code},
                            {"circuit_controls", circuit_controls(study).code},
                            {"show_boxes", show_boxes(study).code},
                            {"legend_extra", legend_extra(study).code},
                            {"stills", stills(study, surface)},
                            {"sections", sections.code},
                            {"scene", script_safe(scene_json(study, surface))},
                            {"script", script}});
}

}  // namespace cardiotwin::report
