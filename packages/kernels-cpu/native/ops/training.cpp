// What training adds: cross-entropy of rows, gradients of the layers, and the AdamW step, each in few passes over memory.
#include "double-math.h"

namespace cria::CRIA_ISA {

// Operands logits [..., n], targets, losses. A negative target counts nothing; one beyond the end picks 0.
void op_cross_entropy(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).last();
  const Range r = share(c.op(1).size(), 1, ctx);
  for (size_t row = r.begin; row < r.end; row++) {
    const int32_t target = c.op(1).as<int32_t>()[row];
    float* y = c.op(2).as() + row;
    if (target < 0) {
      *y = 0;
      continue;
    }
    const float* x = c.op(0).as() + row * n;
    const float top = finite_or_zero(max_of(x, n));
    const F shift = fset(top);
    const float total = sum_of(x, n, [&](F v) { return fexp(v - shift); });
    *y = top + (float)log_d(total) - ((size_t)target < n ? x[target] : 0);
  }
}

// Operands logits [rows, n], targets, g (one for each row, or one for all), [losses], gradients. A row that does not count
// gives zeros.
void op_cross_entropy_grad(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).last();
  const bool each = c.op(2).size() > 1;
  const Operand& to = c.op(c.n_operands - 1);
  const Sink sink(to);
  const Range r = share(c.op(1).size(), 1, ctx);
  for (size_t row = r.begin; row < r.end; row++) {
    const int32_t target = c.op(1).as<int32_t>()[row];
    const float g = c.op(2).as()[each ? row : 0];
    const float* x = c.op(0).as() + row * n;
    float* y = sink.narrow ? (float*)ctx.own(c) : (float*)sink.to + row * n;
    float loss = 0;
    if (target < 0) {
      memset((uint8_t*)sink.to + row * n * size_of(to.type()), 0, n * size_of(to.type()));
    } else {
      const float top = finite_or_zero(max_of(x, n));
      const F shift = fset(top);
      const bool known = (size_t)target < n;
      const float own = known ? x[target] : 0;
      const float total = map_sum(x, y, n, [&](F v) { return fexp(v - shift); });
      const F factor = fset(g / total);
      const float of_target = known ? y[target] : 0;
      sink.map(row * n, y, n, [&](F v) { return v * factor; });
      if (known) sink.put_n(row * n + (size_t)target, fset(of_target) * factor - fset(g), 1);
      loss = top + (float)log_d(total) - own;
    }
    if (c.n_operands == 5) c.op(3).as()[row] = loss;
  }
}

// Operands x [rows, n], weight, g, dx, parts [blocks, n]: the gradient by the weight is the sum of the parts, one for each
// block of attribute 1 rows. Attribute 0: eps.
void op_rms_norm_grad(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).last(), rows = c.op(0).rows(), block = (size_t)c.attr(1);
  const float* weight = c.op(1).as();
  const Range r = share(pieces(rows, block), 1, ctx);
  for (size_t b = r.begin; b < r.end; b++) {
    float* part = c.op(4).as() + b * n;
    memset(part, 0, n * 4);
    for (size_t row = b * block; row < least(rows, (b + 1) * block); row++) {
      const float *x = c.op(0).as() + row * n, *g = c.op(2).as() + row * n;
      float* dx = c.op(3).as() + row * n;
      F squares = fzero(), along = fzero();
      const size_t whole = n / W * W, rest = n - whole;
      for (size_t i = 0; i < whole; i += W) {
        const F v = fload(x + i);
        squares = fma(v, v, squares);
        along = fma(v * fload(weight + i), fload(g + i), along);
      }
      if (rest) {
        const F v = fload_n(x + whole, rest);
        squares = fma(v, v, squares);
        along = fma(v * fload_n(weight + whole, rest), fload_n(g + whole, rest), along);
      }
      const float scale = 1.0f / __builtin_sqrtf(fsum(squares) / (float)n + c.attr_f(0));
      // dx = r · (g·w - x · r² · mean(g·w·x))
      const F s = fset(scale), shrink = fset(fsum(along) / (float)n * scale * scale);
      for (size_t i = 0; i < whole; i += W) {
        const F v = fload(x + i), given = fload(g + i);
        fstore(dx + i, s * (given * fload(weight + i) - v * shrink));
        fstore(part + i, fma(given * s, v, fload(part + i)));
      }
      if (rest) {
        const F v = fload_n(x + whole, rest), given = fload_n(g + whole, rest);
        fstore_n(dx + whole, s * (given * fload_n(weight + whole, rest) - v * shrink), rest);
        fstore_n(part + whole, fma(given * s, v, fload_n(part + whole, rest)), rest);
      }
    }
  }
}

// Operands gate, up, g, gradient by gate, gradient by up.
void op_swiglu_grad(const Call& c, const Ctx& ctx) {
  const Range r = share(c.op(0).size(), kLine, ctx);
  const float *gate = c.op(0).as(), *up = c.op(1).as(), *g = c.op(2).as();
  const Sink dgate(c.op(3)), dup(c.op(4));
  const F one = fset(1.0f);
  size_t i = r.begin;
  for (; i + W <= r.end; i += W) {
    const F x = fload(gate + i), given = fload(g + i), s = fsigmoid(x), silu = x * s;
    dgate.put(i, given * fload(up + i) * fma(silu, one - s, s));
    dup.put(i, given * silu);
  }
  if (i < r.end) {
    const size_t n = r.end - i;
    const F x = fload_n(gate + i, n), given = fload_n(g + i, n), s = fsigmoid(x), silu = x * s;
    dgate.put_n(i, given * fload_n(up + i, n) * fma(silu, one - s, s), n);
    dup.put_n(i, given * silu, n);
  }
}

// Operands p, g, m, v, lr, step, scale; attributes beta1, beta2, eps, weight decay (doubles). PyTorch's order.
// A scale of 0 skips the step, whatever the gradient holds.
void op_adamw(const Call& c, const Ctx& ctx) {
  const double beta1 = c.attr_d(0), beta2 = c.attr_d(2), eps = c.attr_d(4), decay = c.attr_d(6);
  const double lr = c.op(4).as()[0], step = c.op(5).as()[0];
  if (c.op(6).as()[0] == 0) return;
  const F scale = fset(c.op(6).as()[0]);
  const F keep1 = fset((float)beta1), take1 = fset((float)(1 - beta1));
  const F keep2 = fset((float)beta2), take2 = fset((float)(1 - beta2));
  const F shrink = fset((float)(1 - lr * decay)), e = fset((float)eps);
  const F size = fset((float)(lr / (1 - pow_d(beta1, step))));
  const F second = fset((float)(1 / (1 - pow_d(beta2, step))));
  const Range r = share(c.op(0).size(), kLine, ctx);
  float *p = c.op(0).as(), *m = c.op(2).as(), *v = c.op(3).as();
  const float* g = c.op(1).as();
  size_t i = r.begin;
  for (; i + W <= r.end; i += W) {
    const F grad = fload(g + i) * scale;
    const F m1 = fma(fload(m + i), keep1, grad * take1);
    const F v1 = fma(fload(v + i), keep2, grad * grad * take2);
    fstore(p + i, fload(p + i) * shrink - size * m1 / (fsqrt(v1 * second) + e));
    fstore(m + i, m1);
    fstore(v + i, v1);
  }
  if (i < r.end) {
    const size_t n = r.end - i;
    const F grad = fload_n(g + i, n) * scale;
    const F m1 = fma(fload_n(m + i, n), keep1, grad * take1);
    const F v1 = fma(fload_n(v + i, n), keep2, grad * grad * take2);
    fstore_n(p + i, fload_n(p + i, n) * shrink - size * m1 / (fsqrt(v1 * second) + e), n);
    fstore_n(m + i, m1, n);
    fstore_n(v + i, v1, n);
  }
}

}  // namespace cria::CRIA_ISA
