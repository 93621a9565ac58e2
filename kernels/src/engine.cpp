#include <cardiotwin/kernels/engine.hpp>
#include <stdexcept>

#include "core.hpp"
#include "layout.hpp"

namespace cardiotwin::kernels {
namespace {

/// An ensemble of one needs nobody to wait for.
class Alone final : public Engine {
 public:
  explicit Alone(std::unique_ptr<Core> core) : core_(std::move(core)) {}

  void set_pulses(std::vector<Pulse> pulses) override { core_->set_pulses(0, std::move(pulses)); }
  void vary(const Variation& variation) override { core_->vary(0, variation); }
  void advance(std::int64_t steps) override {
    if (steps < 0) throw std::invalid_argument("engine: cannot advance by a negative number of steps");
    static constexpr int only[] = {0};
    core_->advance(steps, only);
  }
  std::int64_t step_count() const override { return core_->step(0); }
  double max_voltage() const override { return core_->max_voltage(0); }
  void voltage(std::span<double> out) const override { core_->voltage(0, out); }
  void states(std::span<double> out) const override { core_->states(0, out); }
  void activations(std::span<double> out) const override { core_->activations(0, out); }
  void repolarizations(std::span<double> out) const override { core_->repolarizations(0, out); }
  std::vector<std::byte> save() const override { return core_->save(0); }
  void restore(std::span<const std::byte> bytes) override { core_->restore(0, bytes); }
  void reset() override { core_->reset(0); }
  std::string name() const override { return core_->name(); }
  void set_currents(std::vector<Current> currents) override { core_->set_currents(0, std::move(currents)); }
  void potential(std::span<double> out) const override { core_->potential(0, out); }
  Solves solves() const override { return core_->solves(0); }

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace

std::unique_ptr<Engine> engine_alone(std::unique_ptr<Core> core) { return std::make_unique<Alone>(std::move(core)); }

std::unique_ptr<Engine> make_engine(const Problem& problem, const Device& device) {
  validate(problem);
  switch (device.kind) {
    case Device::Kind::reference:
      return make_reference_engine(problem, device.index);
    case Device::Kind::checked:
      return engine_alone(make_checked_core(problem, 1));
    case Device::Kind::cuda:
      if (const auto reason = cuda_unavailable(device.index); !reason.empty()) throw std::runtime_error(reason);
      return engine_alone(make_cuda_core(problem, 1, device.index));
    case Device::Kind::cpu:
      break;
  }
  return engine_alone(make_cpu_core(problem, 1, device.index));
}

}  // namespace cardiotwin::kernels
