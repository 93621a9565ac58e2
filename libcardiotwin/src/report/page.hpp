#pragma once
/// The page's own sources, embedded at build time (embed.cmake).

#include <string_view>

namespace cardiotwin::report {

extern const std::string_view page_html, page_css, matrix_js, shaders_js, shapes_js, viewer_js, controls_js;

}  // namespace cardiotwin::report
