// Lead fields of a heart with lesions, beside those of one whose lesion is scar that does not conduct inside.
#include <gtest/gtest.h>

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/volume_conductor.hpp>
#include <cmath>

namespace cardiotwin {
namespace {

Twin block() {
  Twin twin;
  twin.anatomy.mesh = lattice_block({12, 10, 6}, 1.5);
  twin.anatomy.fibers = uniform_fibers(twin.anatomy.mesh, Vec3(0.6, 0.8, 0));
  twin.anatomy.regions[region::healthy] = "healthy";
  twin.tissue = Tissue::library("post-infarct");
  return twin;
}

Twin with_scar(Twin twin, const Lesion& lesion) {
  const Mesh& mesh = twin.anatomy.mesh;
  std::vector<Label> labels(mesh.labels().begin(), mesh.labels().end());
  for (std::size_t t = 0; t < labels.size(); ++t)
    if ((mesh.centroid(t) - lesion.position).norm() <= lesion.radius) labels[t] = region::core;
  twin.anatomy.regions[region::core] = "core";
  twin.anatomy.mesh =
      Mesh({mesh.points().begin(), mesh.points().end()}, {mesh.tets().begin(), mesh.tets().end()}, labels);
  return twin;
}

TEST(LeadFields, ALesionMakesNoCurrent) {
  const Twin twin = block();
  const Lesion lesion{.position = {6, 5, 2}, .radius = 3.2};
  const std::vector<Electrode> electrodes{{"near", {6, 5, 30}}, {"far", {-90, 20, 10}}};
  const auto whole = unbounded_lead_fields(twin, electrodes, 0.2);
  const auto burnt = with_lesions(whole, twin, {lesion});
  const auto expected = unbounded_lead_fields(with_scar(twin, lesion), electrodes, 0.2);
  int dead = 0, changed = 0;
  for (std::size_t e = 0; e < electrodes.size(); ++e) {
    double size = 0;
    for (const double w : whole.weights[e]) size = std::max(size, std::abs(w));
    for (std::size_t i = 0; i < burnt.weights[e].size(); ++i) {
      EXPECT_NEAR(burnt.weights[e][i], expected.weights[e][i], 1e-12 * size);
      const bool inside = (twin.anatomy.mesh.points()[i] - lesion.position).norm() < 1;
      if (inside) {
        EXPECT_EQ(burnt.weights[e][i], 0) << i;
      }
      dead += inside, changed += std::abs(burnt.weights[e][i] - whole.weights[e][i]) > 1e-3 * size;
    }
  }
  EXPECT_GT(dead, 0);
  EXPECT_GT(changed, 20);
  EXPECT_EQ(with_lesions(whole, twin, {}).weights, whole.weights);
}

TEST(LeadFields, OfAnotherHeartAreRefused) {
  const Twin twin = block();
  auto leads = unbounded_lead_fields(twin, {{"far", {-90, 20, 10}}}, 0.2);
  leads.fields[0].pop_back();
  EXPECT_THROW(with_lesions(leads, twin, {{.position = {6, 5, 2}}}), InputError);
}

}  // namespace
}  // namespace cardiotwin
