#pragma once
/// Activation times without a simulation: the anisotropic eikonal equation on the heart's tets,
///
///   sqrt(grad T . D grad T) = 1,   D = v_along^2 f f^T + v_across^2 (I - f f^T)
///
/// solved as in kernels/eikonal.hpp (Fu, Kirby & Whitaker 2013, doi 10.1137/120881956), with exact derivatives of what
/// was computed. It knows velocities only: no curvature, no restitution, one beat (Franzone, Guerri & Rovida 1990, doi
/// 10.1007/BF00163143).

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/backend.hpp>
#include <cardiotwin/tissue.hpp>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin {

/// Where and when a wave starts: at nodes, or in the ball of `radius` around a position.
struct ActivationSource {
  std::vector<Index> nodes = {};
  std::optional<Vec3> position = {};  ///< [mm] in conducting muscle, or up to an edge outside it
  double radius = 0;                  ///< around the position [mm]; 0: a point
  double time = 0;                    ///< [ms]
};

/// What J changes by, per unit of each input, for a J of the activation times.
struct EikonalGradient {
  std::map<std::string, Velocity> velocity;  ///< per conducting region: dJ/dv [J per m/s]
  std::vector<double> time;                  ///< per source: dJ / d time [J per ms]
  std::vector<Vec3> position;                ///< per source: dJ / d position [J per mm]; 0 for one of nodes
};

/// `wanted` of the regions that conduct. Throws InputError for a conducting region without.
std::map<std::string, Velocity> wanted_velocities(const Tissue&);

/// How the times change with the inputs, per node: along and across for each of `regions`, then time, x, y, z for each
/// source; 0 where no wave arrives.
struct EikonalTangents {
  std::vector<std::string> regions;  ///< with a velocity, in the order of their labels
  std::size_t width = 0;             ///< 2 regions + 4 sources
  std::vector<double> per_node;      ///< node-major [ms per m/s, ms/ms, ms/mm]
};

/// A heart made ready, on which velocities and sources change cheaply: some 4 us per node and core for one solve.
class Eikonal {
 public:
  /// Keeps mesh, fibres and regions. Throws InputError for an anatomy that is not valid.
  explicit Eikonal(const Anatomy&, const Backend& = Backend::cpu());
  ~Eikonal();
  Eikonal(Eikonal&&) noexcept;
  Eikonal& operator=(Eikonal&&) noexcept;

  /// Per node [ms]; NaN where no wave arrives. A region without a velocity does not conduct. The error is of first
  /// order in the spacing. What a point source would add to it, where the front is curved within an edge, is kept away:
  /// nodes of the same region within 2 edges of a source, or 2 mm of a position, have the time of the straight way, in
  /// the mean of the fibres at its ends. Times change continuously with a source's position within a region. The same
  /// bits for any number of threads. Throws InputError for an unknown region, a velocity outside [0.01, 10] m/s, no
  /// source, a source that is neither nodes nor a position, or outside the muscle that conducts, or a time or radius
  /// that is not finite; NumericalError where the solve fails.
  std::vector<double> activation(const std::map<std::string, Velocity>&, const std::vector<ActivationSource>&);

  /// For dJ/dT per node [J per ms], of the latest activation(). Exact where the times are differentiable: at a node
  /// that two waves reach together it is that of one of them; the fibres at a position outside the muscle count as
  /// constant. Throws InputError for a wrong length, a number that is not finite, or one other than 0 where no wave
  /// arrives, and before activation().
  EikonalGradient gradient(std::span<const double> per_node);
  /// The other way round, for many outputs of few inputs: of the latest activation(). Throws as gradient does.
  EikonalTangents tangents();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cardiotwin
