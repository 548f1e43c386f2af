// What every kernel file shares: the SIMD layer, shares of work, and loops over vectors. Each file of this folder is
// compiled once for each instruction set into the namespace CRIA_ISA, so everything here is static or in it.
#pragma once
#ifndef CRIA_ISA
#error "CRIA_ISA names the instruction set: see native/build.mjs"
#endif
#include "../executor/call.h"
#include "../executor/opcodes.h"
#include "../simd/simd.h"

extern "C" {
void* memcpy(void* to, const void* from, size_t n);
void* memset(void* to, int value, size_t n);
}

namespace cria::CRIA_ISA {

#define CRIA_DECLARE(name) void op_##name(const Call&, const Ctx&);
CRIA_OPCODES(CRIA_DECLARE)
#undef CRIA_DECLARE

struct Range {
  size_t begin, end;
};

CRIA_INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }
CRIA_INLINE size_t most(size_t a, size_t b) { return a > b ? a : b; }
CRIA_INLINE size_t pieces(size_t n, size_t size) { return (n + size - 1) / size; }

// This thread's share of n items in whole grains. Only who computes an item depends on the thread count, never how.
CRIA_INLINE Range share(size_t n, size_t grain, const Ctx& c) {
  const size_t units = pieces(n, grain);
  const size_t begin = units * (size_t)c.thread / (size_t)c.n_threads * grain;
  const size_t end = units * ((size_t)c.thread + 1) / (size_t)c.n_threads * grain;
  return {least(begin, n), least(end, n)};
}

// Elements are handed out in cache lines.
constexpr size_t kLine = 64;

// Results that only products of bf16 read are rounded here as those would (src/narrow.ts chooses them); else f32.
struct Sink {
  void* to;
  bool narrow;

  explicit Sink(const Operand& y) : to(y.as<void>()), narrow(y.type() == kBF16) {}
  CRIA_FLAT void put(size_t i, F v) const {
    if (narrow) narrow_bf16((uint16_t*)to + i, v);
    else fstore((float*)to + i, v);
  }
  CRIA_FLAT void put_n(size_t i, F v, size_t n) const {
    if (narrow) narrow_bf16_n((uint16_t*)to + i, v, n);
    else fstore_n((float*)to + i, v, n);
  }
  // n elements from f(x[0]) on.
  template <class Fn> CRIA_FLAT void map(size_t at, const float* x, size_t n, Fn f) const {
    size_t i = 0;
    for (; i + W <= n; i += W) put(at + i, f(fload(x + i)));
    if (i < n) put_n(at + i, f(fload_n(x + i, n - i)), n - i);
  }
};

// y[i] = f(x[i]) over vectors; the tail runs the same instructions on a partial vector.
template <class Fn> CRIA_INLINE void map(const float* x, float* y, size_t n, Fn f) {
  size_t i = 0;
  for (; i + W <= n; i += W) fstore(y + i, f(fload(x + i)));
  if (i < n) fstore_n(y + i, f(fload_n(x + i, n - i)), n - i);
}

// Adds n values into a fixed tree, the same bits wherever they lie: `whole(i)` gives W of them from i on, `rest(i)` those
// that are left.
template <class Whole, class Rest> CRIA_INLINE float sum_over(size_t n, Whole whole, Rest rest) {
  F a = fzero(), b = fzero(), c = fzero(), d = fzero();
  size_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
    a = a + whole(i);
    b = b + whole(i + W);
    c = c + whole(i + 2 * W);
    d = d + whole(i + 3 * W);
  }
  for (; i + W <= n; i += W) a = a + whole(i);
  float tail = 0;
  if (i < n) {
    float t[W] = {};
    fstore_n(t, rest(i), n - i);
    tail = fsum(fload(t));
  }
  return fsum((a + b) + (c + d)) + tail;
}

template <class Fn> CRIA_INLINE float sum_of(const float* x, size_t n, Fn f) {
  return sum_over(n, [&](size_t i) CRIA_FLAT { return f(fload(x + i)); }, [&](size_t i) CRIA_FLAT { return f(fload_n(x + i, n - i)); });
}

// y[i] = f(x[i]), and the sum of that.
template <class Fn> CRIA_INLINE float map_sum(const float* x, float* y, size_t n, Fn f) {
  const auto whole = [&](size_t i) CRIA_FLAT {
    const F v = f(fload(x + i));
    fstore(y + i, v);
    return v;
  };
  const auto rest = [&](size_t i) CRIA_FLAT {
    const F v = f(fload_n(x + i, n - i));
    fstore_n(y + i, v, n - i);
    return v;
  };
  return sum_over(n, whole, rest);
}

// May lose NaN, as vector maxima do: for shifts of sums that meet the NaN again.
CRIA_INLINE float max_of(const float* x, size_t n) {
  F a = fset(-__builtin_inff()), b = a, c = a, d = a;
  size_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
    a = fmax(a, fload(x + i));
    b = fmax(b, fload(x + i + W));
    c = fmax(c, fload(x + i + 2 * W));
    d = fmax(d, fload(x + i + 3 * W));
  }
  for (; i + W <= n; i += W) a = fmax(a, fload(x + i));
  float m = fmaxh(fmax(fmax(a, b), fmax(c, d)));
  for (; i < n; i++) m = x[i] > m ? x[i] : m;
  return m;
}

// What to subtract before exp in a log Σeˣ: of infinities nothing, so that they come out as they are and not as NaN.
CRIA_INLINE float finite_or_zero(float x) { return __builtin_fabsf(x) < __builtin_inff() ? x : 0; }

CRIA_INLINE size_t size_of(Dtype t) { return block_bytes(t); }

}  // namespace cria::CRIA_ISA
