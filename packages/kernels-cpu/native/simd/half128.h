// Conversions between f32 and the 16-bit floats by integer arithmetic, for 128-bit instruction sets without their own.
// Included by wasm.h and generic.h after the basic operations.
#pragma once

namespace cria::CRIA_ISA {

// Exponent and mantissa moved into place, then scaled by 2^112: also right for denormals. Infinity and NaN keep theirs.
CRIA_INLINE F f16_to_floats(I h) {
  const I magnitude = shl<13>(h & iset(0x7fff));
  const I scaled = bits(floats(magnitude) * fset(0x1p112f));
  const I special = magnitude | iset(0x7f800000);
  const I value = select((h & iset(0x7c00)) == iset(0x7c00), special, scaled);
  return floats(value | shl<16>(h & iset(0x8000)));
}
CRIA_INLINE I f16_from_floats(F a) {
  const I u = bits(a);
  const I sign = shr<16>(u) & iset(0x8000);
  const I m = u & iset(0x7fffffff);
  const I normal = shr<13>(m + iset((int32_t)0xc8000fff) + (shr<13>(m) & iset(1)));
  const I denormal = bits(floats(m) + fset(0.5f)) - iset(0x3f000000);
  const I nan = select(m > iset(0x7f800000), iset(0x7e00), iset(0x7c00));
  const I finite = select(iset(0x38800000) > m, denormal, normal);
  return select(m > iset(0x477fffff), nan, finite) | sign;
}
CRIA_INLINE I bf16_from_floats(F a) {
  const I u = bits(a);
  const I rounded = u + iset(0x7fff) + (shr<16>(u) & iset(1));
  return shr<16>(select((u & iset(0x7fffffff)) > iset(0x7f800000), u | iset(0x400000), rounded));
}
CRIA_INLINE F load_f16(const void* p) { return f16_to_floats(widen_u16(p)); }
CRIA_INLINE F load_bf16(const void* p) { return floats(shl<16>(widen_u16(p))); }
CRIA_INLINE void store_f16(void* p, F a) { narrow_u16(p, f16_from_floats(a)); }
CRIA_INLINE void store_bf16(void* p, F a) { narrow_u16(p, bf16_from_floats(a)); }
CRIA_INLINE F load_f16_n(const void* p, size_t n) {
  uint16_t h[4] = {0, 0, 0, 0};
  for (size_t i = 0; i < n; i++) h[i] = ((const uint16_t*)p)[i];
  return load_f16(h);
}
CRIA_INLINE F load_bf16_n(const void* p, size_t n) {
  uint16_t h[4] = {0, 0, 0, 0};
  for (size_t i = 0; i < n; i++) h[i] = ((const uint16_t*)p)[i];
  return load_bf16(h);
}
CRIA_INLINE void store_f16_n(void* p, F a, size_t n) {
  uint16_t h[4];
  store_f16(h, a);
  for (size_t i = 0; i < n; i++) ((uint16_t*)p)[i] = h[i];
}
CRIA_INLINE void store_bf16_n(void* p, F a, size_t n) {
  uint16_t h[4];
  store_bf16(h, a);
  for (size_t i = 0; i < n; i++) ((uint16_t*)p)[i] = h[i];
}

}  // namespace cria::CRIA_ISA
