// Packing of weights into the kernels' layout, the exact inverse, and single rows as f32. Independent of the instruction
// set: byte moves only, compiled once.
#include "block-layout.h"
#include "dequant-block.h"

namespace cria {

namespace {

inline uint32_t load_u32(const uint8_t* p) {
  uint32_t x;
  __builtin_memcpy(&x, p, 4);
  return x;
}

// One round moves even bits to the low half and odd bits to the high half.
inline uint32_t unshuffle(uint32_t x) {
  uint32_t t;
  t = (x ^ (x >> 1)) & 0x22222222; x ^= t ^ (t << 1);
  t = (x ^ (x >> 2)) & 0x0c0c0c0c; x ^= t ^ (t << 2);
  t = (x ^ (x >> 4)) & 0x00f000f0; x ^= t ^ (t << 4);
  t = (x ^ (x >> 8)) & 0x0000ff00; x ^= t ^ (t << 8);
  return x;
}
inline uint32_t shuffle(uint32_t x) {
  uint32_t t;
  t = (x ^ (x >> 8)) & 0x0000ff00; x ^= t ^ (t << 8);
  t = (x ^ (x >> 4)) & 0x00f000f0; x ^= t ^ (t << 4);
  t = (x ^ (x >> 2)) & 0x0c0c0c0c; x ^= t ^ (t << 2);
  t = (x ^ (x >> 1)) & 0x22222222; x ^= t ^ (t << 1);
  return x;
}
// Fifth bits of 32 elements: bit 4j+b goes to bit j of byte b, beside the low bits of element 4j+b in its line.
inline uint32_t spread_bits(uint32_t x) { return unshuffle(unshuffle(x)); }
inline uint32_t gather_bits(uint32_t x) { return shuffle(shuffle(x)); }

// Copies one block of one row into (to_packed) or out of its packed block. `packed` is the packed block's start.
template <Dtype t, bool to_packed> inline void move_block(uint8_t* packed, size_t r, uint8_t* block) {
  constexpr BlockLayout layout = block_layout(t);
  for (int h = 0; h < layout.n_halves; h++) {
    uint8_t* at = packed + 32 * h + 2 * r;
    if (to_packed) __builtin_memcpy(at, block + layout.half_offset[h], 2);
    else __builtin_memcpy(block + layout.half_offset[h], at, 2);
  }
  uint8_t* line = packed + 32 * layout.n_halves + 4 * r;
  for (int f = 0; f < layout.n_fields; f++) {
    uint8_t* bytes = block + layout.fields[f].offset;
    for (int u = 0; u < layout.fields[f].units; u++, line += 64, bytes += 4) {
      uint32_t x = load_u32(to_packed ? bytes : line);
      if (f == layout.flip_field) x ^= 0x80808080;
      if (f == layout.spread_field) x = to_packed ? spread_bits(x) : gather_bits(x);
      __builtin_memcpy(to_packed ? line : bytes, &x, 4);
    }
  }
}

// Moves n_blocks blocks of the first `rows_here` rows of a group; when packing, the other rows become zero.
template <Dtype t, bool to_packed>
void move_group(uint8_t* group, uint8_t* rows, size_t row_size, size_t n_blocks, size_t rows_here) {
  constexpr size_t size = block_bytes(t);
  uint8_t zero[size] = {};
  for (size_t b = 0; b < n_blocks; b++, group += size * kGroupRows) {
    for (size_t r = 0; r < rows_here; r++) move_block<t, to_packed>(group, r, rows + r * row_size + b * size);
    for (size_t r = rows_here; to_packed && r < kGroupRows; r++) move_block<t, to_packed>(group, r, zero);
  }
}

// Calls move_group for a quantised type: the layout must be a constant, or each 4 bytes cost a dozen instructions.
template <bool to_packed>
void move_quantized(Dtype t, uint8_t* group, uint8_t* rows, size_t row_size, size_t n_blocks, size_t rows_here) {
  switch (t) {
    case kQ4_0: case kIQ4_NL: return move_group<kQ4_0, to_packed>(group, rows, row_size, n_blocks, rows_here);
    case kQ4_1: return move_group<kQ4_1, to_packed>(group, rows, row_size, n_blocks, rows_here);
    case kQ5_0: return move_group<kQ5_0, to_packed>(group, rows, row_size, n_blocks, rows_here);
    case kQ5_1: return move_group<kQ5_1, to_packed>(group, rows, row_size, n_blocks, rows_here);
    case kQ8_0: return move_group<kQ8_0, to_packed>(group, rows, row_size, n_blocks, rows_here);
    case kQ2_K: return move_group<kQ2_K, to_packed>(group, rows, row_size, n_blocks, rows_here);
    case kQ3_K: return move_group<kQ3_K, to_packed>(group, rows, row_size, n_blocks, rows_here);
    case kQ4_K: return move_group<kQ4_K, to_packed>(group, rows, row_size, n_blocks, rows_here);
    case kQ5_K: return move_group<kQ5_K, to_packed>(group, rows, row_size, n_blocks, rows_here);
    case kQ6_K: return move_group<kQ6_K, to_packed>(group, rows, row_size, n_blocks, rows_here);
    default: return;
  }
}

// One block of row r, in ggml's layout.
void extract_block(Dtype t, uint8_t* packed, size_t r, uint8_t* block) {
  switch (t) {
    case kQ4_0: case kIQ4_NL: return move_block<kQ4_0, false>(packed, r, block);
    case kQ4_1: return move_block<kQ4_1, false>(packed, r, block);
    case kQ5_0: return move_block<kQ5_0, false>(packed, r, block);
    case kQ5_1: return move_block<kQ5_1, false>(packed, r, block);
    case kQ8_0: return move_block<kQ8_0, false>(packed, r, block);
    case kQ2_K: return move_block<kQ2_K, false>(packed, r, block);
    case kQ3_K: return move_block<kQ3_K, false>(packed, r, block);
    case kQ4_K: return move_block<kQ4_K, false>(packed, r, block);
    case kQ5_K: return move_block<kQ5_K, false>(packed, r, block);
    case kQ6_K: return move_block<kQ6_K, false>(packed, r, block);
    default: return;
  }
}

// Plain types: element (r, k) of a group sits at ((k / pair)·16 + r)·pair + k % pair; bf16 goes in pairs of columns. The
// pair is a constant: a division for each element would cost more than the copy.
template <size_t pair> inline size_t plain_index(size_t r, size_t k) {
  return ((k / pair) * kGroupRows + r) * pair + k % pair;
}

// Columns in strips that stay in the L1 cache while their 16 rows are read one after another.
constexpr size_t kStrip = 64;

template <size_t pair, class T> void pack_plain(T* dst, const T* src, size_t cols, size_t rows_here) {
  const size_t padded = (cols + pair - 1) / pair * pair;
  for (size_t k0 = 0; k0 < padded; k0 += kStrip) {
    const size_t end = k0 + kStrip < padded ? k0 + kStrip : padded;
    for (size_t r = 0; r < kGroupRows; r++) {
      const size_t filled = r >= rows_here ? k0 : end < cols ? end : cols;
      for (size_t k = k0; k < filled; k++) dst[plain_index<pair>(r, k)] = src[r * cols + k];
      for (size_t k = filled; k < end; k++) dst[plain_index<pair>(r, k)] = T(0);
    }
  }
}

template <size_t pair, class T> void unpack_plain(T* dst, const T* src, size_t cols, size_t rows_here) {
  for (size_t k0 = 0; k0 < cols; k0 += kStrip) {
    const size_t end = k0 + kStrip < cols ? k0 + kStrip : cols;
    for (size_t r = 0; r < rows_here; r++) {
      for (size_t k = k0; k < end; k++) dst[r * cols + k] = src[plain_index<pair>(r, k)];
    }
  }
}

size_t group_bytes(Dtype t, size_t cols) {
  if (t == kBF16) cols += cols & 1;
  return row_bytes(t, cols) * kGroupRows;
}

size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

}  // namespace

bool linear_supports(Dtype t) { return t <= kBF16 || is_quantized(t); }

size_t packed_bytes(Dtype t, size_t rows, size_t cols) {
  if (!linear_supports(t) || cols % block_elems(t) != 0) return 0;
  return (rows + kGroupRows - 1) / kGroupRows * group_bytes(t, cols);
}

void pack(Dtype t, void* dst, const void* src, size_t rows, size_t cols, size_t row_begin, size_t row_end) {
  const size_t row_size = row_bytes(t, cols), group_size = group_bytes(t, cols), n_blocks = cols / block_elems(t);
  for (size_t row = row_begin; row < row_end; row += kGroupRows) {
    const size_t here = min_size(kGroupRows, rows - row);
    uint8_t* group = (uint8_t*)dst + row / kGroupRows * group_size;
    const uint8_t* from = (const uint8_t*)src + row * row_size;
    if (t == kF32) pack_plain<1>((uint32_t*)group, (const uint32_t*)from, cols, here);
    else if (t == kF16) pack_plain<1>((uint16_t*)group, (const uint16_t*)from, cols, here);
    else if (t == kBF16) pack_plain<2>((uint16_t*)group, (const uint16_t*)from, cols, here);
    else move_quantized<true>(t, group, (uint8_t*)from, row_size, n_blocks, here);
  }
}

void unpack(Dtype t, void* dst, const void* src, size_t rows, size_t cols, size_t row_begin, size_t row_end) {
  const size_t row_size = row_bytes(t, cols), group_size = group_bytes(t, cols), n_blocks = cols / block_elems(t);
  for (size_t row = row_begin; row < row_end; row += kGroupRows) {
    const size_t here = min_size(kGroupRows, rows - row);
    uint8_t* group = (uint8_t*)src + row / kGroupRows * group_size;
    uint8_t* to = (uint8_t*)dst + row * row_size;
    if (t == kF32) unpack_plain<1>((uint32_t*)to, (const uint32_t*)group, cols, here);
    else if (t == kF16) unpack_plain<1>((uint16_t*)to, (const uint16_t*)group, cols, here);
    else if (t == kBF16) unpack_plain<2>((uint16_t*)to, (const uint16_t*)group, cols, here);
    else move_quantized<false>(t, group, to, row_size, n_blocks, here);
  }
}

void dequant_row(Dtype t, const void* src, size_t rows, size_t cols, size_t row, float* out) {
  (void)rows;
  uint8_t* group = (uint8_t*)src + row / kGroupRows * group_bytes(t, cols);
  const size_t r = row % kGroupRows;
  if (!is_quantized(t)) {
    for (size_t k = 0; k < cols; k++) {
      const size_t i = t == kBF16 ? plain_index<2>(r, k) : plain_index<1>(r, k);
      out[k] = t == kF32 ? ((const float*)group)[i]
             : t == kF16 ? f16_to_f32(((const uint16_t*)group)[i])
                         : bf16_to_f32(((const uint16_t*)group)[i]);
    }
    return;
  }
  const size_t elems = block_elems(t), size = block_bytes(t);
  uint8_t block[256];
  for (size_t b = 0; b < cols / elems; b++) {
    extract_block(t, group + b * size * kGroupRows, r, block);
    dequant_block(t, block, out + b * elems);
  }
}

}  // namespace cria
