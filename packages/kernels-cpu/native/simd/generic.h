// SIMD layer in plain C++ with the compilers' vector extension: right on any target, as fast as its baseline allows
// (SSE2 on x86-64). W = 4.
#pragma once
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace cria::CRIA_ISA {

constexpr int W = 4;
typedef float f32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
struct F { f32x4 v; };
struct I { i32x4 v; };
struct B { u8x16 v; };
struct M { i32x4 v; };

template <class T> CRIA_INLINE T load16(const void* p) {
  T t;
  __builtin_memcpy(&t, p, 16);
  return t;
}
CRIA_INLINE F fload(const float* p) { return {load16<f32x4>(p)}; }
CRIA_INLINE void fstore(float* p, F a) { __builtin_memcpy(p, &a, 16); }
CRIA_INLINE F fload_n(const float* p, size_t n) {
  float t[4] = {0, 0, 0, 0};
  for (size_t i = 0; i < n; i++) t[i] = p[i];
  return fload(t);
}
CRIA_INLINE void fstore_n(float* p, F a, size_t n) {
  for (size_t i = 0; i < n; i++) p[i] = a.v[i];
}
CRIA_INLINE F fset(float x) { return {f32x4{x, x, x, x}}; }
CRIA_INLINE F fzero() { return fset(0); }
CRIA_INLINE F operator+(F a, F b) { return {a.v + b.v}; }
CRIA_INLINE F operator-(F a, F b) { return {a.v - b.v}; }
CRIA_INLINE F operator*(F a, F b) { return {a.v * b.v}; }
CRIA_INLINE F operator/(F a, F b) { return {a.v / b.v}; }
CRIA_INLINE F operator-(F a) { return {-a.v}; }
CRIA_INLINE F fma(F a, F b, F c) { return {a.v * b.v + c.v}; }
CRIA_INLINE I bits(F a) { return {(i32x4)a.v}; }
CRIA_INLINE F floats(I a) { return {(f32x4)a.v}; }
CRIA_INLINE M operator>(F a, F b) { return {a.v > b.v}; }
CRIA_INLINE M operator<(F a, F b) { return {a.v < b.v}; }
CRIA_INLINE M operator>=(F a, F b) { return {a.v >= b.v}; }
CRIA_INLINE M operator<=(F a, F b) { return {a.v <= b.v}; }
CRIA_INLINE M operator==(F a, F b) { return {a.v == b.v}; }
CRIA_INLINE F select(M m, F a, F b) { return {(f32x4)(((i32x4)a.v & m.v) | ((i32x4)b.v & ~m.v))}; }
CRIA_INLINE F fmax(F a, F b) { return select(a > b, a, b); }
CRIA_INLINE F fmin(F a, F b) { return select(a < b, a, b); }
CRIA_INLINE F fabs(F a) { return {(f32x4)((i32x4)a.v & 0x7fffffff)}; }
CRIA_INLINE F fsqrt(F a) {
  for (int i = 0; i < 4; i++) a.v[i] = __builtin_sqrtf(a.v[i]);
  return a;
}
CRIA_INLINE float fsum(F a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }
CRIA_INLINE float fmaxh(F a) {
  float m = a.v[0];
  for (int i = 1; i < 4; i++) m = a.v[i] > m ? a.v[i] : m;
  return m;
}
CRIA_INLINE float fminh(F a) { return -fmaxh(-a); }

// v[i][j] becomes v[j][i].
CRIA_INLINE void transpose(F (&v)[4]) {
  const auto a = __builtin_shufflevector(v[0].v, v[1].v, 0, 4, 1, 5), b = __builtin_shufflevector(v[0].v, v[1].v, 2, 6, 3, 7);
  const auto c = __builtin_shufflevector(v[2].v, v[3].v, 0, 4, 1, 5), d = __builtin_shufflevector(v[2].v, v[3].v, 2, 6, 3, 7);
  v[0].v = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  v[1].v = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  v[2].v = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  v[3].v = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

CRIA_INLINE I iload(const void* p) { return {load16<i32x4>(p)}; }
CRIA_INLINE void istore(void* p, I a) { __builtin_memcpy(p, &a, 16); }
CRIA_INLINE I iset(int32_t x) { return {i32x4{x, x, x, x}}; }
// Unsigned arithmetic: wrapping is meant (the half conversions rely on it).
CRIA_INLINE I operator+(I a, I b) { return {(i32x4)((u32x4)a.v + (u32x4)b.v)}; }
CRIA_INLINE I operator-(I a, I b) { return {(i32x4)((u32x4)a.v - (u32x4)b.v)}; }
CRIA_INLINE I operator*(I a, I b) { return {(i32x4)((u32x4)a.v * (u32x4)b.v)}; }
CRIA_INLINE I operator&(I a, I b) { return {a.v & b.v}; }
CRIA_INLINE I operator|(I a, I b) { return {a.v | b.v}; }
CRIA_INLINE I operator^(I a, I b) { return {a.v ^ b.v}; }
template <int n> CRIA_INLINE I shl(I a) { return {(i32x4)((u32x4)a.v << n)}; }
template <int n> CRIA_INLINE I shr(I a) { return {(i32x4)((u32x4)a.v >> n)}; }
template <int n> CRIA_INLINE I sar(I a) { return {a.v >> n}; }
CRIA_INLINE M operator>(I a, I b) { return {a.v > b.v}; }
CRIA_INLINE M operator==(I a, I b) { return {a.v == b.v}; }
CRIA_INLINE I select(M m, I a, I b) { return {(a.v & m.v) | (b.v & ~m.v)}; }
CRIA_INLINE F to_f(I a) { return {__builtin_convertvector(a.v, f32x4)}; }
// Adding and taking away 1.5·2^23 rounds to the nearest even integer (|x| < 2^22; larger floats are whole already).
CRIA_INLINE F fround(F a) {
  const F sign = {(f32x4)((i32x4)a.v & (int32_t)0x80000000)};
  const F magic = {(f32x4)((i32x4)fset(0x1p23f).v | (i32x4)sign.v)};
  F sum = a + magic;
#if defined(__GNUC__)
  __asm__("" : "+m"(sum.v));  // the compiler must not cancel the two
#endif
  const F r = {(f32x4)((i32x4)fabs(sum - magic).v | (i32x4)sign.v)};
  return select(fabs(a) < fset(0x1p23f), r, a);
}
CRIA_INLINE I to_i(F a) {
  const F r = fround(a);
  I out;
  for (int i = 0; i < 4; i++) {
    const float x = r.v[i];
    out.v[i] = x >= -0x1p31f && x < 0x1p31f ? (int32_t)x : INT32_MIN;
  }
  return out;
}
CRIA_INLINE I widen_u8(const void* p) {
  const uint8_t* b = (const uint8_t*)p;
  return {i32x4{b[0], b[1], b[2], b[3]}};
}
CRIA_INLINE I widen_i8(const void* p) {
  const int8_t* b = (const int8_t*)p;
  return {i32x4{b[0], b[1], b[2], b[3]}};
}
CRIA_INLINE void store_i8(void* p, I a) {
  for (int i = 0; i < 4; i++) ((int8_t*)p)[i] = (int8_t)(a.v[i] > 127 ? 127 : a.v[i] < -128 ? -128 : a.v[i]);
}
CRIA_INLINE I widen_u16(const void* p) {
  uint16_t h[4];
  __builtin_memcpy(h, p, 8);
  return {i32x4{h[0], h[1], h[2], h[3]}};
}
CRIA_INLINE void narrow_u16(void* p, I a) {
  const uint16_t h[4] = {(uint16_t)a.v[0], (uint16_t)a.v[1], (uint16_t)a.v[2], (uint16_t)a.v[3]};
  __builtin_memcpy(p, h, 8);
}

CRIA_INLINE B bload(const void* p) { return {load16<u8x16>(p)}; }
CRIA_INLINE void bstore(void* p, B a) { __builtin_memcpy(p, &a, 16); }
CRIA_INLINE B bset(uint8_t x) { return {x - u8x16{}}; }
CRIA_INLINE B operator&(B a, B b) { return {a.v & b.v}; }
CRIA_INLINE B operator|(B a, B b) { return {a.v | b.v}; }
CRIA_INLINE B operator^(B a, B b) { return {a.v ^ b.v}; }
template <int n> CRIA_INLINE B bshl(B a) { return {(u8x16)((u16x8)a.v << n)}; }
template <int n> CRIA_INLINE B bshr(B a) { return {(u8x16)((u16x8)a.v >> n)}; }
CRIA_INLINE I as_i(B a) { return {(i32x4)a.v}; }
CRIA_INLINE B blookup(const uint8_t* table, B idx) {
  for (int i = 0; i < 16; i++) idx.v[i] = table[idx.v[i] & 15];
  return idx;
}

// 16-bit products. On x86-64 (SSE2) pmaddwd adds column pairs: a vector is two rows of 4 columns, twice, and the pairs
// meet at the end. Elsewhere lanes are multiplied one by one.
constexpr size_t kXBytes = 8;
constexpr bool kWideX = true;            // they are 16 bits wide: 15-bit activations need one plane
constexpr bool kBiasedIsSigned = false;
CRIA_INLINE void store_x(void* p, I a) {
  const int16_t h[4] = {(int16_t)a.v[0], (int16_t)a.v[1], (int16_t)a.v[2], (int16_t)a.v[3]};
  __builtin_memcpy(p, h, 8);
}
#if defined(__SSE2__)
struct X { __m128i v; };
struct Acc { __m128i low, high; };
CRIA_INLINE X xload(const void* p) { return {_mm_set1_epi64x(*(const long long __attribute__((may_alias, aligned(1)))*)p)}; }
CRIA_INLINE Acc dot_init(I init) {
  const __m128i once = _mm_and_si128((__m128i)init.v, _mm_setr_epi32(-1, 0, -1, 0));
  return {once, once};
}
CRIA_INLINE void dot_u7(Acc& acc, B w, X x) {
  const __m128i zero = _mm_setzero_si128();
  acc.low = _mm_add_epi32(acc.low, _mm_madd_epi16(_mm_unpacklo_epi8((__m128i)w.v, zero), x.v));
  acc.high = _mm_add_epi32(acc.high, _mm_madd_epi16(_mm_unpackhi_epi8((__m128i)w.v, zero), x.v));
}
CRIA_INLINE I dot_sum(Acc acc) {
  const __m128 low = _mm_castsi128_ps(acc.low), high = _mm_castsi128_ps(acc.high);
  const __m128 even = _mm_shuffle_ps(low, high, 0x88), odd = _mm_shuffle_ps(low, high, 0xdd);
  return {(i32x4)_mm_add_epi32(_mm_castps_si128(even), _mm_castps_si128(odd))};
}
#else
struct X { int16_t v[4]; };
struct Acc { i32x4 v; };
CRIA_INLINE X xload(const void* p) {
  X x;
  __builtin_memcpy(x.v, p, 8);
  return x;
}
CRIA_INLINE Acc dot_init(I init) { return {init.v}; }
CRIA_INLINE void dot_u7(Acc& acc, B w, X x) {
  const u32x4 u = (u32x4)w.v;
  acc.v += (i32x4)(u & 255) * x.v[0] + (i32x4)(u >> 8 & 255) * x.v[1] + (i32x4)(u >> 16 & 255) * x.v[2] +
           (i32x4)(u >> 24) * x.v[3];
}
CRIA_INLINE I dot_sum(Acc acc) { return {acc.v}; }
#endif
CRIA_INLINE void dot_biased(Acc& acc, B w, X x) { dot_u7(acc, w, x); }

constexpr int kQuantVecs = 2, kQuantTokens[2] = {4, 4};
constexpr int kFloatVecs = 2, kFloatTokens = 6;

}  // namespace cria::CRIA_ISA
#include "half128.h"
