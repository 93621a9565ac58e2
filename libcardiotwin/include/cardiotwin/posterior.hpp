#pragma once
/// What is known of the parameters once data were seen: draws from the posterior, how they are made, what they say of
/// each parameter, and whether they can be trusted.

#include <Eigen/Core>
#include <cardiotwin/inference.hpp>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cardiotwin {

/// Weighted draws.
struct Posterior {
  std::vector<std::string> names = {}, units = {};  ///< of the parameters
  Eigen::MatrixXd samples = {};                     ///< values [draws x parameters]
  Eigen::VectorXd weights = {};                     ///< [draws], positive, sum 1
  Eigen::VectorXd log_density = {};  ///< [draws], in standard coordinates up to a constant; NaN where not evaluated
  std::uint64_t seed = 0;
  std::string method = {};
  double effective_size = 0;  ///< independent draws that the method's whole output is worth
  double pareto_k = NAN;  ///< of importance weights; above 0.7 they cannot be trusted (doi 10.48550/arXiv.1507.02646)

  /// Throws InputError unless sizes fit, samples are finite, and weights are not negative and sum to 1.
  void validate() const;
  std::size_t index(const std::string& name) const;  ///< throws InputError with the nearest known name
  Eigen::VectorXd mean() const;
  Eigen::VectorXd sd() const;           ///< of the weighted draws as they are
  Eigen::MatrixXd correlation() const;  ///< [parameters x parameters]; 0 where one does not vary
  /// Value below which a share p in [0, 1] of each parameter lies, between draws by straight lines: the k-th of n equal
  /// draws is the quantile k / (n + 1), so that intervals of few draws cover about as often as they say. Beyond the
  /// outermost draws it is theirs.
  Eigen::VectorXd quantile(double p) const;
  /// Central interval of every parameter that holds the share `level`: [parameters x 2], as 0.5 or 0.9.
  Eigen::MatrixXd interval(double level) const;
  /// So many draws of equal weight, by systematic resampling.
  Posterior resampled(int draws, std::uint64_t seed) const;
};

/// JSON with all of it; numbers read back to the same bits.
std::string to_json(const Posterior&);
/// Throws InputError where the text is damaged or not valid.
Posterior posterior_from_json(const std::string&);

/// The final ensemble, without members whose model failed. Throws InputError unless it is done.
Posterior ensemble_posterior(const EnsembleKalman&);

/// Draws from a mixture of Gaussians in standard coordinates around the optima, each as heavy as its own Gaussian
/// integral. A good account where each mode is nearly Gaussian; costs no evaluation. Throws InputError unless at least
/// one optimum has `information` (run LevenbergMarquardt from where another method ended).
Posterior laplace_posterior(const ParameterSpace&, std::span<const Optimum>, int draws, std::uint64_t seed);

struct ImportanceOptions {
  std::uint64_t seed = 1;
  int draws = 1024;      ///< evaluations
  int batch = 128;       ///< asked at a time
  int tail = 5;          ///< degrees of freedom of the mixture's Student t
  double inflation = 1;  ///< of its widths
};

/// Draws from a Student t mixture around the optima, then weighted by the true posterior over the mixture's density;
/// the largest weights are smoothed (Vehtari et al. 2024, doi 10.48550/arXiv.1507.02646). Exact in the limit of many
/// draws wherever the optima are. For models of which some hundred evaluations are cheap.
class ImportanceSampler : public Inference {
 public:
  /// Optima with `information`, as laplace_posterior().
  ImportanceSampler(ParameterSpace, std::vector<Optimum>, ImportanceOptions = {});
  ~ImportanceSampler() override;
  bool done() const override;
  double progress() const override;
  /// All draws with their weights; resampled() thins them. Throws InputError unless done, NumericalError where the
  /// model failed at all draws.
  Posterior posterior() const;

 private:
  Eigen::MatrixXd propose() const override;
  void learn(const Eigen::MatrixXd&, std::span<const Evaluation>) override;
  std::string options() const override;
  std::string state() const override;
  void set_state(const std::string&) override;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct EnsembleSamplerOptions {
  std::uint64_t seed = 1;
  int walkers = 64;  ///< even, at least twice the parameters + 2; half of them is a batch
  int steps = 1000;  ///< of every walker after burn-in
  int burn_in = 200;
  int thin = 5;               ///< keeps every so many steps
  Eigen::MatrixXd from = {};  ///< values where walkers start [walkers x parameters]; empty: the prior, then tempered
};

/// Markov chain Monte Carlo by many walkers that adapt to the posterior's shape through each other: stretch moves
/// (Goodman & Weare 2010, doi 10.2140/camcos.2010.5.65) in turn with differences of other walkers (ter Braak 2006, doi
/// 10.1007/s11222-006-8769-1), which jump between modes. Walkers begin as draws from the prior and the data are taken
/// in by stages, at each of which walkers are drawn anew by weight (Del Moral, Doucet & Jasra 2006, doi
/// 10.1111/j.1467-9868.2006.00553.x): so none is left behind in a bad optimum, and modes get their mass. tell() throws
/// NumericalError where the model fails for all of the first walkers.
class EnsembleSampler : public Inference {
 public:
  explicit EnsembleSampler(ParameterSpace, EnsembleSamplerOptions = {});
  ~EnsembleSampler() override;
  bool done() const override;
  double progress() const override;
  double acceptance() const;  ///< share of proposals taken so far
  /// Steps between independent states of a walker, the worst parameter's (Sokal's window); NaN while not done.
  double autocorrelation() const;
  /// All kept states, equally weighted, log densities with them. Throws InputError unless done.
  Posterior posterior() const;

 private:
  Eigen::MatrixXd propose() const override;
  void learn(const Eigen::MatrixXd&, std::span<const Evaluation>) override;
  std::string options() const override;
  std::string state() const override;
  void set_state(const std::string&) override;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What the data say of each parameter beyond the prior, in standard coordinates, where the prior's variances are 1.
struct Identifiability {
  std::vector<std::string> names = {};
  Eigen::VectorXd shrinkage = {};              ///< 1 - posterior variance / prior variance [parameters]
  Eigen::MatrixXd correlation = {};            ///< of the posterior
  Eigen::MatrixXd directions = {};             ///< principal directions, a column each, best known first
  Eigen::VectorXd direction_shrinkage = {};    ///< of these
  std::vector<std::string> undetermined = {};  ///< shrinkage below 0.2
  std::vector<std::pair<std::string, std::string>> correlated = {};  ///< |correlation| above 0.95
  std::vector<std::string> sentences = {};                           ///< the same for people
};

/// From the derivatives at one optimum. Throws InputError where it has no `information`.
Identifiability identifiability(const ParameterSpace&, const Optimum&);
/// From draws; draws of a small ensemble know shrinkage to about sqrt(2 / draws).
Identifiability identifiability(const ParameterSpace&, const Posterior&);

/// Share of replicated misfits at least as large as the observed one with the same parameters, ties half (posterior
/// predictive p-value; Gelman, Meng & Stern 1996, Statistica Sinica 6:733). Near 0: the model does not describe the
/// data (any more). Throws InputError for no pairs, different numbers, or NaN.
double predictive_p_value(std::span<const double> observed, std::span<const double> replicated);

/// How often intervals hold the truth, over replicates of truth, data and inference.
struct Coverage {
  std::string name = {};  ///< of the parameter
  int replicates = 0;
  double inside_50 = 0, inside_90 = 0;  ///< share of truths inside of the central intervals
  std::vector<int> ranks = {};          ///< histogram of the truths' ranks among the draws; flat if all is well
  double chi2 = 0, p_value = 1;         ///< of the histogram against a flat one
  bool calibrated = false;              ///< none of the three deviates beyond what 1 in 100 calibrated runs would
  std::string sentence = {};
};

/// Simulation-based calibration (Talts et al. 2018, doi 10.48550/arXiv.1804.06788): truths [replicates x parameters]
/// drawn from the prior, and the posterior inferred from the data that each would give. Throws InputError for fewer
/// than 20 replicates or posteriors that do not fit the truths.
std::vector<Coverage> simulation_based_calibration(const Eigen::MatrixXd& truths, std::span<const Posterior>,
                                                   int bins = 10);

}  // namespace cardiotwin
