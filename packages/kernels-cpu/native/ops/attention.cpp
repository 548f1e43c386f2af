// Causal grouped-query attention with a running softmax (Milakov & Gimelshein 2018; FlashAttention's order) over blocks
// of keys. Prompts: tiles of queries as small matrix products. Decoding: parts of the keys, joined afterwards. Keys that
// no query of a block sees are never read.
#include "attention-blocks.h"

namespace cria::CRIA_ISA {

namespace {

// Memory of one thread for a tile of `m` (padded) rows: queries of one key head, a row for each query head and token.
struct Tile {
  float *q, *scores, *out, *block, *top, *total, *factor;
  int32_t *first, *last;
  size_t m, dp;

  Tile(uint8_t* memory, size_t rows, size_t width) : m(padded(rows)), dp(padded(width)) {
    float* at = (float*)memory;
    auto take = [&](size_t n) { float* p = at; at += n; return p; };
    q = take(width * m);
    scores = take(kKeys * m);
    out = take(m * dp);
    block = take(kKeys * dp);
    top = take(m);
    total = take(m);
    factor = take(m);
    first = (int32_t*)take(m);
    last = (int32_t*)take(m);
  }
};

}  // namespace

// Turns a block of scores [keys][m] into weights and updates the running maximum and sum of the rows from `begin` on.
static void soften(Tile& t, size_t begin, size_t j0, size_t n, bool masked) {
  for (size_t i = begin; i < t.m; i += W) {
    const F old = fload(t.top + i);
    F top = old;
    if (masked) {
      const I first = iload(t.first + i), last = iload(t.last + i);
      for (size_t j = 0; j < n; j++) {
        float* s = t.scores + j * t.m + i;
        const I key = iset((int32_t)(j0 + j));
        const F hidden = fset(-__builtin_inff());
        const F seen = select(key > last, hidden, select(first > key, hidden, fload(s)));
        fstore(s, seen);
        top = fmax(top, seen);
      }
    } else {
      for (size_t j = 0; j < n; j++) top = fmax(top, fload(t.scores + j * t.m + i));
    }
    const F factor = fexp(old - top);
    F total = fload(t.total + i) * factor;
    for (size_t j = 0; j < n; j++) {
      float* s = t.scores + j * t.m + i;
      const F weight = fexp(fload(s) - top);
      fstore(s, weight);
      total = total + weight;
    }
    fstore(t.top + i, top);
    fstore(t.total + i, total);
    fstore(t.factor + i, factor);
  }
}

// The nearest halves, as floats.
static F rounded(F x) {
  uint16_t h[W];
  store_f16(h, x);
  return load_f16(h);
}

// Turns a block of scores into the final weights, once maximum and sum of every row are known, rounded to halves.
static void weigh_halves(Tile& t, size_t begin, size_t j0, size_t n) {
  for (size_t i = begin; i < t.m; i += W) {
    const F top = fload(t.top + i), total = fload(t.total + i);
    const I first = iload(t.first + i), last = iload(t.last + i);
    for (size_t j = 0; j < n; j++) {
      float* s = t.scores + j * t.m + i;
      const I key = iset((int32_t)(j0 + j));
      const F weight = rounded(fexp(fload(s) - top) / total);
      fstore(s, select(key > last, fzero(), select(first > key, fzero(), weight)));
    }
  }
}

// Operands of Attention, then y; attributes 3: tokens of a tile, 4: round queries and weights to halves.
void op_attention_tiles(const Call& c, const Ctx& ctx) {
  const Attention a(c);
  const size_t size = (size_t)c.attr(3), tiles = pieces(a.tokens, size);
  const bool halves = c.attr(4) != 0;
  const Sink y(c.op(c.n_operands - 1));
  const size_t items = a.batch * tiles * a.kv_heads;
  // Late tiles see more keys, so threads take items in turn instead of in halves.
  for (size_t item = (size_t)ctx.thread; item < items; item += (size_t)ctx.n_threads) {
    const size_t head = item % a.kv_heads, b = item / a.kv_heads / tiles;
    const size_t t0 = item / a.kv_heads % tiles * size, t1 = least(a.tokens, t0 + size);
    const size_t rows = (t1 - t0) * a.group;
    Tile tile(ctx.own(c), size * a.group, a.width);
    // The queries, as rows where the sums will be, then as columns.
    memset(tile.out + rows * tile.dp, 0, (tile.m - rows) * tile.dp * 4);
    const Seen seen = each_row(a, b, head, t0, t1, tile.first, tile.last, tile.m,
                               [&](size_t i, size_t at) { memcpy(tile.out + i * tile.dp, c.op(0).as() + at, a.width * 4); });
    columns_of(tile.out, tile.dp, a.width, tile.q, tile.m, 1);
    for (size_t i = 0; i < tile.m; i++) {
      tile.top[i] = kNothing;
      tile.total[i] = 0;
    }
    for (size_t i = 0; i < a.width * tile.m; i += W) {
      const F q = fload(tile.q + i);
      fstore(tile.q + i, (halves ? rounded(q) : q) * fset(a.scale));
    }
    memset(tile.out, 0, tile.m * tile.dp * 4);
    const auto each_block = [&](auto use) {
      for (size_t j0 = (size_t)seen.least_first / kKeys * kKeys; (int64_t)j0 <= (int64_t)seen.most_last; j0 += kKeys) {
        const size_t n = least(kKeys, (size_t)seen.most_last + 1 - j0);
        const size_t begin = rows_before(tile.last, tile.m, j0);
        load_rows(a, c.op(1), b, head, j0, j0 + n, tile.block, tile.dp);
        product<false>(tile.block, tile.dp, 1, tile.q + begin, tile.m, tile.scores + begin, tile.m, n, tile.m - begin, a.width);
        const bool masked = rows < tile.m || (int64_t)seen.least_last < (int64_t)(j0 + n - 1) || (int64_t)seen.most_first > (int64_t)j0;
        use(begin, j0, n, masked);
      }
    };
    if (halves) each_block([&](size_t begin, size_t j0, size_t n, bool masked) { soften(tile, begin, j0, n, masked); });
    each_block([&](size_t begin, size_t j0, size_t n, bool masked) {
      if (halves) {
        weigh_halves(tile, begin, j0, n);
      } else {
        soften(tile, begin, j0, n, masked);
        for (size_t i = begin; i < rows; i++) {
          const F factor = fset(tile.factor[i]);
          if (tile.factor[i] == 1) continue;
          for (size_t d = 0; d < tile.dp; d += W) fstore(tile.out + i * tile.dp + d, fload(tile.out + i * tile.dp + d) * factor);
        }
      }
      load_rows(a, c.op(2), b, head, j0, j0 + n, tile.block, tile.dp);
      product<true>(tile.scores + begin, 1, tile.m, tile.block, tile.dp, tile.out + begin * tile.dp, tile.dp, rows - begin, tile.dp, n);
    });
    for (size_t i = 0; i < rows; i++) {
      const F scale = fset(halves ? 1 : tile.last[i] < tile.first[i] ? 0 : 1 / tile.total[i]);
      const size_t to = ((b * a.tokens + t0 + i / a.group) * a.heads + head * a.group + i % a.group) * a.width;
      y.map(to, tile.out + i * tile.dp, a.width, [&](F v) { return v * scale; });
    }
  }
}

// Scores of one query against n keys: four at a time, so that the sums over lanes overlap.
static void score(const float* q, const float* rows, size_t stride, size_t n, float scale, float* out) {
  size_t j = 0;
  for (; j + 4 <= n; j += 4, rows += 4 * stride) {
    F s0 = fzero(), s1 = fzero(), s2 = fzero(), s3 = fzero();
    for (size_t d = 0; d < stride; d += W) {
      const F x = fload(q + d);
      s0 = fma(x, fload(rows + d), s0);
      s1 = fma(x, fload(rows + stride + d), s1);
      s2 = fma(x, fload(rows + 2 * stride + d), s2);
      s3 = fma(x, fload(rows + 3 * stride + d), s3);
    }
    out[j] = fsum(s0) * scale;
    out[j + 1] = fsum(s1) * scale;
    out[j + 2] = fsum(s2) * scale;
    out[j + 3] = fsum(s3) * scale;
  }
  for (; j < n; j++, rows += stride) {
    F s = fzero();
    for (size_t d = 0; d < stride; d += W) s = fma(fload(q + d), fload(rows + d), s);
    out[j] = fsum(s) * scale;
  }
}

// Operands of Attention, then partial results [batch · T, H, parts, D + 2]: sums, maximum, total of the weights.
void op_attention_parts(const Call& c, const Ctx& ctx) {
  const Attention a(c);
  const size_t parts = pieces(a.keys, kPart), dp = padded(a.width), record = a.width + 2;
  float* y = c.op(c.n_operands - 1).as();
  float *block = (float*)ctx.own(c), *q = block + kKeys * dp, *weights = q + a.group * dp, *out = weights + a.group * kPart;
  const size_t queries = a.batch * a.tokens;
  size_t turn = 0;
  for (size_t query = 0; query < queries; query++) {
    const Attention::Visible v = a.visible(query);
    const size_t b = query / a.tokens;
    for (size_t part = 0; part < parts; part++) {
      const int64_t from = most((size_t)v.first, part * kPart);
      const int64_t to = least((size_t)(v.last + 1), (part + 1) * kPart);
      const bool empty = v.last < v.first || from >= to;
      for (size_t head = 0; head < a.kv_heads; head++) {
        float* records = y + ((query * a.heads + head * a.group) * parts + part) * record;
        if (empty) {
          if (ctx.thread == 0) for (size_t g = 0; g < a.group; g++) records[g * parts * record + a.width + 1] = kUnseen;
          continue;
        }
        if (turn++ % (size_t)ctx.n_threads != (size_t)ctx.thread) continue;
        const float* from_q = c.op(0).as() + (query * a.heads + head * a.group) * a.width;
        for (size_t g = 0; g < a.group; g++) {
          for (size_t d = 0; d < dp; d++) q[g * dp + d] = d < a.width ? from_q[g * a.width + d] : 0;
        }
        const size_t n = (size_t)(to - from);
        for (size_t j = 0; j < n; j += kKeys) {
          const size_t here = least(kKeys, n - j);
          load_rows(a, c.op(1), b, head, (size_t)from + j, (size_t)from + j + here, block, dp);
          for (size_t g = 0; g < a.group; g++) score(q + g * dp, block, dp, here, a.scale, weights + g * kPart + j);
        }
        for (size_t g = 0; g < a.group; g++) {
          float* w = weights + g * kPart;
          const float most = max_of(w, n), top = most > kNothing ? most : kNothing;
          const F shift = fset(top);
          map(w, w, n, [&](F x) { return fexp(x - shift); });
          records[g * parts * record + a.width] = top;
          records[g * parts * record + a.width + 1] = sum_of(w, n, [](F x) { return x; });
        }
        memset(out, 0, a.group * dp * 4);
        for (size_t j = 0; j < n; j += kKeys) {
          const size_t here = least(kKeys, n - j);
          load_rows(a, c.op(2), b, head, (size_t)from + j, (size_t)from + j + here, block, dp);
          product<true>(weights + j, kPart, 1, block, dp, out, dp, a.group, dp, here);
        }
        for (size_t g = 0; g < a.group; g++) memcpy(records + g * parts * record, out + g * dp, a.width * 4);
      }
    }
  }
}

// Operands partial results, y [..., H, D].
void op_attention_join(const Call& c, const Ctx& ctx) {
  const Operand& x = c.op(0);
  const size_t parts = (size_t)x.dims[2], record = (size_t)x.dims[3], width = record - 2;
  const Range r = share((size_t)x.dims[0] * (size_t)x.dims[1], 1, ctx);
  for (size_t row = r.begin; row < r.end; row++) {
    const float* records = x.as() + row * parts * record;
    float* y = c.op(1).as() + row * width;
    float top = kNothing, total = 0;
    bool seen = false;
    for (size_t p = 0; p < parts; p++) {
      const float* e = records + p * record + width;
      if (e[1] == kUnseen) continue;
      seen = true;
      if (e[0] > top) top = e[0];
    }
    memset(y, 0, width * 4);
    for (size_t p = 0; p < parts; p++) {
      const float* e = records + p * record;
      if (e[width + 1] <= 0) continue;
      const F factor = fexp(fset(e[width] - top));
      float t[W];
      fstore(t, factor);
      total += e[width + 1] * t[0];
      size_t i = 0;
      for (; i + W <= width; i += W) fstore(y + i, fma(fload(e + i), factor, fload(y + i)));
      if (i < width) fstore_n(y + i, fma(fload_n(e + i, width - i), factor, fload_n(y + i, width - i)), width - i);
    }
    const F scale = fset(seen ? 1 / total : 0);
    map(y, y, width, [&](F v) { return v * scale; });
  }
}

}  // namespace cria::CRIA_ISA
