// One ggml block as f32, in plain C++: the definition the kernels are tested against, and embedding lookup.
#pragma once
#include "block-layout.h"

namespace cria {

inline float f32_from_bits(uint32_t u) {
  float f;
  __builtin_memcpy(&f, &u, 4);
  return f;
}
inline float f16_to_f32(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = (uint32_t)(h & 0x7fff) << 13;
  if ((h & 0x7c00) == 0x7c00) return f32_from_bits(sign | magnitude | 0x7f800000);
  const float f = f32_from_bits(magnitude) * 0x1p112f;
  return sign ? -f : f;
}
inline float bf16_to_f32(uint16_t h) { return f32_from_bits((uint32_t)h << 16); }

inline float half_at(const uint8_t* p) {
  uint16_t h;
  __builtin_memcpy(&h, p, 2);
  return f16_to_f32(h);
}

// Scale and minimum j (0..7) of q4_k and q5_k: 6 bits each, packed in 12 bytes.
inline int k4_scale(const uint8_t* s, int j) { return j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6 << 4); }
inline int k4_min(const uint8_t* s, int j) { return j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | (s[j] >> 6 << 4); }
// Scale j (0..15) of q3_k: 4 low bits in the first 8 bytes, 2 high bits in the last 4.
inline int k3_scale(const uint8_t* s, int j) {
  const int low = j < 8 ? s[j] & 15 : s[j - 8] >> 4;
  return (low | (s[8 + j % 4] >> (2 * (j / 4)) & 3) << 4) - 32;
}

inline void dequant_block(Dtype t, const uint8_t* p, float* y) {
  switch (t) {
    case kQ4_0: case kQ4_1: case kQ5_0: case kQ5_1: case kIQ4_NL: {
      const bool has_min = t == kQ4_1 || t == kQ5_1, five = t == kQ5_0 || t == kQ5_1;
      const float d = half_at(p), m = has_min ? half_at(p + 2) : 0;
      const uint8_t* high = p + (has_min ? 4 : 2);
      const uint8_t* low = high + (five ? 4 : 0);
      for (int i = 0; i < 32; i++) {
        int q = i < 16 ? low[i] & 15 : low[i - 16] >> 4;
        if (five) q |= (high[i / 8] >> (i % 8) & 1) << 4;
        if (t == kIQ4_NL) q = kIq4Levels[q];
        y[i] = has_min ? (float)q * d + m : (float)(t == kQ4_0 ? q - 8 : t == kQ5_0 ? q - 16 : q) * d;
      }
      return;
    }
    case kQ8_0: {
      const float d = half_at(p);
      for (int i = 0; i < 32; i++) y[i] = (float)(int8_t)p[2 + i] * d;
      return;
    }
    case kQ2_K: {
      const float d = half_at(p + 80), dmin = half_at(p + 82);
      for (int i = 0; i < 256; i++) {
        const int scale = p[i / 16];
        const int q = p[16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
        y[i] = d * (float)(scale & 15) * (float)q - dmin * (float)(scale >> 4);
      }
      return;
    }
    case kQ3_K: {
      const float d = half_at(p + 108);
      for (int i = 0; i < 256; i++) {
        const int low = p[32 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
        const int high = p[i % 32] >> (i / 32) & 1;
        y[i] = d * (float)k3_scale(p + 96, i / 16) * (float)((low | high << 2) - 4);
      }
      return;
    }
    case kQ4_K: case kQ5_K: {
      const float d = half_at(p), dmin = half_at(p + 2);
      const uint8_t* low = p + (t == kQ5_K ? 48 : 16);
      for (int i = 0; i < 256; i++) {
        const int j = i / 32;
        int q = low[i / 64 * 32 + i % 32] >> (j % 2 * 4) & 15;
        if (t == kQ5_K) q |= (p[16 + i % 32] >> j & 1) << 4;
        y[i] = d * (float)k4_scale(p + 4, j) * (float)q - dmin * (float)k4_min(p + 4, j);
      }
      return;
    }
    case kQ6_K: {
      const float d = half_at(p + 208);
      for (int i = 0; i < 256; i++) {
        const int n = i / 128, quarter = i % 128 / 32, l = i % 32;
        const int low = p[n * 64 + quarter % 2 * 32 + l] >> (quarter / 2 * 4) & 15;
        const int high = p[128 + n * 32 + l] >> (quarter * 2) & 3;
        y[i] = d * (float)(int8_t)p[192 + i / 16] * (float)((low | high << 4) - 32);
      }
      return;
    }
    default: return;
  }
}

}  // namespace cria
