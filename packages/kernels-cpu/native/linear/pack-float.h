// What the tile kernels of matrix products share. Packing: any orientation becomes what a tile kernel reads, words along k,
// rounded to bf16 where asked. And the edges of C.
#pragma once
#include "float-kernels.h"

namespace cria::CRIA_ISA {

constexpr size_t kMatmulK = W == 16 ? 192 : 256;             // words of k at a time: a B panel streams through L1
constexpr size_t kMatmulN = (W == 16 ? 768 : 512) / kFloatRows * kFloatRows;  // B block: about 550 KB, in L2
constexpr size_t kMatmulM = (size_t)FT * (W == 16 ? 24 : 12);  // A block: at most 300 KB, streams through L2
constexpr size_t kTileSlots = ((size_t)FT + W - 1) / W * W;  // words of a column of a slice of A
// Words from a panel of B, or a slice of A, to the next. A line more than they hold: powers of two share the sets of L1.
constexpr size_t kPanelWords = kMatmulK * kFloatRows + 16, kSliceWords = kMatmulK * kTileSlots + 16;
constexpr size_t kPackedB = kMatmulN / kFloatRows * kPanelWords, kPackedA = kMatmulM / FT * kSliceWords;

// What packed operands hold in a 32-bit word: a value, a value that is rounded to bf16, or two bf16 of neighbouring k.
enum class Words { values, rounded, pairs };

// The operand as vectors along k: element k of vector i at data[i·ld + k] (along_k) or data[k·ld + i].
struct Source { const void* data; Dtype type; size_t ld; bool along_k; };

CRIA_INLINE F load_as_f32(Dtype type, const void* p, size_t i) {
  if (type == kF32) return fload((const float*)p + i);
  return type == kF16 ? load_f16((const uint16_t*)p + i) : load_bf16((const uint16_t*)p + i);
}
CRIA_INLINE F load_as_f32_n(Dtype type, const void* p, size_t i, size_t n) {
  if (n >= W) return load_as_f32(type, p, i);
  if (n == 0) return fzero();
  if (type == kF32) return fload_n((const float*)p + i, n);
  return type == kF16 ? load_f16_n((const uint16_t*)p + i, n) : load_bf16_n((const uint16_t*)p + i, n);
}
CRIA_INLINE F round_to_bf16(F x) {
  uint16_t h[W];
  store_bf16(h, x);
  return load_bf16(h);
}

template <Words words> constexpr size_t kPerWord = words == Words::pairs ? 2 : 1;

// W values from element i on; what is rounded anyway is not rounded again.
template <Words words, Dtype type> CRIA_INLINE F load_values(const void* p, size_t i, size_t n) {
  const F x = load_as_f32_n(type, p, i, n);
  return words == Words::rounded && type != kBF16 ? round_to_bf16(x) : x;
}

// W words from n elements that lie side by side along k.
template <Words words, Dtype type> CRIA_INLINE F words_along(const void* p, size_t i, size_t n) {
#if defined(CRIA_BF16_DOT)
  if constexpr (words == Words::pairs) {
    if (type == kBF16 && n >= 2 * W) return fload((const float*)((const uint16_t*)p + i));
    return floats(pairs_bf16(load_as_f32_n(type, p, i, n), load_as_f32_n(type, p, i + W, n > W ? n - W : 0)));
  }
#endif
  return load_values<words, type>(p, i, n);
}

// W words across vectors from n elements at i, and of pairs as many at `odd`, their neighbours along k; `two`: there are such.
template <Words words, Dtype type> CRIA_INLINE F words_across(const void* p, size_t i, size_t odd, size_t n, bool two) {
#if defined(CRIA_BF16_DOT)
  if constexpr (words == Words::pairs && type == kBF16) {
    if (n >= W && two) return floats(zip_bf16((const uint16_t*)p + i, (const uint16_t*)p + odd));
  }
  if constexpr (words == Words::pairs) return floats(zip_bf16(load_as_f32_n(type, p, i, n), two ? load_as_f32_n(type, p, odd, n) : fzero()));
#endif
  (void)odd, (void)two;
  return load_values<words, type>(p, i, n);
}

constexpr size_t kAhead = 4;

// What to pack: `rows` vectors from `row` on, n elements each from k0 on.
struct Piece { size_t row, rows, k0, n; };

// In tiles of `step` vectors, `tile_words` apart; column k of a tile is `slots` words, a multiple of W and at least `step`.
// Slots past the last vector are zero, those between two tiles anything. Rows of a narrow piece are too short for the
// hardware to foresee, so what comes kAhead columns later is fetched here.
template <Words words, Dtype type>
static void pack_across(float* dst, size_t step, size_t slots, size_t tile_words, const Source& s, Piece p) {
  constexpr size_t per = kPerWord<words>;
  const size_t columns = div_up(p.n, per);
  for (size_t k = 0; k < columns; k++) {
    const size_t at = (p.k0 + k * per) * s.ld + p.row;
    const bool two = k * per + 1 < p.n;
    const uint8_t* ahead = (const uint8_t*)s.data + (at + kAhead * per * s.ld) * block_bytes(type);
    float* out = dst + k * slots;
    for (size_t tile = 0; tile < p.rows; tile += step, out += tile_words) {
      for (size_t i = 0; i < slots; i += W) {
        const size_t left = tile + i < p.rows ? p.rows - tile - i : 0;
        for (size_t next = 0; next < per; next++) __builtin_prefetch(ahead + (next * s.ld + tile + i) * block_bytes(type));
        fstore(out + i, words_across<words, type>(s.data, at + tile + i, at + s.ld + tile + i, left, two));
      }
    }
  }
}

// The same for vectors that lie along k, where step = slots: by transposing W×W words in registers.
template <Words words, Dtype type>
static void pack_along(float* dst, size_t slots, size_t tile_words, const Source& s, Piece p) {
  constexpr size_t per = kPerWord<words>;
  const size_t columns = div_up(p.n, per);
  for (size_t group = 0; group < div_up(p.rows, slots) * slots; group += W) {
    float* out = dst + group / slots * tile_words + group % slots;
    const size_t here = group < p.rows ? min_of(W, p.rows - group) : 0;
    for (size_t k = 0; k < columns; k += W) {
      const size_t at = (p.row + group) * s.ld + p.k0 + k * per, left = p.n - k * per;
      F v[W];
      if (here == W && left >= W * per) {
        CRIA_UNROLL for (size_t j = 0; j < (size_t)W; j++) v[j] = words_along<words, type>(s.data, at + j * s.ld, W * per);
      } else {
        for (size_t j = 0; j < (size_t)W; j++) v[j] = j < here ? words_along<words, type>(s.data, at + j * s.ld, left) : fzero();
      }
      transpose(v);
      const size_t made = min_of(W, columns - k);
      for (size_t j = 0; j < made; j++) fstore(out + (k + j) * slots, v[j]);
    }
  }
}

// In tiles of `step` vectors that stay as they are, kMatmulK words apart; those that a tile lacks are zero.
template <Words words, Dtype type>
static void pack_rows(float* dst, size_t step, size_t tile_words, const Source& s, Piece p) {
  constexpr size_t wide = W * kPerWord<words>;
  for (size_t i = 0; i < div_up(p.rows, step) * step; i++) {
    float* out = dst + i / step * tile_words + i % step * kMatmulK;
    if (i >= p.rows) {
      __builtin_memset(out, 0, div_up(p.n, kPerWord<words>) * sizeof(float));
      continue;
    }
    const size_t at = (p.row + i) * s.ld + p.k0;
    size_t k = 0;
    for (; k + wide <= p.n; k += wide, out += W) fstore(out, words_along<words, type>(s.data, at + k, wide));
    if (k < p.n) fstore(out, words_along<words, type>(s.data, at + k, p.n - k));
  }
}

template <class Fn> CRIA_INLINE void with_type(Dtype type, Fn fn) {
  if (type == kF32) fn(Int<kF32>{});
  else if (type == kBF16) fn(Int<kBF16>{});
  else fn(Int<kF16>{});
}

// B as panels of kFloatRows columns, `panel_words` apart.
template <Words words> static void pack_b(float* dst, size_t panel_words, const Source& s, Piece p) {
  with_type(s.type, [&](auto type) CRIA_FLAT {
    constexpr Dtype t = (Dtype)type.value;
    if (s.along_k) pack_along<words, t>(dst, kFloatRows, panel_words, s, p);
    else pack_across<words, t>(dst, kFloatRows, kFloatRows, panel_words, s, p);
  });
}

// A as slices of FT rows, kSliceWords apart. The kernels take single words of it, from rows as well as from columns, so
// nothing is transposed.
template <Words words> static void pack_a(float* dst, const Source& s, Piece p) {
  with_type(s.type, [&](auto type) CRIA_FLAT {
    constexpr Dtype t = (Dtype)type.value;
    if (s.along_k) pack_rows<words, t>(dst, FT, kSliceWords, s, p);
    else pack_across<words, t>(dst, FT, kTileSlots, kSliceWords, s, p);
  });
}

// A tile of rows × cols of C at `to`, of which the kernel makes `whole` with `wide` columns: in place, or where less is left
// by way of `edge`.
template <class Kernel>
CRIA_INLINE void on_tile(float* to, size_t ldc, size_t rows, size_t cols, size_t whole, size_t wide, bool fresh, float* edge, Kernel kernel) {
  if (rows == whole && cols == wide) return kernel(to, ldc);
  for (size_t r = 0; r < rows && !fresh; r++) {
    for (size_t q = 0; q < cols; q++) edge[r * wide + q] = to[r * ldc + q];
  }
  kernel(edge, wide);
  for (size_t r = 0; r < rows; r++) {
    for (size_t q = 0; q < cols; q++) to[r * ldc + q] = edge[r * wide + q];
  }
}

}  // namespace cria::CRIA_ISA
