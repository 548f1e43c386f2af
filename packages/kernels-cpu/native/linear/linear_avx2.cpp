// Matrix kernels for AVX2: build with -mavx2 -mfma -mf16c.
// Always with -O3 -ffp-contract=off (or decode and prefill would round differently).
#define CRIA_ISA avx2
#include "kernels.h"

namespace cria {
const LinearKernels* linear_kernels_avx2() { return &avx2::kTable; }
}  // namespace cria
