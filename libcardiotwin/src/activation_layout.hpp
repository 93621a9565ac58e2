#pragma once
/// What the parameters of an activation fit are, and the wave they make; private to the physics room.

#include <cardiotwin/activation_fit.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tet_tree.hpp"

namespace cardiotwin::fit {

/// Which number of the parameters is what.
class Layout {
 public:
  /// Throws InputError for a conducting region without a wanted velocity, or an origin the anatomy lacks.
  Layout(const Twin&, std::span<const MappedBeat>, const ActivationFitOptions&);

  struct Region {
    std::string name;
    std::size_t along = 0, across = 0;  ///< the same where it is isotropic
  };
  struct Beat {
    std::size_t zero = 0;
    std::optional<std::size_t> position;  ///< the first of three; none: the origin is known
    std::vector<Index> nodes = {};        ///< of a known one
    Vec3 known = Vec3::Zero();            ///< [mm]
  };

  const ParameterSpace& space() const { return space_; }
  const std::vector<Region>& regions() const { return regions_; }
  const Beat& beat(std::size_t b) const { return beats_[b]; }
  std::map<std::string, Velocity> velocities(const Eigen::VectorXd& values) const;

  /// So many places spread over the muscle, each the farthest from those before.
  std::vector<Vec3> places(int count) const;

 private:
  ParameterSpace space_;
  std::vector<Region> regions_;
  std::vector<Beat> beats_;
  std::vector<Vec3> muscle_;  ///< nodes that conduct, where an origin is looked for
};

/// The eikonal model as a function of the parameters.
class Wave {
 public:
  Wave(const Twin&, const Layout&, const ActivationFitOptions&);

  /// Of beat b per node, from its beginning [ms]; NaN where no wave comes.
  std::vector<double> times(const Eigen::VectorXd& values, std::size_t b);
  /// What a map would show at its sites, and how that changes with the parameters [sites x parameters].
  struct AtSites {
    std::vector<double> lat;
    Eigen::MatrixXd jacobian;
  };
  AtSites at_sites(const Eigen::VectorXd& values, std::size_t b, const MeasuredSites&);
  Vec3 origin(const Eigen::VectorXd& values, std::size_t b) const;
  long runs() const { return runs_; }

 private:
  /// The nearest point of the muscle that conducts; `off` is where from, without length where it is inside.
  Vec3 in_muscle(const Vec3&, Vec3& off) const;
  std::vector<double> solve(const Eigen::VectorXd& values, std::size_t b);

  const Layout& layout_;
  Eikonal eikonal_;
  Mesh mesh_;
  TetTree muscle_;
  long runs_ = 0;
};

LatErrors errors_of(std::vector<double> residuals);

}  // namespace cardiotwin::fit
