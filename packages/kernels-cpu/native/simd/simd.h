// The SIMD layer: one vector vocabulary for every instruction set. A translation unit defines CRIA_ISA (the namespace of
// everything it instantiates, so code built with other -m flags never mixes through the linker) and the compiler's own
// macros choose the implementation. Vectors are W floats wide: F (f32), I (i32), B (4·W bytes), M (a mask of lanes).
//
// What every implementation gives (all functions inline; p need not be aligned):
//   fload fstore fload_n fstore_n(p, v, n)    n < W lanes, the rest read as zero / left alone
//   fset fzero + - * / unary- , fma(a,b,c)=a·b+c  fmax fmin fabs fsqrt fround (to nearest even)
//   fscale(a, n)                              a·2^n for a near 1 and whole n in [-252, 254]
//   fsum fmaxh fminh                          over the lanes, in a fixed order
//   transpose(F[W])                           a W×W matrix in registers
//   a > b, a < b, a >= b, a <= b, a == b -> M ;  select(m, a, b)
//   load_f16 load_bf16 store_f16 store_bf16 (+ _n)    conversion from and to W halves, round to nearest even
//   iload istore iset + - * & | ^  shl<n> shr<n> (logical) sar<n>, to_i (nearest even) to_f, bits(F) floats(I)
//   bload bstore bset & | ^  bshl<n> bshr<n>  (shifts act on 16-bit lanes: mask afterwards)
//   widen_u8(p), widen_i8(p) -> I, store_i8(p, I)   W bytes at p as i32 and back, saturating
//   as_i(B), blookup(table16, B)              nibbles through a table of 16 bytes
//   Acc X xload store_x dot_init dot_u7 dot_biased dot_sum   integer dot products for quantised weights
//   kQuantVecs kQuantTokens kFloatVecs kFloatTokens  register tiles that suit the number of registers
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifndef CRIA_ISA
#error "define CRIA_ISA before including simd.h"
#endif

#define CRIA_INLINE static inline __attribute__((always_inline))
#define CRIA_FLAT __attribute__((always_inline))  // for lambdas: constant-index loops must dissolve
#define CRIA_UNROLL _Pragma("GCC unroll 16")
#if defined(__clang__)
#undef CRIA_UNROLL
#define CRIA_UNROLL _Pragma("clang loop unroll(full)")
#endif

namespace cria::CRIA_ISA {
CRIA_INLINE int32_t load_i32(const void* p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return x;
}
}  // namespace cria::CRIA_ISA

#if defined(CRIA_SIMD_GENERIC)
#include "generic.h"
#elif defined(__AVX512F__)
#include "avx512.h"
#elif defined(__AVX2__)
#include "avx2.h"
#elif defined(__ARM_NEON)
#include "neon.h"
#elif defined(__wasm_simd128__)
#include "wasm.h"
#else
#include "generic.h"
#endif

// To bf16 as operands of products are rounded: dot products of AVX-512 take denormals for zero.
namespace cria::CRIA_ISA {
#if !defined(CRIA_BF16_DOT)
CRIA_INLINE void narrow_bf16(void* p, F a) { store_bf16(p, a); }
CRIA_INLINE void narrow_bf16_n(void* p, F a, size_t n) { store_bf16_n(p, a, n); }
#endif
}  // namespace cria::CRIA_ISA
#include "math.h"
