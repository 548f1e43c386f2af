// Pieces that both forms of attention share: rows of a key or value cache as f32, the range of keys that a query sees,
// and a small matrix product in registers.
#pragma once
#include "../linear/dequant-block.h"
#include "op.h"

namespace cria::CRIA_ISA {

constexpr size_t kKeys = 64;     // keys converted, scored and summed together
constexpr size_t kPart = 256;    // keys of one item of decoding (repeated in src/lower-attention.ts)
constexpr float kNothing = -1e30f;  // the running maximum before any key
constexpr float kUnseen = -1;       // the total of a part without keys

CRIA_INLINE size_t padded(size_t n) { return pieces(n, W) * W; }

// Operands q [..., T, H, D], k and v [..., S, Hkv, D], positions, [start], from number `base` on; attributes scale,
// window, has start.
struct Attention {
  const Call& c;
  int base;
  size_t batch, tokens, heads, width, keys, kv_heads, group, period;
  float scale;
  int32_t window;

  explicit Attention(const Call& call, int from = 0) : c(call), base(from) {
    const Operand &q = c.op(base), &k = c.op(base + 1);
    batch = q.product(0, q.rank - 3);
    tokens = (size_t)q.dims[q.rank - 3];
    heads = (size_t)q.dims[q.rank - 2];
    width = (size_t)q.dims[q.rank - 1];
    keys = (size_t)k.dims[k.rank - 3];
    kv_heads = (size_t)k.dims[k.rank - 2];
    group = heads / kv_heads;
    period = c.op(base + 3).size();
    scale = c.attr_f(0);
    window = c.attr(1);
  }
  // First and last key that a query (batch · tokens + token) sees; none if last < first.
  struct Visible { int32_t first, last; };
  Visible visible(size_t query) const {
    const int32_t position = c.op(base + 3).as<int32_t>()[query % period];
    int32_t first = 0;
    if (c.attr(2)) {
      const int32_t start = c.op(base + 4).as<int32_t>()[query % c.op(base + 4).size()];
      first = start > 0 ? start : 0;
    }
    if (window > 0 && position - window + 1 > first) first = position - window + 1;
    return {first, position < (int32_t)keys ? position : (int32_t)keys - 1};
  }
};

// Keys [from, to) of one head as f32 rows `stride` apart; columns from width to stride are set to zero.
CRIA_INLINE void load_rows(const Attention& a, const Operand& cache, size_t b, size_t head, size_t from, size_t to,
                           float* out, size_t stride) {
  for (size_t j = from; j < to; j++, out += stride) {
    const size_t at = ((b * a.keys + j) * a.kv_heads + head) * a.width;
    size_t i = 0;
    switch (cache.type()) {
      case kF16: {
        const uint16_t* x = cache.as<uint16_t>() + at;
        for (; i + W <= a.width; i += W) fstore(out + i, load_f16(x + i));
        if (i < a.width) fstore(out + i, load_f16_n(x + i, a.width - i));
        break;
      }
      case kBF16: {
        const uint16_t* x = cache.as<uint16_t>() + at;
        for (; i + W <= a.width; i += W) fstore(out + i, load_bf16(x + i));
        if (i < a.width) fstore(out + i, load_bf16_n(x + i, a.width - i));
        break;
      }
      case kQ8_0: {
        const uint8_t* block = cache.as<uint8_t>() + at / 32 * 34;
        for (size_t n = 0; n < a.width; n += 32, block += 34) {
          const F d = fset(half_at(block));
          for (size_t l = 0; l < 32; l += W) fstore(out + n + l, to_f(widen_i8(block + 2 + l)) * d);
        }
        i = a.width;
        break;
      }
      default: {
        const float* x = cache.as() + at;
        for (; i + W <= a.width; i += W) fstore(out + i, fload(x + i));
        if (i < a.width) fstore(out + i, fload_n(x + i, a.width - i));
      }
    }
  }
}

// c[r][j] = (add ? c[r][j] : 0) + Σ_p a(r, p) · b[p][j] for R rows and V vectors of columns; a(r, p) = a[r·ar + p·ap].
template <int R, int V, bool add>
CRIA_INLINE void tile(const float* a, size_t ar, size_t ap, const float* b, size_t ldb, float* c, size_t ldc, size_t n) {
  F sum[R][V];
  CRIA_UNROLL
  for (int r = 0; r < R; r++) {
    CRIA_UNROLL
    for (int v = 0; v < V; v++) sum[r][v] = add ? fload(c + (size_t)r * ldc + v * W) : fzero();
  }
  for (size_t p = 0; p < n; p++) {
    F bv[V];
    CRIA_UNROLL
    for (int v = 0; v < V; v++) bv[v] = fload(b + p * ldb + v * W);
    CRIA_UNROLL
    for (int r = 0; r < R; r++) {
      const F x = fset(a[(size_t)r * ar + p * ap]);
      CRIA_UNROLL
      for (int v = 0; v < V; v++) sum[r][v] = fma(x, bv[v], sum[r][v]);
    }
  }
  CRIA_UNROLL
  for (int r = 0; r < R; r++) {
    CRIA_UNROLL
    for (int v = 0; v < V; v++) fstore(c + (size_t)r * ldc + v * W, sum[r][v]);
  }
}

constexpr int kTileVecs = W == 16 ? 4 : 2, kTileRows = W == 16 ? 6 : 4;

template <int V, bool add>
CRIA_INLINE void tile_rows(const float* a, size_t ar, size_t ap, const float* b, size_t ldb, float* c, size_t ldc,
                           size_t rows, size_t n) {
  size_t r = 0;
  for (; r + kTileRows <= rows; r += kTileRows) tile<kTileRows, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
  for (; r + 2 <= rows; r += 2) tile<2, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
  if (r < rows) tile<1, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
}

// The same for any number of rows; columns are a multiple of W.
template <bool add>
static void small_product(const float* a, size_t ar, size_t ap, const float* b, size_t ldb, float* c, size_t ldc,
                          size_t rows, size_t columns, size_t n) {
  size_t j = 0;
  for (; j + kTileVecs * W <= columns; j += kTileVecs * W) tile_rows<kTileVecs, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n);
  for (; j < columns; j += W) tile_rows<1, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n);
}

}  // namespace cria::CRIA_ISA
