// Kernels that move elements without looking at them: transposition, slices and joins, fills. By element size only.
#include "op.h"

namespace cria::CRIA_ISA {

// Attributes: axes, lengths of the result, strides in the input. Neighbouring axes that move together are one axis.
template <class T> static void permute(const Call& c, const Ctx& ctx) {
  const int n = c.attr(0);
  const int32_t *lengths = c.attrs() + 1, *strides = lengths + n;
  const T* x = c.op(0).as<T>();
  T* y = c.op(1).as<T>();
  const size_t inner = (size_t)lengths[n - 1], step = (size_t)strides[n - 1];
  // Rows that are neighbours in the result go in blocks of 16, so that a strided read uses the whole cache line.
  const size_t below = n > 1 ? (size_t)lengths[n - 2] : 1, step2 = n > 1 ? (size_t)strides[n - 2] : 0;
  size_t outer = 1;
  for (int i = 0; i < n - 2; i++) outer *= (size_t)lengths[i];
  const size_t blocks = pieces(below, 16);
  const Range r = share(outer * blocks, 1, ctx);
  for (size_t item = r.begin; item < r.end; item++) {
    size_t at = 0, rest = item / blocks;
    for (int i = n - 3; i >= 0; i--) {
      at += rest % (size_t)lengths[i] * (size_t)strides[i];
      rest /= (size_t)lengths[i];
    }
    const size_t j0 = item % blocks * 16, j1 = least(below, j0 + 16);
    T* out = y + item / blocks * below * inner;
    if (step == 1) {
      for (size_t j = j0; j < j1; j++) memcpy(out + j * inner, x + at + j * step2, inner * sizeof(T));
      continue;
    }
    for (size_t i0 = 0; i0 < inner; i0 += 16) {
      const size_t i1 = least(inner, i0 + 16);
      for (size_t j = j0; j < j1; j++) {
        const T* from = x + at + j * step2;
        for (size_t i = i0; i < i1; i++) out[j * inner + i] = from[i * step];
      }
    }
  }
}

void op_permute(const Call& c, const Ctx& ctx) {
  if (c.op(1).size() == 0) return;
  switch (size_of(c.op(0).type())) {
    case 4: return permute<uint32_t>(c, ctx);
    case 2: return permute<uint16_t>(c, ctx);
    default: return permute<uint8_t>(c, ctx);
  }
}

// Copies runs of bytes: attributes rows, bytes of a run, then distances (bytes) between runs and the first run's offset
// for the source and for the target. Slices, both halves of a concat, and assignments are all this.
void op_copy(const Call& c, const Ctx& ctx) {
  const size_t rows = (size_t)c.attr(0), bytes = (size_t)(uint32_t)c.attr(1);
  const size_t from_step = (size_t)(uint32_t)c.attr(2), from_at = (size_t)(uint32_t)c.attr(3);
  const size_t to_step = (size_t)(uint32_t)c.attr(4), to_at = (size_t)(uint32_t)c.attr(5);
  if (rows == 0 || bytes == 0) return;
  const uint8_t* from = c.op(0).as<uint8_t>() + from_at;
  uint8_t* to = c.op(1).as<uint8_t>() + to_at;
  if (rows < 2 * (size_t)ctx.n_threads) {
    for (size_t row = 0; row < rows; row++) {
      const Range r = share(bytes, 4096, ctx);
      memcpy(to + row * to_step + r.begin, from + row * from_step + r.begin, r.end - r.begin);
    }
    return;
  }
  const Range r = share(rows, 1, ctx);
  if (bytes == 4) {
    for (size_t row = r.begin; row < r.end; row++) memcpy(to + row * to_step, from + row * from_step, 4);
    return;
  }
  for (size_t row = r.begin; row < r.end; row++) memcpy(to + row * to_step, from + row * from_step, bytes);
}

// Attribute 0: the element's bits.
void op_fill(const Call& c, const Ctx& ctx) {
  const Operand& y = c.op(0);
  const Range r = share(y.size(), kLine, ctx);
  const uint32_t bits = (uint32_t)c.attr(0);
  switch (size_of(y.type())) {
    case 4: for (size_t i = r.begin; i < r.end; i++) y.as<uint32_t>()[i] = bits; return;
    case 2: for (size_t i = r.begin; i < r.end; i++) y.as<uint16_t>()[i] = (uint16_t)bits; return;
    default: memset(y.as<uint8_t>() + r.begin, (int)bits, r.end - r.begin); return;
  }
}

void op_iota(const Call& c, const Ctx& ctx) {
  const Operand& y = c.op(0);
  const Range r = share(y.size(), kLine, ctx);
  switch (y.type()) {
    case kF32: for (size_t i = r.begin; i < r.end; i++) y.as()[i] = (float)i; return;
    case kI32: case kU32: for (size_t i = r.begin; i < r.end; i++) y.as<uint32_t>()[i] = (uint32_t)i; return;
    default: for (size_t i = r.begin; i < r.end; i++) y.as<uint8_t>()[i] = (uint8_t)i; return;
  }
}

}  // namespace cria::CRIA_ISA
