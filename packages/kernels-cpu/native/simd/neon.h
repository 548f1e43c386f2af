// SIMD layer on ARMv8.2 NEON with the dot product extension (-march=armv8.2-a+dotprod+fp16): W = 4.
#pragma once
#include <arm_neon.h>

namespace cria::CRIA_ISA {

constexpr int W = 4;
struct F { float32x4_t v; };
struct I { int32x4_t v; };
struct B { uint8x16_t v; };
struct M { uint32x4_t v; };

CRIA_INLINE F fload(const float* p) { return {vld1q_f32(p)}; }
CRIA_INLINE void fstore(float* p, F a) { vst1q_f32(p, a.v); }
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
CRIA_INLINE F fset(float x) { return {vdupq_n_f32(x)}; }
CRIA_INLINE F fzero() { return {vdupq_n_f32(0)}; }
CRIA_INLINE F operator+(F a, F b) { return {vaddq_f32(a.v, b.v)}; }
CRIA_INLINE F operator-(F a, F b) { return {vsubq_f32(a.v, b.v)}; }
CRIA_INLINE F operator*(F a, F b) { return {vmulq_f32(a.v, b.v)}; }
CRIA_INLINE F operator/(F a, F b) { return {vdivq_f32(a.v, b.v)}; }
CRIA_INLINE F operator-(F a) { return {vnegq_f32(a.v)}; }
CRIA_INLINE F fma(F a, F b, F c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
CRIA_INLINE F fmax(F a, F b) { return {vmaxq_f32(a.v, b.v)}; }
CRIA_INLINE F fmin(F a, F b) { return {vminq_f32(a.v, b.v)}; }
CRIA_INLINE F fabs(F a) { return {vabsq_f32(a.v)}; }
CRIA_INLINE F fsqrt(F a) { return {vsqrtq_f32(a.v)}; }
CRIA_INLINE F fround(F a) { return {vrndnq_f32(a.v)}; }
CRIA_INLINE float fsum(F a) { return vaddvq_f32(a.v); }
CRIA_INLINE float fmaxh(F a) { return vmaxvq_f32(a.v); }
CRIA_INLINE float fminh(F a) { return vminvq_f32(a.v); }
CRIA_INLINE M operator>(F a, F b) { return {vcgtq_f32(a.v, b.v)}; }
CRIA_INLINE M operator<(F a, F b) { return {vcltq_f32(a.v, b.v)}; }
CRIA_INLINE M operator>=(F a, F b) { return {vcgeq_f32(a.v, b.v)}; }
CRIA_INLINE M operator<=(F a, F b) { return {vcleq_f32(a.v, b.v)}; }
CRIA_INLINE M operator==(F a, F b) { return {vceqq_f32(a.v, b.v)}; }
CRIA_INLINE F select(M m, F a, F b) { return {vbslq_f32(m.v, a.v, b.v)}; }

// v[i][j] becomes v[j][i].
CRIA_INLINE void transpose(F (&v)[4]) {
  const auto a = __builtin_shufflevector(v[0].v, v[1].v, 0, 4, 1, 5), b = __builtin_shufflevector(v[0].v, v[1].v, 2, 6, 3, 7);
  const auto c = __builtin_shufflevector(v[2].v, v[3].v, 0, 4, 1, 5), d = __builtin_shufflevector(v[2].v, v[3].v, 2, 6, 3, 7);
  v[0].v = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  v[1].v = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  v[2].v = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  v[3].v = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

CRIA_INLINE I iload(const void* p) { return {vld1q_s32((const int32_t*)p)}; }
CRIA_INLINE void istore(void* p, I a) { vst1q_s32((int32_t*)p, a.v); }
CRIA_INLINE I iset(int32_t x) { return {vdupq_n_s32(x)}; }
CRIA_INLINE I operator+(I a, I b) { return {vaddq_s32(a.v, b.v)}; }
CRIA_INLINE I operator-(I a, I b) { return {vsubq_s32(a.v, b.v)}; }
CRIA_INLINE I operator*(I a, I b) { return {vmulq_s32(a.v, b.v)}; }
CRIA_INLINE I operator&(I a, I b) { return {vandq_s32(a.v, b.v)}; }
CRIA_INLINE I operator|(I a, I b) { return {vorrq_s32(a.v, b.v)}; }
CRIA_INLINE I operator^(I a, I b) { return {veorq_s32(a.v, b.v)}; }
// Shifts by a vector: zero is allowed, unlike in the immediate forms.
template <int n> CRIA_INLINE I shl(I a) { return {vshlq_s32(a.v, vdupq_n_s32(n))}; }
template <int n> CRIA_INLINE I shr(I a) {
  return {vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.v), vdupq_n_s32(-n)))};
}
template <int n> CRIA_INLINE I sar(I a) { return {vshlq_s32(a.v, vdupq_n_s32(-n))}; }
CRIA_INLINE M operator>(I a, I b) { return {vcgtq_s32(a.v, b.v)}; }
CRIA_INLINE M operator==(I a, I b) { return {vceqq_s32(a.v, b.v)}; }
CRIA_INLINE I select(M m, I a, I b) { return {vbslq_s32(m.v, a.v, b.v)}; }
CRIA_INLINE I to_i(F a) { return {vcvtnq_s32_f32(a.v)}; }
CRIA_INLINE F to_f(I a) { return {vcvtq_f32_s32(a.v)}; }
CRIA_INLINE I bits(F a) { return {vreinterpretq_s32_f32(a.v)}; }
CRIA_INLINE F floats(I a) { return {vreinterpretq_f32_s32(a.v)}; }
CRIA_INLINE I widen_u8(const void* p) {
  const uint8x8_t b = vcreate_u8((uint32_t)load_i32(p));
  return {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(b))))};
}
CRIA_INLINE I widen_i8(const void* p) {
  const int8x8_t b = vcreate_s8((uint32_t)load_i32(p));
  return {vmovl_s16(vget_low_s16(vmovl_s8(b)))};
}
CRIA_INLINE void store_i8(void* p, I a) {
  const int16x4_t h = vqmovn_s32(a.v);
  const int8x8_t b = vqmovn_s16(vcombine_s16(h, h));
  __builtin_memcpy(p, &b, 4);
}
CRIA_INLINE I widen_u16(const void* p) { return {vreinterpretq_s32_u32(vmovl_u16(vld1_u16((const uint16_t*)p)))}; }
CRIA_INLINE void narrow_u16(void* p, I a) { vst1_u16((uint16_t*)p, vmovn_u32(vreinterpretq_u32_s32(a.v))); }

CRIA_INLINE B bload(const void* p) { return {vld1q_u8((const uint8_t*)p)}; }
CRIA_INLINE void bstore(void* p, B a) { vst1q_u8((uint8_t*)p, a.v); }
CRIA_INLINE B bset(uint8_t x) { return {vdupq_n_u8(x)}; }
CRIA_INLINE B operator&(B a, B b) { return {vandq_u8(a.v, b.v)}; }
CRIA_INLINE B operator|(B a, B b) { return {vorrq_u8(a.v, b.v)}; }
CRIA_INLINE B operator^(B a, B b) { return {veorq_u8(a.v, b.v)}; }
template <int n> CRIA_INLINE B bshl(B a) {
  return {vreinterpretq_u8_u16(vshlq_u16(vreinterpretq_u16_u8(a.v), vdupq_n_s16(n)))};
}
template <int n> CRIA_INLINE B bshr(B a) {
  return {vreinterpretq_u8_u16(vshlq_u16(vreinterpretq_u16_u8(a.v), vdupq_n_s16(-n)))};
}
CRIA_INLINE I as_i(B a) { return {vreinterpretq_s32_u8(a.v)}; }
CRIA_INLINE B blookup(const uint8_t* table, B idx) { return {vqtbl1q_u8(vld1q_u8(table), idx.v)}; }

// sdot: both operands signed, so weights below 128 go as they are and biased bytes go back to signed.
constexpr size_t kXBytes = 4;
constexpr bool kWideX = false;          // they are 8 bits wide: 15-bit activations take two planes
constexpr bool kBiasedIsSigned = true;
struct X { int8x16_t v; };
struct Acc { int32x4_t v; };
CRIA_INLINE X xload(const void* p) { return {vreinterpretq_s8_s32(vdupq_n_s32(load_i32(p)))}; }
CRIA_INLINE void store_x(void* p, I a) { store_i8(p, a); }
CRIA_INLINE Acc dot_init(I init) { return {init.v}; }
CRIA_INLINE void dot_u7(Acc& acc, B w, X x) { acc.v = vdotq_s32(acc.v, vreinterpretq_s8_u8(w.v), x.v); }
CRIA_INLINE void dot_biased(Acc& acc, B w, X x) { dot_u7(acc, w ^ bset(0x80), x); }
CRIA_INLINE I dot_sum(Acc acc) { return {acc.v}; }

constexpr int kQuantVecs = 4, kQuantTokens[2] = {4, 2};
constexpr int kFloatVecs = 4, kFloatTokens = 6;

}  // namespace cria::CRIA_ISA
#include "half128.h"
