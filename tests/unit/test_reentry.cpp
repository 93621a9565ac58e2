// Circuits of known truth: activation times are laid by a shortest-path wave, so that cycle length, isthmus and exit
// are known.
#include <gtest/gtest.h>

#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/random.hpp>
#include <cardiotwin/reentry.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numbers>
#include <queue>
#include <vector>

namespace cardiotwin {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr int depth = 8;

Anatomy anatomy_of(const Mesh& box, const std::function<Label(const Vec3&)>& label) {
  std::vector<Label> labels;
  for (std::size_t t = 0; t < box.tet_count(); ++t) labels.push_back(label(box.centroid(t)));
  Anatomy anatomy;
  anatomy.mesh = Mesh({box.points().begin(), box.points().end()}, {box.tets().begin(), box.tets().end()}, labels);
  return anatomy;
}

using Edges = std::vector<std::vector<Index>>;

Edges conducting_edges(const Mesh& mesh) {
  Edges next(mesh.node_count());
  for (std::size_t t = 0; t < mesh.tet_count(); ++t)
    if (mesh.labels()[t] != region::core)
      for (const Index a : mesh.tets()[t])
        for (const Index b : mesh.tets()[t])
          if (a != b) next[a].push_back(b);
  return next;
}

using TravelTime = std::function<double(Index, Index)>;  ///< of an edge [ms], infinite where it is cut

/// First arrival over edges from nodes excited at the given times.
std::vector<double> wave(const Edges& next, const std::map<Index, double>& seeds, const TravelTime& travel) {
  std::vector<double> time(next.size(), nan);
  std::priority_queue<std::pair<double, Index>, std::vector<std::pair<double, Index>>, std::greater<>> front;
  for (const auto& [node, start] : seeds) front.emplace(start, node);
  while (!front.empty()) {
    const auto [t, i] = front.top();
    front.pop();
    if (std::isfinite(time[i])) continue;
    time[i] = t;
    for (const Index j : next[i])
      if (const double d = travel(i, j); std::isfinite(d)) front.emplace(t + d, j);
  }
  return time;
}

struct Turning {
  std::vector<double> first;
  double cycle = 0;
};

/// A wave that enters a channel at its mouth and, once round, there again. Edges between the mouth and muscle outside
/// the channel are cut and the wave handed over: each mouth node starts when the last turn reached it.
Turning turning_wave(const Mesh& mesh, const std::function<bool(const Vec3&)>& mouth,
                     const std::function<bool(const Vec3&)>& channel, double inside, double outside) {
  const Edges next = conducting_edges(mesh);
  const auto& at = mesh.points();
  const auto time_of = [&](Index a, Index b) {
    return (at[a] - at[b]).norm() / (channel(at[a]) && channel(at[b]) ? inside : outside);
  };
  const TravelTime cut = [&](Index a, Index b) {
    return (mouth(at[a]) && !channel(at[b])) || (mouth(at[b]) && !channel(at[a])) ? double(INFINITY) : time_of(a, b);
  };
  std::map<Index, double> seeds;
  for (std::size_t i = 0; i < at.size(); ++i)
    if (mouth(at[i])) seeds[Index(i)] = 0;
  Turning turning;
  for (int turn = 0; turn < 4; ++turn) {
    turning.first = wave(next, seeds, cut);
    turning.cycle = INFINITY;
    std::map<Index, double> arrivals;
    for (const auto& [node, start] : seeds) {
      arrivals[node] = INFINITY;
      for (const Index j : next[node])
        if (!channel(at[j])) arrivals[node] = std::min(arrivals[node], turning.first[j] + time_of(j, node));
      turning.cycle = std::min(turning.cycle, arrivals[node]);
    }
    for (auto& [node, start] : seeds) start = arrivals[node] - turning.cycle;
  }
  return turning;
}

/// `first` repeated every `cycle` until `end`, with seeded noise.
ActivationHistory history_of(const Turning& turning, double end, double noise = 0) {
  const auto& [first, cycle] = turning;
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

/// Two dead blocks side by side with a slit of 4 mm between them, 40 mm long at 0.2 m/s, in a sheet at 0.6 m/s: a wave
/// that leaves the slit at x = 60 turns round both blocks and comes back to its mouth at x = 20.
struct FigureOfEight {
  Anatomy anatomy;
  Turning turning;

  static bool in_slit(const Vec3& p) { return p.x() >= 20 && p.x() <= 60 && p.y() >= 38 - 1e-9 && p.y() <= 42 + 1e-9; }

  explicit FigureOfEight(bool slit = true) {
    const Mesh box = box_mesh({80, 80, 4}, 2);
    anatomy = anatomy_of(box, [&](const Vec3& p) -> Label {
      const bool blocks = p.x() > 20 && p.x() < 60 && p.y() > 14 && p.y() < 66;
      return !blocks ? region::healthy : (slit && in_slit(p)) ? region::channel : region::core;
    });
    const auto mouth = [](const Vec3& p) { return in_slit(p) && p.x() < 20.1; };
    if (slit) turning = turning_wave(anatomy.mesh, mouth, in_slit, 0.2, 0.6);
  }
};

const FigureOfEight& figure_of_eight() {
  static const FigureOfEight eight;
  return eight;
}

TEST(Reentry, figure_of_eight_through_a_slit_is_found) {
  const FigureOfEight& eight = figure_of_eight();
  for (const double end : {2000.0, 2077.0, 2154.0, 2231.0, 2308.0}) {  // wherever in the cycle the recording stops
    const auto circuit = find_circuit(eight.anatomy, history_of(eight.turning, end));
    ASSERT_TRUE(circuit) << end;
    EXPECT_NEAR(circuit->cycle_length, eight.turning.cycle, 1e-6);
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
  const FigureOfEight& eight = figure_of_eight();
  const auto circuit = find_circuit(eight.anatomy, history_of(eight.turning, 2000));
  ASSERT_TRUE(circuit);
  const auto& lat = circuit->lat.values;
  ASSERT_EQ(lat.size(), eight.anatomy.mesh.node_count());
  for (const double value : lat)
    if (std::isfinite(value)) {
      EXPECT_GE(value, 0);
      EXPECT_LT(value, eight.turning.cycle);
    }
  for (const Index i : nodes_where(eight.anatomy.mesh, [](const Vec3& p) {
         return p.x() > 65.9 && p.x() < 66.1 && std::abs(p.y() - 40) < 0.1;
       }))
    EXPECT_LT(lat[i], 50);  // just beyond the exit: early
  for (const Index i : nodes_where(eight.anatomy.mesh, [](const Vec3& p) {
         return p.x() > 51.9 && p.x() < 52.1 && std::abs(p.y() - 40) < 0.1;
       }))
    EXPECT_GT(lat[i], eight.turning.cycle - 80);  // in the slit before the exit: the end of the cycle
  for (const Index i : nodes_where(
           eight.anatomy.mesh, [](const Vec3& p) { return std::abs(p.x() - 40) < 0.1 && std::abs(p.y() - 26) < 0.1; }))
    EXPECT_TRUE(std::isnan(lat[i]));  // dead block
}

TEST(Reentry, one_millisecond_of_noise_moves_little) {
  const FigureOfEight& eight = figure_of_eight();
  const auto circuit = find_circuit(eight.anatomy, history_of(eight.turning, 2100, 1.0));
  ASSERT_TRUE(circuit);
  EXPECT_NEAR(circuit->cycle_length, eight.turning.cycle, 0.2);
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
      std::map<Index, double> seeds;
      for (const Index i : nodes_where(mesh, [&](const Vec3& p) { return (p - focus).norm() < 3; })) seeds[i] = 0;
      const auto first = wave(conducting_edges(mesh), seeds,
                              [&](Index a, Index b) { return (mesh.points()[a] - mesh.points()[b]).norm() / 0.3; });
      // Cycles both longer and shorter than the wave needs to cross the sheet (300 ms).
      for (const double cycle : {200.0, 350.0, 600.0})
        EXPECT_FALSE(find_circuit(closed.anatomy, history_of({first, cycle}, 2400, noise))) << noise << " " << cycle;
    }
}

TEST(Reentry, one_beat_or_silence_is_no_circuit) {
  const FigureOfEight& eight = figure_of_eight();
  EXPECT_FALSE(find_circuit(eight.anatomy, history_of({eight.turning.first, 1e6}, 1e6 - 1)));
  const std::vector<double> nothing(eight.anatomy.mesh.node_count(), nan);
  EXPECT_FALSE(find_circuit(eight.anatomy, history_of({nothing, 300}, 1000)));
  auto stopped = history_of(eight.turning, 2000);
  stopped.end = 2000 + 2 * eight.turning.cycle;
  EXPECT_FALSE(find_circuit(eight.anatomy, stopped));
}

TEST(Reentry, history_of_the_wrong_length_is_refused) {
  const FigureOfEight& eight = figure_of_eight();
  EXPECT_THROW(find_circuit(eight.anatomy, {.end = 1, .depth = depth, .lat = std::vector<double>(7)}), InputError);
}

TEST(Reentry, renumbering_changes_nothing) {
  const FigureOfEight& eight = figure_of_eight();
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
  const auto history = history_of(eight.turning, 2100, 1.0);
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

/// A ring of 120 mm circumference, 12 mm wide, at 0.6 m/s, but for a sector of 60 degrees in which only the middle 3 mm
/// live, at 0.3 m/s. A bar bent round and welded at its seam.
struct Ring {
  static constexpr double circumference = 120, radius = circumference / (2 * std::numbers::pi);
  Anatomy anatomy;
  Turning turning;

  /// Position along the bar before it was bent, in [0, circumference).
  static double along(const Vec3& p) {
    const double angle = std::atan2(p.x(), p.y());
    return (angle < -1e-9 ? angle + 2 * std::numbers::pi : angle) * radius;
  }

  explicit Ring(bool reversed = false) {
    const Mesh bar = box_mesh({circumference, 12, 4}, 1.5);
    std::map<std::array<long, 3>, Index> welded;
    std::vector<Vec3> points;
    std::vector<Index> to;
    for (const Vec3& p : bar.points()) {
      const double x = std::fmod(p.x() + 1e-9, circumference), angle = x / radius, r = radius - 6 + p.y();
      const auto [entry, fresh] = welded.try_emplace(
          {std::lround(x * 100), std::lround(p.y() * 100), std::lround(p.z() * 100)}, Index(points.size()));
      if (fresh) points.emplace_back(r * std::sin(angle), r * std::cos(angle), p.z());
      to.push_back(entry->second);
    }
    std::vector<Tet> tets;
    std::vector<Label> labels;
    for (std::size_t t = 0; t < bar.tet_count(); ++t) {
      const Tet& old = bar.tets()[t];
      const Vec3 centre = bar.centroid(t);
      tets.push_back({to[old[0]], to[old[1]], to[old[2]], to[old[3]]});
      labels.push_back(centre.x() > 51 && centre.x() < 69 && std::abs(centre.y() - 6) > 1.6 ? region::core
                                                                                            : region::healthy);
    }
    anatomy.mesh = Mesh(points, tets, labels);
    const double mouth_at = reversed ? 69 : 51;
    const auto in_channel = [](const Vec3& p) {
      return along(p) > 50.9 && along(p) < 69.1 && std::abs(p.head<2>().norm() - radius) < 1.6;
    };
    const auto mouth = [&](const Vec3& p) { return in_channel(p) && std::abs(along(p) - mouth_at) < 0.1; };
    turning = turning_wave(anatomy.mesh, mouth, in_channel, 0.3, 0.6);
  }
};

TEST(Reentry, a_rotating_wave_has_its_cycle_and_its_slow_sector) {
  for (const bool reversed : {false, true}) {
    const Ring ring(reversed);
    const auto circuit = find_circuit(ring.anatomy, history_of(ring.turning, 1900));
    ASSERT_TRUE(circuit);
    EXPECT_NEAR(circuit->cycle_length, ring.turning.cycle, 1e-6);
    EXPECT_LT(circuit->closure, 3);
    // The slow sector lies around (0, -radius); the wave runs through it from +x to -x, or the other way.
    const double to_exit = reversed ? 1 : -1;
    EXPECT_LT((circuit->isthmus - Vec3(0, -Ring::radius, 2)).norm(), 5);
    EXPECT_GT(circuit->exit.x() * to_exit, 3);
    EXPECT_LT(circuit->entrance.x() * to_exit, -3);
    double length = 0;
    for (std::size_t k = 1; k < circuit->path.size(); ++k) length += (circuit->path[k] - circuit->path[k - 1]).norm();
    EXPECT_GT(length, 2 * std::numbers::pi * (Ring::radius - 6) - 3);  // no shorter than the inner rim
    EXPECT_LT(length, 1.2 * Ring::circumference);
  }
}

TEST(Reentry, the_same_circuit_is_counted_once) {
  const FigureOfEight& eight = figure_of_eight();
  const auto a = find_circuit(eight.anatomy, history_of(eight.turning, 2000));
  const auto b = find_circuit(eight.anatomy, history_of(eight.turning, 2231, 1.0));
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
