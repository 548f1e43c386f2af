// SIMD layer on WebAssembly SIMD128, with relaxed SIMD where the compiler flags allow: W = 4.
#pragma once
#include <wasm_simd128.h>

namespace cria::CRIA_ISA {

constexpr int W = 4;
struct F { v128_t v; };
struct I { v128_t v; };
struct B { v128_t v; };
struct M { v128_t v; };

CRIA_INLINE F fload(const float* p) { return {wasm_v128_load(p)}; }
CRIA_INLINE void fstore(float* p, F a) { wasm_v128_store(p, a.v); }
CRIA_INLINE F fload_n(const float* p, size_t n) {
  float t[4] = {0, 0, 0, 0};
  for (size_t i = 0; i < n; i++) t[i] = p[i];
  return fload(t);
}
CRIA_INLINE void fstore_n(float* p, F a, size_t n) {
  float t[4];
  fstore(t, a);
  for (size_t i = 0; i < n; i++) p[i] = t[i];
}
CRIA_INLINE F fset(float x) { return {wasm_f32x4_splat(x)}; }
CRIA_INLINE F fzero() { return {wasm_f32x4_const_splat(0)}; }
CRIA_INLINE F operator+(F a, F b) { return {wasm_f32x4_add(a.v, b.v)}; }
CRIA_INLINE F operator-(F a, F b) { return {wasm_f32x4_sub(a.v, b.v)}; }
CRIA_INLINE F operator*(F a, F b) { return {wasm_f32x4_mul(a.v, b.v)}; }
CRIA_INLINE F operator/(F a, F b) { return {wasm_f32x4_div(a.v, b.v)}; }
CRIA_INLINE F operator-(F a) { return {wasm_f32x4_neg(a.v)}; }
#if defined(__wasm_relaxed_simd__)
CRIA_INLINE F fma(F a, F b, F c) { return {wasm_f32x4_relaxed_madd(a.v, b.v, c.v)}; }
#else
CRIA_INLINE F fma(F a, F b, F c) { return a * b + c; }
#endif
CRIA_INLINE F fmax(F a, F b) { return {wasm_f32x4_pmax(a.v, b.v)}; }
CRIA_INLINE F fmin(F a, F b) { return {wasm_f32x4_pmin(a.v, b.v)}; }
CRIA_INLINE F fabs(F a) { return {wasm_f32x4_abs(a.v)}; }
CRIA_INLINE F fsqrt(F a) { return {wasm_f32x4_sqrt(a.v)}; }
CRIA_INLINE F fround(F a) { return {wasm_f32x4_nearest(a.v)}; }
CRIA_INLINE float fsum(F a) {
  return (wasm_f32x4_extract_lane(a.v, 0) + wasm_f32x4_extract_lane(a.v, 2)) +
         (wasm_f32x4_extract_lane(a.v, 1) + wasm_f32x4_extract_lane(a.v, 3));
}
CRIA_INLINE float fmaxh(F a) {
  const F b = fmax(a, {wasm_i32x4_shuffle(a.v, a.v, 2, 3, 0, 1)});
  const float x = wasm_f32x4_extract_lane(b.v, 0), y = wasm_f32x4_extract_lane(b.v, 1);
  return x > y ? x : y;
}
CRIA_INLINE float fminh(F a) { return -fmaxh(-a); }
CRIA_INLINE M operator>(F a, F b) { return {wasm_f32x4_gt(a.v, b.v)}; }
CRIA_INLINE M operator<(F a, F b) { return {wasm_f32x4_lt(a.v, b.v)}; }
CRIA_INLINE M operator>=(F a, F b) { return {wasm_f32x4_ge(a.v, b.v)}; }
CRIA_INLINE M operator<=(F a, F b) { return {wasm_f32x4_le(a.v, b.v)}; }
CRIA_INLINE M operator==(F a, F b) { return {wasm_f32x4_eq(a.v, b.v)}; }
CRIA_INLINE F select(M m, F a, F b) { return {wasm_v128_bitselect(a.v, b.v, m.v)}; }

// v[i][j] becomes v[j][i].
CRIA_INLINE void transpose(F (&v)[4]) {
  const auto a = wasm_i32x4_shuffle(v[0].v, v[1].v, 0, 4, 1, 5), b = wasm_i32x4_shuffle(v[0].v, v[1].v, 2, 6, 3, 7);
  const auto c = wasm_i32x4_shuffle(v[2].v, v[3].v, 0, 4, 1, 5), d = wasm_i32x4_shuffle(v[2].v, v[3].v, 2, 6, 3, 7);
  v[0].v = wasm_i32x4_shuffle(a, c, 0, 1, 4, 5);
  v[1].v = wasm_i32x4_shuffle(a, c, 2, 3, 6, 7);
  v[2].v = wasm_i32x4_shuffle(b, d, 0, 1, 4, 5);
  v[3].v = wasm_i32x4_shuffle(b, d, 2, 3, 6, 7);
}

CRIA_INLINE I iload(const void* p) { return {wasm_v128_load(p)}; }
CRIA_INLINE void istore(void* p, I a) { wasm_v128_store(p, a.v); }
CRIA_INLINE I iset(int32_t x) { return {wasm_i32x4_splat(x)}; }
CRIA_INLINE I operator+(I a, I b) { return {wasm_i32x4_add(a.v, b.v)}; }
CRIA_INLINE I operator-(I a, I b) { return {wasm_i32x4_sub(a.v, b.v)}; }
CRIA_INLINE I operator*(I a, I b) { return {wasm_i32x4_mul(a.v, b.v)}; }
CRIA_INLINE I operator&(I a, I b) { return {wasm_v128_and(a.v, b.v)}; }
CRIA_INLINE I operator|(I a, I b) { return {wasm_v128_or(a.v, b.v)}; }
CRIA_INLINE I operator^(I a, I b) { return {wasm_v128_xor(a.v, b.v)}; }
template <int n> CRIA_INLINE I shl(I a) { return {wasm_i32x4_shl(a.v, n)}; }
template <int n> CRIA_INLINE I shr(I a) { return {wasm_u32x4_shr(a.v, n)}; }
template <int n> CRIA_INLINE I sar(I a) { return {wasm_i32x4_shr(a.v, n)}; }
CRIA_INLINE M operator>(I a, I b) { return {wasm_i32x4_gt(a.v, b.v)}; }
CRIA_INLINE M operator==(I a, I b) { return {wasm_i32x4_eq(a.v, b.v)}; }
CRIA_INLINE I select(M m, I a, I b) { return {wasm_v128_bitselect(a.v, b.v, m.v)}; }
CRIA_INLINE I to_i(F a) { return {wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(a.v))}; }
CRIA_INLINE F to_f(I a) { return {wasm_f32x4_convert_i32x4(a.v)}; }
CRIA_INLINE I bits(F a) { return {a.v}; }
CRIA_INLINE F floats(I a) { return {a.v}; }
CRIA_INLINE I widen_u8(const void* p) {
  return {wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p)))};
}
CRIA_INLINE I widen_i8(const void* p) {
  return {wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(p)))};
}
CRIA_INLINE void store_i8(void* p, I a) {
  const v128_t h = wasm_i16x8_narrow_i32x4(a.v, a.v);
  wasm_v128_store32_lane(p, wasm_i8x16_narrow_i16x8(h, h), 0);
}
CRIA_INLINE I widen_u16(const void* p) { return {wasm_u32x4_load16x4(p)}; }
CRIA_INLINE void narrow_u16(void* p, I a) { wasm_v128_store64_lane(p, wasm_u16x8_narrow_i32x4(a.v, a.v), 0); }

CRIA_INLINE B bload(const void* p) { return {wasm_v128_load(p)}; }
CRIA_INLINE void bstore(void* p, B a) { wasm_v128_store(p, a.v); }
CRIA_INLINE B bset(uint8_t x) { return {wasm_i8x16_splat((int8_t)x)}; }
CRIA_INLINE B operator&(B a, B b) { return {wasm_v128_and(a.v, b.v)}; }
CRIA_INLINE B operator|(B a, B b) { return {wasm_v128_or(a.v, b.v)}; }
CRIA_INLINE B operator^(B a, B b) { return {wasm_v128_xor(a.v, b.v)}; }
template <int n> CRIA_INLINE B bshl(B a) { return {wasm_i16x8_shl(a.v, n)}; }
template <int n> CRIA_INLINE B bshr(B a) { return {wasm_u16x8_shr(a.v, n)}; }
CRIA_INLINE I as_i(B a) { return {a.v}; }
CRIA_INLINE B blookup(const uint8_t* table, B idx) { return {wasm_i8x16_swizzle(wasm_v128_load(table), idx.v)}; }

// 16-bit products: a line of 16 bytes is two rows of 4 columns twice; sums of column pairs meet at the end. The relaxed
// 8-bit dot product is not used: with 15-bit activations it needs two passes (four for 8-bit weights) and was slower in
// V8 (q4_0 34 against 39 Gop/s, q8_0 12 against 33), and the baseline compiler of V8 11 (Node 20) gets it wrong.
constexpr size_t kXBytes = 8;
constexpr bool kWideX = true;
constexpr bool kBiasedIsSigned = false;
struct X { v128_t v; };
struct Acc { v128_t low, high; };
CRIA_INLINE X xload(const void* p) { return {wasm_v128_load64_splat(p)}; }
CRIA_INLINE void store_x(void* p, I a) { wasm_v128_store64_lane(p, wasm_i16x8_narrow_i32x4(a.v, a.v), 0); }
CRIA_INLINE Acc dot_init(I init) {
  const v128_t once = wasm_v128_and(init.v, wasm_i32x4_const(-1, 0, -1, 0));
  return {once, once};
}
CRIA_INLINE void dot_u7(Acc& acc, B w, X x) {
  acc.low = wasm_i32x4_add(acc.low, wasm_i32x4_dot_i16x8(wasm_u16x8_extend_low_u8x16(w.v), x.v));
  acc.high = wasm_i32x4_add(acc.high, wasm_i32x4_dot_i16x8(wasm_u16x8_extend_high_u8x16(w.v), x.v));
}
CRIA_INLINE void dot_biased(Acc& acc, B w, X x) { dot_u7(acc, w, x); }
CRIA_INLINE I dot_sum(Acc acc) {
  return {wasm_i32x4_add(wasm_i32x4_shuffle(acc.low, acc.high, 0, 2, 4, 6),
                         wasm_i32x4_shuffle(acc.low, acc.high, 1, 3, 5, 7))};
}

constexpr int kQuantVecs = 2, kQuantTokens[2] = {4, 2};
constexpr int kFloatVecs = 2, kFloatTokens = 6;

}  // namespace cria::CRIA_ISA
#include "half128.h"
