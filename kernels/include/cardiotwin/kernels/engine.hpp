#pragma once
/// The engine: the monodomain equation on a graph, one fused explicit step, written once for every backend.
///
///   V*_i   = V_i + dt sum_j a_ij (V_j - V_i) + sum_j m_ij (d_j - d_i)
///   w, d_i = react(V*_i, w_i; dt) + dt stim_i         d_i: this step's reaction increment of V
///   V_i    = V*_i + d_i
///
/// a_ij = -K_ij / (beta Cm M_L,i) [1/ms]; m_ij = g M_ij / M_L,i is the partly consistent ionic load. Diffusing first,
/// then reacting on the result, keeps the splitting error of the velocity near -1 % at dt = 0.05 ms.
///
/// Three additions, all absent by default. Diffusion along the fibre by nodal gradients, beside a_ij:
///
///   p_i = sum_j g_ij (V_j - V_i);   dV_i/dt gains sum_(j != i) h_ij p_j + h_ii p_i
///
/// several stages of the diffusion in one step, where dt exceeds the explicit limit (see Problem::stages), and the
/// bidomain equations' second half (see Conductor).

#include <cardiotwin/kernels/ionic.hpp>
#include <cardiotwin/kernels/multigrid.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin::kernels {

enum class Real { fp32, fp64 };

struct Device {
  enum class Kind {
    cpu,
    cuda,
    checked,    ///< the CPU with a device's separate memory emulated: for tests, slow
    reference,  ///< Crank-Nicolson with conjugate gradients instead of the fused step, in fp64, on the CPU
  };
  Kind kind = Kind::cpu;
  int index = 0;  ///< CUDA device; on the CPU the number of threads, 0 for all
};

/// The extracellular potential phi, on rows of its own: the heart's or those of a whole torso. Every `interval` steps
///
///   A phi = -P^T K V + currents          K: intracellular, A: all that conducts, P: phi at the nodes
///
/// is solved, and until the next solve dV_i/dt gains what the bidomain's diffusion has more than the monodomain's:
///
///   s_i = sum_j c_ij (V_j - V_i) + sum_j e_ij (phi_j - phi_i)
///
/// where e_ij = -K_ij / (beta Cm M_i) and c_ij = e_ij - a_ij, both of linear elements, whatever diffusion the step has.
/// With equal anisotropy ratios and nothing around the heart s is 0, so what this splitting in time may cost concerns
/// the difference of the two models alone. It is stable where the bidomain's diffusion nowhere exceeds twice the
/// monodomain's, as with sigma_i <= sigma_e along every axis, and dt keeps the explicit limit of sigma_i.
struct Conductor {
  std::shared_ptr<const Multigrid> matrix;  ///< A [mS]
  SparseMatrix interpolation;               ///< P: nodes times rows of A
  /// Per non-zero of the problem: -K_ij [mS], c_ij and e_ij [1/ms].
  std::vector<double> intracellular, beyond, carried;
  int interval = 1;         ///< steps between solves; where a current changes there is one, too
  double tolerance = 1e-5;  ///< of the residual relative to the right-hand side
};

/// All arrays in engine order, on the host; only conducting nodes. Rows hold off-diagonal entries only.
struct Problem {
  const ModelInfo* model = nullptr;
  Real real = Real::fp64;
  double dt = 0.02;                                 ///< [ms]
  double activation_threshold = 0;                  ///< [mV]
  double repolarization_level = 0;                  ///< [mV]
  int activation_depth = 8;                         ///< LATs kept per node
  std::vector<std::int32_t> row_start, column;      ///< nodes + 1, non-zeros
  std::vector<double> diffusion, load;              ///< per non-zero: a_ij [1/ms], m_ij [-]
  std::vector<double> gradient, divergence;         ///< per non-zero: g_ij, h_ij, g h in [1/ms]; empty: none
  std::vector<double> own_divergence;               ///< per node: h_ii
  int stages = 1;                                   ///< s: dt may be (s^2 + s) / 2 times the explicit limit
  std::vector<double> capacity;                     ///< per node, in any unit; only the reference needs it
  std::shared_ptr<const Conductor> conductor;       ///< null: monodomain
  std::vector<std::int32_t> parameter_set;          ///< per node
  std::vector<std::vector<double>> parameters;      ///< per set, in the model's order
  std::vector<double> initial_voltage;              ///< per set
  std::vector<std::vector<double>> initial_states;  ///< per set
  std::size_t nodes() const { return parameter_set.size(); }
};

/// One rectangular (or biphasic) pulse on a set of nodes. [A/F = mV/ms]
struct Pulse {
  std::vector<std::int32_t> nodes;
  double start = 0, duration = 0, amplitude = 0;
  bool biphasic = false;
};

/// Current into a conductor, out of it where negative, shared among rows: `shares` sum to 1. [uA]
struct Current {
  std::vector<std::int32_t> rows;
  std::vector<double> shares;
  double start = 0, duration = 0, amplitude = 0;
  bool biphasic = false;
};

/// A row that one run has otherwise, as beside a lesion: entries in the order of the problem's row.
struct OwnRow {
  std::int32_t node;
  std::vector<double> diffusion, load;       ///< [1/ms], [-]
  std::vector<double> gradient, divergence;  ///< as in Problem; empty where that has none
  double own_divergence = 0;
};

/// What one run has of its own on a problem it shares with others; empty parts are as the problem says.
struct Variation {
  std::vector<double> conductivity;             ///< per parameter set: a factor; edges between sets have the mean
  std::vector<std::vector<double>> parameters;  ///< per parameter set
  std::vector<std::int32_t> dead;               ///< nodes that do not change, ascending: lesions; see rows
  std::vector<OwnRow> rows;                     ///< of living nodes, each at most once; without the edges to dead ones
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual void set_pulses(std::vector<Pulse>) = 0;
  /// Takes effect with the next step; V and states stay. Throws std::invalid_argument for sizes or numbers that do not
  /// fit. Not part of save().
  virtual void vary(const Variation&) = 0;
  /// Advances by `steps` steps of dt; time is step_count * dt, so long runs do not drift.
  virtual void advance(std::int64_t steps) = 0;
  virtual std::int64_t step_count() const = 0;
  /// Largest V [mV]; NaN if any node's V is not finite.
  virtual double max_voltage() const = 0;
  virtual void voltage(std::span<double> out) const = 0;          ///< nodes
  virtual void states(std::span<double> out) const = 0;           ///< nodes * states, in true units, state fastest
  virtual void activations(std::span<double> out) const = 0;      ///< nodes * depth, latest first, NaN where none
  virtual void repolarizations(std::span<double> out) const = 0;  ///< nodes
  virtual std::vector<std::byte> save() const = 0;                ///< V, d, states, LATs, step count
  virtual void restore(std::span<const std::byte>) = 0;           ///< throws std::invalid_argument if sizes differ
  virtual void reset() = 0;
  virtual std::string name() const = 0;  ///< "cpu/avx512/fp32"

  // Of a problem with a conductor; else they throw std::logic_error.
  virtual void set_currents(std::vector<Current>) = 0;
  /// phi [mV] per row as it was solved last: now, where the step is one of those at which it is.
  virtual void potential(std::span<double> out) const = 0;
  /// How many solves there were so far, and their iterations together.
  struct Solves {
    std::int64_t count = 0, iterations = 0;
  };
  virtual Solves solves() const = 0;
};

/// Throws std::invalid_argument (arrays that do not fit together) or std::runtime_error (no such device, and why).
std::unique_ptr<Engine> make_engine(const Problem&, const Device&);

/// Empty where CUDA device `index` can be used, else the reason ("built without CUDA", "no NVIDIA driver", ...).
std::string cuda_unavailable(int index);

}  // namespace cardiotwin::kernels
