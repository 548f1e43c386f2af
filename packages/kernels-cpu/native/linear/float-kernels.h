// Products of float weights (f32, f16, bf16) with f32 activations, and of bf16 weights with bf16 activations where the
// CPU has a dot product for them. Each output element is one chain of fused multiply-adds along the columns, in order.
// The tile kernels are also those of matmul.h.
#pragma once
#include "quant-kernels.h"

namespace cria::CRIA_ISA {

constexpr int FR = kFloatVecs, FT = kFloatTokens;
constexpr size_t kFloatRows = (size_t)FR * W;

// Adds n products to T rows of FR vectors of sums, ld floats apart (`fresh`: starting from zero). Column k of vector r is at w[r] + k·step; activation t of column k at x[k·stride + t·across].
template <int T, size_t across = 1>
static inline void float_tile(const float* const (&w)[FR], size_t step, const float* x, size_t stride, size_t n, float* sums, size_t ld,
                           bool fresh) {
  F acc[T][FR];
  if (fresh) static_for<T>([&](auto t) CRIA_FLAT { static_for<FR>([&](auto r) CRIA_FLAT { acc[t][r] = fzero(); }); });
  else static_for<T>([&](auto t) CRIA_FLAT { static_for<FR>([&](auto r) CRIA_FLAT { acc[t][r] = fload(sums + t * ld + r * W); }); });
  const float* p[FR];
  static_for<FR>([&](auto r) CRIA_FLAT { p[r] = w[r]; });
  for (size_t k = 0; k < n; k++) {
    F v[FR];
    static_for<FR>([&](auto r) CRIA_FLAT {
      v[r] = fload(p[r]);
      p[r] += step;
    });
    static_for<T>([&](auto t) CRIA_FLAT {
      const F xt = fset(x[t * across]);
      static_for<FR>([&](auto r) CRIA_FLAT { acc[t][r] = fma(v[r], xt, acc[t][r]); });
    });
    x += stride;
  }
  static_for<T>([&](auto t) CRIA_FLAT { static_for<FR>([&](auto r) CRIA_FLAT { fstore(sums + t * ld + r * W, acc[t][r]); }); });
}

#if defined(CRIA_BF16_DOT)
// The same on pairs of bf16 columns: pair k of vector r at w[r] + k·step bytes, activations as 32-bit words.
template <int T, size_t across = 1>
static inline void bf16_tile(const uint8_t* const (&w)[FR], size_t step, const uint32_t* x, size_t stride, size_t n, float* sums, size_t ld,
                           bool fresh) {
  F acc[T][FR];
  if (fresh) static_for<T>([&](auto t) CRIA_FLAT { static_for<FR>([&](auto r) CRIA_FLAT { acc[t][r] = fzero(); }); });
  else static_for<T>([&](auto t) CRIA_FLAT { static_for<FR>([&](auto r) CRIA_FLAT { acc[t][r] = fload(sums + t * ld + r * W); }); });
  const uint8_t* p[FR];
  static_for<FR>([&](auto r) CRIA_FLAT { p[r] = w[r]; });
  for (size_t k = 0; k < n; k++) {
    B v[FR];
    static_for<FR>([&](auto r) CRIA_FLAT {
      v[r] = bload(p[r]);
      p[r] += step;
    });
    static_for<T>([&](auto t) CRIA_FLAT {
      const X xt = xload(x + t * across);
      static_for<FR>([&](auto r) CRIA_FLAT { acc[t][r] = dot_bf16(acc[t][r], v[r], xt); });
    });
    x += stride;
  }
  static_for<T>([&](auto t) CRIA_FLAT { static_for<FR>([&](auto r) CRIA_FLAT { fstore(sums + t * ld + r * W, acc[t][r]); }); });
}
#endif

template <Dtype type> CRIA_INLINE size_t float_group_bytes(size_t cols) {
  return (type == kBF16 ? div_up(cols, 2) * 2 : cols) * block_bytes(type) * kGroupRows;
}

// Column k (bf16: also column k+1 in `odd`) of W rows as floats.
template <Dtype type> CRIA_INLINE F load_column(const uint8_t* p) {
  if constexpr (type == kF32) return fload((const float*)p);
  else return load_f16(p);
}
CRIA_INLINE F bf16_even(B pairs) { return floats(shl<16>(as_i(pairs))); }
CRIA_INLINE F bf16_odd(B pairs) { return floats(as_i(pairs) & iset((int32_t)0xffff0000)); }

// Few tokens: G row groups at a time, so that enough independent chains hide the latency of the multiply-add.
template <Dtype type, int T, int G>
static void float_direct(const LinearArgs& a, size_t group, const void* activations) {
  const size_t size = float_group_bytes<type>(a.cols);
  const uint8_t* p[G];
  for (int g = 0; g < G; g++) p[g] = (const uint8_t*)a.w + (group + g) * size;
  const float* x = (const float*)activations;
  F acc[G][kVecs][T];
  static_for<G>([&](auto g) CRIA_FLAT { static_for<kVecs>([&](auto s) CRIA_FLAT { static_for<T>([&](auto t) CRIA_FLAT { acc[g][s][t] = fzero(); }); }); });
  if constexpr (type == kBF16) {
    for (size_t k = 0; k + 1 < a.cols; k += 2, x += 2 * T) {
      static_for<G>([&](auto g) CRIA_FLAT {
        static_for<kVecs>([&](auto s) CRIA_FLAT {
          const B pairs = bload(p[g] + s * 4 * W);
          const F even = bf16_even(pairs), odd = bf16_odd(pairs);
          static_for<T>([&](auto t) CRIA_FLAT { acc[g][s][t] = fma(odd, fset(x[T + t]), fma(even, fset(x[t]), acc[g][s][t])); });
        });
        p[g] += 64;
      });
    }
    if (a.cols & 1) {
      static_for<G>([&](auto g) CRIA_FLAT {
        static_for<kVecs>([&](auto s) CRIA_FLAT {
          const F even = bf16_even(bload(p[g] + s * 4 * W));
          static_for<T>([&](auto t) CRIA_FLAT { acc[g][s][t] = fma(even, fset(x[t]), acc[g][s][t]); });
        });
      });
    }
  } else {
    constexpr size_t step = block_bytes(type) * kGroupRows;
    for (size_t k = 0; k < a.cols; k++, x += T) {
      static_for<G>([&](auto g) CRIA_FLAT {
        static_for<kVecs>([&](auto s) CRIA_FLAT {
          const F w = load_column<type>(p[g] + s * W * block_bytes(type));
          static_for<T>([&](auto t) CRIA_FLAT { acc[g][s][t] = fma(w, fset(x[t]), acc[g][s][t]); });
        });
        p[g] += step;
      });
    }
  }
  for (int g = 0; g < G; g++) {
    for (int s = 0; s < kVecs; s++) {
      for (int t = 0; t < T; t++) write_rows(a, t, (group + g) * kGroupRows + s * W, acc[g][s][t]);
    }
  }
}

#if defined(CRIA_BF16_DOT)
template <int T, int G> static void bf16_direct(const LinearArgs& a, size_t group) {
  const size_t size = float_group_bytes<kBF16>(a.cols), pairs = div_up(a.cols, 2);
  const uint8_t* p = (const uint8_t*)a.w + group * size;
  const uint32_t* x = (const uint32_t*)a.activations;
  F acc[G][T];
  static_for<G>([&](auto g) CRIA_FLAT { static_for<T>([&](auto t) CRIA_FLAT { acc[g][t] = fzero(); }); });
  for (size_t k = 0; k < pairs; k++, x += T, p += 64) {
    static_for<G>([&](auto g) CRIA_FLAT {
      const B w = bload(p + g * size);
      static_for<T>([&](auto t) CRIA_FLAT { acc[g][t] = dot_bf16(acc[g][t], w, xload(x + t)); });
    });
  }
  for (int g = 0; g < G; g++) for (int t = 0; t < T; t++) write_rows(a, t, (group + g) * kGroupRows, acc[g][t]);
}
#endif

template <Dtype type, bool bf16_dot, int T> static void float_direct_range(const LinearArgs& a, Range r) {
  constexpr int G = kVecs >= 2 ? (T == 1 && kVecs < 4 ? 2 : 1) : T == 1 ? 4 : 1;
  size_t g = r.begin;
#if defined(CRIA_BF16_DOT)
  if constexpr (bf16_dot) {
    for (; g + G <= r.end; g += G) bf16_direct<T, G>(a, g);
    for (; g < r.end; g++) bf16_direct<T, 1>(a, g);
    return;
  }
#endif
  for (; g + G <= r.end; g += G) float_direct<type, T, G>(a, g, a.activations);
  for (; g < r.end; g++) float_direct<type, T, 1>(a, g, a.activations);
}

// Many tokens: rows of one tile × token tiles [tile_begin, tile_end). scratch: the decoded panel, then the sums.
template <Dtype type, bool bf16_dot>
static void float_rows(const LinearArgs& a, size_t row, size_t tile_begin, size_t tile_end, uint8_t* scratch) {
  float* panel = (float*)scratch;
  float* sums = panel + kFloatRows * kPanelCols;
  const size_t tile_floats = FT * kFloatRows, size = float_group_bytes<type>(a.cols);
  const size_t tiles = div_up(a.tokens, FT);
  const uint8_t* base[FR];
  for (int r = 0; r < FR; r++) {
    // Vectors past the last row repeat the first one; their sums are not written.
    const size_t first = row + (size_t)r * W < div_up(a.rows, kGroupRows) * kGroupRows ? row + (size_t)r * W : row;
    const size_t in_group = first % kGroupRows * block_bytes(type) * (type == kBF16 ? 2 : 1);
    base[r] = (const uint8_t*)a.w + first / kGroupRows * size + in_group;
  }
  for (size_t k = 0; k < a.cols; k += kPanelCols) {
    const size_t n = min_of(kPanelCols, a.cols - k);
    const float* w[FR];
    if constexpr (type == kF32) {
      for (int r = 0; r < FR; r++) w[r] = (const float*)base[r] + k * kGroupRows;
    } else if constexpr (!bf16_dot) {
      for (int r = 0; r < FR; r++) {
        w[r] = panel + r * W;
        const uint8_t* p = base[r] + k * 2 * kGroupRows;
        for (size_t i = 0; i < n; i++) {
          float* out = panel + i * kFloatRows + r * W;
          if constexpr (type == kF16) fstore(out, load_f16(p + i * 2 * kGroupRows));
          else {
            const B pairs = bload(p + i / 2 * 64);
            fstore(out, i % 2 == 0 ? bf16_even(pairs) : bf16_odd(pairs));
          }
        }
      }
    }
    for (size_t tile = tile_begin; tile < tile_end; tile++) {
      float* tile_sums = sums + (tile - tile_begin) * tile_floats;
      const size_t valid = a.tokens - tile * FT;
#if defined(CRIA_BF16_DOT)
      if constexpr (bf16_dot) {
        const uint8_t* pairs[FR];
        for (int r = 0; r < FR; r++) pairs[r] = base[r] + k / 2 * 64;
        const uint32_t* x = (const uint32_t*)a.activations + (k / 2 * tiles + tile * div_up(n, 2)) * FT;
        if (valid <= 4) bf16_tile<4>(pairs, 64, x, FT, div_up(n, 2), tile_sums, kFloatRows, k == 0);
        else if (valid <= 8 && FT > 8) bf16_tile<(FT > 8 ? 8 : FT)>(pairs, 64, x, FT, div_up(n, 2), tile_sums, kFloatRows, k == 0);
        else bf16_tile<FT>(pairs, 64, x, FT, div_up(n, 2), tile_sums, kFloatRows, k == 0);
        continue;
      }
#endif
      const float* x = (const float*)a.activations + (k * tiles + tile * n) * FT;
      const size_t step = type == kF32 ? kGroupRows : kFloatRows;
      if (valid <= 4) float_tile<4>(w, step, x, FT, n, tile_sums, kFloatRows, k == 0);
      else if (valid <= 8 && FT > 8) float_tile<(FT > 8 ? 8 : FT)>(w, step, x, FT, n, tile_sums, kFloatRows, k == 0);
      else float_tile<FT>(w, step, x, FT, n, tile_sums, kFloatRows, k == 0);
    }
  }
  for (size_t tile = tile_begin; tile < tile_end; tile++) {
    for (size_t t = 0; t < (size_t)FT; t++) {
      const float* from = sums + (tile - tile_begin) * tile_floats + t * kFloatRows;
      for (int r = 0; r < FR; r++) write_rows(a, tile * FT + t, row + r * W, fload(from + r * W));
    }
  }
}

static size_t float_thread_bytes(size_t tokens) {
  if (tokens <= kDirectTokens) return 0;
  return align_up((kPanelCols + div_up(tokens, FT) * FT) * kFloatRows * sizeof(float));
}

template <Dtype type, bool bf16_dot> static void compute_float(const LinearArgs& a, int thread, int n_threads) {
  if (a.tokens <= kDirectTokens) {
    const Range r = share(div_up(a.rows, kGroupRows), thread, n_threads);
    if (a.tokens == 1) float_direct_range<type, bf16_dot, 1>(a, r);
    else if constexpr (kDirectTokens > 1) float_direct_range<type, bf16_dot, kDirectTokens>(a, r);
    return;
  }
  uint8_t* scratch = (uint8_t*)a.thread_scratch + (size_t)thread * float_thread_bytes(a.tokens);
  const Grid grid = make_grid(div_up(a.rows, kFloatRows), div_up(a.tokens, FT), n_threads);
  const Range r = share(grid.row_tiles * grid.token_parts, thread, n_threads);
  for (size_t i = r.begin; i < r.end; i++) {
    const Range tiles = share(grid.token_tiles, (int)(i % grid.token_parts), (int)grid.token_parts);
    float_rows<type, bf16_dot>(a, i / grid.token_parts * kFloatRows, tiles.begin, tiles.end, scratch);
  }
}

}  // namespace cria::CRIA_ISA
