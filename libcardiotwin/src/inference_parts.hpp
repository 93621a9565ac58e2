#pragma once
/// What the inference methods share; private to the library.

#include <Eigen/Core>
#include <algorithm>
#include <cardiotwin/error.hpp>
#include <cardiotwin/inference.hpp>
#include <cardiotwin/random.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cardiotwin::inference {

using Json = nlohmann::ordered_json;

// Numbers read back to the same bits; infinities are text, NaN is null.
Json number(double);
double number(const Json&);
Json vector(const Eigen::VectorXd&);
Eigen::VectorXd vector(const Json&);
Json matrix(const Eigen::MatrixXd&);  // array of rows, [rows, columns] first
Eigen::MatrixXd matrix(const Json&);
Json optimum(const Optimum&);
Optimum optimum(const Json&);

/// Random numbers of their own for each use, iteration and part, whatever was drawn before.
Random stream(std::uint64_t seed, std::uint64_t iteration, std::uint64_t part = 0);
Eigen::VectorXd normals(Random&, Eigen::Index count);

double normal_density(double z);
double normal_below(double z);
double normal_quantile(double below);  // of a share <= 0.5 to full precision, NaN outside of [0, 1]
double log_sum_exp(const Eigen::VectorXd&);

/// Sums term by term: the same bits on any number of threads, which a blocked product does not promise.
template <class A, class B>
Eigen::MatrixXd product(const A& a, const B& b) {
  return a.lazyProduct(b);
}

/// Sorted by objective; those that `same` joins are counted in the best of them.
template <class Same>
std::vector<Optimum> distinct(std::vector<Optimum> all, Same same) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Optimum& a, const Optimum& b) { return a.objective < b.objective; });
  std::vector<Optimum> kept;
  for (auto& one : all) {
    bool known = false;
    for (auto& other : kept) {
      if (known || !same(other, one)) continue;
      other.starts += one.starts;
      other.converged = other.converged || one.converged;
      known = true;
    }
    if (!known) kept.push_back(std::move(one));
  }
  return kept;
}

}  // namespace cardiotwin::inference
