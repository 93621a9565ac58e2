#pragma once
/// What watches a simulation. A recorder declares what it needs, so only that leaves the device.

#include <cardiotwin/mesh.hpp>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cardiotwin {

class Simulation;

class Recorder {
 public:
  virtual ~Recorder() = default;
  /// Interval [ms] at which `sample` wants the voltage; 0: never.
  virtual double interval() const { return 0; }
  /// V per mesh node [mV], NaN where nothing conducts.
  virtual void sample(double time, std::span<const double> voltage) { (void)time, (void)voltage; }
  /// Whether it wants the bidomain's extracellular potential at its interval, too; a monodomain refuses it.
  virtual bool wants_potential() const { return false; }
  /// phi per node of the conductor's mesh [mV], as Simulation::potential.
  virtual void sample_potential(double time, std::span<const double> potential) { (void)time, (void)potential; }
  /// Called at the end of every `run` with what the engine recorded by itself (LATs, repolarisation).
  virtual void finish(const Simulation&) {}
  /// Back to empty.
  virtual void reset() {}
};

/// Local activation times [ms]: `first` or `last` upward crossing of the activation threshold, NaN where none.
class ActivationMap : public Recorder {
 public:
  enum class Which { first, last };
  explicit ActivationMap(Which which = Which::first) : which_(which) {}
  const Map& map() const { return map_; }
  void finish(const Simulation&) override;
  void reset() override;

 private:
  Which which_;
  Map map_{.name = "LAT", .unit = "ms", .at = Location::node, .components = 1, .values = {}};
};

/// Latest repolarisation time [ms]: downward crossing of the 90 % level.
class RepolarizationMap : public Recorder {
 public:
  const Map& map() const { return map_; }
  void finish(const Simulation&) override;
  void reset() override;

 private:
  Map map_{.name = "repolarization", .unit = "ms", .at = Location::node, .components = 1, .values = {}};
};

/// V(t) at chosen nodes.
class Probe : public Recorder {
 public:
  Probe(std::vector<Index> nodes, double interval) : nodes_(std::move(nodes)), interval_(interval) {}
  double interval() const override { return interval_; }
  void sample(double time, std::span<const double> voltage) override;
  void reset() override;
  const std::vector<double>& times() const { return times_; }
  const std::vector<double>& values() const { return values_; }  ///< time-major, node fastest [mV]

 private:
  std::vector<Index> nodes_;
  double interval_;
  std::vector<double> times_, values_;
};

/// V on the whole mesh at intervals, streamed to a VTKHDF file with an XDMF sidecar (io).
class Snapshots : public Recorder {
 public:
  /// Writes `path` (".vtkhdf") and path with extension ".xdmf"; throws FileError.
  Snapshots(const Mesh&, std::filesystem::path path, double interval);
  Snapshots(Snapshots&&) noexcept;
  ~Snapshots() override;
  double interval() const override { return interval_; }
  void sample(double time, std::span<const double> voltage) override;
  void finish(const Simulation&) override;
  void reset() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  double interval_;
};

}  // namespace cardiotwin
