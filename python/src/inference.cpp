// Inference with any forward model: parameters, methods that ask and are told, what is known at the end.
#include "bind.hpp"

namespace cardiotwin::python {
namespace {

template <class... Parts>
std::string joined(const Parts&... parts) {
  return (std::string() + ... + parts);
}

Eigen::VectorXd vector_of(const py::object& values, const char* who) {
  const auto all = reals_of(values, 1, who);
  return Eigen::Map<const Eigen::VectorXd>(all.data(), static_cast<Eigen::Index>(all.size()));
}

/// What a model says of one point: an Evaluation, residuals, or None where it failed.
Evaluation evaluation_of(const py::object& said) {
  if (py::isinstance<Evaluation>(said)) return said.cast<Evaluation>();
  if (said.is_none()) return {};
  return {.residuals = vector_of(said, "Evaluation: residuals")};
}

std::vector<Evaluation> evaluations_of(const py::object& said) {
  if (!py::isinstance<py::iterable>(said))
    throw InputError(fmt::format("tell: one evaluation per point is wanted, not a {}",
                                 py::type::of(said).attr("__name__").cast<std::string>()));
  std::vector<Evaluation> all;
  for (const auto& one : said) all.push_back(evaluation_of(py::reinterpret_borrow<py::object>(one)));
  return all;
}

/// A matrix that may be set: what is handed out is a copy that can't be written to, as member_of's.
template <class T>
auto frozen(Eigen::MatrixXd T::*member) {
  return [member](const T& self) {
    py::array copy = py::cast(Eigen::MatrixXd(self.*member));
    copy.attr("flags").attr("writeable") = false;
    return copy;
  };
}
template <class T>
auto written(Eigen::MatrixXd T::*member) {
  return [member](T& self, Eigen::MatrixXd value) { self.*member = std::move(value); };
}

void bind_parameters(py::module_& m) {
  bind_names<Prior::Kind>(
      m, "PriorKind",
      {{"normal", Prior::Kind::normal}, {"lognormal", Prior::Kind::lognormal}, {"uniform", Prior::Kind::uniform}});
  Struct<Prior>(m, "Prior")
      .keywords()
      .field("kind", &Prior::kind)
      .field("center", &Prior::center)
      .field("spread", &Prior::spread);
  Struct<Parameter>(m, "Parameter", "What is not known: its name, unit, bounds, and what is believed before any data.")
      .field("name", &Parameter::name)
      .field("unit", &Parameter::unit)
      .field("low", &Parameter::low)
      .field("high", &Parameter::high)
      .field("prior", &Parameter::prior)
      .field("source", &Parameter::source)
      .def(py::init([](std::string name, const py::kwargs& fields) {
             auto parameter = options_from<Parameter>(fields, "Parameter");
             parameter.name = std::move(name);
             return parameter;
           }),
           "name"_a)
      .def("__repr__", [](const Parameter& p) {
        return fmt::format("<Parameter {} in [{:g}, {:g}] {}>", p.name, p.low, p.high, p.unit);
      });
  py::class_<ParameterSpace>(m, "ParameterSpace", doc("ParameterSpace"))
      .def(py::init<std::vector<Parameter>>(), "parameters"_a, doc("ParameterSpace.ParameterSpace"))
      .def("__len__", &ParameterSpace::size)
      .def(
          "__getitem__",
          [](const ParameterSpace& s, py::ssize_t i) {
            const auto size = static_cast<py::ssize_t>(s.size());
            if (i < -size || i >= size) throw py::index_error(fmt::format("ParameterSpace: {} of {}", i, size));
            return s[static_cast<std::size_t>(i < 0 ? i + size : i)];
          },
          "number"_a)
      .def(
          "__getitem__", [](const ParameterSpace& s, const std::string& name) { return s[s.index(name)]; }, "name"_a)
      .def_property_readonly("names", [](const ParameterSpace& s) { return py::tuple(py::cast(s.names())); })
      .def_property_readonly("units", [](const ParameterSpace& s) { return py::tuple(py::cast(s.units())); })
      .def(
          "index", [](const ParameterSpace& s, const std::string& name) { return s.index(name); }, "name"_a,
          doc("ParameterSpace.index"))
      .def("to_standard", &ParameterSpace::to_standard, "values"_a, doc("ParameterSpace.to_standard"))
      .def("from_standard", &ParameterSpace::from_standard, "u"_a, doc("ParameterSpace.from_standard"))
      .def("derivative", &ParameterSpace::derivative, "u"_a, doc("ParameterSpace.derivative"))
      .def("log_prior", &ParameterSpace::log_prior, "values"_a, doc("ParameterSpace.log_prior"))
      .def("sample", &ParameterSpace::sample, "count"_a, "seed"_a = 1, doc("ParameterSpace.sample"))
      .def("sample_stratified", &ParameterSpace::sample_stratified, "count"_a, "seed"_a = 1,
           doc("ParameterSpace.sample_stratified"))
      .def_readonly_static("limit", &ParameterSpace::limit, doc("ParameterSpace.limit"))
      .def(
          "to_json", [](const ParameterSpace& s) { return to_json(s); },
          "JSON with names, units, bounds (null: none), priors and sources.")
      .def_static("from_json", &parameters_from_json, "text"_a, doc("parameters_from_json"))
      .def("__repr__",
           [](const ParameterSpace& s) { return fmt::format("<ParameterSpace of {}>", fmt::join(s.names(), ", ")); });
}

void bind_evaluations(py::module_& m) {
  bind_names<Noise>(m, "Noise", {{"gaussian", Noise::gaussian}, {"huber", Noise::huber}, {"student", Noise::student}});
  Struct<Evaluation>(m, "Evaluation")
      .read("residuals", &Evaluation::residuals)
      .read("jacobian", &Evaluation::jacobian)
      .def(py::init([](const py::object& residuals, const std::optional<Eigen::MatrixXd>& jacobian) {
             auto evaluation = evaluation_of(residuals);
             if (jacobian) evaluation.jacobian = *jacobian;
             return evaluation;
           }),
           "residuals"_a = py::none(), "jacobian"_a = py::none())
      .def_property_readonly("failed", &Evaluation::failed, "No residuals, or one that is not finite.")
      .def_property_readonly("misfit", &Evaluation::misfit, doc("Evaluation.misfit"));
  m.def(
      "weighted_residuals",
      [](const py::object& predicted, const py::object& observed, const py::object& sd, Noise noise, double shape,
         const std::optional<Eigen::MatrixXd>& jacobian) {
        const auto y = vector_of(observed, "weighted_residuals: observed");
        const bool one = py::isinstance<py::float_>(sd) || py::isinstance<py::int_>(sd);
        return weighted_residuals(
            vector_of(predicted, "weighted_residuals: predicted"), y,
            one ? Eigen::VectorXd::Constant(y.size(), sd.cast<double>()) : vector_of(sd, "weighted_residuals: sd"),
            noise, shape, jacobian.value_or(Eigen::MatrixXd()));
      },
      "predicted"_a, "observed"_a, "sd"_a, "noise"_a = Noise::gaussian, "shape"_a = 0.0, "jacobian"_a = py::none(),
      joined(doc("weighted_residuals"), " One number for sd counts for all.").c_str());
  Struct<Optimum>(m, "Optimum")
      .read("point", &Optimum::point)
      .read("standard", &Optimum::standard)
      .read("misfit", &Optimum::misfit)
      .read("objective", &Optimum::objective)
      .read("information", &Optimum::information)
      .read("starts", &Optimum::starts)
      .read("converged", &Optimum::converged)
      .def(py::init([](Eigen::VectorXd point, Eigen::VectorXd standard, double misfit, double objective,
                       std::optional<Eigen::MatrixXd> information) {
             Optimum optimum{
                 .point = std::move(point), .standard = std::move(standard), .misfit = misfit, .objective = objective};
             if (information) optimum.information = *std::move(information);
             return optimum;
           }),
           "point"_a, "standard"_a, "misfit"_a = 0.0, "objective"_a = 0.0, "information"_a = py::none(),
           "One found elsewhere.");
}

void bind_asking(py::module_& m) {
  py::class_<Inference>(m, "Inference", doc("Inference"))
      .def(
          "ask",
          [](Inference& self) {
            const Busy busy(&self, "Inference");
            return Eigen::MatrixXd(self.ask());
          },
          doc("Inference.ask"))
      .def(
          "tell",
          [](Inference& self, const py::object& evaluations) {
            const auto all = evaluations_of(evaluations);
            const Busy busy(&self, "Inference");
            self.tell(all);
          },
          "evaluations"_a,
          joined(doc("Inference.tell"), " Each is an Evaluation, its residuals alone, or None where the model failed.")
              .c_str())
      .def_property_readonly("done", &Inference::done, "Nothing more is asked.")
      .def_property_readonly("progress", &Inference::progress, doc("Inference.progress"))
      .def_property_readonly(
          "best", [](const Inference& self) { return Optimum(self.best()); }, doc("Inference.best"))
      .def_property_readonly("evaluations", &Inference::evaluations, "So many were told.")
      .def_property_readonly("space", [](const Inference& self) { return ParameterSpace(self.space()); })
      .def_property_readonly("method", [](const Inference& self) { return self.method(); })
      .def("save", &Inference::save, doc("Inference.save"))
      .def(
          "restore",
          [](Inference& self, const std::string& saved) {
            const Busy busy(&self, "Inference");
            self.restore(saved);
          },
          "saved"_a, doc("Inference.restore"));
  m.def(
      "infer",
      [](Inference& self, const py::function& model, const py::object& progress) {
        const Busy busy(&self, "Inference");
        long_call(progress, [&](const Monitor& monitor) {
          const py::gil_scoped_acquire lock;  // others look at it while the model lets them, never in between
          infer(
              self, [&](const Eigen::MatrixXd& values) { return evaluations_of(model(values)); }, monitor);
        });
      },
      "inference"_a, "model"_a, "progress"_a = py::none(),
      joined(doc("infer"),
             " model: a callable that gets values (batch, parameters) and returns for each row an "
             "Evaluation, its residuals alone, or None where it failed.")
          .c_str());
}

void bind_optimisers(py::module_& m) {
  Struct<LevenbergMarquardtOptions>(m, "LevenbergMarquardtOptions", "How LevenbergMarquardt searches.")
      .keywords()
      .field("starts", &LevenbergMarquardtOptions::starts)
      .field("seed", &LevenbergMarquardtOptions::seed)
      .field("max_iterations", &LevenbergMarquardtOptions::max_iterations)
      .field("tolerance", &LevenbergMarquardtOptions::tolerance)
      .field("difference", &LevenbergMarquardtOptions::difference)
      .field("with_prior", &LevenbergMarquardtOptions::with_prior)
      .def_property("from_", frozen(&LevenbergMarquardtOptions::from), written(&LevenbergMarquardtOptions::from),
                    doc("LevenbergMarquardtOptions.from"));
  py::class_<LevenbergMarquardt, Inference>(
      m, "LevenbergMarquardt", with_options(doc("LevenbergMarquardt"), "LevenbergMarquardtOptions").c_str())
      .def(py::init([](const ParameterSpace& space, const py::kwargs& fields) {
             return std::make_unique<LevenbergMarquardt>(
                 space, options_from<LevenbergMarquardtOptions>(fields, "LevenbergMarquardt"));
           }),
           "space"_a)
      .def("optima", &LevenbergMarquardt::optima, doc("LevenbergMarquardt.optima"));
  Struct<CmaEsOptions>(m, "CmaEsOptions", "How CmaEs searches.")
      .keywords()
      .field("seed", &CmaEsOptions::seed)
      .field("population", &CmaEsOptions::population)
      .field("restarts", &CmaEsOptions::restarts)
      .field("max_evaluations", &CmaEsOptions::max_evaluations)
      .field("target", &CmaEsOptions::target)
      .field("sigma", &CmaEsOptions::sigma)
      .field("tolerance", &CmaEsOptions::tolerance)
      .field("with_prior", &CmaEsOptions::with_prior);
  py::class_<CmaEs, Inference>(m, "CmaEs", with_options(doc("CmaEs"), "CmaEsOptions").c_str())
      .def(py::init([](const ParameterSpace& space, const py::kwargs& fields) {
             return std::make_unique<CmaEs>(space, options_from<CmaEsOptions>(fields, "CmaEs"));
           }),
           "space"_a)
      .def("optima", &CmaEs::optima, doc("CmaEs.optima"));
}

void bind_samplers(py::module_& m) {
  Struct<EnsembleKalmanOptions>(m, "EnsembleKalmanOptions", "How EnsembleKalman goes on.")
      .keywords()
      .field("seed", &EnsembleKalmanOptions::seed)
      .field("members", &EnsembleKalmanOptions::members)
      .field("max_iterations", &EnsembleKalmanOptions::max_iterations);
  py::class_<EnsembleKalman, Inference>(m, "EnsembleKalman",
                                        with_options(doc("EnsembleKalman"), "EnsembleKalmanOptions").c_str())
      .def(py::init([](const ParameterSpace& space, const py::kwargs& fields) {
             return std::make_unique<EnsembleKalman>(space,
                                                     options_from<EnsembleKalmanOptions>(fields, "EnsembleKalman"));
           }),
           "space"_a)
      .def_property_readonly("temperature", &EnsembleKalman::temperature, doc("EnsembleKalman.temperature"))
      .def_property_readonly("ensemble", &EnsembleKalman::ensemble, doc("EnsembleKalman.ensemble"))
      .def_property_readonly("log_density", &EnsembleKalman::log_density, doc("EnsembleKalman.log_density"))
      .def("posterior", &ensemble_posterior, doc("ensemble_posterior"));
  Struct<EnsembleSamplerOptions>(m, "EnsembleSamplerOptions", "How EnsembleSampler walks.")
      .keywords()
      .field("seed", &EnsembleSamplerOptions::seed)
      .field("walkers", &EnsembleSamplerOptions::walkers)
      .field("steps", &EnsembleSamplerOptions::steps)
      .field("burn_in", &EnsembleSamplerOptions::burn_in)
      .field("thin", &EnsembleSamplerOptions::thin)
      .def_property("from_", frozen(&EnsembleSamplerOptions::from), written(&EnsembleSamplerOptions::from),
                    doc("EnsembleSamplerOptions.from"));
  py::class_<EnsembleSampler, Inference>(m, "EnsembleSampler",
                                         with_options(doc("EnsembleSampler"), "EnsembleSamplerOptions").c_str())
      .def(py::init([](const ParameterSpace& space, const py::kwargs& fields) {
             return std::make_unique<EnsembleSampler>(space,
                                                      options_from<EnsembleSamplerOptions>(fields, "EnsembleSampler"));
           }),
           "space"_a)
      .def_property_readonly("acceptance", &EnsembleSampler::acceptance, doc("EnsembleSampler.acceptance"))
      .def_property_readonly("autocorrelation", &EnsembleSampler::autocorrelation,
                             doc("EnsembleSampler.autocorrelation"))
      .def("posterior", &EnsembleSampler::posterior, doc("EnsembleSampler.posterior"));
  Struct<ImportanceOptions>(m, "ImportanceOptions", "How ImportanceSampler draws.")
      .keywords()
      .field("seed", &ImportanceOptions::seed)
      .field("draws", &ImportanceOptions::draws)
      .field("batch", &ImportanceOptions::batch)
      .field("tail", &ImportanceOptions::tail)
      .field("inflation", &ImportanceOptions::inflation);
  py::class_<ImportanceSampler, Inference>(m, "ImportanceSampler",
                                           joined(with_options(doc("ImportanceSampler"), "ImportanceOptions"), " ",
                                                  doc("ImportanceSampler.ImportanceSampler"))
                                               .c_str())
      .def(py::init([](const ParameterSpace& space, const std::vector<Optimum>& optima, const py::kwargs& fields) {
             return std::make_unique<ImportanceSampler>(space, optima,
                                                        options_from<ImportanceOptions>(fields, "ImportanceSampler"));
           }),
           "space"_a, "optima"_a)
      .def("posterior", &ImportanceSampler::posterior, doc("ImportanceSampler.posterior"));
}

/// Draws made elsewhere.
Posterior make_posterior(std::vector<std::string> names, Eigen::MatrixXd samples, const py::object& weights,
                         std::optional<std::vector<std::string>> units, std::string method) {
  const auto draws = samples.rows();
  if (draws == 0) throw InputError("Posterior: there is no draw");
  if (samples.cols() != static_cast<Eigen::Index>(names.size()))
    throw InputError(fmt::format("Posterior: samples have {} columns for {} names", samples.cols(), names.size()));
  Posterior posterior{.units = units ? *std::move(units) : std::vector<std::string>(names.size()),
                      .samples = std::move(samples),
                      .weights = weights.is_none() ? Eigen::VectorXd::Constant(draws, 1.0 / static_cast<double>(draws))
                                                   : vector_of(weights, "Posterior: weights"),
                      .log_density = Eigen::VectorXd::Constant(draws, NAN),
                      .method = std::move(method)};
  posterior.names = std::move(names);
  posterior.effective_size = 1 / posterior.weights.squaredNorm();
  posterior.validate();
  return posterior;
}

void bind_posterior(py::module_& m) {
  Struct<Posterior>(m, "Posterior", "What is known of the parameters once data were seen: weighted draws.")
      .read("names", &Posterior::names)
      .read("units", &Posterior::units)
      .read("samples", &Posterior::samples)
      .read("weights", &Posterior::weights)
      .read("log_density", &Posterior::log_density)
      .read("seed", &Posterior::seed)
      .read("method", &Posterior::method)
      .read("effective_size", &Posterior::effective_size)
      .read("pareto_k", &Posterior::pareto_k)
      .def(py::init(&make_posterior), "names"_a, "samples"_a, "weights"_a = py::none(), py::kw_only(),
           "units"_a = py::none(), "method"_a = "",
           "Draws made elsewhere (draws, parameters), equally weighted unless said otherwise. Raises InputError.")
      .def("index", &Posterior::index, "name"_a, doc("Posterior.index"))
      .def("mean", &Posterior::mean, "Of every parameter.")
      .def("sd", &Posterior::sd, doc("Posterior.sd"))
      .def("correlation", &Posterior::correlation, doc("Posterior.correlation"))
      .def("quantile", &Posterior::quantile, "p"_a, doc("Posterior.quantile"))
      .def("interval", &Posterior::interval, "level"_a, doc("Posterior.interval"))
      .def("resampled", &Posterior::resampled, "draws"_a, "seed"_a = 1, doc("Posterior.resampled"))
      .def(
          "to_json", [](const Posterior& p) { return to_json(p); },
          "JSON with all of it; numbers read back to the same bits.")
      .def_static("from_json", &posterior_from_json, "text"_a, doc("posterior_from_json"))
      .def("__len__", [](const Posterior& p) { return p.samples.rows(); })
      .def("__repr__", [](const Posterior& p) {
        return fmt::format("<Posterior of {}: {} draws>", fmt::join(p.names, ", "), p.samples.rows());
      });
  m.def(
      "laplace_posterior",
      [](const ParameterSpace& space, const std::vector<Optimum>& optima, int draws, std::uint64_t seed) {
        return laplace_posterior(space, optima, draws, seed);
      },
      "space"_a, "optima"_a, "draws"_a, "seed"_a = 1, doc("laplace_posterior"));
  Struct<Identifiability>(m, "Identifiability")
      .read("names", &Identifiability::names)
      .read("shrinkage", &Identifiability::shrinkage)
      .read("correlation", &Identifiability::correlation)
      .read("directions", &Identifiability::directions)
      .read("direction_shrinkage", &Identifiability::direction_shrinkage)
      .read("undetermined", &Identifiability::undetermined)
      .read("correlated", &Identifiability::correlated)
      .read("sentences", &Identifiability::sentences);
  m.def("identifiability", py::overload_cast<const ParameterSpace&, const Optimum&>(&identifiability), "space"_a,
        "optimum"_a, "From the derivatives at one optimum. Raises InputError where it has no information.");
  m.def("identifiability", py::overload_cast<const ParameterSpace&, const Posterior&>(&identifiability), "space"_a,
        "posterior"_a, "From draws; those of a small ensemble know shrinkage to about sqrt(2 / draws).");
  m.def(
      "predictive_p_value",
      [](const py::object& observed, const py::object& replicated) {
        return predictive_p_value(reals_of(observed, 1, "predictive_p_value: observed"),
                                  reals_of(replicated, 1, "predictive_p_value: replicated"));
      },
      "observed"_a, "replicated"_a, doc("predictive_p_value"));
  Struct<Coverage>(m, "Coverage")
      .read("name", &Coverage::name)
      .read("replicates", &Coverage::replicates)
      .read("inside_50", &Coverage::inside_50)
      .read("inside_90", &Coverage::inside_90)
      .read("chi2", &Coverage::chi2)
      .read("p_value", &Coverage::p_value)
      .read("calibrated", &Coverage::calibrated)
      .read("sentence", &Coverage::sentence)
      .def_property_readonly(
          "ranks", [](const Coverage& c) { return give(std::vector<int>(c.ranks)); }, doc("Coverage.ranks"));
  m.def(
      "simulation_based_calibration",
      [](const Eigen::MatrixXd& truths, const std::vector<Posterior>& posteriors, int bins) {
        return simulation_based_calibration(truths, posteriors, bins);
      },
      "truths"_a, "posteriors"_a, "bins"_a = 10, doc("simulation_based_calibration"));
}

}  // namespace

void bind_inference(py::module_& m) {
  bind_parameters(m);
  bind_evaluations(m);
  bind_posterior(m);
  bind_asking(m);
  bind_optimisers(m);
  bind_samplers(m);
}

}  // namespace cardiotwin::python
