// Matrix kernels on any target, in plain C++.
// Always with -O3 -ffp-contract=off (or decode and prefill would round differently).
#define CRIA_SIMD_GENERIC
#define CRIA_ISA generic
#include "kernels.h"

namespace cria {
const LinearKernels* linear_kernels_generic() { return &generic::kTable; }
}  // namespace cria
