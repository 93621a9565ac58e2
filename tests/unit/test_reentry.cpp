// Circuits of known truth: activation times are laid by a shortest-path wave, so that cycle length, isthmus and exit are known.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <queue>

#include <gtest/gtest.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/random.hpp>
#include <cardiotwin/reentry.hpp>

namespace cardiotwin {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr int depth = 8;

Anatomy anatomy_of(const Mesh& box, const std::function<Label(const Vec3&)>& label,
                   const std::function<Vec3(const Vec3&)>& shape = [](const Vec3& p) { return p; }) {
  std::vector<Vec3> points;
  for (const auto& p : box.points()) points.push_back(shape(p));
  std::vector<Label> labels;
  for (std::size_t t = 0; t < box.tet_count(); ++t) labels.push_back(label(box.centroid(t)));
  Anatomy anatomy;
  anatomy.mesh = Mesh(points, {box.tets().begin(), box.tets().end()}, labels);
  return anatomy;
}

/// First arrival over edges of conducting tets; `time_of(a, b)` is an edge's travel time, infinite where it is cut.
std::vector<double> wave(const Mesh& mesh, const std::vector<Index>& seeds,
                         const std::function<double(const Vec3&, const Vec3&)>& time_of) {
  std::vector<std::vector<Index>> next(mesh.node_count());
  for (std::size_t t = 0; t < mesh.tet_count(); ++t)
    if (mesh.labels()[t] != region::core)
      for (const Index a : mesh.tets()[t])
        for (const Index b : mesh.tets()[t])
          if (a != b) next[a].push_back(b);
  std::vector<double> time(mesh.node_count(), nan);
  std::priority_queue<std::pair<double, Index>, std::vector<std::pair<double, Index>>, std::greater<>> front;
  for (const Index seed : seeds) front.emplace(0.0, seed);
  while (!front.empty()) {
    const auto [t, i] = front.top();
    front.pop();
    if (std::isfinite(time[i])) continue;
    time[i] = t;
    for (const Index j : next[i])
      if (const double d = time_of(mesh.points()[i], mesh.points()[j]); std::isfinite(d)) front.emplace(t + d, j);
  }
  return time;
}

/// `first` repeated every `cycle` until `end`, with seeded noise.
ActivationHistory history_of(const std::vector<double>& first, double cycle, double end, double noise = 0) {
  ActivationHistory history{.end = end, .depth = depth, .lat = std::vector<double>(first.size() * depth, nan)};
  Random random(1);
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!std::isfinite(first[i])) continue;
    const int last = int(std::floor((end - first[i]) / cycle));
    for (int k = 0; k < depth && last - k >= 0; ++k)
      history.lat[i * depth + k] = first[i] + (last - k) * cycle + noise * random.normal();
  }
  return history;
}

std::vector<Index> nodes_where(const Mesh& mesh, const std::function<bool(const Vec3&)>& inside) {
  std::vector<Index> nodes;
  for (std::size_t i = 0; i < mesh.node_count(); ++i)
    if (inside(mesh.points()[i])) nodes.push_back(Index(i));
  return nodes;
}

/// Two dead blocks side by side with a slit of 4 mm between them, 40 mm long at 0.2 m/s, in a sheet at 0.6 m/s: a wave that leaves the
/// slit at x = 60 turns round both blocks and comes back to its mouth at x = 20.
struct FigureOfEight {
  Anatomy anatomy;
  std::vector<double> first;
  double cycle = 0;

  static bool in_slit(const Vec3& p) { return p.x() >= 20 && p.x() <= 60 && p.y() >= 38 - 1e-9 && p.y() <= 42 + 1e-9; }

  explicit FigureOfEight(bool slit = true) {
    const Mesh box = box_mesh({80, 80, 4}, 2);
    anatomy = anatomy_of(box, [&](const Vec3& p) -> Label {
      const bool blocks = p.x() > 20 && p.x() < 60 && p.y() > 14 && p.y() < 66;
      return !blocks ? region::healthy : (slit && in_slit(p)) ? region::channel : region::core;
    });
    const Mesh& mesh = anatomy.mesh;
    const auto mouth = [](const Vec3& p) { return in_slit(p) && p.x() < 20.1; };
    const auto time_of = [&](const Vec3& a, const Vec3& b) {
      if ((mouth(a) && b.x() < 19.9) || (mouth(b) && a.x() < 19.9)) return double(INFINITY);
      return (a - b).norm() / (in_slit(a) && in_slit(b) ? 0.2 : 0.6);
    };
    first = wave(mesh, nodes_where(mesh, mouth), time_of);
    cycle = INFINITY;
    for (const Index i : nodes_where(mesh, [](const Vec3& p) { return p.x() > 17.9 && p.x() < 18.1 && std::abs(p.y() - 40) < 2.1; }))
      cycle = std::min(cycle, first[i] + 2 / 0.6);
  }
};

TEST(Reentry, figure_of_eight_through_a_slit_is_found) {
  const FigureOfEight eight;
  for (const double end : {2000.0, 2077.0, 2154.0, 2231.0, 2308.0}) {  // wherever in the cycle the recording stops
    const auto circuit = find_circuit(eight.anatomy, history_of(eight.first, eight.cycle, end));
    ASSERT_TRUE(circuit) << end;
    EXPECT_NEAR(circuit->cycle_length, eight.cycle, 1e-6);
    EXPECT_LT(circuit->closure, 3.0);
    EXPECT_TRUE(circuit->monomorphic);
    EXPECT_NEAR(circuit->map_correlation, 1.0, 1e-6);
    EXPECT_NEAR(circuit->isthmus.y(), 40, 1.0);  // on the channel's line, well inside it
    EXPECT_GT(circuit->isthmus.x(), 30);
    EXPECT_LT(circuit->isthmus.x(), 50);
    EXPECT_NEAR(circuit->exit.x(), 60, 6);
    EXPECT_NEAR(circuit->exit.y(), 40, 2);
    EXPECT_NEAR(circuit->entrance.x(), 20, 6);
    EXPECT_NEAR(circuit->entrance.y(), 40, 2);
    ASSERT_GT(circuit->isthmus_line.size(), 20u);  // 200 ms in steps of 5
    for (std::size_t k = 1; k < circuit->isthmus_line.size(); ++k)
      EXPECT_GE(circuit->isthmus_line[k].x(), circuit->isthmus_line[k - 1].x() - 1.0);
  }
}

TEST(Reentry, the_map_counts_from_the_exit) {
  const FigureOfEight eight;
  const auto circuit = find_circuit(eight.anatomy, history_of(eight.first, eight.cycle, 2000));
  ASSERT_TRUE(circuit);
  const auto& lat = circuit->lat.values;
  ASSERT_EQ(lat.size(), eight.anatomy.mesh.node_count());
  for (const double value : lat)
    if (std::isfinite(value)) {
      EXPECT_GE(value, 0);
      EXPECT_LT(value, eight.cycle);
    }
  for (const Index i : nodes_where(eight.anatomy.mesh, [](const Vec3& p) { return p.x() > 65.9 && p.x() < 66.1 && std::abs(p.y() - 40) < 0.1; }))
    EXPECT_LT(lat[i], 50);  // just beyond the exit: early
  for (const Index i : nodes_where(eight.anatomy.mesh, [](const Vec3& p) { return p.x() > 51.9 && p.x() < 52.1 && std::abs(p.y() - 40) < 0.1; }))
    EXPECT_GT(lat[i], eight.cycle - 80);  // in the slit before the exit: the end of the cycle
  for (const Index i : nodes_where(eight.anatomy.mesh, [](const Vec3& p) { return std::abs(p.x() - 40) < 0.1 && std::abs(p.y() - 26) < 0.1; }))
    EXPECT_TRUE(std::isnan(lat[i]));  // dead block
}

TEST(Reentry, one_millisecond_of_noise_moves_little) {
  const FigureOfEight eight;
  const auto circuit = find_circuit(eight.anatomy, history_of(eight.first, eight.cycle, 2100, 1.0));
  ASSERT_TRUE(circuit);
  EXPECT_NEAR(circuit->cycle_length, eight.cycle, 0.2);
  EXPECT_NEAR(circuit->isthmus.y(), 40, 1.5);
  EXPECT_GT(circuit->isthmus.x(), 28);
  EXPECT_LT(circuit->isthmus.x(), 52);
  EXPECT_NEAR(circuit->exit.x(), 60, 7);
  EXPECT_TRUE(circuit->monomorphic);
}

TEST(Reentry, a_focus_or_a_scar_without_slit_has_no_circuit) {
  const FigureOfEight closed(false);
  const Mesh& mesh = closed.anatomy.mesh;
  for (const double noise : {0.0, 1.0})
    for (const Vec3& focus : {Vec3(10, 40, 2), Vec3(0, 0, 0), Vec3(70, 70, 0)}) {
      const auto first = wave(mesh, nodes_where(mesh, [&](const Vec3& p) { return (p - focus).norm() < 3; }),
                              [](const Vec3& a, const Vec3& b) { return (a - b).norm() / 0.3; });
      // Cycles both longer and shorter than the wave needs to cross the sheet (300 ms).
      for (const double cycle : {200.0, 350.0, 600.0})
        EXPECT_FALSE(find_circuit(closed.anatomy, history_of(first, cycle, 2400, noise))) << noise << " " << cycle;
    }
}

TEST(Reentry, one_beat_or_silence_is_no_circuit) {
  const FigureOfEight eight;
  EXPECT_FALSE(find_circuit(eight.anatomy, history_of(eight.first, 1e6, 1e6 - 1)));
  const std::vector<double> nothing(eight.anatomy.mesh.node_count(), nan);
  EXPECT_FALSE(find_circuit(eight.anatomy, history_of(nothing, 300, 1000)));
  auto stopped = history_of(eight.first, eight.cycle, 2000);
  stopped.end = 2000 + 2 * eight.cycle;
  EXPECT_FALSE(find_circuit(eight.anatomy, stopped));
}

TEST(Reentry, history_of_the_wrong_length_is_refused) {
  const FigureOfEight eight;
  EXPECT_THROW(find_circuit(eight.anatomy, {.end = 1, .depth = depth, .lat = std::vector<double>(7)}), InputError);
}

TEST(Reentry, renumbering_changes_nothing) {
  const FigureOfEight eight;
  const Mesh& mesh = eight.anatomy.mesh;
  const std::size_t n = mesh.node_count();
  std::vector<Index> to(n);  // 7 has no common factor with the node count 41 * 41 * 3
  for (std::size_t i = 0; i < n; ++i) to[i] = Index((7 * i + 5) % n);
  std::vector<Vec3> points(n);
  for (std::size_t i = 0; i < n; ++i) points[to[i]] = mesh.points()[i];
  std::vector<Tet> tets;
  std::vector<Label> labels;
  for (std::size_t t = mesh.tet_count(); t-- > 0;) {
    const Tet& old = mesh.tets()[t];
    tets.push_back({to[old[0]], to[old[1]], to[old[2]], to[old[3]]});
    labels.push_back(mesh.labels()[t]);
  }
  Anatomy turned;
  turned.mesh = Mesh(points, tets, labels);
  const auto history = history_of(eight.first, eight.cycle, 2100, 1.0);
  auto moved = history;
  for (std::size_t i = 0; i < n; ++i)
    for (int k = 0; k < depth; ++k) moved.lat[std::size_t(to[i]) * depth + k] = history.lat[i * depth + k];
  const auto a = find_circuit(eight.anatomy, history), b = find_circuit(turned, moved);
  ASSERT_TRUE(a && b);
  EXPECT_NEAR(a->cycle_length, b->cycle_length, 1e-9);
  EXPECT_NEAR(a->closure, b->closure, 1e-9);
  EXPECT_LT((a->isthmus - b->isthmus).norm(), 1e-6);
  EXPECT_LT((a->exit - b->exit).norm(), 1e-6);
  ASSERT_EQ(a->path.size(), b->path.size());
  for (std::size_t k = 0; k < a->path.size(); ++k) EXPECT_EQ(a->path[k], b->path[k]);
}

/// A ring of radius 20 mm, 12 mm wide, at 0.6 m/s, but for a sector of 60 degrees in which only the middle 4 mm live, at 0.3 m/s.
struct Ring {
  Anatomy anatomy;
  std::vector<double> first;
  double cycle = 0;
  static constexpr double circumference = 120;

  explicit Ring(int direction = 1) {
    // A straight bar bent into a ring that stays open at its seam (angle 0), where the wave is handed over in the test below.
    const Mesh box = box_mesh({circumference, 12, 4}, 1.5);
    const double radius = circumference / (2 * M_PI);
    const auto sector = [](double x) { return x > 50 && x < 70; };
    const auto shape = [&](const Vec3& p) {
      const double angle = p.x() / circumference * 2 * M_PI * 0.999, r = radius - 6 + p.y();
      return Vec3(r * std::sin(angle), r * std::cos(angle), p.z());
    };
    anatomy = anatomy_of(box, [&](const Vec3& p) -> Label { return sector(p.x()) && std::abs(p.y() - 6) > 2 ? region::core : region::healthy; }, shape);
    // Weld the seam: last nodes become the first.
    const Mesh& open = anatomy.mesh;
    std::vector<Index> to(open.node_count(), -1);
    std::vector<Vec3> points;
    std::vector<double> along;
    for (std::size_t i = 0; i < open.node_count(); ++i)
      if (box.points()[i].x() < circumference - 1e-6) {
        to[i] = Index(points.size());
        points.push_back(open.points()[i]);
        along.push_back(box.points()[i].x());
      }
    for (std::size_t i = 0; i < open.node_count(); ++i)
      if (to[i] < 0)
        for (std::size_t j = 0; j < open.node_count(); ++j)
          if (box.points()[j].x() < 1e-6 && (box.points()[j] - box.points()[i] + Vec3(circumference, 0, 0)).norm() < 1e-6) to[i] = to[j];
    std::vector<Tet> tets;
    for (const Tet& t : open.tets()) tets.push_back({to[t[0]], to[t[1]], to[t[2]], to[t[3]]});
    anatomy.mesh = Mesh(points, tets, {open.labels().begin(), open.labels().end()});
    cycle = (circumference - 20) / 0.6 + 20 / 0.3;
    std::vector<char> alive(points.size(), 0);
    for (std::size_t t = 0; t < tets.size(); ++t)
      if (anatomy.mesh.labels()[t] != region::core)
        for (const Index i : tets[t]) alive[i] = 1;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double x = direction > 0 ? along[i] : circumference - along[i];
      const double time = std::min(x, 50.0) / 0.6 + std::clamp(x - 50, 0.0, 20.0) / 0.3 + std::max(x - 70, 0.0) / 0.6;
      first.push_back(alive[i] ? std::fmod(time, cycle) : nan);
    }
  }
};

TEST(Reentry, a_rotating_wave_has_its_cycle_and_its_slow_sector) {
  for (const int direction : {1, -1}) {
    const Ring ring(direction);
    const auto circuit = find_circuit(ring.anatomy, history_of(ring.first, ring.cycle, 1900));
    ASSERT_TRUE(circuit);
    EXPECT_NEAR(circuit->cycle_length, ring.cycle, 1e-6);
    EXPECT_LT(circuit->closure, 6);
    // The slow sector lies around angle 180 degrees: (0, -radius).
    const double radius = Ring::circumference / (2 * M_PI);
    EXPECT_LT((circuit->isthmus - Vec3(0, -radius, 2)).norm(), 4);
    EXPECT_GT(circuit->exit.x() * -direction, 4);
    EXPECT_LT(circuit->entrance.x() * -direction, -4);
    double length = 0;
    for (std::size_t k = 1; k < circuit->path.size(); ++k) length += (circuit->path[k] - circuit->path[k - 1]).norm();
    EXPECT_GT(length, 0.6 * Ring::circumference);  // the walk may cut along the inner rim (82 mm)
    EXPECT_LT(length, 1.3 * Ring::circumference);
  }
}

TEST(Reentry, the_same_circuit_is_counted_once) {
  const FigureOfEight eight;
  const auto a = find_circuit(eight.anatomy, history_of(eight.first, eight.cycle, 2000));
  const auto b = find_circuit(eight.anatomy, history_of(eight.first, eight.cycle, 2231, 1.0));
  ASSERT_TRUE(a && b);
  EXPECT_TRUE(same_circuit(*a, *b));
  Circuit other = *a;
  other.cycle_length *= 1.2;
  EXPECT_FALSE(same_circuit(*a, other));
  other = *a;
  other.exit.x() += 11;
  EXPECT_FALSE(same_circuit(*a, other));
  other = *a;  // the wave the other way round
  for (double& value : other.lat.values) value = std::fmod(other.cycle_length - value, other.cycle_length);
  EXPECT_FALSE(same_circuit(*a, other));
}

}  // namespace
}  // namespace cardiotwin
