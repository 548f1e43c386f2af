// SIMD layer on AVX2 with FMA and F16C: W = 8.
#pragma once
#include <immintrin.h>

namespace cria::CRIA_ISA {

constexpr int W = 8;
struct F { __m256 v; };
struct I { __m256i v; };
struct B { __m256i v; };
struct M { __m256 v; };

CRIA_INLINE __m256i lanes(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

CRIA_INLINE F fload(const float* p) { return {_mm256_loadu_ps(p)}; }
CRIA_INLINE void fstore(float* p, F a) { _mm256_storeu_ps(p, a.v); }
CRIA_INLINE F fload_n(const float* p, size_t n) { return {_mm256_maskload_ps(p, lanes(n))}; }
CRIA_INLINE void fstore_n(float* p, F a, size_t n) { _mm256_maskstore_ps(p, lanes(n), a.v); }
CRIA_INLINE F fset(float x) { return {_mm256_set1_ps(x)}; }
CRIA_INLINE F fzero() { return {_mm256_setzero_ps()}; }
CRIA_INLINE F operator+(F a, F b) { return {_mm256_add_ps(a.v, b.v)}; }
CRIA_INLINE F operator-(F a, F b) { return {_mm256_sub_ps(a.v, b.v)}; }
CRIA_INLINE F operator*(F a, F b) { return {_mm256_mul_ps(a.v, b.v)}; }
CRIA_INLINE F operator/(F a, F b) { return {_mm256_div_ps(a.v, b.v)}; }
CRIA_INLINE F operator-(F a) { return {_mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f))}; }
CRIA_INLINE F fma(F a, F b, F c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
CRIA_INLINE F fmax(F a, F b) { return {_mm256_max_ps(a.v, b.v)}; }
CRIA_INLINE F fmin(F a, F b) { return {_mm256_min_ps(a.v, b.v)}; }
CRIA_INLINE F fabs(F a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
CRIA_INLINE F fsqrt(F a) { return {_mm256_sqrt_ps(a.v)}; }
CRIA_INLINE F fround(F a) { return {_mm256_round_ps(a.v, 8)}; }
CRIA_INLINE float fsum(F a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
CRIA_INLINE float fmaxh(F a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
CRIA_INLINE float fminh(F a) { return -fmaxh(-a); }
CRIA_INLINE M operator>(F a, F b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
CRIA_INLINE M operator<(F a, F b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
CRIA_INLINE M operator>=(F a, F b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
CRIA_INLINE M operator<=(F a, F b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
CRIA_INLINE M operator==(F a, F b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
CRIA_INLINE F select(M m, F a, F b) { return {_mm256_blendv_ps(b.v, a.v, m.v)}; }

// v[i][j] becomes v[j][i].
CRIA_INLINE void transpose(F (&v)[8]) {
  __m256 a[8], b[8];
  CRIA_UNROLL for (int i = 0; i < 4; i++) {
    a[2 * i] = _mm256_unpacklo_ps(v[2 * i].v, v[2 * i + 1].v);
    a[2 * i + 1] = _mm256_unpackhi_ps(v[2 * i].v, v[2 * i + 1].v);
  }
  CRIA_UNROLL for (int i = 0; i < 2; i++) {
    CRIA_UNROLL for (int h = 0; h < 2; h++) {
      b[4 * i + 2 * h] = _mm256_shuffle_ps(a[4 * i + h], a[4 * i + 2 + h], 0x44);
      b[4 * i + 2 * h + 1] = _mm256_shuffle_ps(a[4 * i + h], a[4 * i + 2 + h], 0xee);
    }
  }
  CRIA_UNROLL for (int i = 0; i < 4; i++) {
    v[i].v = _mm256_permute2f128_ps(b[i], b[4 + i], 0x20);
    v[4 + i].v = _mm256_permute2f128_ps(b[i], b[4 + i], 0x31);
  }
}

CRIA_INLINE I iload(const void* p) { return {_mm256_loadu_si256((const __m256i*)p)}; }
CRIA_INLINE void istore(void* p, I a) { _mm256_storeu_si256((__m256i*)p, a.v); }
CRIA_INLINE I iset(int32_t x) { return {_mm256_set1_epi32(x)}; }
CRIA_INLINE I operator+(I a, I b) { return {_mm256_add_epi32(a.v, b.v)}; }
CRIA_INLINE I operator-(I a, I b) { return {_mm256_sub_epi32(a.v, b.v)}; }
CRIA_INLINE I operator*(I a, I b) { return {_mm256_mullo_epi32(a.v, b.v)}; }
CRIA_INLINE I operator&(I a, I b) { return {_mm256_and_si256(a.v, b.v)}; }
CRIA_INLINE I operator|(I a, I b) { return {_mm256_or_si256(a.v, b.v)}; }
CRIA_INLINE I operator^(I a, I b) { return {_mm256_xor_si256(a.v, b.v)}; }
template <int n> CRIA_INLINE I shl(I a) { return {_mm256_slli_epi32(a.v, n)}; }
template <int n> CRIA_INLINE I shr(I a) { return {_mm256_srli_epi32(a.v, n)}; }
template <int n> CRIA_INLINE I sar(I a) { return {_mm256_srai_epi32(a.v, n)}; }
CRIA_INLINE M operator>(I a, I b) { return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(a.v, b.v))}; }
CRIA_INLINE M operator==(I a, I b) { return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.v, b.v))}; }
CRIA_INLINE I select(M m, I a, I b) { return {_mm256_blendv_epi8(b.v, a.v, _mm256_castps_si256(m.v))}; }
CRIA_INLINE I to_i(F a) { return {_mm256_cvtps_epi32(a.v)}; }
CRIA_INLINE F to_f(I a) { return {_mm256_cvtepi32_ps(a.v)}; }
CRIA_INLINE I bits(F a) { return {_mm256_castps_si256(a.v)}; }
CRIA_INLINE F floats(I a) { return {_mm256_castsi256_ps(a.v)}; }
CRIA_INLINE I widen_u8(const void* p) { return {_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p))}; }
CRIA_INLINE I widen_i8(const void* p) { return {_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i*)p))}; }

CRIA_INLINE void store_i8(void* p, I a) {
  const __m128i h = _mm_packs_epi32(_mm256_castsi256_si128(a.v), _mm256_extracti128_si256(a.v, 1));
  _mm_storel_epi64((__m128i*)p, _mm_packs_epi16(h, h));
}

CRIA_INLINE __m128i halves_n(const void* p, size_t n) {
  __m128i h = _mm_setzero_si128();
  __builtin_memcpy(&h, p, 2 * n);
  return h;
}
CRIA_INLINE F load_f16(const void* p) { return {_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p))}; }
CRIA_INLINE F load_f16_n(const void* p, size_t n) { return {_mm256_cvtph_ps(halves_n(p, n))}; }
CRIA_INLINE __m128i f16_bits(F a) { return _mm256_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT); }
CRIA_INLINE void store_f16(void* p, F a) { _mm_storeu_si128((__m128i*)p, f16_bits(a)); }
CRIA_INLINE void store_f16_n(void* p, F a, size_t n) { const __m128i h = f16_bits(a); __builtin_memcpy(p, &h, 2 * n); }
CRIA_INLINE F bf16_floats(__m128i h) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16))};
}
CRIA_INLINE F load_bf16(const void* p) { return bf16_floats(_mm_loadu_si128((const __m128i*)p)); }
CRIA_INLINE F load_bf16_n(const void* p, size_t n) { return bf16_floats(halves_n(p, n)); }
CRIA_INLINE __m128i bf16_bits(F a) {
  const __m256i u = _mm256_castps_si256(a.v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q));
  const __m256i quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
  const __m256i r = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  return _mm_packus_epi32(_mm256_castsi256_si128(r), _mm256_extracti128_si256(r, 1));
}
CRIA_INLINE void store_bf16(void* p, F a) { _mm_storeu_si128((__m128i*)p, bf16_bits(a)); }
CRIA_INLINE void store_bf16_n(void* p, F a, size_t n) { const __m128i h = bf16_bits(a); __builtin_memcpy(p, &h, 2 * n); }

CRIA_INLINE B bload(const void* p) { return {_mm256_loadu_si256((const __m256i*)p)}; }
CRIA_INLINE void bstore(void* p, B a) { _mm256_storeu_si256((__m256i*)p, a.v); }
CRIA_INLINE B bset(uint8_t x) { return {_mm256_set1_epi8((char)x)}; }
CRIA_INLINE B operator&(B a, B b) { return {_mm256_and_si256(a.v, b.v)}; }
CRIA_INLINE B operator|(B a, B b) { return {_mm256_or_si256(a.v, b.v)}; }
CRIA_INLINE B operator^(B a, B b) { return {_mm256_xor_si256(a.v, b.v)}; }
template <int n> CRIA_INLINE B bshl(B a) { return {_mm256_slli_epi16(a.v, n)}; }
template <int n> CRIA_INLINE B bshr(B a) { return {_mm256_srli_epi16(a.v, n)}; }
CRIA_INLINE I as_i(B a) { return {a.v}; }
CRIA_INLINE B blookup(const uint8_t* table, B idx) {
  return {_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)table)), idx.v)};
}

// vpmaddubsw adds two products in 16 bits with saturation: exact for weights up to 127 (2·127·127 < 2^15). Biased bytes
// (0..255) go back to signed, and their sign moves to the activation.
constexpr size_t kXBytes = 4;
constexpr bool kWideX = false;          // they are 8 bits wide: 15-bit activations take two planes
constexpr bool kBiasedIsSigned = true;
struct X { __m256i v; };
struct Acc { __m256i v; };
CRIA_INLINE X xload(const void* p) { return {_mm256_set1_epi32(load_i32(p))}; }
CRIA_INLINE void store_x(void* p, I a) { store_i8(p, a); }
CRIA_INLINE Acc dot_init(I init) { return {init.v}; }
CRIA_INLINE void dot_pairs(Acc& acc, __m256i u, __m256i s) {
  acc.v = _mm256_add_epi32(acc.v, _mm256_madd_epi16(_mm256_maddubs_epi16(u, s), _mm256_set1_epi16(1)));
}
CRIA_INLINE void dot_u7(Acc& acc, B w, X x) { dot_pairs(acc, w.v, x.v); }
CRIA_INLINE void dot_biased(Acc& acc, B w, X x) {
  const __m256i s = _mm256_xor_si256(w.v, _mm256_set1_epi8((char)0x80));
  dot_pairs(acc, _mm256_abs_epi8(s), _mm256_sign_epi8(x.v, s));
}
CRIA_INLINE I dot_sum(Acc acc) { return {acc.v}; }

constexpr int kQuantVecs = 2, kQuantTokens[2] = {4, 2};
constexpr int kFloatVecs = 2, kFloatTokens = 6;

}  // namespace cria::CRIA_ISA
