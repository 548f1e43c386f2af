// The backward pass of attention. Keys and values of one key head are gone through once for all its queries: a tile of
// query rows holds its weights over the keys it sees, [keys][rows], and nothing larger exists. Each key head belongs to one
// thread, which adds up its dk and dv in the order of the queries.
#include "attention-blocks.h"

namespace cria::CRIA_ISA {

namespace {

// Memory of one thread: keys and values of a head and their gradients, and a tile of `m` (padded) query rows.
struct GradTile {
  float *k, *v, *dk, *dv, *weights, *slopes, *q, *g, *q_across, *g_across, *dq;
  int32_t *first, *last;
  size_t m, dp;

  GradTile(uint8_t* memory, size_t rows, size_t keys, size_t width) : m(padded(rows)), dp(padded(width)) {
    float* at = (float*)memory;
    auto take = [&](size_t n) { float* p = at; at += n; return p; };
    k = take(keys * dp);
    v = take(keys * dp);
    dk = take(keys * dp);
    dv = take(keys * dp);
    weights = take(keys * m);
    slopes = take(keys * m);
    q = take(m * dp);
    g = take(m * dp);
    q_across = take(width * m);
    g_across = take(width * m);
    dq = take(m * dp);
    first = (int32_t*)take(m);
    last = (int32_t*)take(m);
  }
};

// Rows of a register tile of V vectors.
template <int V> constexpr int kRows = W == 16 ? (V == 4 ? 6 : V == 3 ? 8 : 12) : (V == 2 ? 4 : 8);

template <int V, bool add>
CRIA_INLINE void product_rows(const float* a, size_t ar, size_t ap, const float* b, size_t ldb, float* c, size_t ldc,
                              size_t rows, size_t n) {
  size_t r = 0;
  for (; r + kRows<V> <= rows; r += kRows<V>) tile<kRows<V>, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
  for (; r + 4 <= rows; r += 4) tile<4, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
  for (; r < rows; r++) tile<1, V, add>(a + r * ar, ar, ap, b, ldb, c + r * ldc, ldc, n);
}

// c[r][j] = (add ? c[r][j] : 0) + Σ_p a[r·ar + p·ap] · b[p][j]; columns are a multiple of W.
template <bool add>
void product(const float* a, size_t ar, size_t ap, const float* b, size_t ldb, float* c, size_t ldc, size_t rows,
             size_t columns, size_t n) {
  size_t j = 0;
  if constexpr (W == 16) {
    for (; j + 4 * W <= columns; j += 4 * W) product_rows<4, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n);
    if (j + 3 * W <= columns) product_rows<3, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n), j += 3 * W;
  }
  for (; j + 2 * W <= columns; j += 2 * W) product_rows<2, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n);
  for (; j < columns; j += W) product_rows<1, add>(a, ar, ap, b + j, ldb, c + j, ldc, rows, n);
}

// Scores of keys [from, to) become weights, and gradients by weight become gradients by score.
void soften_back(GradTile& t, size_t from, size_t to, bool masked, float scale) {
  const size_t n = to - from;
  for (size_t i = 0; i < t.m; i += W) {
    F top = fset(kNothing);
    if (masked) {
      const I first = iload(t.first + i), last = iload(t.last + i);
      const F hidden = fset(-__builtin_inff());
      for (size_t j = 0; j < n; j++) {
        float* s = t.weights + j * t.m + i;
        const I key = iset((int32_t)(from + j));
        const F seen = select(key > last, hidden, select(first > key, hidden, fload(s)));
        fstore(s, seen);
        top = fmax(top, seen);
      }
    } else {
      for (size_t j = 0; j < n; j++) top = fmax(top, fload(t.weights + j * t.m + i));
    }
    F total = fzero(), kept = fzero();
    for (size_t j = 0; j < n; j++) {
      float* s = t.weights + j * t.m + i;
      const F e = fexp(fload(s) - top);
      fstore(s, e);
      total = total + e;
      kept = fma(e, fload(t.slopes + j * t.m + i), kept);
    }
    const F inverse = select(total == fzero(), fzero(), fset(1.0f) / total);
    kept = kept * inverse;
    const F factor = fset(scale);
    for (size_t j = 0; j < n; j++) {
      const F weight = fload(t.weights + j * t.m + i) * inverse;
      fstore(t.weights + j * t.m + i, weight);
      fstore(t.slopes + j * t.m + i, weight * (fload(t.slopes + j * t.m + i) - kept) * factor);
    }
  }
}

}  // namespace

// Operands g [batch, T, H, D], q, k, v, positions, [start], dq, dk, dv; attributes as Attention's, then tokens of a tile.
void op_attention_grad(const Call& c, const Ctx& ctx) {
  const Attention a(c, 1);
  const size_t size = (size_t)c.attr(3), tiles = pieces(a.tokens, size);
  const int n_ops = c.n_operands;
  const Sink dq(c.op(n_ops - 3)), dk(c.op(n_ops - 2)), dv(c.op(n_ops - 1));
  const auto same = [](F v) { return v; };
  const Range items = share(a.batch * a.kv_heads, 1, ctx);
  for (size_t item = items.begin; item < items.end; item++) {
    const size_t head = item % a.kv_heads, b = item / a.kv_heads;
    GradTile t(ctx.own(c), size * a.group, a.keys, a.width);
    load_rows(a, c.op(2), b, head, 0, a.keys, t.k, t.dp);
    load_rows(a, c.op(3), b, head, 0, a.keys, t.v, t.dp);
    memset(t.dk, 0, a.keys * t.dp * 4);
    memset(t.dv, 0, a.keys * t.dp * 4);
    memset(t.q, 0, t.m * t.dp * 4);
    memset(t.g, 0, t.m * t.dp * 4);
    for (size_t tile = 0; tile < tiles; tile++) {
      const size_t t0 = tile * size, rows = (least(a.tokens, t0 + size) - t0) * a.group;
      const auto at = [&](size_t i) {
        return ((b * a.tokens + t0 + i / a.group) * a.heads + head * a.group + i % a.group) * a.width;
      };
      int32_t least_first = 0x7fffffff, most_first = 0, least_last = 0x7fffffff, most_last = -1;
      for (size_t i = 0; i < t.m; i++) {
        // Rows of padding see nothing and are zero.
        Attention::Visible seen{0, -1};
        if (i < rows) {
          seen = a.visible(b * a.tokens + t0 + i / a.group);
          least_first = seen.first < least_first ? seen.first : least_first;
          most_first = seen.first > most_first ? seen.first : most_first;
          least_last = seen.last < least_last ? seen.last : least_last;
          most_last = seen.last > most_last ? seen.last : most_last;
          memcpy(t.q + i * t.dp, c.op(1).as() + at(i), a.width * 4);
          memcpy(t.g + i * t.dp, c.op(0).as() + at(i), a.width * 4);
        } else {
          memset(t.q + i * t.dp, 0, a.width * 4);
          memset(t.g + i * t.dp, 0, a.width * 4);
        }
        t.first[i] = seen.first;
        t.last[i] = seen.last;
      }
      const size_t from = (size_t)least_first, to = (size_t)(most_last + 1);
      if (most_last < least_first) {
        for (size_t i = 0; i < rows; i++) dq.map(at(i), t.q, a.width, [](F) { return fzero(); });
        continue;
      }
      for (size_t i = 0; i < t.m; i++) {
        for (size_t d = 0; d < a.width; d++) {
          t.q_across[d * t.m + i] = t.q[i * t.dp + d] * a.scale;
          t.g_across[d * t.m + i] = t.g[i * t.dp + d];
        }
      }
      const size_t n = to - from;
      const bool masked = rows < t.m || (size_t)least_last + 1 < to || (size_t)most_first > from;
      product<false>(t.k + from * t.dp, t.dp, 1, t.q_across, t.m, t.weights, t.m, n, t.m, a.width);
      product<false>(t.v + from * t.dp, t.dp, 1, t.g_across, t.m, t.slopes, t.m, n, t.m, a.width);
      soften_back(t, from, to, masked, a.scale);
      product<true>(t.weights, t.m, 1, t.g, t.dp, t.dv + from * t.dp, t.dp, n, t.dp, rows);
      product<true>(t.slopes, t.m, 1, t.q, t.dp, t.dk + from * t.dp, t.dp, n, t.dp, rows);
      product<false>(t.slopes, 1, t.m, t.k + from * t.dp, t.dp, t.dq, t.dp, rows, t.dp, n);
      for (size_t i = 0; i < rows; i++) dq.map(at(i), t.dq + i * t.dp, a.width, same);
    }
    for (size_t j = 0; j < a.keys; j++) {
      const size_t to = ((b * a.keys + j) * a.kv_heads + head) * a.width;
      dk.map(to, t.dk + j * t.dp, a.width, same);
      dv.map(to, t.dv + j * t.dp, a.width, same);
    }
  }
}

}  // namespace cria::CRIA_ISA
