// The layers of a transformer that work row by row: softmax, norms, SwiGLU, rotary embedding.
#include "double-math.h"

namespace cria::CRIA_ISA {

// Attribute 0: 1 for log softmax. Operands x, y.
void op_softmax(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).last();
  const bool log = c.attr(0);
  const Range r = share(c.op(0).rows(), 1, ctx);
  if (n == 0) return;
  for (size_t row = r.begin; row < r.end; row++) {
    const float* x = c.op(0).as() + row * n;
    float* y = c.op(1).as() + row * n;
    const float most = max_of(x, n);
    const F top = fset(log ? finite_or_zero(most) : most);
    if (log) {
      const float total = sum_of(x, n, [&](F v) { return fexp(v - top); });
      const F shift = top + fset((float)log_d(total));
      map(x, y, n, [&](F v) { return v - shift; });
    } else {
      const F scale = fset(1.0f / map_sum(x, y, n, [&](F v) { return fexp(v - top); }));
      map(y, y, n, [&](F v) { return v * scale; });
    }
  }
}

// Operands x, weight, y; attribute 0: eps.
void op_rms_norm(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).last();
  const Sink y(c.op(2));
  const float* weight = c.op(1).as();
  const Range r = share(c.op(0).rows(), 1, ctx);
  for (size_t row = r.begin; row < r.end; row++) {
    const float* x = c.op(0).as() + row * n;
    const size_t to = row * n;
    const float mean = sum_of(x, n, [](F v) { return v * v; }) / (float)n;
    const F scale = fset(1.0f / __builtin_sqrtf(mean + c.attr_f(0)));
    size_t i = 0;
    for (; i + W <= n; i += W) y.put(to + i, fload(x + i) * scale * fload(weight + i));
    if (i < n) y.put_n(to + i, fload_n(x + i, n - i) * scale * fload_n(weight + i, n - i), n - i);
  }
}

// Operands x, weight, bias, y; attribute 0: eps.
void op_layer_norm(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).last();
  const float *weight = c.op(1).as(), *bias = c.op(2).as();
  const Range r = share(c.op(0).rows(), 1, ctx);
  for (size_t row = r.begin; row < r.end; row++) {
    const float* x = c.op(0).as() + row * n;
    float* y = c.op(3).as() + row * n;
    const F mean = fset(sum_of(x, n, [](F v) { return v; }) / (float)n);
    const float variance = sum_of(x, n, [&](F v) { return (v - mean) * (v - mean); }) / (float)n;
    const F scale = fset(1.0f / __builtin_sqrtf(variance + c.attr_f(0)));
    size_t i = 0;
    for (; i + W <= n; i += W) fstore(y + i, fma((fload(x + i) - mean) * scale, fload(weight + i), fload(bias + i)));
    if (i < n) {
      const size_t left = n - i;
      fstore_n(y + i, fma((fload_n(x + i, left) - mean) * scale, fload_n(weight + i, left), fload_n(bias + i, left)), left);
    }
  }
}

// Operands gate, up, y.
void op_swiglu(const Call& c, const Ctx& ctx) {
  const Range r = share(c.op(0).size(), kLine, ctx);
  const float *gate = c.op(0).as() + r.begin, *up = c.op(1).as() + r.begin;
  const Sink y(c.op(2));
  const size_t n = r.end - r.begin;
  size_t i = 0;
  for (; i + W <= n; i += W) y.put(r.begin + i, fsilu(fload(gate + i)) * fload(up + i));
  if (i < n) y.put_n(r.begin + i, fsilu(fload_n(gate + i, n - i)) * fload_n(up + i, n - i), n - i);
}

// Operands x [..., T, H, D], positions, frequencies [R/2], y; attributes interleaved, inverse, scale. The angle is the
// f32 product that the definition makes; its sine and cosine are taken in double and serve all heads.
void op_rope(const Call& c, const Ctx& ctx) {
  const Operand &x = c.op(0), &frequencies = c.op(2);
  const size_t half = (size_t)frequencies.dims[0], width = (size_t)x.dims[x.rank - 1], heads = (size_t)x.dims[x.rank - 2];
  const size_t tokens = heads ? x.rows() / heads : 0, period = c.op(1).size();
  const bool interleaved = c.attr(0);
  const float scale = c.attr_f(2), sign = c.attr(1) ? -scale : scale;
  float *cosines = (float*)ctx.own(c), *sines = cosines + half, *rotated = sines + half;
  const Sink y(c.op(3));
  // Sequences of a batch share positions, so a table of angles serves them all.
  const Range r = share(least(period, tokens), 1, ctx);
  for (size_t p = r.begin; p < r.end; p++) {
    const float position = (float)c.op(1).as<int32_t>()[p];
    for (size_t i = 0; i < half; i++) {
      const SinCos a = sin_cos((double)(position * frequencies.as()[i]));
      cosines[i] = (float)a.cos * scale;
      sines[i] = (float)a.sin * sign;
    }
    for (size_t t = p; t < tokens; t += period) {
      for (size_t h = 0; h < heads; h++) {
        const float* __restrict from = x.as() + (t * heads + h) * width;
        const size_t row = (t * heads + h) * width;
        float* __restrict to = y.narrow ? rotated : (float*)y.to + row;
        if (interleaved) {
          for (size_t i = 0; i < half; i++) {
            const float a = from[2 * i], b = from[2 * i + 1];
            to[2 * i] = a * cosines[i] - b * sines[i];
            to[2 * i + 1] = b * cosines[i] + a * sines[i];
          }
        } else {
          size_t i = 0;
          for (; i + W <= half; i += W) {
            const F a = fload(from + i), b = fload(from + i + half), co = fload(cosines + i), si = fload(sines + i);
            fstore(to + i, a * co - b * si);
            fstore(to + i + half, b * co + a * si);
          }
          for (; i < half; i++) {
            const float a = from[i], b = from[i + half];
            to[i] = a * cosines[i] - b * sines[i];
            to[i + half] = b * cosines[i] + a * sines[i];
          }
        }
        if (2 * half < width) memcpy(to + 2 * half, from + 2 * half, (width - 2 * half) * 4);
        if (y.narrow) y.map(row, to, width, [](F v) { return v; });
      }
    }
  }
}

}  // namespace cria::CRIA_ISA
