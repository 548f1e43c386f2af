// Reading and writing rows by index, and random bits. Indices out of range read zeros and write nothing.
#include "op.h"

namespace cria::CRIA_ISA {

// Operands x, index, y. A row is everything but the first axis.
void op_gather(const Call& c, const Ctx& ctx) {
  const Operand& x = c.op(0);
  const size_t rows = (size_t)x.dims[0], bytes = x.product(1, x.rank) * size_of(x.type());
  const Range r = share(c.op(1).size(), 1, ctx);
  for (size_t i = r.begin; i < r.end; i++) {
    const int32_t row = c.op(1).as<int32_t>()[i];
    uint8_t* y = c.op(2).as<uint8_t>() + i * bytes;
    if (row < 0 || (size_t)row >= rows) memset(y, 0, bytes);
    else memcpy(y, x.as<uint8_t>() + (size_t)row * bytes, bytes);
  }
}

// Operands x, index, updates, y. Threads take columns, so that updates of one row are added in their order.
template <class T> static void scatter_add(const Call& c, const Ctx& ctx) {
  const Operand& x = c.op(0);
  const size_t rows = (size_t)x.dims[0], width = x.product(1, x.rank), n = c.op(1).size();
  const Range r = share(width, kLine, ctx);
  const size_t columns = r.end - r.begin;
  T* y = c.op(3).as<T>() + r.begin;
  if (columns == 0) return;
  for (size_t row = 0; row < rows; row++) memcpy(y + row * width, x.as<T>() + row * width + r.begin, columns * sizeof(T));
  for (size_t i = 0; i < n; i++) {
    const int32_t row = c.op(1).as<int32_t>()[i];
    if (row < 0 || (size_t)row >= rows) continue;
    T* to = y + (size_t)row * width;
    const T* from = c.op(2).as<T>() + i * width + r.begin;
    for (size_t j = 0; j < columns; j++) to[j] = (T)(to[j] + from[j]);
  }
}

void op_scatter_add(const Call& c, const Ctx& ctx) {
  switch (c.op(0).type()) {
    case kF32: return scatter_add<float>(c, ctx);
    case kI32: case kU32: return scatter_add<uint32_t>(c, ctx);
    default: return scatter_add<uint8_t>(c, ctx);
  }
}

// Operands x [..., n], index [...], y [...].
void op_pick(const Call& c, const Ctx& ctx) {
  const size_t n = c.op(0).last(), bytes = size_of(c.op(0).type());
  const Range r = share(c.op(1).size(), kLine, ctx);
  for (size_t i = r.begin; i < r.end; i++) {
    const int32_t at = c.op(1).as<int32_t>()[i];
    uint8_t* y = c.op(2).as<uint8_t>() + i * bytes;
    if (at < 0 || (size_t)at >= n) memset(y, 0, bytes);
    else memcpy(y, c.op(0).as<uint8_t>() + (i * n + (size_t)at) * bytes, bytes);
  }
}

// A row of f32 as ggml's q8_0: an f16 scale (the largest magnitude / 127) and 32 bytes rounded half away from zero.
// `block` and `unit` say where block b and its units of 4 bytes go: one after another, or interleaved by 16 rows with
// the top bit flipped, as linear/pack.cpp packs weights.
static void put_q8(const float* x, size_t cols, uint8_t* base, size_t row, bool packed) {
  const size_t n_blocks = cols / 32;
  for (size_t b = 0; b < n_blocks; b++, x += 32) {
    float largest = 0;
    int wild = 0;
    for (int i = 0; i < 32; i++) {
      const float a = __builtin_fabsf(x[i]);
      largest = a > largest ? a : largest;
      wild |= !(a < __builtin_inff());
    }
    // Bytes cannot say NaN or infinity: the scale does.
    const float scale = wild ? __builtin_nanf("") : largest / 127.0f, inverse = scale == 0 ? 0 : 1.0f / scale;
    uint8_t *half, *unit;
    size_t step;
    if (packed) {
      uint8_t* block = base + (row / 16 * n_blocks + b) * 34 * 16;
      half = block + 2 * (row % 16);
      unit = block + 32 + 4 * (row % 16);
      step = 64;
    } else {
      half = base + (row * n_blocks + b) * 34;
      unit = half + 2;
      step = 4;
    }
    store_f16_n((uint16_t*)half, fset(scale), 1);
    for (int i = 0; i < 32; i++) {
      const float q = x[i] * inverse;
      const int whole = wild ? 0 : (int)(q + (q < 0 ? -0.5f : 0.5f));
      unit[(size_t)(i / 4) * step + (size_t)(i % 4)] = (uint8_t)(packed ? whole ^ 0x80 : whole);
    }
  }
}

// Operands target, rows f32, index. Equal indices: the last row wins, so a thread takes columns of few rows or whole
// rows of one target; rows of the cache are few and wide, so the split is by columns in blocks of 64.
void op_write_rows(const Call& c, const Ctx& ctx) {
  const Operand& target = c.op(0);
  const size_t capacity = (size_t)target.dims[0], width = target.product(1, target.rank), n = c.op(2).size();
  if (target.type() == kQ8_0) {
    // Rows in order by one thread each: two writes to one row meet only if their indices are equal.
    for (size_t i = 0; i < n; i++) {
      const int32_t row = c.op(2).as<int32_t>()[i];
      if (row < 0 || (size_t)row >= capacity || (size_t)row % (size_t)ctx.n_threads != (size_t)ctx.thread) continue;
      put_q8(c.op(1).as() + i * width, width, target.as<uint8_t>(), (size_t)row, target.packed());
    }
    return;
  }
  const Range r = share(width, kLine, ctx);
  const size_t columns = r.end - r.begin, whole = columns / W * W, rest = columns - whole;
  for (size_t i = 0; i < n; i++) {
    const int32_t row = c.op(2).as<int32_t>()[i];
    if (row < 0 || (size_t)row >= capacity) continue;
    const size_t at = (size_t)row * width + r.begin;
    const float* x = c.op(1).as() + i * width + r.begin;
    if (target.type() == kF32) {
      memcpy(target.as() + at, x, columns * 4);
      continue;
    }
    uint16_t* y = target.as<uint16_t>() + at;
    const bool brain = target.type() == kBF16;
    for (size_t j = 0; j < whole; j += W) brain ? store_bf16(y + j, fload(x + j)) : store_f16(y + j, fload(x + j));
    if (rest == 0) continue;
    const F tail = fload_n(x + whole, rest);
    brain ? store_bf16_n(y + whole, tail, rest) : store_f16_n(y + whole, tail, rest);
  }
}

// Threefry-2x32, 20 rounds (Salmon et al. 2011), a vector of counters at a time. Operands key, y.
CRIA_INLINE uint32_t turn(uint32_t x, int r) { return x << r | x >> (32 - r); }

void op_random_bits(const Call& c, const Ctx& ctx) {
  constexpr int kCounters = 16;
  const uint32_t* key = c.op(0).as<uint32_t>();
  const uint32_t keys[3] = {key[0], key[1], key[0] ^ key[1] ^ 0x1bd11bda};
  constexpr int rotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const size_t n = c.op(1).size();
  const Range r = share(n, 2 * kCounters, ctx);
  for (size_t i = r.begin; i < r.end; i += 2 * kCounters) {
    uint32_t a[kCounters], b[kCounters];
    for (int l = 0; l < kCounters; l++) {
      a[l] = (uint32_t)(i / 2) + (uint32_t)l + keys[0];
      b[l] = keys[1];
    }
    for (int round = 0; round < 20; round++) {
      const int turns = rotations[round % 8];
      const uint32_t group = (uint32_t)(round + 1) / 4;
      const bool inject = round % 4 == 3;
      const uint32_t ka = inject ? keys[group % 3] : 0, kb = inject ? keys[(group + 1) % 3] + group : 0;
      for (int l = 0; l < kCounters; l++) {
        a[l] += b[l];
        b[l] = turn(b[l], turns) ^ a[l];
        a[l] += ka;
        b[l] += kb;
      }
    }
    uint32_t* y = c.op(1).as<uint32_t>() + i;
    const size_t count = least(2 * kCounters, n - i);
    for (size_t l = 0; l < count; l++) y[l] = l & 1 ? b[l / 2] : a[l / 2];
  }
}

}  // namespace cria::CRIA_ISA
