#include <fmt/format.h>

#include <algorithm>
#include <cardiotwin/posterior.hpp>
#include <cmath>

#include "inference_parts.hpp"

namespace cardiotwin {

using inference::Json;

namespace {
constexpr int sweeps_per_stage = 5;  // of all walkers at each temperature
}

struct EnsembleSampler::Impl {
  EnsembleSamplerOptions options;
  Eigen::MatrixXd walkers;   // standard coordinates [walkers x parameters]
  Eigen::VectorXd misfits;   // empty until the first were evaluated
  double temperature = 0;    // the data's weight
  int sweeps = 0, half = 0;  // sweeps: all of them, at any temperature
  int step = 0, waits = 0;   // step: sweeps at temperature 1; waits: sweeps left at this one
  long taken = 0, proposed = 0;
  std::vector<Eigen::MatrixXd> kept;  // states after burn-in
  std::vector<Eigen::VectorXd> kept_density;

  double log_density(const Eigen::VectorXd& u, double misfit) const {
    return -temperature * misfit - 0.5 * u.squaredNorm();
  }

  // Raises the temperature so far that the weights are worth half of the walkers, and draws these anew by weight: those
  // left behind in a bad place end there. Modes keep their mass.
  void heat() {
    const Eigen::Index count = misfits.size();
    const double best = misfits.minCoeff();
    if (!std::isfinite(best)) throw NumericalError("Ensemble sampler: the model failed for all walkers");
    const auto weights = [&](double by) { return Eigen::VectorXd((-by * (misfits.array() - best)).exp()); };
    const auto worth = [&](double by) {
      const Eigen::VectorXd w = weights(by);
      return w.sum() * w.sum() / w.squaredNorm();
    };
    const double enough = 0.5 * static_cast<double>((misfits.array() < INFINITY).count());
    double low = 0, high = 1 - temperature;
    if (worth(high) >= enough) {
      low = high;
    } else {
      for (int k = 0; k < 200 && high - low > 1e-3 * high; ++k) {
        const double middle = low > 0 ? 0.5 * (low + high) : 0.1 * high;
        (worth(middle) >= enough ? low : high) = middle;
      }
    }
    Eigen::VectorXd share = weights(low);
    share /= share.sum();
    const double offset = inference::stream(options.seed, static_cast<std::uint64_t>(sweeps), 8).uniform();
    const Eigen::MatrixXd before = walkers;
    const Eigen::VectorXd misfits_before = misfits;
    Eigen::Index from = 0;
    double sum = share[0];
    // Neighbours in the array land in different halves, so that copies can move away from each other.
    for (Eigen::Index k = 0; k < count; ++k) {
      const double at = (static_cast<double>(k) + offset) / static_cast<double>(count);
      while (sum < at && from + 1 < count) sum += share[++from];
      const Eigen::Index to = (k % 2) * half_size() + k / 2;
      walkers.row(to) = before.row(from);
      misfits[to] = misfits_before[from];
    }
    temperature = low >= 1 - temperature ? 1 : temperature + low;
    waits = sweeps_per_stage;
  }

  int half_size() const { return options.walkers / 2; }

  // A proposal for walker i of the half, from the other half alone, and the log of the factor that keeps the balance.
  struct Move {
    Eigen::VectorXd to;
    double log_factor = 0;
    double threshold = 0;  // log of the uniform number that decides
  };
  Move move(int i) const {
    const int size = half_size();
    Random random = inference::stream(options.seed, static_cast<std::uint64_t>(2 * sweeps + half),
                                      16 + static_cast<std::uint64_t>(i));
    const Eigen::VectorXd at = walkers.row(half * size + i).transpose();
    const auto other = [&](int k) { return Eigen::VectorXd(walkers.row((1 - half) * size + k).transpose()); };
    const auto any = [&](int count) { return std::min(count - 1, static_cast<int>(random.uniform() * count)); };
    Move m;
    m.threshold = std::log(1 - random.uniform());
    const double kind = random.uniform();
    const int a = any(size);
    const auto d = static_cast<double>(at.size());
    if (kind < 0.5) {  // stretch; z has the density 1 / sqrt(z) in [1/2, 2]
      const double root = random.uniform() + 1, z = 0.5 * root * root;
      m.to = other(a) + z * (at - other(a));
      m.log_factor = (d - 1) * std::log(z);
    } else {  // differences, one in five of full length
      const int b = (a + 1 + any(size - 1)) % size;
      const double length = kind > 0.9 ? 1 : 2.38 / std::sqrt(2 * d) * random.uniform(0.9, 1.1);
      m.to = at + length * (other(a) - other(b)) + 1e-5 * inference::normals(random, at.size());
    }
    return m;
  }

  void keep() {
    if (step <= options.burn_in || (step - options.burn_in) % options.thin != 0) return;
    kept.push_back(walkers);
    kept_density.emplace_back(-misfits - 0.5 * walkers.rowwise().squaredNorm());
  }

  // Of one parameter, in kept states; means and variances are those of all walkers, so that a walker that stays in one
  // of two modes is seen.
  double autocorrelation(Eigen::Index parameter) const {
    const auto length = static_cast<Eigen::Index>(kept.size());
    Eigen::MatrixXd x(length, options.walkers);
    for (Eigen::Index t = 0; t < length; ++t) x.row(t) = kept[static_cast<std::size_t>(t)].col(parameter).transpose();
    x.array() -= x.mean();
    const double variance = x.squaredNorm() / static_cast<double>(x.size());
    if (!(variance > 0)) return static_cast<double>(length);  // nothing ever moved
    double tau = 1;
    for (Eigen::Index lag = 1; lag < length; ++lag) {
      const double together = x.topRows(length - lag).cwiseProduct(x.bottomRows(length - lag)).mean();
      tau += 2 * together / variance;
      if (static_cast<double>(lag) >= 5 * tau) break;  // Sokal's window
    }
    return std::max(tau, 1.0);
  }
};

EnsembleSampler::EnsembleSampler(ParameterSpace parameters, EnsembleSamplerOptions options)
    : Inference(std::move(parameters), "ensemble sampler", true), impl_(std::make_unique<Impl>()) {
  const auto d = static_cast<int>(space().size());
  if (options.walkers % 2 != 0 || options.walkers < 2 * d + 2 || options.walkers < 6)
    throw InputError(fmt::format("Ensemble sampler: {} walkers; an even number of at least {} is needed",
                                 options.walkers, std::max(6, 2 * d + 2)));
  if (options.steps < 1 || options.burn_in < 0 || options.thin < 1 || options.thin > options.steps)
    throw InputError(fmt::format("Ensemble sampler: {} steps after {} with every {} kept leave no states",
                                 options.steps, options.burn_in, options.thin));
  impl_->options = options;
  impl_->temperature = options.from.size() > 0 ? 1 : 0;
  const Eigen::MatrixXd from = options.from.size() > 0 ? options.from : space().sample(options.walkers, options.seed);
  if (from.rows() != options.walkers || from.cols() != d)
    throw InputError(fmt::format("Ensemble sampler: starts are {} x {}, not {} walkers x {} parameters", from.rows(),
                                 from.cols(), options.walkers, d));
  impl_->walkers.resize(options.walkers, d);
  for (Eigen::Index i = 0; i < from.rows(); ++i)
    impl_->walkers.row(i) = space().to_standard(from.row(i).transpose()).transpose();
}

EnsembleSampler::~EnsembleSampler() = default;

bool EnsembleSampler::done() const { return impl_->step >= impl_->options.burn_in + impl_->options.steps; }
double EnsembleSampler::progress() const {
  const double steps = static_cast<double>(impl_->step) / (impl_->options.burn_in + impl_->options.steps);
  return 0.1 * impl_->temperature + 0.9 * steps;
}
double EnsembleSampler::acceptance() const {
  return impl_->proposed > 0 ? static_cast<double>(impl_->taken) / static_cast<double>(impl_->proposed) : NAN;
}

Eigen::MatrixXd EnsembleSampler::propose() const {
  if (impl_->misfits.size() == 0) return impl_->walkers;
  Eigen::MatrixXd rows(impl_->half_size(), impl_->walkers.cols());
  for (int i = 0; i < impl_->half_size(); ++i) rows.row(i) = impl_->move(i).to.transpose();
  return rows;
}

void EnsembleSampler::learn(const Eigen::MatrixXd& u, std::span<const Evaluation> evaluations) {
  Impl& s = *impl_;
  Eigen::VectorXd misfits(u.rows());
  for (Eigen::Index i = 0; i < u.rows(); ++i) misfits[i] = evaluations[static_cast<std::size_t>(i)].misfit();
  if (s.misfits.size() == 0) {
    s.misfits = misfits;
    if (s.temperature < 1) s.heat();
    return;
  }
  for (int i = 0; i < s.half_size(); ++i) {  // moves look at the other half alone
    const int walker = s.half * s.half_size() + i;
    const auto m = s.move(i);
    ++s.proposed;
    if (!std::isfinite(misfits[i])) continue;
    const double before = s.log_density(s.walkers.row(walker).transpose(), s.misfits[walker]);
    const double after = s.log_density(m.to, misfits[i]);
    if (std::isfinite(before) && m.log_factor + after - before < m.threshold) continue;
    ++s.taken;
    s.walkers.row(walker) = m.to.transpose();
    s.misfits[walker] = misfits[i];
  }
  s.half = 1 - s.half;
  if (s.half == 1) return;
  ++s.sweeps;
  if (s.temperature < 1) {
    if (--s.waits <= 0) s.heat();
    return;
  }
  ++s.step;
  s.keep();
}

double EnsembleSampler::autocorrelation() const {
  if (!done()) return NAN;
  double worst = 1;
  for (Eigen::Index j = 0; j < impl_->walkers.cols(); ++j) worst = std::max(worst, impl_->autocorrelation(j));
  return worst * impl_->options.thin;
}

Posterior EnsembleSampler::posterior() const {
  if (!done()) throw InputError("Posterior: the ensemble sampler is not done; go on until it is");
  std::vector<std::pair<std::size_t, Eigen::Index>> good;  // walkers whose model never ran are no draws
  for (std::size_t t = 0; t < impl_->kept.size(); ++t)
    for (Eigen::Index i = 0; i < impl_->options.walkers; ++i)
      if (std::isfinite(impl_->kept_density[t][i])) good.emplace_back(t, i);
  if (good.empty()) throw NumericalError("Ensemble sampler: the model failed for all walkers");
  const auto count = static_cast<Eigen::Index>(good.size());
  Posterior p{.names = space().names(), .units = space().units()};
  p.samples.resize(count, impl_->walkers.cols());
  p.log_density.resize(count);
  for (Eigen::Index k = 0; k < count; ++k) {
    const auto [t, i] = good[static_cast<std::size_t>(k)];
    p.samples.row(k) = space().from_standard(impl_->kept[t].row(i).transpose()).transpose();
    p.log_density[k] = impl_->kept_density[t][i];
  }
  p.weights = Eigen::VectorXd::Constant(count, 1.0 / static_cast<double>(count));
  p.seed = impl_->options.seed;
  p.method = method();
  p.effective_size = static_cast<double>(count) * impl_->options.thin / autocorrelation();
  return p;
}

std::string EnsembleSampler::options() const {
  const auto& o = impl_->options;
  return Json{{"seed", o.seed},       {"walkers", o.walkers}, {"steps", o.steps},
              {"burn_in", o.burn_in}, {"thin", o.thin},       {"from", inference::matrix(o.from)}}
      .dump();
}

std::string EnsembleSampler::state() const {
  using namespace inference;
  Json kept = Json::array(), density = Json::array();
  for (const auto& one : impl_->kept) kept.push_back(matrix(one));
  for (const auto& one : impl_->kept_density) density.push_back(vector(one));
  return Json{{"walkers", matrix(impl_->walkers)},
              {"misfits", vector(impl_->misfits)},
              {"temperature", number(impl_->temperature)},
              {"sweeps", impl_->sweeps},
              {"half", impl_->half},
              {"step", impl_->step},
              {"waits", impl_->waits},
              {"taken", impl_->taken},
              {"proposed", impl_->proposed},
              {"kept", kept},
              {"kept_density", density}}
      .dump();
}

void EnsembleSampler::set_state(const std::string& text) {
  using namespace inference;
  const Json json = Json::parse(text);
  Impl next;
  next.options = impl_->options;
  next.walkers = matrix(json.at("walkers"));
  next.misfits = vector(json.at("misfits"));
  next.temperature = number(json.at("temperature"));
  next.sweeps = json.at("sweeps").get<int>();
  next.half = json.at("half").get<int>();
  next.step = json.at("step").get<int>();
  next.waits = json.at("waits").get<int>();
  next.taken = json.at("taken").get<long>();
  next.proposed = json.at("proposed").get<long>();
  for (const auto& one : json.at("kept")) next.kept.push_back(matrix(one));
  for (const auto& one : json.at("kept_density")) next.kept_density.push_back(vector(one));
  *impl_ = std::move(next);
}

}  // namespace cardiotwin
