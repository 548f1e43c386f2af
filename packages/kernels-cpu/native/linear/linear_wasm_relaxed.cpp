// Matrix kernels for WebAssembly relaxed SIMD: build with -msimd128 -mrelaxed-simd.
// Always with -O3 -ffp-contract=off (or decode and prefill would round differently).
#define CRIA_ISA wasm_relaxed
#include "kernels.h"

namespace cria {
const LinearKernels* linear_kernels_wasm_relaxed() { return &wasm_relaxed::kTable; }
}  // namespace cria
