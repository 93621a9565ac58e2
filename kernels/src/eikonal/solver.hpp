#pragma once
/// The eikonal solver over an executor. It supplies
///
///   Buffer<U>              memory, as in core_impl.hpp
///   holes()                how many holes a list may have
///   measure(Measure)       the operations of bodies.hpp, on all tets or nodes
///   begin(Front)
///   depend(Depend)
///   sweeps(Front, count)   so many sweeps, or as many as there is something to do
///   reach                  how far the earliest nodes go ahead of the others, in mean edges

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "../member_part.hpp"
#include "circles.hpp"
#include "make.hpp"

namespace cardiotwin::kernels::CT_BACKEND {

template <class Executor>
class IterativeEikonal final : public EikonalSolver {
 public:
  template <class U>
  using Buffer = typename Executor::template Buffer<U>;

  IterativeEikonal(const EikonalMesh& mesh, Executor executor)
      : executor_(std::move(executor)),
        nodes_(mesh.nodes()),
        tets_(mesh.tets.size()),
        given_node_(mesh.given_node),
        given_tet_(mesh.given_tet),
        own_node_(mesh.own_node),
        corners_(4 * tets_),
        metric_place_(executor_, mesh.given_tet),
        points_(executor_, mesh.points),
        tet_(executor_, mesh.tets),
        star_start_(executor_, mesh.start),
        star_entry_(executor_, mesh.entry),
        metric_(executor_, 6 * tets_),
        start_(executor_, nodes_),
        bettered_(executor_, nodes_),
        time_(executor_, nodes_),
        proposed_(executor_, nodes_),
        is_waiting_(executor_, nodes_),
        moved_(executor_, std::vector<std::uint32_t>(tets_, 0)),
        waiting_{{executor_, nodes_ + executor_.holes()}, {executor_, nodes_ + executor_.holes()}},
        touched_(executor_, tets_ + executor_.holes()),
        counts_(executor_, 1),
        starts_(nodes_) {
    for (std::size_t k = 0; k < corners_.size(); ++k) corners_[k] = mesh.tets[k / 4].corner[k % 4];
    mean_edge_ = mean_edge(mesh);
  }

  void set_metric(std::span<const double> metric) override {
    if (metric.size() != 6 * tets_)
      throw std::invalid_argument("eikonal solver: the metric needs " + std::to_string(6 * tets_) + " numbers, got " +
                                  std::to_string(metric.size()));
    metric_.upload(metric.data());
    executor_.measure(Measure{std::int64_t(tets_), points_.data(), metric_.data(), metric_place_.data(), tet_.data()});
    window_ = Executor::reach * mean_edge_ * mean_slowness(metric);
    state_ = State::measured;
  }

  EikonalWork solve(std::span<const EikonalSeed> seeds, std::span<double> times) override {
    if (state_ == State::bare) throw std::logic_error("eikonal solver: has no metric");
    if (times.size() != nodes_)
      throw std::invalid_argument("eikonal solver: times need room for " + std::to_string(nodes_) + " numbers, got " +
                                  std::to_string(times.size()));
    const double origin = start(seeds);
    EikonalWork work;
    bool settled = run(start_, {.rounding = fine, .most = 4}, work);
    // Where obtuse tets let nodes depend on each other in circles, their times drop a little in every sweep, for long.
    for (int round = 0; !settled; ++round) {
      if (round == 50) throw std::runtime_error("eikonal solver: the times do not settle");
      bettered_.upload(solved_circles().data());
      run(bettered_, {.again = true, .rounding = coarse, .most = 20}, work);
      bettered_.upload(solved_circles().data());
      settled = run(bettered_, {.again = true, .rounding = fine, .most = 4}, work);
    }
    const auto result = time_.peek(MemberPart{});
    for (std::size_t i = 0; i < nodes_; ++i) times[std::size_t(given_node_[i])] = result[i] + origin;
    state_ = State::solved;
    return work;
  }

  Dependence dependence() override {
    if (state_ != State::solved) throw std::logic_error("eikonal solver: nothing is solved yet");
    depend();
    Dependence result;
    result.tet = in_given_order(from_, 1);
    for (std::int32_t& t : result.tet)
      if (t >= 0) t = given_tet_[std::size_t(t)];
    result.weight = in_given_order(weight_, 4), result.displacement = in_given_order(displacement_, 3);
    return result;
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  /// Relative. In circles, coarse steps find which tets matter; then the circles are solved.
  static constexpr double fine = 1e-13, coarse = 1e-6;
  struct Way {
    bool again = false;
    double rounding = fine;
    int most = 4;  ///< expansions per node
  };
  enum class State { bare, measured, solved };

  static double mean_edge(const EikonalMesh& mesh) {
    double sum = 0;
    for (const MetricTet& tet : mesh.tets) {
      for (int k = 0; k < 4; ++k) {
        const double *p = &mesh.points[3 * std::size_t(tet.corner[k])],
                     *q = &mesh.points[3 * std::size_t(tet.corner[(k + 1) % 4])];
        const double x = p[0] - q[0], y = p[1] - q[1], z = p[2] - q[2];
        sum += std::sqrt(x * x + y * y + z * z);
      }
    }
    return sum / (4 * double(mesh.tets.size()));
  }
  /// Over the axes and the tets where a wave passes [ms/mm].
  static double mean_slowness(std::span<const double> metric) {
    double sum = 0, count = 0;
    for (std::size_t k = 0; k < metric.size(); k += 6) {
      if (!(metric[k] > 0)) continue;
      sum += std::sqrt((metric[k] + metric[k + 1] + metric[k + 2]) / 3), ++count;
    }
    return count > 0 ? sum / count : 1;
  }

  /// Times count from the earliest seed, so that none is negative. Returns that seed's.
  double start(std::span<const EikonalSeed> seeds) {
    if (seeds.empty()) throw std::invalid_argument("eikonal solver: no seed");
    double origin = infinity;
    for (const EikonalSeed& seed : seeds) {
      if (seed.node < 0 || std::size_t(seed.node) >= nodes_)
        throw std::invalid_argument("eikonal solver: seed at node " + std::to_string(seed.node) + ", the mesh has " +
                                    std::to_string(nodes_));
      if (!std::isfinite(seed.time)) throw std::invalid_argument("eikonal solver: a seed's time is not finite");
      origin = std::min(origin, seed.time);
    }
    std::fill(starts_.begin(), starts_.end(), infinity);
    for (const EikonalSeed& seed : seeds) {
      double& time = starts_[std::size_t(own_node_[std::size_t(seed.node)])];
      time = std::min(time, seed.time - origin);
    }
    start_.upload(starts_.data());
    return origin;
  }

  /// From the given times. False where nodes were expanded so often that they may go round in circles.
  bool run(Buffer<double>& from, const Way& way, EikonalWork& work) {
    const Front front = front_args(from, way);
    FrontCounts counts = {{0, 0}, 0, 0, {infinity, infinity}, 0};
    counts_.put(MemberPart{}, {counts});
    executor_.begin(front);
    const std::int64_t most = 1000 + way.most * std::int64_t(nodes_);
    bool left = true;
    do {
      executor_.sweeps(front, 64);
      counts = counts_.peek(MemberPart{})[0];
      left = counts.waiting[counts.sweep % 2] > 0;
    } while (left && counts.expansions < most);
    work.sweeps += counts.sweep, work.expansions += counts.expansions;
    return !left;
  }

  void depend() {
    if (from_.size() == 0) {
      from_ = Buffer<std::int32_t>(executor_, nodes_);
      weight_ = Buffer<double>(executor_, 4 * nodes_), displacement_ = Buffer<double>(executor_, 3 * nodes_);
      arrival_ = Buffer<double>(executor_, nodes_);
    }
    executor_.depend(Depend{std::int32_t(nodes_), points_.data(), tet_.data(), stars(), start_.data(), time_.data(),
                            from_.data(), weight_.data(), displacement_.data(), arrival_.data()});
  }

  /// The times that follow when every node keeps the tet and weights it has now: not earlier than the true ones, and
  /// not later than those now (Howard's algorithm: Bokanowski,
  /// Maroso & Zidani 2009, doi 10.1137/08073041X).
  std::vector<double> solved_circles() {
    depend();
    const auto times = values(time_), proposed = values(proposed_);
    auto better = circles_solved(corners_, values(from_), values(weight_), times, values(arrival_));
    for (std::size_t i = 0; i < nodes_; ++i) better[i] = std::min({better[i], times[i], proposed[i]});
    return better;
  }
  template <class U>
  static std::vector<U> values(const Buffer<U>& buffer) {
    const auto view = buffer.peek(MemberPart{});
    std::vector<U> result(buffer.size());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = view[i];
    return result;
  }

  Stars stars() { return {star_start_.data(), star_entry_.data()}; }
  Front front_args(Buffer<double>& from, const Way& way) {
    return {std::int32_t(nodes_),
            tet_.data(),
            stars(),
            from.data(),
            way.again,
            time_.data(),
            proposed_.data(),
            is_waiting_.data(),
            moved_.data(),
            {waiting_[0].data(), waiting_[1].data()},
            touched_.data(),
            counts_.data(),
            window_,
            way.rounding};
  }
  template <class U>
  std::vector<U> in_given_order(const Buffer<U>& buffer, std::size_t per_node) const {
    const auto view = buffer.peek(MemberPart{});
    std::vector<U> values(per_node * nodes_);
    for (std::size_t i = 0; i < nodes_; ++i)
      for (std::size_t k = 0; k < per_node; ++k)
        values[per_node * std::size_t(given_node_[i]) + k] = view[per_node * i + k];
    return values;
  }

  Executor executor_;
  std::size_t nodes_, tets_;
  std::vector<std::int32_t> given_node_, given_tet_, own_node_;
  std::vector<std::int32_t> corners_;  ///< 4 per tet
  Buffer<std::int32_t> metric_place_;
  Buffer<double> points_;
  Buffer<MetricTet> tet_;
  Buffer<std::int32_t> star_start_, star_entry_;
  Buffer<double> metric_, start_, bettered_, time_, proposed_;
  Buffer<std::uint32_t> is_waiting_, moved_;
  Buffer<std::int32_t> waiting_[2], touched_;
  Buffer<FrontCounts> counts_;
  Buffer<std::int32_t> from_;  ///< of depend(), made when first asked for
  Buffer<double> weight_, displacement_, arrival_;
  std::vector<double> starts_;
  double mean_edge_ = 1, window_ = 0;
  State state_ = State::bare;
};

}  // namespace cardiotwin::kernels::CT_BACKEND
