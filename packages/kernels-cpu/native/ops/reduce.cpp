// Reductions along an axis, running sums and top-k. An axis splits a tensor into [outer, n, inner]. Every sum is a
// fixed tree, whatever the thread count.
#include "double-math.h"

namespace cria::CRIA_ISA {

// The numbers are repeated in src/opcodes.ts.
enum Reduce { kSum, kMax, kArgmax, kMean, kLogsumexp, kSumSquares };

constexpr size_t kRun = 4096;  // elements added before their sum joins the total: keeps long sums exact

template <class Fn> CRIA_INLINE float long_sum(const float* x, size_t n, Fn f) {
  if (n <= kRun) return sum_of(x, n, f);
  double total = 0;
  for (size_t i = 0; i < n; i += kRun) total += (double)sum_of(x + i, least(kRun, n - i), f);
  return (float)total;
}

// NaN if any is.
static float max_kept(const float* x, size_t n) {
  F top = fset(-__builtin_inff()), nan = fzero();
  size_t i = 0;
  for (; i + W <= n; i += W) {
    const F v = fload(x + i);
    top = fmax(top, v);
    nan = select(v == v, nan, v);
  }
  const float bad = fsum(nan);
  float m = bad == bad ? fmaxh(top) : bad;
  for (; i < n; i++) m = x[i] <= m || m != m ? m : x[i];
  return m;
}

// The first NaN is the largest.
static size_t argmax_of(const float* x, size_t n) {
  const float top = max_kept(x, n);
  size_t i = 0;
  if (top == top) while (i < n && x[i] != top) i++;
  else while (x[i] == x[i]) i++;
  return i < n ? i : 0;
}

static float logsumexp_of(const float* x, size_t n) {
  const float top = finite_or_zero(max_of(x, n));
  const F shift = fset(top);
  const float total = long_sum(x, n, [&](F v) { return fexp(v - shift); });
  return top + (float)log_d(total);
}

static void reduce_rows(const Call& c, const Ctx& ctx, size_t outer, size_t n) {
  const Range r = share(outer, 1, ctx);
  const float* x = c.op(0).as();
  for (size_t i = r.begin; i < r.end; i++) {
    const float* row = x + i * n;
    if (c.attr(0) == kArgmax) {
      c.op(1).as<int32_t>()[i] = (int32_t)argmax_of(row, n);
      continue;
    }
    float* y = c.op(1).as() + i;
    switch (c.attr(0)) {
      case kSum: *y = long_sum(row, n, [](F v) { return v; }); break;
      case kMean: *y = long_sum(row, n, [](F v) { return v; }) / (float)n; break;
      case kSumSquares: *y = long_sum(row, n, [](F v) { return v * v; }); break;
      case kMax: *y = max_kept(row, n); break;
      case kLogsumexp: *y = logsumexp_of(row, n); break;
    }
  }
}

// W columns at a time, down the axis; sums join the total every 64 steps.
static void reduce_columns(const Call& c, const Ctx& ctx, size_t outer, size_t n, size_t inner) {
  const size_t vectors = pieces(inner, W);
  const Range r = share(outer * vectors, 1, ctx);
  const int kind = c.attr(0);
  for (size_t item = r.begin; item < r.end; item++) {
    const size_t o = item / vectors, j = item % vectors * W, lanes = least(W, inner - j);
    const float* x = c.op(0).as() + o * n * inner + j;
    const size_t at = o * inner + j;
    auto load = [&](size_t k) { return lanes == W ? fload(x + k * inner) : fload_n(x + k * inner, lanes); };
    F result = fzero();
    if (kind == kSum || kind == kMean) {
      for (size_t k = 0; k < n; k += 64) {
        F part = fzero();
        for (size_t e = least(n, k + 64), i = k; i < e; i++) part = part + load(i);
        result = result + part;
      }
      if (kind == kMean) result = result / fset((float)n);
    } else if (kind == kArgmax) {
      F top = fset(-__builtin_inff());
      I index = iset(0);
      for (size_t k = 0; k < n; k++) {
        const F v = load(k);
        // A NaN is taken, and then kept.
        const M kept = top == top, lower = v <= top;
        index = select(kept, select(lower, index, iset((int32_t)k)), index);
        top = select(kept, select(lower, top, v), top);
      }
      fstore_n(c.op(1).as() + at, floats(index), lanes);
      continue;
    } else {
      F top = fset(-__builtin_inff()), nan = fzero();
      for (size_t k = 0; k < n; k++) {
        const F v = load(k);
        top = fmax(top, v);
        nan = select(v == v, nan, v);
      }
      result = select(nan == nan, top, nan);
      if (kind == kLogsumexp) {
        const F shift = select(fabs(top) < fset(__builtin_inff()), top, fzero());
        F total = fzero();
        for (size_t k = 0; k < n; k++) total = total + fexp(load(k) - shift);
        result = shift + flog(total);
      }
    }
    if (lanes == W) fstore(c.op(1).as() + at, result);
    else fstore_n(c.op(1).as() + at, result, lanes);
  }
}

// Integers: sums wrap, one line at a time.
template <class T> static void reduce_int(const Call& c, const Ctx& ctx, size_t outer, size_t n, size_t inner) {
  const Range r = share(outer * inner, 1, ctx);
  for (size_t i = r.begin; i < r.end; i++) {
    const T* x = c.op(0).as<T>() + i / inner * n * inner + i % inner;
    uint32_t total = 0;
    size_t best = 0;
    for (size_t k = 0; k < n; k++) {
      total += (uint32_t)x[k * inner];
      if (x[k * inner] > x[best * inner]) best = k;
    }
    if (c.attr(0) == kSum) c.op(1).as<T>()[i] = (T)total;
    else if (c.attr(0) == kMax) c.op(1).as<T>()[i] = n ? x[best * inner] : T(0);
    else c.op(1).as<int32_t>()[i] = (int32_t)best;
  }
}

// Attributes: what, axis.
void op_reduce(const Call& c, const Ctx& ctx) {
  const Operand& x = c.op(0);
  const int axis = c.attr(1);
  const size_t outer = x.product(0, axis), n = (size_t)x.dims[axis], inner = x.product(axis + 1, x.rank);
  switch (x.type()) {
    case kI32: return reduce_int<int32_t>(c, ctx, outer, n, inner);
    case kU32: return reduce_int<uint32_t>(c, ctx, outer, n, inner);
    case kI8: return reduce_int<int8_t>(c, ctx, outer, n, inner);
    case kU8: return reduce_int<uint8_t>(c, ctx, outer, n, inner);
    default: break;
  }
  if (inner == 1) reduce_rows(c, ctx, outer, n);
  else reduce_columns(c, ctx, outer, n, inner);
}

// The first half of a sum over everything: sums of runs of attribute 1 elements, for many threads. The second is a
// plain sum over the parts.
void op_reduce_parts(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).size(), run = (size_t)c.attr(1);
  const Range r = share(c.op(1).size(), 1, ctx);
  for (size_t i = r.begin; i < r.end; i++) {
    const float* x = c.op(0).as() + i * run;
    const size_t count = least(run, n - i * run);
    c.op(1).as()[i] = c.attr(0) == kSumSquares ? long_sum(x, count, [](F v) { return v * v; })
                                               : long_sum(x, count, [](F v) { return v; });
  }
}

template <class T, class Total> static void cumsum_rows(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).last();
  const Range r = share(c.op(0).rows(), 1, ctx);
  for (size_t row = r.begin; row < r.end; row++) {
    const T* x = c.op(0).as<T>() + row * n;
    T* y = c.op(1).as<T>() + row * n;
    Total total = 0;
    for (size_t i = 0; i < n; i++) y[i] = (T)(total += (Total)x[i]);
  }
}

void op_cumsum(const Call& c, const Ctx& ctx) {
  if (c.op(0).size() == 0) return;
  switch (c.op(0).type()) {
    case kF32: return cumsum_rows<float, double>(c, ctx);
    case kI32: case kU32: return cumsum_rows<uint32_t, uint32_t>(c, ctx);
    default: return cumsum_rows<uint8_t, uint8_t>(c, ctx);
  }
}

// The k best of a row as a heap in the output itself, worst on top; then sorted. Ties go to the lower index. NaN is
// above every number.
template <class T> struct Best {
  T* values;
  int32_t* indices;

  bool worse(T a, int32_t i, T b, int32_t j) const {
    if (a != a || b != b) return a == a || (b != b && i > j);
    return a < b || (a == b && i > j);
  }
  void sink(size_t at, size_t n) {
    const T v = values[at];
    const int32_t index = indices[at];
    for (;;) {
      size_t child = 2 * at + 1;
      if (child >= n) break;
      if (child + 1 < n && worse(values[child + 1], indices[child + 1], values[child], indices[child])) child++;
      if (!worse(values[child], indices[child], v, index)) break;
      values[at] = values[child];
      indices[at] = indices[child];
      at = child;
    }
    values[at] = v;
    indices[at] = index;
  }
};

template <class T> static void top_k(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).last(), k = c.op(1).last();
  const Range r = share(c.op(0).rows(), 1, ctx);
  for (size_t row = r.begin; row < r.end; row++) {
    const T* x = c.op(0).as<T>() + row * n;
    Best<T> best{c.op(1).as<T>() + row * k, c.op(2).as<int32_t>() + row * k};
    for (size_t i = 0; i < k; i++) {
      best.values[i] = x[i];
      best.indices[i] = (int32_t)i;
    }
    for (size_t i = k / 2; i-- > 0;) best.sink(i, k);
    for (size_t i = k; i < n; i++) {
      if (x[i] <= best.values[0] || !best.worse(best.values[0], best.indices[0], x[i], (int32_t)i)) continue;
      best.values[0] = x[i];
      best.indices[0] = (int32_t)i;
      best.sink(0, k);
    }
    for (size_t end = k; end > 1; end--) {
      const T v = best.values[0];
      const int32_t index = best.indices[0];
      best.values[0] = best.values[end - 1];
      best.indices[0] = best.indices[end - 1];
      best.values[end - 1] = v;
      best.indices[end - 1] = index;
      best.sink(0, end - 1);
    }
  }
}

void op_top_k(const Call& c, const Ctx& ctx) {
  switch (c.op(0).type()) {
    case kI32: return top_k<int32_t>(c, ctx);
    case kU32: return top_k<uint32_t>(c, ctx);
    case kI8: return top_k<int8_t>(c, ctx);
    case kU8: return top_k<uint8_t>(c, ctx);
    default: return top_k<float>(c, ctx);
  }
}

}  // namespace cria::CRIA_ISA
