#pragma once
/// A left atrium's fibres and pacing sites.

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/log.hpp>
#include <string>
#include <utility>
#include <vector>

namespace cardiotwin {

/// Nodes of the boundary parts on which the Laplace problems of the rule are posed. Rims hold all nodes of their cut.
struct AtrialBoundary {
  std::vector<Index> endo, epi, mitral, left_veins, right_veins;
  std::vector<Index> appendage = {};  ///< nodes of its tip; may be empty
};

/// Where one bundle ends and the next begins, as values of the rule's harmonic functions. The first two are the paper's
/// for its idealised atrium; its third, 0.65, is replaced so that left and right veins are treated alike.
struct AtrialThresholds {
  double mitral = 0.65;       ///< of psi_r: 0 at the veins and the appendage's tip, 1 at the mitral valve
  double left_veins = 0.10;   ///< of psi_v: 0 at the left veins ...
  double right_veins = 0.90;  ///< ... and 1 at the right ones
};

struct AtrialFibers {
  Fibers fibers;               ///< n is transmural, so that f and s span the wall
  std::vector<double> depth;   ///< per node: 0 endocardium, 1 epicardium, linear along the wall
  std::vector<double> height;  ///< per node: psi_r, 0 at the ends of the veins and of the appendage, 1 mitral valve
};

/// Laplace-Dirichlet rule of Piersanti et al. 2021 (doi 10.1016/j.cma.2020.113468) for the left atrium: fibres run in
/// the wall, across the gradient of psi_r near the mitral valve, of psi_v around the veins, and of psi_ab (-1 at the
/// appendage's tip, 0 left veins, 1 mitral valve, 2 right veins) elsewhere; one layer. Throws InputError for an empty
/// part other than the appendage, NumericalError where a Laplace solve does not converge.
AtrialFibers atrial_fibers(const Mesh&, const AtrialBoundary&, const AtrialThresholds& = {}, const Monitor& = {});

/// Sites at the endocardial nodes nearest to the wanted positions [mm, LPS] that lie on the largest connected piece of
/// conducting tissue. Throws InputError without an endocardium or living tissue.
std::vector<Site> endocardial_sites(const Anatomy&, const std::vector<std::pair<std::string, Vec3>>& wanted,
                                    double radius = 3.0);

}  // namespace cardiotwin
