// Linear elements are exact for linear functions, and the Poisson problem of one is solved to round-off.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cardiotwin/error.hpp>

#include "../../libcardiotwin/src/fem.hpp"

namespace cardiotwin {
namespace {

TEST(Fem, stiffness_annihilates_constants_and_integrates_energy_of_a_linear_function) {
  const Mesh mesh = lattice_block({6, 5, 4}, 0.9, Mat3(Eigen::AngleAxisd(0.4, Vec3(1, 1, 2).normalized())));
  Mat3 tensor;
  tensor << 2, 0.3, 0.1, 0.3, 1, 0.2, 0.1, 0.2, 0.5;
  const fem::Matrix k = fem::stiffness(mesh, fem::stars(mesh), [&](std::size_t) { return tensor; });
  const Vec3 gradient(1, -2, 0.5);
  std::vector<double> one(mesh.node_count(), 1.0), linear(mesh.node_count()), result(mesh.node_count());
  for (std::size_t i = 0; i < linear.size(); ++i) linear[i] = gradient.dot(mesh.points()[i]);
  k.multiply(one, result);
  for (const double r : result) EXPECT_NEAR(r, 0, 1e-12);
  k.multiply(linear, result);
  EXPECT_NEAR(fem::dot(linear, result), gradient.dot(tensor * gradient) * quality(mesh).volume, 1e-9);
  for (std::size_t i = 0; i < k.rows(); ++i)
    for (Index e = k.start[i]; e < k.start[i + 1]; ++e)
      EXPECT_NEAR(k.value[e], k.at(k.column[e], static_cast<Index>(i)), 1e-14);
}

TEST(Fem, lumped_mass_is_the_row_sum_of_the_consistent_one_and_adds_up_to_the_volume) {
  const Mesh mesh = box_mesh({2, 1, 1}, 0.25);
  const fem::Matrix m = fem::consistent_mass(mesh);
  const auto lumped = fem::lumped_mass(mesh);
  std::vector<double> one(mesh.node_count(), 1.0), sums(mesh.node_count());
  m.multiply(one, sums);
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(sums[i], lumped[i], 1e-15);
  EXPECT_NEAR(fem::dot(lumped, one), 2.0, 1e-12);
}

TEST(Fem, conjugate_gradients_reproduce_a_linear_function_from_its_end_values) {
  const Mesh mesh = box_mesh({3, 1, 1}, 0.25);
  fem::Dirichlet ends;
  for (std::size_t i = 0; i < mesh.node_count(); ++i)
    if (const double x = mesh.points()[i].x(); x == 0 || x == 3)
      ends.nodes.push_back(static_cast<Index>(i)), ends.values.push_back(x / 3);
  std::vector<double> u(mesh.node_count(), 0.0);
  const std::vector<double> rhs(mesh.node_count(), 0.0);
  const auto solved = fem::pcg(fem::stiffness(mesh), rhs, u, 1e-12, 500, ends);
  EXPECT_GT(solved.iterations, 3);
  for (std::size_t i = 0; i < u.size(); ++i) EXPECT_NEAR(u[i], mesh.points()[i].x() / 3, 1e-10);
  std::vector<double> v(mesh.node_count(), 0.0);
  EXPECT_THROW(fem::pcg(fem::stiffness(mesh), rhs, v, 1e-12, 3, ends), NumericalError);
}

}  // namespace
}  // namespace cardiotwin
