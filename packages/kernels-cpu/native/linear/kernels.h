// Dispatch by weight type and the table of one instruction set. Each linear_<isa>.cpp includes this once.
#pragma once
#include "matmul.h"

namespace cria::CRIA_ISA {

static ActivationKind activation_kind(Dtype type, uint32_t flags) {
  if (is_quantized(type)) return flags & kLinearInt8Activations ? kActQ8 : kActQ15;
#if defined(CRIA_BF16_DOT)
  if (type == kBF16 && (flags & kLinearBf16Activations)) return kActBF16;
#endif
  (void)flags;
  return kActF32;
}

static size_t linear_thread_bytes(Dtype type, uint32_t, size_t tokens, size_t, size_t) {
  return is_quantized(type) ? quant_thread_bytes(tokens) : float_thread_bytes(tokens);
}

static void prepare(const LinearArgs& a, int thread, int n_threads) {
  switch (activation_kind(a.dtype, a.flags)) {
    case kActQ8: return prepare_quant<kActQ8>(a, thread, n_threads);
    case kActQ15: return prepare_quant<kActQ15>(a, thread, n_threads);
    case kActBF16: return prepare_bf16(a, thread, n_threads);
    case kActF32: return prepare_f32(a, thread, n_threads);
  }
}

template <Dtype type> CRIA_INLINE void quant(const LinearArgs& a, int thread, int n_threads) {
  if constexpr (planes(kActQ15) == 2) {
    if (!(a.flags & kLinearInt8Activations)) return compute_quant<type, 2>(a, thread, n_threads);
  }
  compute_quant<type, 1>(a, thread, n_threads);
}

static void compute(const LinearArgs& a, int thread, int n_threads) {
  if (a.tokens == 0 || a.rows == 0) return;
  switch (a.dtype) {
    case kF32: return compute_float<kF32, false>(a, thread, n_threads);
    case kF16: return compute_float<kF16, false>(a, thread, n_threads);
    case kBF16:
#if defined(CRIA_BF16_DOT)
      if (a.flags & kLinearBf16Activations) return compute_float<kBF16, true>(a, thread, n_threads);
#endif
      return compute_float<kBF16, false>(a, thread, n_threads);
    case kQ4_0: return quant<kQ4_0>(a, thread, n_threads);
    case kQ4_1: return quant<kQ4_1>(a, thread, n_threads);
    case kQ5_0: return quant<kQ5_0>(a, thread, n_threads);
    case kQ5_1: return quant<kQ5_1>(a, thread, n_threads);
    case kQ8_0: return quant<kQ8_0>(a, thread, n_threads);
    case kQ2_K: return quant<kQ2_K>(a, thread, n_threads);
    case kQ3_K: return quant<kQ3_K>(a, thread, n_threads);
    case kQ4_K: return quant<kQ4_K>(a, thread, n_threads);
    case kQ5_K: return quant<kQ5_K>(a, thread, n_threads);
    case kQ6_K: return quant<kQ6_K>(a, thread, n_threads);
    case kIQ4_NL: return quant<kIQ4_NL>(a, thread, n_threads);
    default: return;
  }
}

static void linear(const LinearArgs& a, const Barrier& barrier, int thread, int n_threads) {
  if (a.tokens == 0 || a.rows == 0) return;
  prepare(a, thread, n_threads);
  if (n_threads > 1) barrier.wait(barrier.context, thread);
  compute(a, thread, n_threads);
}

#define CRIA_STRING_(x) #x
#define CRIA_STRING(x) CRIA_STRING_(x)

static const LinearKernels kTable = {
    CRIA_STRING(CRIA_ISA), activation_kind, activation_bytes, linear_thread_bytes, prepare, compute, linear,
    matmul_thread_bytes, matmul<false>,
};
#if defined(CRIA_TILES)
static const LinearKernels kTileTable = {
    "amx", activation_kind, activation_bytes, linear_thread_bytes, prepare, compute, linear, matmul_thread_bytes, matmul<true>,
};
#endif

}  // namespace cria::CRIA_ISA
