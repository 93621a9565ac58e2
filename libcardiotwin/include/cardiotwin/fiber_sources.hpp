#pragma once
/// Where the fibres of an anatomy come from: a rule on its tagged surface, or vectors measured or made elsewhere.

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/log.hpp>
#include <functional>

namespace cardiotwin {

/// Parts of the tagged surface. The apex is the epicardium within max(2 mm, 1.5 `edge`) of the anatomy's apex; sites
/// named "aortic_valve" and "pulmonary_valve" are outflow rings.
FiberBoundary fiber_boundary(const Anatomy&, double edge);

/// Lays fibres, depth, height and right by rule on the anatomy's own surface. Where apex and base centre coincide (a
/// mesh of another program) they are found first: the middle of the base, and the epicardium farthest below it. A block
/// cut from a wall has neither: there `upward` says which way the base was. Throws InputError where the surface is not
/// tagged, or as rule_based_fibers does.
void lay_fibers(Anatomy&, const FiberAngles& = {}, const Monitor& = {}, const std::optional<Vec3>& upward = {});

/// Sum of w f f^T over the fibres f near a position, w > 0: without sign, zero where there are none.
using FiberSource = std::function<Mat3(const Vec3& position)>;

/// The fibres of a mesh (per tet; else a field of three components over tets or nodes, "fiber" or the only one), each
/// weighed by its distance within `reach` [mm] (0: the mesh's own mean edge). Vectors of no length are no data. Throws
/// InputError where the mesh has none.
FiberSource fiber_source(const ForeignMesh&, double reach = 0);

/// Puts f along the main axis of the source at every tet's centroid and keeps s as near to the frame's own as that
/// allows. Frames stay as they are where the source has nothing, or no axis prevails (the first eigenvalue less than
/// 1.2 times the second). Returns the share of the volume that took the source's.
double take_fibers(Fibers&, const Mesh&, const FiberSource&, const Monitor& = {});

}  // namespace cardiotwin
