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

// What a tile computes of the keys from `from` on: the first `whole`, which all its rows see, at once; after them strips of
// W keys, each without the rows that end before it.
struct Strips {
  size_t from, n, whole;

  Strips(const Seen& seen) : from((size_t)seen.least_first), n((size_t)(seen.most_last + 1) - from) {
    const size_t common = seen.least_last < (int32_t)from ? 0 : (size_t)seen.least_last + 1 - from;
    whole = common / W * W;
  }
  // use(first key, keys, first row), keys counted from `from`.
  template <class Use> CRIA_FLAT void each(const GradTile& t, Use use) const {
    if (whole > 0) use(0, whole, 0);
    for (size_t j = whole; j < n; j += W) use(j, least(W, n - j), rows_before(t.last, t.m, from + j));
  }
  // Keys computed for the vector of rows that follows rows of which the last ends at `last`, that vector's own included.
  size_t keys(int32_t last) const {
    const int64_t beyond = (int64_t)last - (int64_t)(from + whole);
    return beyond < 0 ? whole : least(n, whole + ((size_t)beyond / W + 1) * W);
  }
};

// Scores become weights, and gradients by weight become gradients by score.
void soften_back(GradTile& t, const Strips& strips, bool masked, float scale) {
  const size_t from = strips.from;
  int32_t latest = -1;
  for (size_t i = 0; i < t.m; i += W) {
    for (size_t r = i; r < i + W; r++) latest = t.last[r] > latest ? t.last[r] : latest;
    const size_t n = strips.keys(latest);
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
      memset(t.q + rows * t.dp, 0, (t.m - rows) * t.dp * 4);
      memset(t.g + rows * t.dp, 0, (t.m - rows) * t.dp * 4);
      const Seen seen = each_row(a, b, head, t0, least(a.tokens, t0 + size), t.first, t.last, t.m, [&](size_t i, size_t at) {
        memcpy(t.q + i * t.dp, c.op(1).as() + at, a.width * 4);
        memcpy(t.g + i * t.dp, c.op(0).as() + at, a.width * 4);
      });
      if (seen.most_last < seen.least_first) {
        for (size_t i = 0; i < rows; i++) dq.map(at(i), t.q, a.width, [](F) { return fzero(); });
        continue;
      }
      columns_of(t.q, t.dp, a.width, t.q_across, t.m, a.scale);
      columns_of(t.g, t.dp, a.width, t.g_across, t.m, 1);
      const Strips strips(seen);
      const size_t from = strips.from;
      const bool masked = rows < t.m || seen.least_last < seen.most_last || seen.least_first < seen.most_first;
      strips.each(t, [&](size_t j, size_t n, size_t row) {
        const size_t key = (from + j) * t.dp, in_tile = j * t.m + row;
        product<false>(t.k + key, t.dp, 1, t.q_across + row, t.m, t.weights + in_tile, t.m, n, t.m - row, a.width);
        product<false>(t.v + key, t.dp, 1, t.g_across + row, t.m, t.slopes + in_tile, t.m, n, t.m - row, a.width);
      });
      soften_back(t, strips, masked, a.scale);
      memset(t.dq, 0, rows * t.dp * 4);
      strips.each(t, [&](size_t j, size_t n, size_t row) {
        const size_t key = (from + j) * t.dp, in_tile = j * t.m + row, out = row * t.dp;
        product<true>(t.weights + in_tile, t.m, 1, t.g + out, t.dp, t.dv + key, t.dp, n, t.dp, rows - row);
        product<true>(t.slopes + in_tile, t.m, 1, t.q + out, t.dp, t.dk + key, t.dp, n, t.dp, rows - row);
        product<true>(t.slopes + in_tile, 1, t.m, t.k + key, t.dp, t.dq + out, t.dp, rows - row, t.dp, n);
      });
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
