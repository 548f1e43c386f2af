// SIMD layer on AVX-512 F/BW/VL/DQ with VNNI (and BF16 where the compiler flags allow): W = 16.
#pragma once
#include <immintrin.h>

namespace cria::CRIA_ISA {

constexpr int W = 16;
struct F { __m512 v; };
struct I { __m512i v; };
struct B { __m512i v; };
struct M { __mmask16 v; };

CRIA_INLINE __mmask16 lanes(size_t n) { return (__mmask16)((1u << n) - 1); }

CRIA_INLINE F fload(const float* p) { return {_mm512_loadu_ps(p)}; }
CRIA_INLINE void fstore(float* p, F a) { _mm512_storeu_ps(p, a.v); }
CRIA_INLINE F fload_n(const float* p, size_t n) { return {_mm512_maskz_loadu_ps(lanes(n), p)}; }
CRIA_INLINE void fstore_n(float* p, F a, size_t n) { _mm512_mask_storeu_ps(p, lanes(n), a.v); }
CRIA_INLINE F fset(float x) { return {_mm512_set1_ps(x)}; }
CRIA_INLINE F fzero() { return {_mm512_setzero_ps()}; }
CRIA_INLINE F operator+(F a, F b) { return {_mm512_add_ps(a.v, b.v)}; }
CRIA_INLINE F operator-(F a, F b) { return {_mm512_sub_ps(a.v, b.v)}; }
CRIA_INLINE F operator*(F a, F b) { return {_mm512_mul_ps(a.v, b.v)}; }
CRIA_INLINE F operator/(F a, F b) { return {_mm512_div_ps(a.v, b.v)}; }
CRIA_INLINE F operator-(F a) { return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f))}; }
CRIA_INLINE F fma(F a, F b, F c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
CRIA_INLINE F fmax(F a, F b) { return {_mm512_max_ps(a.v, b.v)}; }
CRIA_INLINE F fmin(F a, F b) { return {_mm512_min_ps(a.v, b.v)}; }
CRIA_INLINE F fabs(F a) { return {_mm512_abs_ps(a.v)}; }
CRIA_INLINE F fsqrt(F a) { return {_mm512_sqrt_ps(a.v)}; }
#define CRIA_SCALE
CRIA_INLINE F fscale(F a, F n) { return {_mm512_scalef_ps(a.v, n.v)}; }
CRIA_INLINE F fround(F a) { return {_mm512_roundscale_ps(a.v, 8)}; }
CRIA_INLINE float fsum(F a) { return _mm512_reduce_add_ps(a.v); }
CRIA_INLINE float fmaxh(F a) { return _mm512_reduce_max_ps(a.v); }
CRIA_INLINE float fminh(F a) { return _mm512_reduce_min_ps(a.v); }
CRIA_INLINE M operator>(F a, F b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
CRIA_INLINE M operator<(F a, F b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
CRIA_INLINE M operator>=(F a, F b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
CRIA_INLINE M operator<=(F a, F b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
CRIA_INLINE M operator==(F a, F b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
CRIA_INLINE F select(M m, F a, F b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }

// v[i][j] becomes v[j][i].
CRIA_INLINE void transpose(F (&v)[16]) {
  __m512 a[16], b[16];
  CRIA_UNROLL for (int i = 0; i < 8; i++) {
    a[2 * i] = _mm512_unpacklo_ps(v[2 * i].v, v[2 * i + 1].v);
    a[2 * i + 1] = _mm512_unpackhi_ps(v[2 * i].v, v[2 * i + 1].v);
  }
  CRIA_UNROLL for (int i = 0; i < 4; i++) {
    CRIA_UNROLL for (int h = 0; h < 2; h++) {
      const __m512d x = _mm512_castps_pd(a[4 * i + h]), y = _mm512_castps_pd(a[4 * i + 2 + h]);
      b[4 * i + 2 * h] = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y));
      b[4 * i + 2 * h + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
    }
  }
  CRIA_UNROLL for (int i = 0; i < 4; i++) {
    const __m512 p = _mm512_shuffle_f32x4(b[i], b[4 + i], 0x88), q = _mm512_shuffle_f32x4(b[i], b[4 + i], 0xdd);
    const __m512 r = _mm512_shuffle_f32x4(b[8 + i], b[12 + i], 0x88), s = _mm512_shuffle_f32x4(b[8 + i], b[12 + i], 0xdd);
    v[i].v = _mm512_shuffle_f32x4(p, r, 0x88);
    v[8 + i].v = _mm512_shuffle_f32x4(p, r, 0xdd);
    v[4 + i].v = _mm512_shuffle_f32x4(q, s, 0x88);
    v[12 + i].v = _mm512_shuffle_f32x4(q, s, 0xdd);
  }
}

CRIA_INLINE I iload(const void* p) { return {_mm512_loadu_si512(p)}; }
CRIA_INLINE void istore(void* p, I a) { _mm512_storeu_si512(p, a.v); }
CRIA_INLINE I iset(int32_t x) { return {_mm512_set1_epi32(x)}; }
CRIA_INLINE I operator+(I a, I b) { return {_mm512_add_epi32(a.v, b.v)}; }
CRIA_INLINE I operator-(I a, I b) { return {_mm512_sub_epi32(a.v, b.v)}; }
CRIA_INLINE I operator*(I a, I b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
CRIA_INLINE I operator&(I a, I b) { return {_mm512_and_si512(a.v, b.v)}; }
CRIA_INLINE I operator|(I a, I b) { return {_mm512_or_si512(a.v, b.v)}; }
CRIA_INLINE I operator^(I a, I b) { return {_mm512_xor_si512(a.v, b.v)}; }
template <int n> CRIA_INLINE I shl(I a) { return {_mm512_slli_epi32(a.v, n)}; }
template <int n> CRIA_INLINE I shr(I a) { return {_mm512_srli_epi32(a.v, n)}; }
template <int n> CRIA_INLINE I sar(I a) { return {_mm512_srai_epi32(a.v, n)}; }
CRIA_INLINE M operator>(I a, I b) { return {_mm512_cmpgt_epi32_mask(a.v, b.v)}; }
CRIA_INLINE M operator==(I a, I b) { return {_mm512_cmpeq_epi32_mask(a.v, b.v)}; }
CRIA_INLINE I select(M m, I a, I b) { return {_mm512_mask_blend_epi32(m.v, b.v, a.v)}; }
CRIA_INLINE I to_i(F a) { return {_mm512_cvtps_epi32(a.v)}; }
CRIA_INLINE F to_f(I a) { return {_mm512_cvtepi32_ps(a.v)}; }
CRIA_INLINE I bits(F a) { return {_mm512_castps_si512(a.v)}; }
CRIA_INLINE F floats(I a) { return {_mm512_castsi512_ps(a.v)}; }
CRIA_INLINE I widen_u8(const void* p) { return {_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p))}; }
CRIA_INLINE I widen_i8(const void* p) { return {_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i*)p))}; }

CRIA_INLINE void store_i8(void* p, I a) { _mm_storeu_si128((__m128i*)p, _mm512_cvtsepi32_epi8(a.v)); }

CRIA_INLINE F load_f16(const void* p) { return {_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p))}; }
CRIA_INLINE F load_f16_n(const void* p, size_t n) {
  return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(lanes(n), p))};
}
CRIA_INLINE __m256i f16_bits(F a) { return _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT); }
CRIA_INLINE void store_f16(void* p, F a) { _mm256_storeu_si256((__m256i*)p, f16_bits(a)); }
CRIA_INLINE void store_f16_n(void* p, F a, size_t n) { _mm256_mask_storeu_epi16(p, lanes(n), f16_bits(a)); }
CRIA_INLINE F bf16_floats(__m256i h) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16))};
}
CRIA_INLINE F load_bf16(const void* p) { return bf16_floats(_mm256_loadu_si256((const __m256i*)p)); }
CRIA_INLINE F load_bf16_n(const void* p, size_t n) { return bf16_floats(_mm256_maskz_loadu_epi16(lanes(n), p)); }
// Integer rounding instead of vcvtneps2bf16, which flushes denormals: the same bits on every instruction set.
CRIA_INLINE __m256i bf16_bits(F a) {
  const __m512i u = _mm512_castps_si512(a.v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __mmask16 nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
  const __m512i quiet = _mm512_or_si512(u, _mm512_set1_epi32(0x400000));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_blend_epi32(nan, rounded, quiet), 16));
}
CRIA_INLINE void store_bf16(void* p, F a) { _mm256_storeu_si256((__m256i*)p, bf16_bits(a)); }
CRIA_INLINE void store_bf16_n(void* p, F a, size_t n) { _mm256_mask_storeu_epi16(p, lanes(n), bf16_bits(a)); }

CRIA_INLINE B bload(const void* p) { return {_mm512_loadu_si512(p)}; }
CRIA_INLINE void bstore(void* p, B a) { _mm512_storeu_si512(p, a.v); }
CRIA_INLINE B bset(uint8_t x) { return {_mm512_set1_epi8((char)x)}; }
CRIA_INLINE B operator&(B a, B b) { return {_mm512_and_si512(a.v, b.v)}; }
CRIA_INLINE B operator|(B a, B b) { return {_mm512_or_si512(a.v, b.v)}; }
CRIA_INLINE B operator^(B a, B b) { return {_mm512_xor_si512(a.v, b.v)}; }
template <int n> CRIA_INLINE B bshl(B a) { return {_mm512_slli_epi16(a.v, n)}; }
template <int n> CRIA_INLINE B bshr(B a) { return {_mm512_srli_epi16(a.v, n)}; }
CRIA_INLINE I as_i(B a) { return {a.v}; }
// Looks up 4·W nibbles (0..15) in a table of 16 bytes.
CRIA_INLINE B blookup(const uint8_t* table, B idx) {
  return {_mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)table)), idx.v)};
}

// Dot products of W rows × 4 columns of weight bytes with 4 activations: vpdpbusd, weights unsigned.
constexpr size_t kXBytes = 4;          // bytes that hold 4 activations
constexpr bool kWideX = false;          // they are 8 bits wide: 15-bit activations take two planes
constexpr bool kBiasedIsSigned = false; // dot_biased gives Σ w·x of the biased byte w (true: of w - 128)
struct X { __m512i v; };
struct Acc { __m512i v; };
CRIA_INLINE X xload(const void* p) { return {_mm512_set1_epi32(load_i32(p))}; }
CRIA_INLINE void store_x(void* p, I a) { store_i8(p, a); }
CRIA_INLINE Acc dot_init(I init) { return {init.v}; }
CRIA_INLINE void dot_u7(Acc& acc, B w, X x) { acc.v = _mm512_dpbusd_epi32(acc.v, w.v, x.v); }
CRIA_INLINE void dot_biased(Acc& acc, B w, X x) { acc.v = _mm512_dpbusd_epi32(acc.v, w.v, x.v); }
CRIA_INLINE I dot_sum(Acc acc) { return {acc.v}; }

// Tile shapes: 16 rows are one vector here.
constexpr int kQuantVecs = 4, kQuantTokens[2] = {4, 3};  // for one and two planes: measured best, 24 sums leave no room to overlap blocks
constexpr int kFloatVecs = 2, kFloatTokens = 14;  // 28 sums, 2 weights, 1 activation

#if defined(__AVX512BF16__)
#define CRIA_BF16_DOT 1
#if defined(__AMX_BF16__)
#define CRIA_TILES 1
#endif
// acc[r] += w[r][0]·x[0] + w[r][1]·x[1] of bf16 pairs.
// Words of neighbours (lo[0], lo[1]), …, (hi[W-2], hi[W-1]), and of (even[i], odd[i]), rounded to nearest even.
CRIA_INLINE I pairs_bf16(F lo, F hi) { return {(__m512i)_mm512_cvtne2ps_pbh(hi.v, lo.v)}; }
// Halves 0, 16, 1, 17, …
CRIA_INLINE I zip_halves(__m512i halves) {
  const __m512i each = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i order = _mm512_add_epi32(_mm512_mullo_epi32(each, _mm512_set1_epi32(0x10001)), _mm512_set1_epi32(0x100000));
  return {_mm512_permutexvar_epi16(order, halves)};
}
CRIA_INLINE I zip_bf16(F even, F odd) { return zip_halves((__m512i)_mm512_cvtne2ps_pbh(odd.v, even.v)); }
CRIA_INLINE I zip_bf16(const uint16_t* even, const uint16_t* odd) {
  const __m512i low = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i*)even));
  return zip_halves(_mm512_inserti64x4(low, _mm256_loadu_si256((const __m256i*)odd), 1));
}
CRIA_INLINE void narrow_bf16(void* p, F a) { _mm256_storeu_si256((__m256i*)p, (__m256i)_mm512_cvtneps_pbh(a.v)); }
CRIA_INLINE void narrow_bf16_n(void* p, F a, size_t n) { _mm256_mask_storeu_epi16(p, lanes(n), (__m256i)_mm512_cvtneps_pbh(a.v)); }
CRIA_INLINE F dot_bf16(F acc, B w, X x) { return {_mm512_dpbf16_ps(acc.v, (__m512bh)w.v, (__m512bh)x.v)}; }
#endif

}  // namespace cria::CRIA_ISA
