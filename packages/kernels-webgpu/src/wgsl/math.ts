/** Functions whose WGSL accuracy is too loose for positions in the thousands or for gradients. */

/**
 * sin and cos with Cody and Waite's reduction; erf by Abramowitz and Stegun 7.1.26; tanh and pow without overflow or NaN;
 * exp and log that look at bits, for zero, infinities and NaN.
 */
export const math: string = `
fn turned(x: f32, quarter: u32) -> f32 {
  let n = round(x * 0.6366197723675814);
  let r = ((x - n * 1.5703125) - n * 4.837512969970703e-4) - n * 7.549789948768648e-8;
  let z = r * r;
  let s = r + r * z * (-0.16666654611 + z * (0.0083321608736 - z * 1.9515295891e-4));
  let c = 1.0 - 0.5 * z + z * z * (0.04166664568298827 + z * (-0.001388731625493765 + z * 2.443315711809948e-5));
  let q = (u32(i32(n) & 3) + quarter) & 3u;
  let v = select(s, c, (q & 1u) == 1u);
  return select(v, -v, (q & 2u) != 0u);
}
fn sine(x: f32) -> f32 { return turned(x, 0u); }
fn cosine(x: f32) -> f32 { return turned(x, 1u); }
fn tangent(x: f32) -> f32 {
  if (abs(x) < 0.05) { let z = x * x; return x * (1.0 + z * (-0.33333333 + z * 0.13333333)); }
  let e = exp(2.0 * clamp(x, -10.0, 10.0));
  return (e - 1.0) / (e + 1.0);
}
fn error_function(x: f32) -> f32 {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let y = 1.0 - poly * exp(-min(a * a, 80.0));
  if (a < 0.02) { return x * (1.1283791671 - 0.3761263890 * x * x); }
  return select(y, -y, x < 0.0);
}
fn exponential(bits: u32) -> u32 {
  if ((bits & 0x7f800000u) == 0x7f800000u) { return select(bits, 0u, bits == 0xff800000u); }
  return bitcast<u32>(exp(bitcast<f32>(bits)));
}
fn logarithm(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) == 0u) { return 0xff800000u; }
  if ((bits & 0x7fffffffu) > 0x7f800000u || bits == 0x7f800000u) { return bits; }
  if (bits > 0x80000000u) { return 0x7fc00000u; }
  return bitcast<u32>(log(bitcast<f32>(bits)));
}
fn logistic(x: f32) -> f32 { return 1.0 / (1.0 + exp(-clamp(x, -87.0, 87.0))); }
fn power(a: f32, b: f32) -> f32 {
  if (b == 0.0) { return 1.0; }
  if (a == 0.0) { return select(0.0, bitcast<f32>(m(47u) | 0x7f800000u), b < 0.0); }
  let r = exp2(b * log2(abs(a)));
  if (a > 0.0) { return r; }
  if (b != floor(b)) { return bitcast<f32>(m(47u) | 0x7fc00000u); }
  return select(r, -r, (i32(b) & 1) != 0);
}
`
