// What the tile kernels of matrix products share. Packing: any orientation becomes what a tile kernel reads, words along k,
// rounded to bf16 where asked. And the edges of C.
#pragma once
#include "float-kernels.h"

namespace cria::CRIA_ISA {

constexpr size_t kMatmulK = W == 16 ? 384 : 256;             // words of k at a time: a B panel streams through L1
constexpr size_t kMatmulN = 512 / kFloatRows * kFloatRows;   // B block: 512 or 768 KB, in L2
constexpr size_t kMatmulM = (size_t)FT * 12;                 // A block: streams through L2

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

// W words of one column of packed values, from vectors of two neighbouring k (`odd` only for pairs).
template <Words words> CRIA_INLINE F packed_words(F even, F odd) {
  if constexpr (words == Words::rounded) return round_to_bf16(even);
#if defined(CRIA_BF16_DOT)
  if constexpr (words == Words::pairs) return floats(zip_bf16(even, odd));
#endif
  (void)odd;
  return even;
}
template <Words words> constexpr size_t kPerWord = words == Words::pairs ? 2 : 1;

// `rows` vectors from `row` on, n elements each from k0 on, in tiles of `slots` vectors `tile_words` apart; column k of a
// tile is `slots` words. Slots past `rows` are zero. With fewer slots than W, a store runs into the next column, which is
// written next.
template <Words words>
static void pack_across(float* dst, size_t slots, size_t tile_words, const Source& s, size_t row, size_t rows, size_t k0, size_t n) {
  constexpr size_t per = kPerWord<words>;
  const size_t columns = div_up(n, per);
  for (size_t k = 0; k < columns; k++) {
    const size_t at = (k0 + k * per) * s.ld + row;
    const bool odd = per == 2 && k * per + 1 < n, last = k + 1 == columns;
    for (size_t tile = 0; tile < rows; tile += slots) {
      float* out = dst + tile / slots * tile_words + k * slots;
      for (size_t i = 0; i < slots; i += W) {
        const size_t left = tile + i < rows ? rows - tile - i : 0;
        const F even = load_as_f32_n(s.type, s.data, at + tile + i, left);
        const F value = packed_words<words>(even, odd ? load_as_f32_n(s.type, s.data, at + s.ld + tile + i, left) : fzero());
        if (last && i + W > slots) fstore_n(out + i, value, slots - i);
        else fstore(out + i, value);
      }
    }
  }
}

// W neighbouring words along k of one vector.
template <Words words> CRIA_INLINE F load_words(const Source& s, size_t at) {
#if defined(CRIA_BF16_DOT)
  if constexpr (words == Words::pairs) return floats(pairs_bf16(load_as_f32(s.type, s.data, at), load_as_f32(s.type, s.data, at + W)));
#endif
  return packed_words<words>(load_as_f32(s.type, s.data, at), fzero());
}
// One word; `two`: its second half exists.
template <Words words> CRIA_INLINE float load_word(const Source& s, size_t at, bool two) {
  float word[W];
  fstore(word, packed_words<words>(load_as_f32_n(s.type, s.data, at, 1), two ? load_as_f32_n(s.type, s.data, at + 1, 1) : fzero()));
  return word[0];
}

// The same for vectors that lie along k, by transposing W×W words in registers; the last columns go one by one.
template <Words words>
static void pack_along(float* dst, size_t slots, size_t tile_words, const Source& s, size_t row, size_t rows, size_t k0, size_t n) {
  constexpr size_t per = kPerWord<words>;
  const size_t columns = div_up(n, per);
  for (size_t tile = 0; tile < rows; tile += slots) {
    float* out = dst + tile / slots * tile_words;
    const size_t here = min_of(slots, rows - tile);
    size_t k = 0;
    for (; (k + W) * per <= n && k + W < columns; k += W) {
      for (size_t i = 0;; i = min_of(i + W, slots - W)) {
        F v[W];
        for (size_t j = 0; j < (size_t)W; j++) {
          v[j] = i + j < here ? load_words<words>(s, (row + tile + i + j) * s.ld + k0 + k * per) : fzero();
        }
        transpose(v);
        for (size_t j = 0; j < (size_t)W; j++) fstore(out + (k + j) * slots + i, v[j]);
        if (i + W >= slots) break;
      }
    }
    for (; k < columns; k++) {
      for (size_t i = 0; i < slots; i++) {
        const size_t at = (row + tile + i) * s.ld + k0 + k * per;
        out[k * slots + i] = i < here ? load_word<words>(s, at, k * per + 1 < n) : 0.0f;
      }
    }
  }
}

template <Words words>
CRIA_INLINE void pack_source(float* dst, size_t slots, size_t tile_words, const Source& s, size_t row, size_t rows, size_t k0, size_t n) {
  if (s.along_k) pack_along<words>(dst, slots, tile_words, s, row, rows, k0, n);
  else pack_across<words>(dst, slots, tile_words, s, row, rows, k0, n);
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
