#pragma once
/// hypre's conjugate gradients with BoomerAMG (serial, its defaults for 3-D problems), to compare with.

#include <HYPRE.h>
#include <HYPRE_krylov.h>
#include <HYPRE_parcsr_ls.h>
#include <mpi.h>

#include <cardiotwin/kernels/multigrid.hpp>
#include <chrono>
#include <vector>

namespace cardiotwin::bench {

struct HypreTimes {
  double setup = 0, solve = 0;  ///< [s]
  int iterations = 0;
};

inline HypreTimes boomer_amg(const kernels::SparseMatrix& m, std::vector<double> rhs, double tolerance) {
  int initialised = 0;
  MPI_Initialized(&initialised);
  if (!initialised) MPI_Init(nullptr, nullptr), HYPRE_Init();
  const auto n = static_cast<HYPRE_BigInt>(m.rows());
  double mean = 0;
  for (const double b : rhs) mean += b / static_cast<double>(n);
  for (double& b : rhs) b -= mean;
  HYPRE_IJMatrix a;
  HYPRE_IJMatrixCreate(MPI_COMM_SELF, 0, n - 1, 0, n - 1, &a);
  HYPRE_IJMatrixSetObjectType(a, HYPRE_PARCSR);
  HYPRE_IJMatrixInitialize(a);
  for (HYPRE_BigInt i = 0; i < n; ++i) {
    const auto first = m.row_start[static_cast<std::size_t>(i)];
    HYPRE_Int entries = m.row_start[static_cast<std::size_t>(i) + 1] - first;
    std::vector<HYPRE_BigInt> columns(m.column.begin() + first, m.column.begin() + first + entries);
    HYPRE_IJMatrixSetValues(a, 1, &entries, &i, columns.data(), m.value.data() + first);
  }
  HYPRE_IJMatrixAssemble(a);
  HYPRE_IJVector b, x;
  std::vector<HYPRE_BigInt> rows(rhs.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<HYPRE_BigInt>(i);
  const std::vector<double> zero(rhs.size(), 0.0);
  for (auto* vector : {&b, &x}) {
    HYPRE_IJVectorCreate(MPI_COMM_SELF, 0, n - 1, vector);
    HYPRE_IJVectorSetObjectType(*vector, HYPRE_PARCSR);
    HYPRE_IJVectorInitialize(*vector);
    HYPRE_IJVectorSetValues(*vector, static_cast<HYPRE_Int>(n), rows.data(), vector == &b ? rhs.data() : zero.data());
    HYPRE_IJVectorAssemble(*vector);
  }
  void *matrix, *right, *left;
  HYPRE_IJMatrixGetObject(a, &matrix), HYPRE_IJVectorGetObject(b, &right), HYPRE_IJVectorGetObject(x, &left);
  HYPRE_Solver cg, amg;
  HYPRE_ParCSRPCGCreate(MPI_COMM_SELF, &cg);
  HYPRE_PCGSetMaxIter(cg, 200), HYPRE_PCGSetTol(cg, tolerance), HYPRE_PCGSetTwoNorm(cg, 1);
  HYPRE_BoomerAMGCreate(&amg);
  HYPRE_BoomerAMGSetCoarsenType(amg, 10), HYPRE_BoomerAMGSetInterpType(amg, 6), HYPRE_BoomerAMGSetPMaxElmts(amg, 4);
  HYPRE_BoomerAMGSetAggNumLevels(amg, 1), HYPRE_BoomerAMGSetStrongThreshold(amg, 0.5);
  HYPRE_BoomerAMGSetRelaxType(amg, 8), HYPRE_BoomerAMGSetTol(amg, 0), HYPRE_BoomerAMGSetMaxIter(amg, 1);
  HYPRE_PCGSetPrecond(cg, reinterpret_cast<HYPRE_PtrToSolverFcn>(HYPRE_BoomerAMGSolve),
                      reinterpret_cast<HYPRE_PtrToSolverFcn>(HYPRE_BoomerAMGSetup), amg);
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto seconds = [](auto from, auto to) { return std::chrono::duration<double>(to - from).count(); };
  const auto start = now();
  HYPRE_ParCSRPCGSetup(cg, static_cast<HYPRE_ParCSRMatrix>(matrix), static_cast<HYPRE_ParVector>(right),
                       static_cast<HYPRE_ParVector>(left));
  const auto ready = now();
  HYPRE_ParCSRPCGSolve(cg, static_cast<HYPRE_ParCSRMatrix>(matrix), static_cast<HYPRE_ParVector>(right),
                       static_cast<HYPRE_ParVector>(left));
  HypreTimes times{seconds(start, ready), seconds(ready, now()), 0};
  HYPRE_Int iterations = 0;
  HYPRE_PCGGetNumIterations(cg, &iterations);
  times.iterations = iterations;
  HYPRE_BoomerAMGDestroy(amg), HYPRE_ParCSRPCGDestroy(cg);
  HYPRE_IJMatrixDestroy(a), HYPRE_IJVectorDestroy(b), HYPRE_IJVectorDestroy(x);
  return times;
}

}  // namespace cardiotwin::bench
