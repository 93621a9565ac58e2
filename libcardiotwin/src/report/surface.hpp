#pragma once
/// The heart's surface as it is drawn.

#include <array>
#include <cardiotwin/anatomy.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace cardiotwin::report {

using Shares = std::array<float, 4>;  ///< of healthy muscle, border zone, core, channel

/// Vertices are split where the tag changes, so that the rim stays sharp (thinning joins them again).
struct DisplaySurface {
  std::vector<Vec3> points;                             ///< [mm, LPS]
  std::vector<Index> nodes;                             ///< per vertex: the mesh node it shows
  std::vector<Shares> tissue;                           ///< per vertex: what lies around it
  std::vector<std::array<std::uint32_t, 3>> triangles;  ///< ordered endo (of all chambers), base, epi
  std::array<std::size_t, 3> counts{};                  ///< triangles of each
};

DisplaySurface display_surface(const Anatomy&);

/// At most `limit` vertices: those in one cell of a grid become one (Rossignac & Borrel 1993), the cell grown until it
/// is enough.
DisplaySurface thinned(const DisplaySurface&, std::size_t limit);

/// A still picture for paper and for browsers without WebGL: flat-shaded triangles seen along -`back`, `up` upwards, as
/// inline SVG.
struct Pin {
  Vec3 position;
  std::string label;
};
std::string still_svg(const DisplaySurface&, const Vec3& back, const Vec3& up, const std::vector<Pin>&,
                      const std::string& title);

}  // namespace cardiotwin::report
