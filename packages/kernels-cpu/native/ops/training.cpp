// What training adds: cross-entropy of rows and the AdamW step, each in one pass over memory.
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
    const float top = max_of(x, n);
    const F shift = fset(top);
    const float total = sum_of(x, n, [&](F v) { return fexp(v - shift); });
    *y = top + (float)log_d(total) - ((size_t)target < n ? x[target] : 0);
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
  for (size_t i = r.begin; i < r.end; i += W) {
    const size_t n = least(W, r.end - i);
    const F grad = fload_n(g + i, n) * scale;
    const F m1 = fma(fload_n(m + i, n), keep1, grad * take1);
    const F v1 = fma(fload_n(v + i, n), keep2, grad * grad * take2);
    const F next = fload_n(p + i, n) * shrink - size * m1 / (fsqrt(v1 * second) + e);
    fstore_n(p + i, next, n);
    fstore_n(m + i, m1, n);
    fstore_n(v + i, v1, n);
  }
}

}  // namespace cria::CRIA_ISA
