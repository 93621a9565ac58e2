#pragma once
/// Random numbers that are the same on every platform and compiler (std:: distributions are not).

#include <cstdint>

namespace cardiotwin {

/// SplitMix64-seeded xoshiro256++ (Blackman & Vigna 2021, doi 10.1145/3460772).
class Random {
 public:
  explicit Random(std::uint64_t seed);
  std::uint64_t bits();                     ///< 64 uniform bits
  double uniform();                         ///< in [0, 1), 53 bits
  double uniform(double low, double high);  ///< in [low, high)
  double normal();                          ///< mean 0, standard deviation 1 (Box-Muller, cosine branch)

 private:
  std::uint64_t state_[4];
};

}  // namespace cardiotwin
