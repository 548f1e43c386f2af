// General float matrix product for training and attention: C (+)= op(A)·op(B), any orientation. Both operands are packed
// to what the tile kernel of float-kernels.h reads (B in panels of kFloatRows columns, A in tiles of FT rows), so the
// orientation only matters to the packing. Threads share nothing: each packs what its part of C needs.
#pragma once
#include "float-kernels.h"

namespace cria::CRIA_ISA {

constexpr size_t kMatmulK = kPanelCols;                     // a B panel of this depth stays in L1
constexpr size_t kMatmulN = 512 / kFloatRows * kFloatRows;   // B block: 512 KB, in L2
constexpr size_t kMatmulM = (size_t)FT * 12;                 // A block: streams through L2

// `rows` vectors of n elements, element k of vector i at src[i·ld + k] (contiguous along k) or src[k·ld + i], to
// dst[k·slots + i] as f32; slots past `rows` are zero.
struct Source { const void* data; Dtype type; size_t ld; bool along_k; };

CRIA_INLINE F load_as_f32(Dtype type, const void* p, size_t i) {
  if (type == kF32) return fload((const float*)p + i);
  return type == kF16 ? load_f16((const uint16_t*)p + i) : load_bf16((const uint16_t*)p + i);
}
CRIA_INLINE F load_as_f32_n(Dtype type, const void* p, size_t i, size_t n) {
  if (type == kF32) return fload_n((const float*)p + i, n);
  return type == kF16 ? load_f16_n((const uint16_t*)p + i, n) : load_bf16_n((const uint16_t*)p + i, n);
}

static void pack_source(float* dst, size_t slots, const Source& s, size_t row, size_t rows, size_t k0, size_t n) {
  if (!s.along_k) {
    for (size_t k = 0; k < n; k++) {
      const size_t at = (k0 + k) * s.ld + row;
      float* out = dst + k * slots;
      size_t i = 0;
      for (; i + W <= rows; i += W) fstore(out + i, load_as_f32(s.type, s.data, at + i));
      if (i < rows) fstore_n(out + i, load_as_f32_n(s.type, s.data, at + i, rows - i), rows - i);
      for (i = rows; i < slots; i++) out[i] = 0.0f;
    }
    return;
  }
  if (s.type == kF32) {
    interleave_rows(dst, slots, (const float*)s.data + row * s.ld + k0, s.ld, rows, n);
    return;
  }
  // Half floats are widened a strip at a time, then interleaved like f32.
  constexpr size_t kStrip = 64;
  float strip[32 * kStrip];
  for (size_t k = 0; k < n; k += kStrip) {
    const size_t here = min_of(kStrip, n - k);
    for (size_t i = 0; i < rows; i++) {
      const size_t at = (row + i) * s.ld + k0 + k;
      size_t j = 0;
      for (; j + W <= here; j += W) fstore(strip + i * kStrip + j, load_as_f32(s.type, s.data, at + j));
      if (j < here) fstore_n(strip + i * kStrip + j, load_as_f32_n(s.type, s.data, at + j, here - j), here - j);
    }
    interleave_rows(dst + k * slots, slots, strip, kStrip, rows, here);
  }
}
static_assert(FT <= 32 && kFloatRows <= 32, "the strip of pack_source holds 32 rows");

static size_t matmul_thread_bytes() {
  return align_up((kMatmulK * kMatmulN + kMatmulK * kMatmulM + FT * kFloatRows + 2 * W) * sizeof(float));
}

// C[m0..m1) × [n0..n1) of one matrix.
static void matmul_part(const MatmulArgs& a, const Source& sa, const Source& sb, float* c, Range m, Range n, float* scratch) {
  float* packed_b = scratch;
  float* packed_a = packed_b + kMatmulK * kMatmulN;
  float* edge = packed_a + kMatmulK * kMatmulM + 2 * W;
  for (size_t j0 = n.begin; j0 < n.end; j0 += kMatmulN) {
    const size_t nb = min_of(kMatmulN, n.end - j0);
    for (size_t k = 0; k < a.k; k += kMatmulK) {
      const size_t kb = min_of(kMatmulK, a.k - k);
      const bool fresh = k == 0 && !a.accumulate;
      for (size_t j = 0; j < nb; j += kFloatRows) {
        pack_source(packed_b + j * kMatmulK, kFloatRows, sb, j0 + j, min_of(kFloatRows, nb - j), k, kb);
      }
      for (size_t i0 = m.begin; i0 < m.end; i0 += kMatmulM) {
        const size_t mb = min_of(kMatmulM, m.end - i0);
        for (size_t i = 0; i < mb; i += FT) {
          pack_source(packed_a + i * kMatmulK, FT, sa, i0 + i, min_of(FT, mb - i), k, kb);
        }
        for (size_t j = 0; j < nb; j += kFloatRows) {
          const float* w[FR];
          for (int r = 0; r < FR; r++) w[r] = packed_b + j * kMatmulK + r * W;
          const size_t cols = min_of(kFloatRows, nb - j);
          for (size_t i = 0; i < mb; i += FT) {
            const float* x = packed_a + i * kMatmulK;
            float* to = c + (i0 + i) * a.ldc + j0 + j;
            const size_t rows = min_of(FT, mb - i);
            if (rows == (size_t)FT && cols == kFloatRows) {
              float_tile<FT>(w, kFloatRows, x, FT, kb, to, a.ldc, fresh);
              continue;
            }
            for (size_t r = 0; r < rows && !fresh; r++) {
              for (size_t q = 0; q < cols; q++) edge[r * kFloatRows + q] = to[r * a.ldc + q];
            }
            if (rows <= 4) float_tile<4>(w, kFloatRows, x, FT, kb, edge, kFloatRows, fresh);
            else float_tile<FT>(w, kFloatRows, x, FT, kb, edge, kFloatRows, fresh);
            for (size_t r = 0; r < rows; r++) {
              for (size_t q = 0; q < cols; q++) to[r * a.ldc + q] = edge[r * kFloatRows + q];
            }
          }
        }
      }
    }
  }
}

static void matmul(const MatmulArgs& a, int thread, int n_threads) {
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
    matmul_part(a, sa, sb, a.c + b * a.batch_stride_c, {mt.begin * FT, min_of(mt.end * FT, a.m)},
                {nt.begin * kFloatRows, min_of(nt.end * kFloatRows, a.n)}, scratch);
  }
}

}  // namespace cria::CRIA_ISA
