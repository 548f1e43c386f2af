// Matrix kernels for AVX-512: build with -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512bf16
// -mfma -mf16c -mavx2 -mamx-tile -mamx-bf16.
// Always with -O3 -ffp-contract=off (or decode and prefill would round differently).
#define CRIA_ISA avx512
#include "kernels.h"

namespace cria {
const LinearKernels* linear_kernels_avx512() { return &avx512::kTable; }
const LinearKernels* linear_kernels_amx() { return &avx512::kTileTable; }
}  // namespace cria
