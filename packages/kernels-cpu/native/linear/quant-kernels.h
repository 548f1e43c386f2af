// Products of quantised weights with int8 activations. Two forms with the same arithmetic, so the same bits:
//   direct: a few tokens; weight lines are decoded in registers and used at once (decode: bound by memory);
//   panel: many tokens; a tile of rows × kPanelCols columns is decoded once into cached bytes, then used for all tokens.
// For each 32 columns: v = Σ_half dot·scale (+ Σ_half minimum·Σx), sum = v·d + sum, one chain per output element.
#pragma once
#include "activations.h"

namespace cria::CRIA_ISA {

// Weight bytes are (value + offset): the dot product starts at -offset·Σx. Where biased bytes are turned back to signed
// ones there is nothing to take away.
template <class D> constexpr int start_offset() { return D::kBiased && kBiasedIsSigned ? 0 : D::kOffset; }

template <bool biased> CRIA_INLINE void dot(Acc& acc, B w, X x) {
  if constexpr (biased) dot_biased(acc, w, x);
  else dot_u7(acc, w, x);
}

// The integer sums of one output: one register for each plane of activations.
template <int P> struct Sums { Acc plane[P]; };
template <int P> CRIA_INLINE Sums<P> sums_init(I start) {
  Sums<P> s;
  s.plane[P - 1] = dot_init(start);
  if constexpr (P == 2) s.plane[0] = dot_init(iset(0));
  return s;
}
template <int P> CRIA_INLINE I sums_total(const Sums<P>& s) {
  if constexpr (P == 2) return shl<7>(dot_sum(s.plane[0])) + dot_sum(s.plane[1]);
  else return dot_sum(s.plane[0]);
}
template <int P> CRIA_INLINE X x_at(const uint8_t* x, int plane, int j) {
  return xload(x + sizeof(XHead) + plane * plane_bytes + j * kXBytes);
}

CRIA_INLINE const XHead& head_of(const uint8_t* x) { return *(const XHead*)x; }

// ---- direct --------------------------------------------------------------------------------------------------------

template <class D, int P, int b, int T>
CRIA_INLINE void direct_block(const uint8_t* p, int s, const typename D::State& st, const uint8_t* x, F (&sum)[T]) {
  constexpr size_t kXBlock = x_block(P);
  Sums<P> acc[D::kSub][T];
  static_for<D::kSub>([&](auto h) CRIA_FLAT {
    static_for<T>([&](auto t) CRIA_FLAT {
      const XHead& head = head_of(x + t * kXBlock);
      const int32_t nsum = D::kSub == 1 ? head.nsum : head.nsum16[h];
      acc[h][t] = sums_init<P>(start_offset<D>() == 0 ? iset(0) : iset(nsum * start_offset<D>()));
    });
  });
  static_for<8>([&](auto j) CRIA_FLAT {
    const B w = D::template line<b, j>(p, s);
    static_for<T>([&](auto t) CRIA_FLAT {
      static_for<P>([&](auto q) CRIA_FLAT { dot<D::kBiased>(acc[j * D::kSub / 8][t].plane[q], w, x_at<P>(x + t * kXBlock, q, j)); });
    });
  });
  static_for<T>([&](auto t) CRIA_FLAT {
    const XHead& head = head_of(x + t * kXBlock);
    F v = to_f(sums_total(acc[0][t])) * D::template scale<b>(st, 0);
    if constexpr (D::kSub == 2) v = fma(to_f(sums_total(acc[1][t])), D::template scale<b>(st, 1), v);
    if constexpr (D::kMin && D::kSub == 1) v = fma(D::template minimum<b>(st, 0), fset(head.fsum), v);
    if constexpr (D::kMin && D::kSub == 2) {
      v = fma(D::template minimum<b>(st, 0), fset(head.fsum16[0]), v);
      v = fma(D::template minimum<b>(st, 1), fset(head.fsum16[1]), v);
    }
    sum[t] = fma(v, fset(head.d), sum[t]);
  });
}

// Writes W sums of token t, rows from `row`: bias and residual are added here.
CRIA_INLINE void write_rows(const LinearArgs& a, size_t t, size_t row, F v) {
  if (t >= a.tokens || row >= a.rows) return;
  float* y = a.y + t * a.y_stride + row;
  const size_t n = a.rows - row;
  if (n >= (size_t)W) {
    if (a.bias) v = v + fload(a.bias + row);
    if (a.flags & kLinearAccumulate) v = v + fload(y);
    fstore(y, v);
  } else {
    if (a.bias) v = v + fload_n(a.bias + row, n);
    if (a.flags & kLinearAccumulate) v = v + fload_n(y, n);
    fstore_n(y, v, n);
  }
}

// One group of rows times one tile of T tokens. Blocks go by panels, in which the tiles of activations lie in turn.
template <class D, int P, int T>
CRIA_INLINE void direct_tile(const LinearArgs& a, const uint8_t* p, size_t g, size_t tile, size_t tiles) {
  constexpr size_t kStep = (size_t)D::kBlocks * T * x_block(P);
  const size_t packed_blocks = a.cols / 32 / D::kBlocks;
  const size_t in_panel = tiles == 1 ? packed_blocks : kPanelCols / 32 / D::kBlocks;
  F sum[kVecs][T];
  for (int s = 0; s < kVecs; s++) for (int t = 0; t < T; t++) sum[s][t] = fzero();
  for (size_t panel = 0; panel < packed_blocks; panel += in_panel) {
    const size_t n = min_of(in_panel, packed_blocks - panel);
    const uint8_t* x = (const uint8_t*)a.activations + (panel * tiles + tile * n) * kStep;
    for (size_t i = 0; i < n; i++, p += D::kBytes, x += kStep) {
#if !defined(__wasm__)
      // Decode is one long stream; the hardware prefetcher alone stops at 4 KiB pages.
      static_for<(D::kBytes + 63) / 64>([&](auto i) CRIA_FLAT { __builtin_prefetch(p + 4096 + i * 64); });
#endif
      auto one = [&](int s) CRIA_FLAT {
        const auto st = D::open(p, s);
        static_for<D::kBlocks>([&](auto b) CRIA_FLAT { direct_block<D, P, b, T>(p, s, st, x + b * T * x_block(P), sum[s]); });
      };
      for (int s = 0; s < kVecs; s++) one(s);
    }
  }
  for (int s = 0; s < kVecs; s++)
    for (int t = 0; t < T; t++) write_rows(a, tile * T + t, g * kGroupRows + s * W, sum[s][t]);
}

template <class D, int P, int T> static void direct_groups(const LinearArgs& a, size_t begin, size_t end) {
  const size_t bytes = a.cols / 32 / D::kBlocks * D::kBytes;
  const size_t tiles = T == 1 ? 1 : div_up(a.tokens, T);
  for (size_t g = begin; g < end; g++)
    for (size_t tile = 0; tile < tiles; tile++) direct_tile<D, P, T>(a, (const uint8_t*)a.w + g * bytes, g, tile, tiles);
}

// ---- panel ---------------------------------------------------------------------------------------------------------

constexpr int R = kQuantVecs;
constexpr size_t kTileRows = (size_t)R * W;

// Bytes of one 32-column block of the panel: 8 lines of R vectors, then R vectors of scales (and minimums) per half.
constexpr size_t panel_block(int sub, bool min) { return kTileRows * (32 + 4 * (size_t)sub * (min ? 2 : 1)); }

template <class D> static void decode_panel(const LinearArgs& a, size_t row, size_t block, size_t n_blocks, uint8_t* panel) {
  const size_t packed_blocks = a.cols / 32 / D::kBlocks;
  for (int r = 0; r < R; r++) {
    const size_t first = row + (size_t)r * W;
    if (first >= a.rows) return;  // what is left in the panel is computed with, and not written
    const int s = (int)(first % kGroupRows) / W;
    const uint8_t* p =
        (const uint8_t*)a.w + (first / kGroupRows * packed_blocks + block / D::kBlocks) * D::kBytes;
    uint8_t* out = panel;
    for (size_t i = 0; i < n_blocks; i += D::kBlocks, p += D::kBytes) {
      const auto st = D::open(p, s);
      static_for<D::kBlocks>([&](auto b) CRIA_FLAT {
        static_for<8>([&](auto j) CRIA_FLAT { bstore(out + (j * R + r) * 4 * W, D::template line<b, j>(p, s)); });
        float* scales = (float*)(out + 32 * kTileRows);
        for (int h = 0; h < D::kSub; h++) {
          fstore(scales + (h * R + r) * W, D::template scale<b>(st, h));
          if (D::kMin) fstore(scales + ((D::kSub + h) * R + r) * W, D::template minimum<b>(st, h));
        }
        out += panel_block(D::kSub, D::kMin);
      });
    }
  }
}

// One tile: kTileRows rows × T tokens × n_blocks blocks. `sums` holds T·R vectors, carried between panels. The sums of a
// block are integers in registers; the float sums live in L1, touched once per block.
template <int sub, bool min, bool biased, int P, int T>
static void panel_tile(const uint8_t* panel, const uint8_t* x, size_t n_blocks, int offset, float* sums) {
  constexpr size_t kXBlock = x_block(P);
  const I off = iset(offset);
  for (size_t i = 0; i < n_blocks; i++) {
    const float* scales = (const float*)(panel + 32 * kTileRows);
    F v[T][R];
    static_for<sub>([&](auto h) CRIA_FLAT {
      Sums<P> acc[T][R];
      static_for<T>([&](auto t) CRIA_FLAT {
        const XHead& head = head_of(x + t * kXBlock);
        const I start = iset(sub == 1 ? head.nsum : head.nsum16[h]) * off;
        static_for<R>([&](auto r) CRIA_FLAT { acc[t][r] = sums_init<P>(start); });
      });
      static_for<8 / sub>([&](auto jj) CRIA_FLAT {
        constexpr int j = h * (8 / sub) + jj;
        B w[R];
        static_for<R>([&](auto r) CRIA_FLAT { w[r] = bload(panel + (j * R + r) * 4 * W); });
        static_for<T>([&](auto t) CRIA_FLAT {
          static_for<P>([&](auto q) CRIA_FLAT {
            const X xv = x_at<P>(x + t * kXBlock, q, j);
            static_for<R>([&](auto r) CRIA_FLAT { dot<biased>(acc[t][r].plane[q], w[r], xv); });
          });
        });
      });
      static_for<R>([&](auto r) CRIA_FLAT {
        const F scale = fload(scales + (h * R + r) * W);
        static_for<T>([&](auto t) CRIA_FLAT {
          const F dots = to_f(sums_total(acc[t][r]));
          if constexpr (h == 0) v[t][r] = dots * scale;
          else v[t][r] = fma(dots, scale, v[t][r]);
        });
      });
    });
    static_for<R>([&](auto r) CRIA_FLAT {
      static_for<T>([&](auto t) CRIA_FLAT {
        const XHead& head = head_of(x + t * kXBlock);
        if constexpr (min && sub == 1) v[t][r] = fma(fload(scales + (R + r) * W), fset(head.fsum), v[t][r]);
        if constexpr (min && sub == 2) {
          v[t][r] = fma(fload(scales + (2 * R + r) * W), fset(head.fsum16[0]), v[t][r]);
          v[t][r] = fma(fload(scales + (3 * R + r) * W), fset(head.fsum16[1]), v[t][r]);
        }
        float* sum = sums + (t * R + r) * W;
        fstore(sum, fma(v[t][r], fset(head.d), fload(sum)));
      });
    });
#if !defined(__wasm__)
    // Sums stay in memory between blocks: gcc would keep them in registers, spill those and store the sums as well.
    __asm__ volatile("" ::: "memory");
#endif
    panel += panel_block(sub, min);
    x += T * kXBlock;
  }
}

// Token range [token_begin, token_end) (whole tiles) of the rows of one tile. scratch: the panel, then the sums.
template <class D, int P>
static void panel_rows(const LinearArgs& a, size_t row, size_t tile_begin, size_t tile_end, uint8_t* scratch) {
  const size_t blocks = a.cols / 32, slots = kQuantTokens[P - 1];
  uint8_t* panel = scratch;
  float* sums = (float*)(scratch + align_up(panel_block(2, true) * (kPanelCols / 32)));
  const size_t tile_floats = slots * kTileRows, tiles = div_up(a.tokens, slots);
  __builtin_memset(sums, 0, (tile_end - tile_begin) * tile_floats * sizeof(float));
  for (size_t block = 0; block < blocks; block += kPanelCols / 32) {
    const size_t n = min_of(kPanelCols / 32, blocks - block);
    decode_panel<D>(a, row, block, n, panel);
    for (size_t tile = tile_begin; tile < tile_end; tile++) {
      const uint8_t* x = (const uint8_t*)a.activations + (block * tiles + tile * n) * slots * x_block(P);
      float* tile_sums = sums + (tile - tile_begin) * tile_floats;
      panel_tile<D::kSub, D::kMin, D::kBiased, P, kQuantTokens[P - 1]>(panel, x, n, start_offset<D>(), tile_sums);
    }
  }
  for (size_t tile = tile_begin; tile < tile_end; tile++) {
    for (size_t t = 0; t < slots; t++) {
      const float* from = sums + (tile - tile_begin) * tile_floats + t * kTileRows;
      for (int r = 0; r < R; r++) write_rows(a, tile * slots + t, row + r * W, fload(from + r * W));
    }
  }
}

// Splits rows × token tiles between threads: by rows alone where there are enough, else tokens too (each part decodes
// its own panel). The unit of work never changes what is computed for an element.
struct Grid { size_t row_tiles, token_tiles, token_parts; };
CRIA_INLINE Grid make_grid(size_t row_tiles, size_t token_tiles, int n_threads) {
  const size_t wanted = div_up(2 * (size_t)n_threads, row_tiles);
  const size_t most = div_up(token_tiles, 4);
  return {row_tiles, token_tiles, row_tiles >= 4 * (size_t)n_threads ? 1 : min_of(wanted, most)};
}

static size_t quant_thread_bytes(size_t tokens) {
  if (is_direct(kActQ15, tokens)) return 0;
  return align_up(panel_block(2, true) * (kPanelCols / 32)) +
         align_up((tokens + 8) * kTileRows * sizeof(float));
}

template <Dtype type, int P> static void compute_quant(const LinearArgs& a, int thread, int n_threads) {
  using D = Decoder<type>;
  if (is_direct(kActQ15, a.tokens)) {
    const Range r = share(div_up(a.rows, kGroupRows), thread, n_threads);
    if (a.tokens == 1) direct_groups<D, P, 1>(a, r.begin, r.end);
    else if constexpr (kDirectTokens > 1) direct_groups<D, P, kDirectTokens>(a, r.begin, r.end);
    return;
  }
  uint8_t* scratch = (uint8_t*)a.thread_scratch + (size_t)thread * quant_thread_bytes(a.tokens);
  const Grid grid = make_grid(div_up(a.rows, kTileRows), div_up(a.tokens, kQuantTokens[P - 1]), n_threads);
  const Range r = share(grid.row_tiles * grid.token_parts, thread, n_threads);
  for (size_t i = r.begin; i < r.end; i++) {
    const Range tiles = share(grid.token_tiles, (int)(i % grid.token_parts), (int)grid.token_parts);
    panel_rows<D, P>(a, i / grid.token_parts * kTileRows, tiles.begin, tiles.end, scratch);
  }
}

}  // namespace cria::CRIA_ISA
