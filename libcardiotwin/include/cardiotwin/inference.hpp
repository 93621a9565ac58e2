#pragma once
/// Fitting parameters to data with any forward model: ask for points, evaluate them as a batch, tell what came out.
///
///     LevenbergMarquardt fit(space, {.starts = 8});
///     while (!fit.done()) fit.tell(evaluate(fit.ask()));    // or: infer(fit, evaluate, monitor)
///
/// All randomness comes from the seed and the number of the iteration, so that a fit saved after any tell() and
/// restored goes on with the same bits.

#include <Eigen/Core>
#include <cardiotwin/log.hpp>
#include <cardiotwin/parameters.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin {

/// What the model says at one point, compared with the data: minus the log likelihood is |residuals|^2 / 2.
struct Evaluation {
  Eigen::VectorXd residuals = {};  ///< [data], in standard deviations of the noise; empty or NaN: the model failed
  Eigen::MatrixXd jacobian = {};   ///< d residual / d value [data x parameters, 1/unit]; empty: not known

  bool failed() const { return residuals.size() == 0 || !residuals.allFinite(); }
  double misfit() const;  ///< |residuals|^2 / 2; infinity where the model failed
};

enum class Noise {
  gaussian,
  huber,   ///< linear beyond `shape` standard deviations (Huber 1964, doi 10.1214/aoms/1177703732)
  student  ///< Student's t with `shape` degrees of freedom: outliers hardly count
};

/// Residuals (predicted - observed) / sd of independent noise [data]. Robust noise replaces r by sign(r) sqrt(2
/// rho(r)), whose square is again minus twice the log likelihood. What was not observed (NaN) is left out. `jacobian`
/// is that of the prediction [data x parameters] and may be empty. shape = 0: 1.345 for huber, 4 for student. Throws
/// InputError where sizes differ, nothing was observed, or a standard deviation is not positive.
Evaluation weighted_residuals(const Eigen::VectorXd& predicted, const Eigen::VectorXd& observed,
                              const Eigen::VectorXd& sd, Noise = Noise::gaussian, double shape = 0,
                              const Eigen::MatrixXd& jacobian = {});

/// A point that was found, and how sharp the data are there.
struct Optimum {
  Eigen::VectorXd point = {};     ///< values [parameters]
  Eigen::VectorXd standard = {};  ///< the same in standard coordinates
  double misfit = 0;              ///< |residuals|^2 / 2
  double objective = 0;           ///< what was minimised: misfit, plus |u|^2 / 2 where the prior counts
  Eigen::MatrixXd information =
      {};          ///< J^T J of residuals by standard coordinates; empty where no derivative was taken
  int starts = 1;  ///< so many starts or restarts ended here
  bool converged = false;
};

/// One inference at work. A point of the batch whose model fails counts as infinitely bad, and is never the end of all.
class Inference {
 public:
  virtual ~Inference();
  Inference(const Inference&) = delete;
  Inference& operator=(const Inference&) = delete;

  /// Values to evaluate next [batch x parameters]; the same until told. Empty once done.
  const Eigen::MatrixXd& ask();
  /// The evaluations of all rows, in their order. Throws InputError for another number of them, or of their residuals.
  void tell(std::span<const Evaluation>);
  virtual bool done() const = 0;
  virtual double progress() const = 0;  ///< in [0, 1]

  /// The best point evaluated so far. Throws NumericalError where the model failed at all of them.
  const Optimum& best() const;
  long evaluations() const { return evaluations_; }
  const ParameterSpace& space() const { return space_; }
  const std::string& method() const { return method_; }

  /// All there is to go on later, as JSON.
  std::string save() const;
  /// Goes on from there. Throws InputError unless saved by the same method, parameters and options.
  void restore(const std::string& saved);

 protected:
  Inference(ParameterSpace, std::string method, bool with_prior);
  virtual Eigen::MatrixXd propose() const = 0;  // standard coordinates; a function of the state alone
  virtual void learn(const Eigen::MatrixXd& u, std::span<const Evaluation>) = 0;
  virtual std::string options() const = 0;  // JSON; what a saved state depends on
  virtual std::string state() const = 0;    // JSON
  virtual void set_state(const std::string&) = 0;
  double objective(const Eigen::VectorXd& u, const Evaluation&) const;
  double prior_weight() const { return with_prior_ ? 1 : 0; }

 private:
  void prepare();
  ParameterSpace space_;
  std::string method_;
  bool with_prior_;
  long evaluations_ = 0;
  long data_ = -1;
  Optimum best_;
  Eigen::MatrixXd standard_, asked_;
};

/// Evaluates all rows of values [batch x parameters], in any order or at once, and returns them in order.
using ForwardModel = std::function<std::vector<Evaluation>(const Eigen::MatrixXd& values)>;

/// Asks, evaluates and tells until done. Throws Interrupted when cancelled; what was told is kept, so the same call
/// goes on.
void infer(Inference&, const ForwardModel&, const Monitor& = {});

struct LevenbergMarquardtOptions {
  int starts = 8;             ///< the prior's median first, then stratified draws from the prior
  Eigen::MatrixXd from = {};  ///< values to start from instead [starts x parameters]
  std::uint64_t seed = 1;
  int max_iterations = 100;  ///< of each start
  double tolerance = 1e-9;   ///< of the objective: a Newton step promises less
  double difference = 1e-4;  ///< in prior standard deviations, where the model gives no Jacobian; larger if it is noisy
  bool with_prior = true;    ///< false: least squares alone
};

/// Levenberg-Marquardt in standard coordinates, damped as in Nielsen (Madsen, Nielsen & Tingleff 2004, "Methods for
/// non-linear least squares problems"), from many starts at once. Where evaluations carry no Jacobian it asks for
/// forward differences. Least squares where the model is smooth: a few tens of evaluations for each start.
class LevenbergMarquardt : public Inference {
 public:
  explicit LevenbergMarquardt(ParameterSpace, LevenbergMarquardtOptions = {});
  ~LevenbergMarquardt() override;
  bool done() const override;
  double progress() const override;
  /// The distinct points where starts ended, best first. Two are the same within 0.3 posterior standard deviations.
  /// More than one converged of similar objective: the data are ambiguous.
  std::vector<Optimum> optima() const;

 private:
  Eigen::MatrixXd propose() const override;
  void learn(const Eigen::MatrixXd&, std::span<const Evaluation>) override;
  std::string options() const override;
  std::string state() const override;
  void set_state(const std::string&) override;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct CmaEsOptions {
  std::uint64_t seed = 1;
  int population = 0;            ///< of the first run; 0: 4 + 3 ln(parameters)
  int restarts = 4;              ///< each with twice the population
  long max_evaluations = 20000;  ///< no further generation beyond
  double target = -1;            ///< no restart, and no further generation, once the objective is below
  double sigma = 1;              ///< first step, in prior standard deviations
  double tolerance = 1e-6;       ///< of the objective over the last generations
  bool with_prior = true;        ///< false: least squares alone
};

/// Covariance matrix adaptation with restarts of increasing population (Hansen 2016, doi 10.48550/arXiv.1604.00772;
/// Auger & Hansen 2005, doi 10.1109/CEC.2005.1554902). Needs no derivatives; finds its way among many local optima.
class CmaEs : public Inference {
 public:
  explicit CmaEs(ParameterSpace, CmaEsOptions = {});
  ~CmaEs() override;
  bool done() const override;
  double progress() const override;
  /// The distinct best points of the runs, best first; the same within 0.02 prior standard deviations.
  std::vector<Optimum> optima() const;

 private:
  Eigen::MatrixXd propose() const override;
  void learn(const Eigen::MatrixXd&, std::span<const Evaluation>) override;
  std::string options() const override;
  std::string state() const override;
  void set_state(const std::string&) override;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct EnsembleKalmanOptions {
  std::uint64_t seed = 1;
  int members = 128;         ///< more than parameters, the more the less noise
  int max_iterations = 100;  ///< beyond, NumericalError
};

/// Ensemble Kalman inversion from prior to posterior (Iglesias, Law & Stuart 2013,
/// doi 10.1088/0266-5611/29/4/045001) with perturbed data and steps chosen by the data misfit controller (Iglesias &
/// Yang 2021, doi 10.1088/1361-6420/abd29b), which end at temperature 1: for linear models the last ensemble is drawn
/// from the posterior, else it is near a Gaussian of it. Failed members are drawn anew from the others; tell() throws
/// NumericalError where too few are left. posterior.hpp makes a Posterior of it.
class EnsembleKalman : public Inference {
 public:
  explicit EnsembleKalman(ParameterSpace, EnsembleKalmanOptions = {});
  ~EnsembleKalman() override;
  bool done() const override;
  double progress() const override;
  double temperature() const;           ///< share of the data's weight that has been taken in, 1 at the end
  Eigen::MatrixXd ensemble() const;     ///< now, standard coordinates [members x parameters]
  Eigen::VectorXd log_density() const;  ///< -(misfit + |u|^2 / 2) of its members once done; -infinity: model failed
  std::uint64_t seed() const;

 private:
  Eigen::MatrixXd propose() const override;
  void learn(const Eigen::MatrixXd&, std::span<const Evaluation>) override;
  std::string options() const override;
  std::string state() const override;
  void set_state(const std::string&) override;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cardiotwin
