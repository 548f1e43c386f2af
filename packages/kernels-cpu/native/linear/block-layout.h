// How each block format is interleaved for the kernels. A "packed block" holds the same block of kGroupRows rows: first
// its f16 fields (one vector of 16 each), then its bytes in units of 4, one 64-byte line for each unit: bytes 4r..4r+3
// of a line belong to row r. Nothing is added or lost, so a packed block has exactly 16 times the bytes of a block.
#pragma once
#include "linear.h"

namespace cria {

struct Field {
  uint8_t offset;  // bytes into the ggml block
  uint8_t units;   // number of 4-byte units
};

struct BlockLayout {
  uint8_t n_halves;
  uint8_t half_offset[2];
  uint8_t n_fields;
  Field fields[3];
  uint8_t flip_field;    // q8_0: this field's bytes are stored with the top bit flipped (unsigned, biased by 128)
  uint8_t spread_field;  // q5_0, q5_1: this unit's bits are rearranged (see spread_bits)
};

constexpr uint8_t kNoField = 255;

// The order of fields is the order in which kernels read them: scales, high bits, low bits.
constexpr BlockLayout block_layout(Dtype t) {
  switch (t) {
    case kQ4_0: case kIQ4_NL: return {1, {0, 0}, 1, {{2, 4}}, kNoField, kNoField};
    case kQ4_1: return {2, {0, 2}, 1, {{4, 4}}, kNoField, kNoField};
    case kQ5_0: return {1, {0, 0}, 2, {{2, 1}, {6, 4}}, kNoField, 0};
    case kQ5_1: return {2, {0, 2}, 2, {{4, 1}, {8, 4}}, kNoField, 0};
    case kQ8_0: return {1, {0, 0}, 1, {{2, 8}}, 0, kNoField};
    case kQ2_K: return {2, {80, 82}, 2, {{0, 4}, {16, 16}}, kNoField, kNoField};
    case kQ3_K: return {1, {108, 0}, 3, {{96, 3}, {0, 8}, {32, 16}}, kNoField, kNoField};
    case kQ4_K: return {2, {0, 2}, 2, {{4, 3}, {16, 32}}, kNoField, kNoField};
    case kQ5_K: return {2, {0, 2}, 3, {{4, 3}, {16, 8}, {48, 32}}, kNoField, kNoField};
    case kQ6_K: return {1, {208, 0}, 3, {{192, 4}, {128, 16}, {0, 32}}, kNoField, kNoField};
    default: return {};
  }
}

// The 16 levels of iq4_nl, and the same raised by 128 for unsigned arithmetic.
constexpr int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
alignas(16) constexpr uint8_t kIq4LevelsBiased[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                                      129, 141, 153, 166, 181, 197, 217, 241};

}  // namespace cria
