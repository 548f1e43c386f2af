// Matrix kernels for WebAssembly SIMD: build with -msimd128.
// Always with -O3 -ffp-contract=off (or decode and prefill would round differently).
#define CRIA_ISA wasm
#include "kernels.h"

namespace cria {
const LinearKernels* linear_kernels_wasm() { return &wasm::kTable; }
}  // namespace cria
