// Element types of Cria tensors and the geometry of ggml's quantised blocks. No code that depends on an instruction set.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace cria {

// The numbers are part of the binary program format: append, never renumber.
enum Dtype : uint8_t {
  kF32 = 0,
  kF16 = 1,
  kBF16 = 2,
  kI32 = 3,
  kU32 = 4,
  kI8 = 5,
  kU8 = 6,
  kQ4_0 = 7,
  kQ4_1 = 8,
  kQ5_0 = 9,
  kQ5_1 = 10,
  kQ8_0 = 11,
  kQ2_K = 12,
  kQ3_K = 13,
  kQ4_K = 14,
  kQ5_K = 15,
  kQ6_K = 16,
  kIQ4_NL = 17,
  kDtypeCount = 18,
};

// Always inlined: a shared copy could come from a translation unit built for a newer instruction set.
#define CRIA_SHARED_INLINE [[gnu::always_inline]] constexpr

// Elements in one block along the columns (1 for plain types).
CRIA_SHARED_INLINE size_t block_elems(Dtype t) {
  return t < kQ4_0 ? 1 : (t >= kQ2_K && t <= kQ6_K) ? 256 : 32;
}

// Bytes of one block in ggml's own layout.
CRIA_SHARED_INLINE size_t block_bytes(Dtype t) {
  switch (t) {
    case kF32: case kI32: case kU32: return 4;
    case kF16: case kBF16: return 2;
    case kI8: case kU8: return 1;
    case kQ4_0: case kIQ4_NL: return 18;
    case kQ4_1: return 20;
    case kQ5_0: return 22;
    case kQ5_1: return 24;
    case kQ8_0: return 34;
    case kQ2_K: return 84;
    case kQ3_K: return 110;
    case kQ4_K: return 144;
    case kQ5_K: return 176;
    case kQ6_K: return 210;
    default: return 0;
  }
}

CRIA_SHARED_INLINE bool is_quantized(Dtype t) { return t >= kQ4_0 && t < kDtypeCount; }

// Bytes of one row of `cols` elements in ggml's own layout; `cols` must be a multiple of block_elems.
CRIA_SHARED_INLINE size_t row_bytes(Dtype t, size_t cols) { return cols / block_elems(t) * block_bytes(t); }

}  // namespace cria
