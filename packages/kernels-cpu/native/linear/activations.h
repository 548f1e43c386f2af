// The first phase of `linear`: activations in the order the kernels read them, so that a kernel walks one stream. Columns
// come in panels of kPanelCols (what a kernel keeps of the weights in cache); in a panel, tokens come in tiles of `slots`;
// in a tile, the same columns of all its tokens lie together. Unused slots hold zeros.
#pragma once
#include "decode.h"

namespace cria::CRIA_ISA {

CRIA_INLINE size_t min_of(size_t a, size_t b) { return a < b ? a : b; }
CRIA_INLINE size_t div_up(size_t a, size_t b) { return (a + b - 1) / b; }
CRIA_INLINE size_t align_up(size_t n) { return (n + kPackedAlign - 1) / kPackedAlign * kPackedAlign; }

// The share of thread `i` of `n` in `items`, as a range.
struct Range { size_t begin, end; };
CRIA_INLINE Range share(size_t items, int i, int n) { return {items * (size_t)i / (size_t)n, items * (size_t)(i + 1) / (size_t)n}; }

// One block of 32 columns of one token: x is about d·q. Sums are of the q: the integer ones negated (weights are offset
// by subtracting), the float ones for minimums; of all 32 and of each 16. Then the q themselves, in one or two planes.
struct XHead {
  float d;
  int32_t nsum, nsum16[2];
  float fsum, fsum16[2], unused;
};

// Planes of kXBytes per 4 activations. 15 bits as q = 128·high + low in signed bytes, or in one plane of 16-bit words.
constexpr int planes(ActivationKind kind) { return kind == kActQ15 && !kWideX ? 2 : 1; }
constexpr size_t plane_bytes = 8 * kXBytes;
constexpr size_t x_block(int n_planes) { return sizeof(XHead) + (size_t)n_planes * plane_bytes; }

constexpr size_t kPanelCols = 256;  // a multiple of every block

// Up to this many tokens (1 or 4) the kernels decode weights straight into dot products; above, into a panel first.
constexpr size_t kDirectTokens = W == 16 ? 4 : 1;
// Quantised weights take this many tokens directly, in tiles of kDirectTokens: a group of rows stays in cache between
// tiles, and decoding it again cost less than a panel at 128 tokens, about the same at 512.
constexpr size_t kDirectMost = W == 16 ? 128 : 1;

CRIA_INLINE bool is_direct(ActivationKind kind, size_t tokens) {
  return tokens <= (kind == kActQ8 || kind == kActQ15 ? kDirectMost : kDirectTokens);
}

CRIA_INLINE size_t tile_slots(ActivationKind kind, size_t tokens) {
  if (tokens == 1) return 1;
  if (is_direct(kind, tokens)) return kDirectTokens;
  if (kind == kActF32 || kind == kActBF16) return kFloatTokens;
  return (size_t)kQuantTokens[planes(kind) - 1];
}

template <ActivationKind kind> CRIA_INLINE void quantize_block(const float* x, uint8_t* out) {
  constexpr int n = 32 / W;
  constexpr float limit = kind == kActQ8 ? 127.0f : 127.0f * 128.0f;
  F v[n];
  F top = fzero(), poison = fzero();
  for (int i = 0; i < n; i++) {
    v[i] = fload(x + i * W);
    top = fmax(top, fabs(v[i]));
    poison = poison + v[i] * fzero();
  }
  XHead head = {};
  // An infinite or NaN activation must reach the result: the scale becomes NaN.
  if (!(fsum(poison) == 0.0f)) {
    __builtin_memset(out, 0, x_block(planes(kind)));
    head.d = __builtin_nanf("");
    __builtin_memcpy(out, &head, sizeof head);
    return;
  }
  const float peak = fmaxh(top);
  const float inverse = peak > 1e-30f ? limit / peak : 0.0f;
  head.d = peak / limit;
  for (int i = 0; i < n; i++) {
    const F q = fround(v[i] * fset(inverse));
    uint8_t* to = out + sizeof(XHead) + (size_t)i * W * kXBytes / 4;
    head.fsum16[i * W / 16] += fsum(q);
    if constexpr (planes(kind) == 1) store_x(to, to_i(q));
    else {
      const F high = fround(q * fset(1.0f / 128));
      store_x(to, to_i(high));
      store_x(to + plane_bytes, to_i(fma(high, fset(-128.0f), q)));
    }
  }
  head.fsum = head.fsum16[0] + head.fsum16[1];
  head.nsum16[0] = -(int32_t)head.fsum16[0];
  head.nsum16[1] = -(int32_t)head.fsum16[1];
  head.nsum = head.nsum16[0] + head.nsum16[1];
  __builtin_memcpy(out, &head, sizeof head);
}

CRIA_INLINE uint16_t round_bf16(float x) {
  uint32_t u;
  __builtin_memcpy(&u, &x, 4);
  if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)(u >> 16 | 64);
  return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

// dst[k·slots + i] = src[i·ld + k] for i < slots (zero from `rows` on), k < n: rows side by side, by transposing W×W
// blocks in registers. With fewer slots than W, a store runs into the columns after it, which are written next; the last
// columns go one by one.
CRIA_INLINE void interleave_rows(float* dst, size_t slots, const float* src, size_t ld, size_t rows, size_t n) {
  size_t k = 0;
  for (; k + 2 * W <= n; k += W) {
    for (size_t i = 0;; i = min_of(i + W, slots - W)) {
      F v[W];
      for (size_t j = 0; j < (size_t)W; j++) v[j] = i + j < rows ? fload(src + (i + j) * ld + k) : fzero();
      transpose(v);
      for (size_t j = 0; j < (size_t)W; j++) fstore(dst + (k + j) * slots + i, v[j]);
      if (i + W >= slots) break;
    }
  }
  for (; k < n; k++) {
    for (size_t i = 0; i < slots; i++) dst[k * slots + i] = i < rows ? src[i * ld + k] : 0.0f;
  }
}

template <ActivationKind kind> static void prepare_quant(const LinearArgs& a, int thread, int n_threads) {
  constexpr size_t size = x_block(planes(kind));
  constexpr size_t kPanel = kPanelCols / 32;
  const size_t slots = tile_slots(kind, a.tokens), blocks = a.cols / 32, tiles = div_up(a.tokens, slots);
  const Range r = share(tiles * slots * blocks, thread, n_threads);
  for (size_t i = r.begin; i < r.end; i++) {
    const size_t t = i / blocks, b = i % blocks;
    const size_t panel = b / kPanel * kPanel, in_panel = min_of(kPanel, blocks - panel);
    const size_t at = (panel * tiles + t / slots * in_panel + b - panel) * slots + t % slots;
    uint8_t* out = (uint8_t*)a.activations + at * size;
    if (t < a.tokens) quantize_block<kind>(a.x + t * a.x_stride + b * 32, out);
    else __builtin_memset(out, 0, size);
  }
}

static void prepare_f32(const LinearArgs& a, int thread, int n_threads) {
  const size_t slots = tile_slots(kActF32, a.tokens);
  float* out = (float*)a.activations;
  if (slots == 1) {
    const Range r = share(div_up(a.cols, 16), thread, n_threads);
    const size_t end = min_of(r.end * 16, a.cols);
    for (size_t k = r.begin * 16; k < end; k++) out[k] = a.x[k];
    return;
  }
  // Split by tile and by panel: one tile of a few tokens also occupies every thread.
  const size_t panels = div_up(a.cols, kPanelCols), tiles = div_up(a.tokens, slots);
  const Range r = share(tiles * panels, thread, n_threads);
  for (size_t i = r.begin; i < r.end; i++) {
    const size_t tile = i / panels, k = i % panels * kPanelCols, n = min_of(kPanelCols, a.cols - k);
    interleave_rows(out + (k * tiles + tile * n) * slots, slots, a.x + tile * slots * a.x_stride + k, a.x_stride,
                    min_of(slots, a.tokens - tile * slots), n);
  }
}

// As f32, but pairs of columns rounded to bf16 in one 32-bit word.
static void prepare_bf16(const LinearArgs& a, int thread, int n_threads) {
  const size_t slots = tile_slots(kActBF16, a.tokens), tiles = div_up(a.tokens, slots);
  const Range r = share(tiles * slots, thread, n_threads);
  for (size_t t = r.begin; t < r.end; t++) {
    const float* x = a.x + t * a.x_stride;
    for (size_t k = 0; k < a.cols; k += kPanelCols) {
      const size_t n = min_of(kPanelCols, a.cols - k), pairs = div_up(n, 2);
      uint32_t* to = (uint32_t*)a.activations + (k / 2 * tiles + t / slots * pairs) * slots + t % slots;
      for (size_t p = 0; p < pairs; p++) {
        uint32_t word = 0;
        if (t < a.tokens) {
          word = round_bf16(x[k + 2 * p]);
          if (2 * p + 1 < n) word |= (uint32_t)round_bf16(x[k + 2 * p + 1]) << 16;
        }
        to[p * slots] = word;
      }
    }
  }
}

static size_t activation_bytes(ActivationKind kind, size_t tokens, size_t cols) {
  const size_t slots = tile_slots(kind, tokens);
  const size_t padded = div_up(tokens, slots) * slots;
  if (kind == kActQ8 || kind == kActQ15) return align_up(padded * (cols / 32) * x_block(planes(kind)));
  return align_up(padded * (kind == kActBF16 ? div_up(cols, 2) : cols) * 4);
}

}  // namespace cria::CRIA_ISA
