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

// The keys that the queries of a tile see: the range of the first ones, and of the last ones.
struct Seen { int32_t least_first = 0x7fffffff, most_first = 0, least_last = 0x7fffffff, most_last = -1; };

// A tile of query rows: tokens [t0, t1) of one key head, a row for each of its query heads, filled up to m rows that see
// nothing and are zero. Calls row(i, element at which row i begins in a tensor like q) for those that exist.
template <class Row>
CRIA_INLINE Seen each_row(const Attention& a, size_t b, size_t head, size_t t0, size_t t1, int32_t* first, int32_t* last, size_t m, Row row) {
  Seen seen;
  size_t i = 0;
  for (size_t t = t0; t < t1; t++) {
    const Attention::Visible v = a.visible(b * a.tokens + t);
    seen.least_first = v.first < seen.least_first ? v.first : seen.least_first;
    seen.most_first = v.first > seen.most_first ? v.first : seen.most_first;
    seen.least_last = v.last < seen.least_last ? v.last : seen.least_last;
    seen.most_last = v.last > seen.most_last ? v.last : seen.most_last;
    const size_t at = ((b * a.tokens + t) * a.heads + head * a.group) * a.width;
    for (size_t g = 0; g < a.group; g++, i++) {
      first[i] = v.first;
      last[i] = v.last;
      row(i, at + g * a.width);
    }
  }
  for (; i < m; i++) {
    first[i] = 0;
    last[i] = -1;
  }
  return seen;
}

// Rows that end before `key`, from the first on, in whole vectors: what a causal mask hides need not be computed.
CRIA_INLINE size_t rows_before(const int32_t* last, size_t m, size_t key) {
  size_t i = 0;
  while (i < m && last[i] < (int32_t)key) i++;
  return i / W * W;
}

// to[d·m + i] = from[i·ld + d] · scale for d < width: rows become columns. m is a multiple of W, and so is ld.
CRIA_INLINE void columns_of(const float* from, size_t ld, size_t width, float* to, size_t m, float scale) {
  for (size_t i = 0; i < m; i += W) {
    for (size_t d = 0; d < width; d += W) {
      F v[W];
      CRIA_UNROLL
      for (size_t j = 0; j < (size_t)W; j++) v[j] = fload(from + (i + j) * ld + d);
      transpose(v);
      const size_t n = least(W, width - d);
      for (size_t j = 0; j < n; j++) fstore(to + (d + j) * m + i, v[j] * fset(scale));
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

// Rows of a register tile of V vectors.
template <int V> constexpr int kRows = W == 16 ? (V == 4 ? 6 : V == 3 ? 8 : 12) : (V == 2 ? 4 : 8);

template <int V, bool add>
CRIA_INLINE void product_rows(const float* a, size_t ar, size_t ap, const float* b, size_t ldb, float* c, size_t ldc,
                              size_t rows, size_t n) {
  size_t r = 0;
  for (; r + kRows<V> <= rows; r += kRows<V>) tile<kRows<V>, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
  for (; r + 4 <= rows; r += 4) tile<4, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
  for (; r + 2 <= rows; r += 2) tile<2, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
  if (r < rows) tile<1, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
}

// c[r][j] = (add ? c[r][j] : 0) + Σ_p a[r·ar + p·ap] · b[p][j]; columns are a multiple of W.
template <bool add>
static void product(const float* a, size_t ar, size_t ap, const float* b, size_t ldb, float* c, size_t ldc, size_t rows,
                    size_t columns, size_t n) {
  size_t j = 0;
  if constexpr (W == 16) {
    for (; j + 4 * W <= columns; j += 4 * W) product_rows<4, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n);
    if (j + 3 * W <= columns) product_rows<3, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n), j += 3 * W;
  }
  for (; j + 2 * W <= columns; j += 2 * W) product_rows<2, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n);
  for (; j < columns; j += W) product_rows<1, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n);
}

}  // namespace cria::CRIA_ISA
