// Elementary functions in double precision, without branches so that compilers vectorise the loops around them. Used
// where single precision cannot hold the argument: angles of rotary embeddings, powers, bias corrections.
#pragma once
#include "op.h"

namespace cria::CRIA_ISA {

CRIA_INLINE double from_bits(uint64_t u) {
  double d;
  __builtin_memcpy(&d, &u, 8);
  return d;
}
CRIA_INLINE uint64_t to_bits(double d) {
  uint64_t u;
  __builtin_memcpy(&u, &d, 8);
  return u;
}

constexpr double kRounder = 0x1.8p52;  // adding it leaves the nearest whole number in the low bits

struct SinCos {
  double sin, cos;
};

// Sine and cosine in radians: right to single precision for |x| up to 2^30, bounded by 1 beyond.
CRIA_INLINE SinCos sin_cos(double x) {
  const double turned = x * 0.63661977236758134308 + kRounder;
  const uint64_t quadrant = to_bits(turned);
  const double n = turned - kRounder;
  double r = x - n * 1.57079632673412561417e+00;
  r = r - n * 6.07710050630396597660e-11;
  r = r - n * 2.02226624879595063154e-21;
  r = r > 0.79 ? 0.79 : r < -0.79 ? -0.79 : r;
  const double z = r * r;
  const double s = r + r * z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * (-1.0 / 39916800)))));
  const double c = 1 - z * 0.5 + z * z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800 + z * (1.0 / 479001600)))));
  const double a = quadrant & 1 ? c : s, b = quadrant & 1 ? s : c;
  return {quadrant & 2 ? -a : a, (quadrant + 1) & 2 ? -b : b};
}

// Natural logarithm of a number that is not negative; -inf at 0, +inf and NaN kept.
CRIA_INLINE double log_d(double x) {
  const bool tiny = x < 0x1p-1022;
  const uint64_t u = to_bits(tiny ? x * 0x1p54 : x) - 0x3fe6a09e00000000ull;
  const double e = (double)((int64_t)u >> 52) - (tiny ? 54 : 0);
  const double m = from_bits((u & 0xfffffffffffffull) + 0x3fe6a09e00000000ull);
  const double s = (m - 1) / (m + 1), z = s * s;
  const double p = 2.0 / 3 + z * (2.0 / 5 + z * (2.0 / 7 + z * (2.0 / 9 + z * (2.0 / 11 + z * (2.0 / 13 + z * (2.0 / 15 + z * (2.0 / 17)))))));
  const double log = e * 0.69314718055994530942 + (2 * s + s * z * p);
  return x < __builtin_inf() ? x > 0 ? log : -__builtin_inf() : x;
}

// e^x: 0 below -745, infinity above 709.8.
CRIA_INLINE double exp_d(double x) {
  const double limited = x > 710 ? 710 : x < -746 ? -746 : x;
  const double n = (limited * 1.44269504088896338700 + kRounder) - kRounder;
  const double r = (limited - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = 1.0 / 6227020800;
  const double factors[] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                            1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5,         1.0, 1.0};
  for (double f : factors) p = p * r + f;
  const int64_t i = (int64_t)n, half = i >> 1;
  return x != x ? x : p * from_bits((uint64_t)(half + 1023) << 52) * from_bits((uint64_t)(i - half + 1023) << 52);
}

// a^b with C's cases: negative bases take whole exponents, anything to the 0 is 1.
CRIA_INLINE double pow_d(double a, double b) {
  if (b == 0) return 1;
  if (a != a || b != b) return a + b;
  const double size = a < 0 ? -a : a;
  const bool whole = (b >= 0x1p52 || b <= -0x1p52) || (b + kRounder) - kRounder == b;
  const bool odd = whole && b < 0x1p53 && b > -0x1p53 && ((int64_t)b & 1);
  const double infinite = __builtin_inf();
  double power;
  if (size == 0 || size == infinite) power = (size == 0) == (b > 0) ? 0 : infinite;
  else power = exp_d(b * log_d(size));
  if (a < 0 && !whole) return __builtin_nan("");
  return (a < 0 || (a == 0 && 1 / a < 0)) && odd ? -power : power;
}

}  // namespace cria::CRIA_ISA
