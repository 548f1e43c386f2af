// bf16 products on AMX tiles (Intel since Sapphire Rapids): one instruction adds 16×16 sums of 16 pairs, five times what
// AVX-512 does in that time. B is packed as for those kernels; A by rows, here.
#pragma once
#include <immintrin.h>

#include "pack-float.h"

namespace cria::CRIA_ISA {

constexpr size_t kTile = 16;                    // rows of a tile, and 32-bit words in a row
constexpr size_t kTileWords = kTile * kTile;
constexpr size_t kTileSide = 2 * kTile;         // C is made in blocks of 2×2 tiles
static_assert(kFloatRows == kTileSide && W == (int)kTile);
// Blocks of k (in words), of B and of A; and what they and an edge of C take.
constexpr size_t kTilesK = 384, kTilesN = 512, kTilesM = 160;
constexpr size_t kTilesWords = kTilesK * (kTilesN + kTilesM) + kTileSide * kTileSide;

struct alignas(64) TileShapes {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileShapes) == 64);

// `rows` vectors from `row` on as tiles of 16 vectors × 16 pairs of k, the tiles of 16 vectors kTilesK·16 words apart.
// Vectors up to a whole block and pairs up to a whole tile are zero.
static void pack_tiles(float* dst, const Source& s, size_t row, size_t rows, size_t k0, size_t n) {
  const size_t tiles = div_up(n, 2 * kTile);
  for (size_t group = 0; group < div_up(rows, kTileSide) * kTileSide; group += kTile) {
    float* out = dst + group * kTilesK;
    const size_t here = group < rows ? min_of(kTile, rows - group) : 0;
    for (size_t t = 0; t < tiles; t++, out += kTileWords) {
      const size_t k = t * 2 * kTile;
      F v[kTile];
      for (size_t i = 0; i < kTile; i++) {
        F lo = fzero(), hi = fzero();
        if (s.along_k && i < here) {
          const size_t at = (row + group + i) * s.ld + k0 + k;
          lo = load_as_f32_n(s.type, s.data, at, n - k);
          hi = load_as_f32_n(s.type, s.data, at + kTile, n - k > kTile ? n - k - kTile : 0);
        } else if (!s.along_k && k + 2 * i < n) {
          const size_t at = (k0 + k + 2 * i) * s.ld + row + group;
          lo = load_as_f32_n(s.type, s.data, at, here);
          if (k + 2 * i + 1 < n) hi = load_as_f32_n(s.type, s.data, at + s.ld, here);
        }
        v[i] = floats(s.along_k ? pairs_bf16(lo, hi) : zip_bf16(lo, hi));
      }
      if (!s.along_k) transpose(v);
      for (size_t i = 0; i < kTile; i++) fstore(out + i * kTile, v[i]);
    }
  }
}

// 32×32 sums of C over `tiles` tiles of k: `a` from pack_tiles, `b` a panel of 32 columns.
CRIA_INLINE void tile_block(const float* a, const float* b, size_t tiles, float* c, size_t ldc, bool fresh) {
  const size_t stride = ldc * sizeof(float), panel = kTileSide * sizeof(float), row = kTile * sizeof(float);
  if (fresh) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else {
    _tile_loadd(0, c, stride);
    _tile_loadd(1, c + kTile, stride);
    _tile_loadd(2, c + kTile * ldc, stride);
    _tile_loadd(3, c + kTile * ldc + kTile, stride);
  }
  for (size_t t = 0; t < tiles; t++, a += kTileWords, b += kTile * kTileSide) {
    _tile_loadd(4, a, row);
    _tile_loadd(6, b, panel);
    _tile_loadd(7, b + kTile, panel);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, a + kTilesK * kTile, row);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, stride);
  _tile_stored(1, c + kTile, stride);
  _tile_stored(2, c + kTile * ldc, stride);
  _tile_stored(3, c + kTile * ldc + kTile, stride);
}

// C[m0..m1) × [n0..n1) of one matrix, as matmul_part.
static void tiles_part(const MatmulArgs& a, const Source& sa, const Source& sb, float* c, Range m, Range n, float* scratch) {
  constexpr size_t kDepth = kTilesK * 2;
  static const TileShapes shapes;
  _tile_loadconfig(&shapes);
  float* packed_b = scratch;
  float* packed_a = packed_b + kTilesK * kTilesN;
  float* edge = packed_a + kTilesK * kTilesM;
  for (size_t j0 = n.begin; j0 < n.end; j0 += kTilesN) {
    const size_t nb = min_of(kTilesN, n.end - j0);
    for (size_t k = 0; k < a.k; k += kDepth) {
      const size_t kb = min_of(kDepth, a.k - k), pairs = div_up(kb, 2), tiles = div_up(pairs, kTile);
      const bool fresh = k == 0 && !a.accumulate;
      pack_b<Words::pairs>(packed_b, kTilesK * kFloatRows, sb, {j0, nb, k, kb});
      for (size_t j = 0; j < nb; j += kFloatRows) {
        float* panel = packed_b + j * kTilesK;
        __builtin_memset(panel + pairs * kFloatRows, 0, (tiles * kTile - pairs) * kFloatRows * sizeof(float));
      }
      for (size_t i0 = m.begin; i0 < m.end; i0 += kTilesM) {
        const size_t mb = min_of(kTilesM, m.end - i0);
        pack_tiles(packed_a, sa, i0, mb, k, kb);
        for (size_t j = 0; j < nb; j += kTileSide) {
          const float* panel = packed_b + j * kTilesK;
          const size_t cols = min_of(kTileSide, nb - j);
          for (size_t i = 0; i < mb; i += kTileSide) {
            const float* x = packed_a + i * kTilesK;
            float* to = c + (i0 + i) * a.ldc + j0 + j;
            const size_t rows = min_of(kTileSide, mb - i);
            on_tile(to, a.ldc, rows, cols, kTileSide, kTileSide, fresh, edge,
                    [&](float* out, size_t ld) CRIA_FLAT { tile_block(x, panel, tiles, out, ld, fresh); });
          }
        }
      }
    }
  }
  _tile_release();
}

}  // namespace cria::CRIA_ISA
