#include "conductor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cardiotwin/error.hpp>
#include <cmath>
#include <numeric>
#include <tuple>

#include "connected.hpp"
#include "operators.hpp"
#include "tet_tree.hpp"

namespace cardiotwin {
namespace {

constexpr double touching = 1e-9;  ///< squared distance [mm2] of points that count as inside

/// Points of the rule of degree 2 on a tet.
std::array<Vec3, 4> quadrature(std::span<const Vec3> points, const Tet& tet) {
  constexpr double near = 0.58541020, far = 0.13819660;
  std::array<Vec3, 4> result;
  for (int q = 0; q < 4; ++q) {
    result[q] = Vec3::Zero();
    for (int k = 0; k < 4; ++k) result[q] += (k == q ? near : far) * points[tet[k]];
  }
  return result;
}

/// Which muscle is at a point, if any.
class Muscle {
 public:
  explicit Muscle(const Twin& twin) : twin_(twin), tree_(twin.anatomy.mesh) {
    low_ = high_ = twin.anatomy.mesh.points()[0];
    for (const Vec3& p : twin.anatomy.mesh.points()) low_ = low_.cwiseMin(p), high_ = high_.cwiseMax(p);
    std::array<bool, 256> occurs{};
    for (const Label label : twin.anatomy.mesh.labels()) occurs[label] = true;
    for (const auto& [label, name] : twin.anatomy.regions)
      if (occurs[label]) sigma_[label] = twin.tissue[name].extracellular;
  }
  /// The tensor of the extracellular space there; false outside the muscle.
  bool at(const Vec3& p, Mat3& extracellular) const {
    if ((p.array() < low_.array()).any() || (p.array() > high_.array()).any()) return false;
    const auto hit = tree_.nearest(p);
    if (hit.tet < 0 || hit.squared > touching) return false;
    extracellular = tensor_of(static_cast<std::size_t>(hit.tet));
    return true;
  }
  Mat3 tensor_of(std::size_t t) const {
    return tensor(sigma_[twin_.anatomy.mesh.labels()[t]], twin_.anatomy.fibers.f[t]);
  }

 private:
  const Twin& twin_;
  TetTree tree_;
  std::array<Conductivity, 256> sigma_;
  Vec3 low_, high_;
};

}  // namespace

kernels::SparseMatrix to_sparse(const fem::Matrix& m) {
  return {.row_start = m.start, .column = m.column, .value = m.value};
}

ConductorSpace::~ConductorSpace() = default;

ConductorSpace::ConductorSpace(const Twin& twin, const ActivePart& part, std::shared_ptr<const Torso> torso,
                               const std::vector<Ground>& grounds)
    : torso_(std::move(torso)) {
  if (torso_) torso_->validate();
  const Mesh& mesh = torso_ ? torso_->mesh : twin.anatomy.mesh;
  const auto pieces = connected_pieces(mesh, std::vector<std::uint8_t>(mesh.tet_count(), 1));
  if (pieces.volume.size() > 1)
    throw InputError(
        fmt::format("{}: its mesh falls into {} pieces, the second one of {:.3g} ml; no current flows "
                    "between them, so the potential there is not defined; keep one piece",
                    torso_ ? "Torso" : "Bidomain", pieces.volume.size(), pieces.volume[1] / 1000));
  number(mesh.points(), mesh.tets());
  std::vector<std::uint8_t> ground;
  for (const Ground& g : grounds) {
    ground.resize(rows(), 0);
    for (const Index row : ball(g.position, g.radius, "Ground").rows) ground[row] = 1;
  }
  ground_ = std::move(ground);
  interpolate(part);
}

void ConductorSpace::number(std::span<const Vec3> points, std::span<const Tet> tets) {
  Vec3 low = points[0], high = points[0];
  for (const Vec3& p : points) low = low.cwiseMin(p), high = high.cwiseMax(p);
  const double per_side = 1.0 / std::max(1e-12, (high - low).maxCoeff());
  std::vector<std::pair<std::uint64_t, Index>> order(points.size());
  for (std::size_t i = 0; i < points.size(); ++i)
    order[i] = {hilbert_key(points[i], low, per_side), static_cast<Index>(i)};
  std::sort(order.begin(), order.end());
  row_of_node_.resize(points.size());
  for (const auto& [key, node] : order) {
    row_of_node_[node] = static_cast<Index>(node_of_row_.size());
    node_of_row_.push_back(node);
    points_.push_back(points[node]);
  }
  for (Tet tet : tets) {
    for (Index& node : tet) node = row_of_node_[node];
    tets_.push_back(tet);
  }
  volume_ = fem::lumped_mass(fem::Elements(points_, tets_));
  tree_ = std::make_unique<TetTree>(points_, tets_);
}

ConductorSpace::Share ConductorSpace::at(const Vec3& position, double slack, const std::string& what) const {
  const auto hit = tree_->nearest(position);
  if (hit.tet < 0 || !(hit.squared <= slack * slack))
    throw InputError(fmt::format("{} at ({:.1f}, {:.1f}, {:.1f}) mm lies {:.1f} mm outside {}", what, position.x(),
                                 position.y(), position.z(), std::sqrt(hit.squared),
                                 torso_ ? "the torso" : "the heart, and no torso is given"));
  Share share;
  for (int k = 0; k < 4; ++k) {
    if (hit.weight[k] > 1e-12) share.rows.push_back(tets_[hit.tet][k]), share.shares.push_back(hit.weight[k]);
  }
  return share;
}

ConductorSpace::Share ConductorSpace::ball(const Vec3& position, double radius, const std::string& what) const {
  Share share;
  double total = 0, nearest = INFINITY;
  Index closest = 0;
  for (std::size_t i = 0; i < rows(); ++i) {
    const double distance = (points_[i] - position).norm();
    if (distance < nearest) nearest = distance, closest = static_cast<Index>(i);
    if (distance > radius || (grounded() && ground_[i])) continue;
    share.rows.push_back(static_cast<Index>(i)), share.shares.push_back(volume_[i]);
    total += volume_[i];
  }
  if (!(nearest <= radius + 2))
    throw InputError(fmt::format("{} at ({:.1f}, {:.1f}, {:.1f}) mm is {:.1f} mm from all that conducts", what,
                                 position.x(), position.y(), position.z(), nearest));
  if (share.rows.empty() && grounded() && ground_[closest])
    throw InputError(
        fmt::format("{} at ({:.1f}, {:.1f}, {:.1f}) mm is grounded", what, position.x(), position.y(), position.z()));
  if (share.rows.empty()) return {{closest}, {1.0}};
  for (double& s : share.shares) s /= total;
  return share;
}

void ConductorSpace::interpolate(const ActivePart& part) {
  const auto nodes = static_cast<Index>(part.points.size());
  std::vector<Share> of(part.points.size());
  if (!torso_) {
    for (Index i = 0; i < nodes; ++i) of[i] = {{row_of_node_[part.mesh_node[i]]}, {1.0}};
  } else {
    Index outside = -1;
#pragma omp parallel for schedule(dynamic, 512)
    for (Index i = 0; i < nodes; ++i) {
      const auto hit = tree_->nearest(part.points[i]);
      if (hit.squared > 1e-6) {
#pragma omp critical
        outside = std::max(outside, i);
        continue;
      }
      for (int k = 0; k < 4; ++k) {
        if (hit.weight[k] > 1e-9) of[i].rows.push_back(tets_[hit.tet][k]), of[i].shares.push_back(hit.weight[k]);
      }
    }
    if (outside >= 0) {
      const Vec3& p = part.points[outside];
      throw InputError(
          fmt::format("Torso: does not enclose the heart: the muscle at ({:.1f}, {:.1f}, {:.1f}) mm lies "
                      "outside its mesh; both must be in the same coordinates",
                      p.x(), p.y(), p.z()));
    }
  }
  interpolation_.row_start = {0};
  for (Share& share : of) {
    std::vector<std::pair<Index, double>> row;
    const double sum = std::accumulate(share.shares.begin(), share.shares.end(), 0.0);
    for (std::size_t k = 0; k < share.rows.size(); ++k) row.push_back({share.rows[k], share.shares[k] / sum});
    std::sort(row.begin(), row.end());
    for (const auto& [column, weight] : row) {
      if (grounded() && ground_[column]) continue;
      interpolation_.column.push_back(column), interpolation_.value.push_back(weight);
    }
    interpolation_.row_start.push_back(static_cast<Index>(interpolation_.column.size()));
  }
}

std::vector<Mat3> ConductorSpace::tensors(const Twin& twin) const {
  const Muscle muscle(twin);
  std::vector<Mat3> result(tets_.size());
  const auto count = static_cast<Index>(tets_.size());
#pragma omp parallel for schedule(dynamic, 512)
  for (Index t = 0; t < count; ++t) {
    if (!torso_) {
      result[t] = muscle.tensor_of(static_cast<std::size_t>(t));
      continue;
    }
    const double around = torso_->conductivity.at(torso_->regions.at(torso_->mesh.labels()[t]));
    result[t] = Mat3::Zero();
    for (const Vec3& p : quadrature(points_, tets_[t])) {
      Mat3 own;
      result[t] += muscle.at(p, own) ? Mat3(own / 4) : Mat3(around / 4 * Mat3::Identity());
    }
  }
  return result;
}

kernels::SparseMatrix ConductorSpace::matrix(const Twin& twin, const fem::Matrix& intracellular) const {
  const fem::Elements elements(points_, tets_);
  const auto tensor_of = tensors(twin);
  const auto outer =
      to_sparse(fem::stiffness(elements, fem::stars(elements), [&](std::size_t t) { return tensor_of[t]; }));
  const auto inner = kernels::product(kernels::transposed(interpolation_, rows()),
                                      kernels::product(to_sparse(intracellular), interpolation_, rows()), rows());
  kernels::SparseMatrix sum;
  sum.row_start = {0};
  sum.column.reserve(outer.column.size()), sum.value.reserve(outer.column.size());
  for (std::size_t i = 0; i < rows(); ++i) {
    const bool fixed = grounded() && ground_[i];
    auto a = outer.row_start[i], b = inner.row_start[i];
    const auto a_end = outer.row_start[i + 1], b_end = inner.row_start[i + 1];
    while (a < a_end || b < b_end) {
      const Index column =
          b == b_end || (a < a_end && outer.column[a] < inner.column[b]) ? outer.column[a] : inner.column[b];
      double value = 0;
      if (a < a_end && outer.column[a] == column) value += outer.value[a++];
      if (b < b_end && inner.column[b] == column) value += inner.value[b++];
      const bool own = static_cast<std::size_t>(column) == i;
      // A grounded node's row says phi = 0 alone, and nobody's row has it.
      if (!own && grounded() && (fixed || ground_[column])) continue;
      sum.column.push_back(column), sum.value.push_back(value);
    }
    sum.row_start.push_back(static_cast<Index>(sum.column.size()));
  }
  return sum;
}

std::vector<double> ConductorSpace::mean_weights() const {
  if (grounded()) return {};
  std::vector<double> shares = volume_;
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& s : shares) s /= total;
  return shares;
}

std::vector<double> ConductorSpace::on_mesh(std::span<const double> of_rows) const {
  const auto shares = mean_weights();
  double mean = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) mean += shares[i] * of_rows[i];
  std::vector<double> result(rows());
  for (std::size_t i = 0; i < rows(); ++i) result[node_of_row_[i]] = of_rows[i] - mean;
  return result;
}

}  // namespace cardiotwin
