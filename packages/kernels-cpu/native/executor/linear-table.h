// The matrix kernels that belong to the instruction set of the kernels: the same table as `linear_kernels_<isa>`.
#pragma once
#include "../linear/linear.h"

namespace cria {
#define CRIA_JOIN_(a, b) a##b
#define CRIA_JOIN(a, b) CRIA_JOIN_(a, b)
const LinearKernels* linear_kernels_generic();
const LinearKernels* linear_kernels_avx2();
const LinearKernels* linear_kernels_avx512();
const LinearKernels* linear_kernels_neon();
const LinearKernels* linear_kernels_wasm();
const LinearKernels* linear_kernels_wasm_relaxed();
}  // namespace cria
