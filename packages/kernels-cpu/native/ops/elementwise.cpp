// Functions of one element and of two, comparisons, select and cast. f32 in vectors; integers and the rarely used pow
// in plain loops that the compiler vectorises where it can.
#include "double-math.h"

namespace cria::CRIA_ISA {

// The numbers are repeated in src/opcodes.ts.
enum Unary { kNeg, kAbs, kExp, kLog, kSqrt, kSin, kCos, kTanh, kErf, kFloor, kSquare, kRsqrt, kSigmoid, kSilu, kRelu,
             kSoftplus, kGeluTanh, kGeluErf, kSign };
enum Binary { kAdd, kSub, kMul, kDiv, kPow, kMaximum, kMinimum, kEqual, kLess, kLessEqual };

CRIA_INLINE F ferf(F x) {
  // Series below 1, complementary error function beyond (Numerical Recipes' erfcc, 1.2e-7).
  const F a = fmin(fabs(x), fset(10.0f)), z = a * a;
  // 2/sqrt(pi) · Σ (-1)^n z^n / (n! (2n+1)), n up to 11.
  const float c[] = {-1.0f / 918086400.0f, 1.0f / 76204800.0f, -1.0f / 6894720.0f,  1.0f / 685440.0f, -1.0f / 75600.0f, 1.0f / 9360.0f,
                     -1.0f / 1320.0f,      1.0f / 216.0f,      -1.0f / 42.0f,       1.0f / 10.0f,     -1.0f / 3.0f,     1.0f};
  F s = fset(c[0]);
  for (int i = 1; i < 12; i++) s = fma(s, z, fset(c[i]));
  const F near = s * x * fset(1.1283791671f);
  const F t = fset(1.0f) / fma(a, fset(0.5f), fset(1.0f));
  const float d[] = {0.17087277f, -0.82215223f, 1.48851587f, -1.13520398f, 0.27886807f,
                     -0.18628806f, 0.09678418f, 0.37409196f, 1.00002368f, -1.26551223f};
  F q = fset(d[0]);
  for (int i = 1; i < 10; i++) q = fma(q, t, fset(d[i]));
  const F far = fset(1.0f) - t * fexp(q - z);
  const F sign = floats(bits(x) & iset((int32_t)0x80000000));
  const F r = select(fabs(x) < fset(1.0f), near, floats(bits(far) | bits(sign)));
  return select(x == x, r, x);
}

CRIA_INLINE F ffloor(F x) {
  const F r = fround(x);
  return select(r > x, r - fset(1.0f), r);
}

CRIA_INLINE F fgelu_tanh(F x) {
  return x * fset(0.5f) * (ftanh((x + x * (x * x) * fset(0.044715f)) * fset(0.7978845608f)) + fset(1.0f));
}

template <class Fn> static void unary_f32(const Call& c, const Ctx& ctx, Fn f) {
  const Range r = share(c.op(0).size(), kLine, ctx);
  map(c.op(0).as() + r.begin, c.op(1).as() + r.begin, r.end - r.begin, f);
}

template <class T, class Fn> static void unary_plain(const Call& c, const Ctx& ctx, Fn f) {
  const Range r = share(c.op(0).size(), kLine, ctx);
  const T* x = c.op(0).as<T>();
  T* y = c.op(1).as<T>();
  for (size_t i = r.begin; i < r.end; i++) y[i] = (T)f(x[i]);
}

// T is unsigned: wrapping is meant. `top` is the sign bit of signed types, 0 for the rest.
template <class T> static void unary_int(const Call& c, const Ctx& ctx, T top) {
  switch (c.attr(0)) {
    case kNeg: return unary_plain<T>(c, ctx, [](T x) { return T(0) - x; });
    case kAbs: return unary_plain<T>(c, ctx, [top](T x) { return x & top ? T(0) - x : x; });
    case kSquare: return unary_plain<T>(c, ctx, [](T x) { return (uint32_t)x * (uint32_t)x; });
    default: return;
  }
}

void op_unary(const Call& c, const Ctx& ctx) {
  switch (c.op(0).type()) {
    case kI32: return unary_int<uint32_t>(c, ctx, 0x80000000u);
    case kU32: return unary_int<uint32_t>(c, ctx, 0);
    case kI8: return unary_int<uint8_t>(c, ctx, 0x80);
    case kU8: return unary_int<uint8_t>(c, ctx, 0);
    default: break;
  }
  switch (c.attr(0)) {
    case kNeg: return unary_f32(c, ctx, [](F x) { return -x; });
    case kAbs: return unary_f32(c, ctx, [](F x) { return fabs(x); });
    case kExp: return unary_f32(c, ctx, [](F x) { return fexp(x); });
    case kLog: return unary_f32(c, ctx, [](F x) { return flog(x); });
    case kSqrt: return unary_f32(c, ctx, [](F x) { return fsqrt(x); });
    case kSin: return unary_plain<float>(c, ctx, [](float x) { return sin_cos(x).sin; });
    case kCos: return unary_plain<float>(c, ctx, [](float x) { return sin_cos(x).cos; });
    case kTanh: return unary_f32(c, ctx, [](F x) { return ftanh(x); });
    case kErf: return unary_f32(c, ctx, [](F x) { return ferf(x); });
    case kFloor: return unary_f32(c, ctx, [](F x) { return ffloor(x); });
    case kSquare: return unary_f32(c, ctx, [](F x) { return x * x; });
    case kRsqrt: return unary_f32(c, ctx, [](F x) { return fset(1.0f) / fsqrt(x); });
    case kSigmoid: return unary_f32(c, ctx, [](F x) { return fsigmoid(x); });
    case kSilu: return unary_f32(c, ctx, [](F x) { return fsilu(x); });
    case kRelu: return unary_f32(c, ctx, [](F x) { return select(x > fzero(), x, select(x == x, fzero(), x)); });
    case kSoftplus:
      return unary_f32(c, ctx, [](F x) { return fmax(x, fzero()) + flog(fset(1.0f) + fexp(-fabs(x))); });
    case kGeluTanh: return unary_f32(c, ctx, [](F x) { return fgelu_tanh(x); });
    case kGeluErf:
      return unary_f32(c, ctx, [](F x) { return x * fset(0.5f) * (ferf(x * fset(0.70710678f)) + fset(1.0f)); });
    case kSign:
      return unary_f32(c, ctx, [](F x) {
        return select(x > fzero(), fset(1.0f), select(x < fzero(), fset(-1.0f), fzero()));
      });
  }
}

// Attributes of calls that broadcast: [function,] axes, lengths, then the strides of each input. Axes that can be
// walked as one are already one, so the last axis of every input has stride 1 or 0.
struct Broadcast {
  int n_axes;
  const int32_t* lengths;
  const int32_t* strides;  // n_axes for each input

  size_t inner() const { return n_axes ? (size_t)lengths[n_axes - 1] : 1; }
  size_t total() const {
    size_t n = 1;
    for (int i = 0; i < n_axes; i++) n *= (size_t)lengths[i];
    return n;
  }
  size_t start(int input, size_t row) const {
    const int32_t* s = strides + input * n_axes;
    size_t at = 0;
    for (int i = n_axes - 2; i >= 0; i--) {
      at += row % (size_t)lengths[i] * (size_t)s[i];
      row /= (size_t)lengths[i];
    }
    return at;
  }
  size_t step(int input) const { return n_axes ? (size_t)strides[input * n_axes + n_axes - 1] : 1; }
};

static Broadcast broadcast(const Call& c, int first) {
  const int n = c.attr(first);
  return {n, c.attrs() + first + 1, c.attrs() + first + 1 + n};
}

// Calls run(offset in the output, row, offset in the row, count) for this thread's elements, row by row.
template <class Fn> CRIA_INLINE void each_row(const Broadcast& b, const Ctx& ctx, Fn run) {
  const Range r = share(b.total(), kLine, ctx);
  const size_t inner = b.inner();
  for (size_t at = r.begin; at < r.end;) {
    const size_t row = at / inner, from = at % inner, n = least(inner - from, r.end - at);
    run(at, row, from, n);
    at += n;
  }
}

template <class T, class Y, class Fn> static void binary_plain(const Call& c, const Ctx& ctx, Fn f) {
  const Broadcast b = broadcast(c, 1);
  const size_t sx = b.step(0), sy = b.step(1);
  each_row(b, ctx, [&](size_t at, size_t row, size_t from, size_t n) {
    const T* x = c.op(0).as<T>() + b.start(0, row) + from * sx;
    const T* y = c.op(1).as<T>() + b.start(1, row) + from * sy;
    Y* z = c.op(2).as<Y>() + at;
    if (sx && sy) for (size_t i = 0; i < n; i++) z[i] = (Y)f(x[i], y[i]);
    else if (sx) for (size_t i = 0; i < n; i++) z[i] = (Y)f(x[i], *y);
    else for (size_t i = 0; i < n; i++) z[i] = (Y)f(*x, y[i * sy]);
  });
}

// `f` gives a vector of the output, float or integer bits.
template <class Fn> static void binary_f32(const Call& c, const Ctx& ctx, Fn f) {
  const Broadcast b = broadcast(c, 1);
  const size_t sx = b.step(0), sy = b.step(1);
  each_row(b, ctx, [&](size_t at, size_t row, size_t from, size_t n) {
    const float* x = c.op(0).as() + b.start(0, row) + from * sx;
    const float* y = c.op(1).as() + b.start(1, row) + from * sy;
    float* z = c.op(2).as() + at;
    if (sx && sy) {
      size_t i = 0;
      for (; i + W <= n; i += W) fstore(z + i, f(fload(x + i), fload(y + i)));
      if (i < n) fstore_n(z + i, f(fload_n(x + i, n - i), fload_n(y + i, n - i)), n - i);
    } else if (sx) {
      const F v = fset(*y);
      map(x, z, n, [&](F u) { return f(u, v); });
    } else {
      const F u = fset(*x);
      if (sy) map(y, z, n, [&](F v) { return f(u, v); });
      else {
        const F w = f(u, fset(*y));
        size_t i = 0;
        for (; i + W <= n; i += W) fstore(z + i, w);
        if (i < n) fstore_n(z + i, w, n - i);
      }
    }
  });
}

CRIA_INLINE F truth(M m) { return floats(select(m, iset(1), iset(0))); }
// NaN on either side stays, as in JavaScript.
CRIA_INLINE F either_nan(F a, F b, F r) { return select(a == a, select(b == b, r, b), a); }

template <class T> CRIA_INLINE T power_int(T a, T b) { return (T)(int64_t)pow_d((double)a, (double)b); }

// T is the type as compared and divided, U the unsigned one in which it wraps.
template <class T, class U> static void binary_int(const Call& c, const Ctx& ctx) {
  switch (c.attr(0)) {
    case kAdd: return binary_plain<U, U>(c, ctx, [](U a, U b) { return (U)(a + b); });
    case kSub: return binary_plain<U, U>(c, ctx, [](U a, U b) { return (U)(a - b); });
    case kMul: return binary_plain<U, U>(c, ctx, [](U a, U b) { return (U)((uint32_t)a * (uint32_t)b); });
    case kDiv:
      return binary_plain<T, T>(c, ctx, [](T a, T b) -> T {
        // -a instead of a / -1: the smallest number has no positive twin.
        return b == 0 ? T(0) : b == (T)-1 && (T)-1 < T(0) ? (T)(U(0) - (U)a) : (T)(a / b);
      });
    case kPow: return binary_plain<T, T>(c, ctx, [](T a, T b) { return power_int(a, b); });
    case kMaximum: return binary_plain<T, T>(c, ctx, [](T a, T b) { return a > b ? a : b; });
    case kMinimum: return binary_plain<T, T>(c, ctx, [](T a, T b) { return a < b ? a : b; });
    case kEqual: return binary_plain<T, int32_t>(c, ctx, [](T a, T b) { return a == b; });
    case kLess: return binary_plain<T, int32_t>(c, ctx, [](T a, T b) { return a < b; });
    case kLessEqual: return binary_plain<T, int32_t>(c, ctx, [](T a, T b) { return a <= b; });
    default: return;
  }
}

void op_binary(const Call& c, const Ctx& ctx) {
  switch (c.op(0).type()) {
    case kI32: return binary_int<int32_t, uint32_t>(c, ctx);
    case kU32: return binary_int<uint32_t, uint32_t>(c, ctx);
    case kI8: return binary_int<int8_t, uint8_t>(c, ctx);
    case kU8: return binary_int<uint8_t, uint8_t>(c, ctx);
    default: break;
  }
  switch (c.attr(0)) {
    case kAdd: return binary_f32(c, ctx, [](F a, F b) { return a + b; });
    case kSub: return binary_f32(c, ctx, [](F a, F b) { return a - b; });
    case kMul: return binary_f32(c, ctx, [](F a, F b) { return a * b; });
    case kDiv: return binary_f32(c, ctx, [](F a, F b) { return a / b; });
    case kPow: return binary_plain<float, float>(c, ctx, [](float a, float b) { return pow_d(a, b); });
    case kMaximum: return binary_f32(c, ctx, [](F a, F b) { return either_nan(a, b, fmax(a, b)); });
    case kMinimum: return binary_f32(c, ctx, [](F a, F b) { return either_nan(a, b, fmin(a, b)); });
    case kEqual: return binary_f32(c, ctx, [](F a, F b) { return truth(a == b); });
    case kLess: return binary_f32(c, ctx, [](F a, F b) { return truth(a < b); });
    case kLessEqual: return binary_f32(c, ctx, [](F a, F b) { return truth(a <= b); });
  }
}

// Moves bits only, so any 4-, 2- or 1-byte dtype goes.
template <class T> static void select_plain(const Call& c, const Ctx& ctx) {
  const Broadcast b = broadcast(c, 0);
  const size_t s0 = b.step(0), s1 = b.step(1), s2 = b.step(2);
  each_row(b, ctx, [&](size_t at, size_t row, size_t from, size_t n) {
    const int32_t* condition = c.op(0).as<int32_t>() + b.start(0, row) + from * s0;
    const T* x = c.op(1).as<T>() + b.start(1, row) + from * s1;
    const T* y = c.op(2).as<T>() + b.start(2, row) + from * s2;
    T* z = c.op(3).as<T>() + at;
    if (s0 && s1 && s2) for (size_t i = 0; i < n; i++) z[i] = condition[i] ? x[i] : y[i];
    else for (size_t i = 0; i < n; i++) z[i] = condition[i * s0] ? x[i * s1] : y[i * s2];
  });
}

void op_select(const Call& c, const Ctx& ctx) {
  switch (size_of(c.op(1).type())) {
    case 4: return select_plain<uint32_t>(c, ctx);
    case 2: return select_plain<uint16_t>(c, ctx);
    default: return select_plain<uint8_t>(c, ctx);
  }
}

// --- cast ---

// Numbers to T: truncated towards zero and saturated; NaN is 0. double holds every 32-bit integer.
template <class T> CRIA_INLINE T saturate(double x, double low, double high) {
  return x != x ? T(0) : x <= low ? (T)low : x >= high ? (T)high : (T)x;
}

template <class From> static void cast_plain(const Call& c, const Ctx& ctx) {
  const Range r = share(c.op(0).size(), kLine, ctx);
  const From* x = c.op(0).as<From>();
  void* y = c.op(1).as<void>();
  switch (c.op(1).type()) {
    case kF32: for (size_t i = r.begin; i < r.end; i++) ((float*)y)[i] = (float)x[i]; return;
    case kI32: for (size_t i = r.begin; i < r.end; i++) ((int32_t*)y)[i] = saturate<int32_t>(x[i], -0x1p31, 0x1p31 - 1); return;
    case kU32: for (size_t i = r.begin; i < r.end; i++) ((uint32_t*)y)[i] = saturate<uint32_t>(x[i], 0, 0x1p32 - 1); return;
    case kI8: for (size_t i = r.begin; i < r.end; i++) ((int8_t*)y)[i] = saturate<int8_t>(x[i], -128, 127); return;
    case kU8: for (size_t i = r.begin; i < r.end; i++) ((uint8_t*)y)[i] = saturate<uint8_t>(x[i], 0, 255); return;
    default: break;
  }
  // To halves, through vectors of floats.
  for (size_t i = r.begin; i < r.end; i += W) {
    const size_t n = least(W, r.end - i);
    float t[W] = {};
    for (size_t j = 0; j < n; j++) t[j] = (float)x[i + j];
    if (c.op(1).type() == kF16) store_f16_n((uint16_t*)y + i, fload(t), n);
    else store_bf16_n((uint16_t*)y + i, fload(t), n);
  }
}

// From halves: vectors of floats, then on as f32.
template <bool brain> static void cast_half(const Call& c, const Ctx& ctx) {
  const Range r = share(c.op(0).size(), kLine, ctx);
  const uint16_t* x = c.op(0).as<uint16_t>();
  const Dtype to = c.op(1).type();
  for (size_t i = r.begin; i < r.end; i += W) {
    const size_t n = least(W, r.end - i);
    const F v = n == W ? (brain ? load_bf16(x + i) : load_f16(x + i)) : (brain ? load_bf16_n(x + i, n) : load_f16_n(x + i, n));
    if (to == kF32) {
      if (n == W) fstore(c.op(1).as() + i, v);
      else fstore_n(c.op(1).as() + i, v, n);
      continue;
    }
    if (to == kF16) { store_f16_n(c.op(1).as<uint16_t>() + i, v, n); continue; }
    if (to == kBF16) { store_bf16_n(c.op(1).as<uint16_t>() + i, v, n); continue; }
    float t[W];
    fstore(t, v);
    for (size_t j = 0; j < n; j++) {
      if (to == kI32) c.op(1).as<int32_t>()[i + j] = saturate<int32_t>(t[j], -0x1p31, 0x1p31 - 1);
      else if (to == kU32) c.op(1).as<uint32_t>()[i + j] = saturate<uint32_t>(t[j], 0, 0x1p32 - 1);
      else if (to == kI8) c.op(1).as<int8_t>()[i + j] = saturate<int8_t>(t[j], -128, 127);
      else c.op(1).as<uint8_t>()[i + j] = saturate<uint8_t>(t[j], 0, 255);
    }
  }
}

void op_cast(const Call& c, const Ctx& ctx) {
  switch (c.op(0).type()) {
    case kF32: return cast_plain<float>(c, ctx);
    case kF16: return cast_half<false>(c, ctx);
    case kBF16: return cast_half<true>(c, ctx);
    case kI32: return cast_plain<int32_t>(c, ctx);
    case kU32: return cast_plain<uint32_t>(c, ctx);
    case kI8: return cast_plain<int8_t>(c, ctx);
    case kU8: return cast_plain<uint8_t>(c, ctx);
    default: return;
  }
}

}  // namespace cria::CRIA_ISA
