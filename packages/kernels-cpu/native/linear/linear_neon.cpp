// Matrix kernels for NEON: build with -march=armv8.2-a+dotprod+fp16.
// Always with -O3 -ffp-contract=off (or decode and prefill would round differently).
#define CRIA_ISA neon
#include "kernels.h"

namespace cria {
const LinearKernels* linear_kernels_neon() { return &neon::kTable; }
}  // namespace cria
