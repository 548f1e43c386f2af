// General float matrix product for training and attention: C (+)= op(A)·op(B), any orientation. Both operands are packed
// to what the tile kernels of float-kernels.h read (B in panels of kFloatRows columns, A in slices of FT rows), so the
// orientation only matters to the packing, which also rounds to bf16 where asked, and to the steps through A. Threads share
// nothing: each packs what its part of C needs.
#pragma once
#include "pack-float.h"
#if defined(CRIA_TILES)
#include "tiles.h"
#endif

namespace cria::CRIA_ISA {

static size_t matmul_thread_bytes() {
  size_t words = kPackedB + kPackedA + FT * kFloatRows;
#if defined(CRIA_TILES)
  if (words < kTilesWords) words = kTilesWords;
#endif
  return align_up(words * sizeof(float));
}

// T rows × kFloatRows columns of C over one block of k. `in_rows`: as pack_rows leaves A, else as pack_across does.
template <Words words, int T, bool in_rows>
CRIA_INLINE void matmul_tile(const float* panel, const float* x, size_t k, float* c, size_t ldc, bool fresh) {
  constexpr size_t across = in_rows ? kMatmulK : 1, stride = in_rows ? 1 : kTileSlots;
#if defined(CRIA_BF16_DOT)
  if constexpr (words == Words::pairs) {
    const uint8_t* w[FR];
    for (int r = 0; r < FR; r++) w[r] = (const uint8_t*)(panel + r * W);
    return bf16_tile<T, across>(w, kFloatRows * 4, (const uint32_t*)x, stride, div_up(k, 2), c, ldc, fresh);
  }
#endif
  const float* w[FR];
  for (int r = 0; r < FR; r++) w[r] = panel + r * W;
  float_tile<T, across>(w, kFloatRows, x, stride, k, c, ldc, fresh);
}

// Fetches what is packed next into L2, a few lines at a time while tiles are computed.
struct Ahead {
  const uint8_t* at;
  size_t rows, lines, step, line = 0, each;

  Ahead(const Source& s, Piece p, size_t tiles) {
    const size_t size = block_bytes(s.type);
    at = (const uint8_t*)s.data + (s.along_k ? p.row * s.ld + p.k0 : p.k0 * s.ld + p.row) * size;
    rows = s.along_k ? p.rows : p.n;
    lines = div_up((s.along_k ? p.n : p.rows) * size, 64);
    step = s.ld * size;
    each = div_up(rows * lines, tiles);
  }
  CRIA_FLAT void operator()() {
    for (size_t i = 0; i < each && rows > 0; i++) {
      __builtin_prefetch(at + line * 64, 0, 2);
      if (++line == lines) line = 0, at += step, rows--;
    }
  }
};

// C[m0..m1) × [n0..n1) of one matrix.
template <Words words, bool in_rows>
static void matmul_part(const MatmulArgs& a, const Source& sa, const Source& sb, float* c, Range m, Range n, float* scratch) {
  constexpr size_t kDepth = kMatmulK * kPerWord<words>;
  float* packed_b = scratch;
  float* packed_a = packed_b + kPackedB;
  float* edge = packed_a + kPackedA;
  const auto block = [&](Range r, size_t from, size_t most, size_t k) CRIA_FLAT {
    return Piece{from, from < r.end ? min_of(most, r.end - from) : 0, k, k < a.k ? min_of(kDepth, a.k - k) : 0};
  };
  for (size_t j0 = n.begin; j0 < n.end; j0 += kMatmulN) {
    for (size_t k = 0; k < a.k; k += kDepth) {
      const Piece w = block(n, j0, kMatmulN, k);
      const size_t nb = w.rows, kb = w.n;
      const bool fresh = k == 0 && !a.accumulate;
      pack_b<words>(packed_b, kPanelWords, sb, w);
      for (size_t i0 = m.begin; i0 < m.end; i0 += kMatmulM) {
        const Piece x = block(m, i0, kMatmulM, k);
        const size_t mb = x.rows;
        pack_a<words>(packed_a, sa, x);
        const size_t tiles = div_up(nb, kFloatRows) * div_up(mb, FT);
        const bool same_b = i0 + kMatmulM < m.end, same_j = k + kDepth < a.k, last = !same_j && j0 + kMatmulN >= n.end;
        Ahead next_a(sa, same_b ? block(m, i0 + kMatmulM, kMatmulM, k) : last ? Piece{} : block(m, m.begin, kMatmulM, same_j ? k + kDepth : 0), tiles);
        Ahead next_b(sb, same_b ? Piece{} : same_j ? block(n, j0, kMatmulN, k + kDepth) : block(n, j0 + kMatmulN, kMatmulN, 0), tiles);
        for (size_t j = 0; j < nb; j += kFloatRows) {
          const float* panel = packed_b + j / kFloatRows * kPanelWords;
          const size_t cols = min_of(kFloatRows, nb - j);
          for (size_t i = 0; i < mb; i += FT) {
            const float* slice = packed_a + i / FT * kSliceWords;
            float* to = c + (i0 + i) * a.ldc + j0 + j;
            const size_t rows = min_of(FT, mb - i);
            next_a();
            next_b();
            // The next tile of C comes from far while this one is computed.
            for (size_t r = FT; r < min_of(2 * FT, mb - i); r++) {
              for (size_t q = 0; q < cols; q += 16) __builtin_prefetch(to + r * a.ldc + q, 1);
            }
            on_tile(to, a.ldc, rows, cols, FT, kFloatRows, fresh, edge, [&](float* out, size_t ld) CRIA_FLAT {
              if (rows <= 4) matmul_tile<words, 4, in_rows>(panel, slice, kb, out, ld, fresh);
              else matmul_tile<words, FT, in_rows>(panel, slice, kb, out, ld, fresh);
            });
          }
        }
      }
    }
  }
}

template <Words words>
CRIA_INLINE void matmul_part(const MatmulArgs& a, const Source& sa, const Source& sb, float* c, Range m, Range n, float* scratch) {
  if (sa.along_k) matmul_part<words, true>(a, sa, sb, c, m, n, scratch);
  else matmul_part<words, false>(a, sa, sb, c, m, n, scratch);
}

template <bool amx> static void matmul(const MatmulArgs& a, int thread, int n_threads) {
  if (a.m == 0 || a.n == 0 || a.batch == 0) return;
  if (a.k == 0) {
    if (a.accumulate || thread != 0) return;
    for (size_t b = 0; b < a.batch; b++) {
      for (size_t i = 0; i < a.m; i++) __builtin_memset(a.c + b * a.batch_stride_c + i * a.ldc, 0, a.n * sizeof(float));
    }
    return;
  }
  float* scratch = (float*)((uint8_t*)a.thread_scratch + (size_t)thread * matmul_thread_bytes());
  // Parts of one matrix: rows × columns of tiles, as square as the tiles allow, so that little is packed twice.
  const size_t m_tiles = div_up(a.m, FT), n_tiles = div_up(a.n, kFloatRows);
  const size_t wanted = div_up((size_t)n_threads, a.batch);
  size_t best_m = 1, best_n = 1, best_cost = ~(size_t)0;
  for (size_t pm = 1; pm <= wanted && pm <= m_tiles; pm++) {
    const size_t pn = min_of(div_up(wanted, pm), n_tiles);
    const size_t tiles = div_up(m_tiles, pm) * div_up(n_tiles, pn);  // the largest part: time
    const size_t cost = tiles * 64 + div_up(m_tiles, pm) + div_up(n_tiles, pn);
    if (cost < best_cost) best_cost = cost, best_m = pm, best_n = pn;
  }
  const size_t parts = best_m * best_n;
  const Range items = share(a.batch * parts, thread, n_threads);
  for (size_t i = items.begin; i < items.end; i++) {
    const size_t b = i / parts, part = i % parts;
    const size_t in_a = b * a.batch_stride_a * block_bytes(a.type_a), in_b = b * a.batch_stride_b * block_bytes(a.type_b);
    const Source sa = {(const uint8_t*)a.a + in_a, a.type_a, a.lda, !a.trans_a};
    const Source sb = {(const uint8_t*)a.b + in_b, a.type_b, a.ldb, a.trans_b};
    const Range mt = share(m_tiles, (int)(part / best_n), (int)best_m), nt = share(n_tiles, (int)(part % best_n), (int)best_n);
    const Range rows = {mt.begin * FT, min_of(mt.end * FT, a.m)}, columns = {nt.begin * kFloatRows, min_of(nt.end * kFloatRows, a.n)};
    float* c = a.c + b * a.batch_stride_c;
#if defined(CRIA_TILES)
    if (amx && a.bf16) tiles_part(a, sa, sb, c, rows, columns, scratch);
    else
#endif
#if defined(CRIA_BF16_DOT)
    if (a.bf16) matmul_part<Words::pairs>(a, sa, sb, c, rows, columns, scratch);
#else
    if (a.bf16) matmul_part<Words::rounded>(a, sa, sb, c, rows, columns, scratch);
#endif
    else matmul_part<Words::values>(a, sa, sb, c, rows, columns, scratch);
  }
}

}  // namespace cria::CRIA_ISA
