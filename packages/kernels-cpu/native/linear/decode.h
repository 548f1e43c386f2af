// Reading packed blocks of every quantised type: W rows at a time, a line of 4 columns for each row, scales as floats.
// A decoder D gives, for 32-column block b of a packed block at p and vector s of its 16 rows:
//   line<b, j>(p, s)            columns 4j..4j+3 as unsigned bytes; the weight is (byte - kOffset)·scale + minimum
//   scale<b>(state, half), minimum<b>(state, half)   kSub values: one for the block, or one for each 16 columns
// `open` reads what the 32-column blocks of one packed block share. The integers and scales are ggml's own.
#pragma once
#include "../simd/simd.h"
#include "block-layout.h"

namespace cria::CRIA_ISA {

constexpr int kVecs = (int)kGroupRows / W;  // vectors that make a row group

template <int n> struct Int {
  static constexpr int value = n;
  constexpr operator int() const { return n; }
};
// Calls fn(Int<0>), fn(Int<1>), …: a loop whose index is a constant.
template <int N, int i = 0, class Fn> CRIA_INLINE void static_for(Fn&& fn) {
  if constexpr (i < N) {
    fn(Int<i>{});
    static_for<N, i + 1>(fn);
  }
}

// Left by n where n > 0, right by -n otherwise. Bits that cross a byte must be masked away by the caller.
template <int n> CRIA_INLINE B bshift(B a) {
  if constexpr (n > 0) return bshl<n>(a);
  else if constexpr (n < 0) return bshr<-n>(a);
  else return a;
}
// Byte n of every 32-bit lane.
template <int n> CRIA_INLINE I byte_of(I a) { return shr<8 * n>(a) & iset(255); }

template <Dtype type> struct Layout {
  static constexpr BlockLayout kLayout = block_layout(type);
  static constexpr int kBytes = (int)block_bytes(type) * (int)kGroupRows;
  static constexpr int kBlocks = (int)block_elems(type) / 32;
  CRIA_INLINE F half(const uint8_t* p, int h, int s) { return load_f16(p + 32 * h + 2 * W * s); }
  CRIA_INLINE B unit(const uint8_t* p, int u, int s) { return bload(p + 32 * kLayout.n_halves + 64 * u + 4 * W * s); }
};

// Decoders of 32-column blocks. `has_min`: a second f16 is added; `high`: a unit of fifth bits precedes the nibbles.
template <Dtype type, int offset, bool has_min, bool high, bool biased> struct Legacy : Layout<type> {
  using L = Layout<type>;
  static constexpr int kSub = 1, kOffset = offset;
  static constexpr bool kMin = has_min, kBiased = biased;
  struct State { F d, m; };
  CRIA_INLINE State open(const uint8_t* p, int s) { return {L::half(p, 0, s), has_min ? L::half(p, 1, s) : fzero()}; }
  template <int b> CRIA_INLINE F scale(const State& st, int) { return st.d; }
  template <int b> CRIA_INLINE F minimum(const State& st, int) { return st.m; }
  template <int b, int j> CRIA_INLINE B line(const uint8_t* p, int s) {
    if constexpr (type == kQ8_0) return L::unit(p, j, s);
    const B nibbles = bshift<j < 4 ? 0 : -4>(L::unit(p, (high ? 1 : 0) + j % 4, s)) & bset(15);
    if constexpr (type == kIQ4_NL) return blookup(kIq4LevelsBiased, nibbles);
    if constexpr (high) return nibbles | (bshift<4 - j>(L::unit(p, 0, s)) & bset(16));
    return nibbles;
  }
};

template <Dtype type> struct Decoder;
template <> struct Decoder<kQ4_0> : Legacy<kQ4_0, 8, false, false, false> {};
template <> struct Decoder<kQ4_1> : Legacy<kQ4_1, 0, true, false, false> {};
template <> struct Decoder<kQ5_0> : Legacy<kQ5_0, 16, false, true, false> {};
template <> struct Decoder<kQ5_1> : Legacy<kQ5_1, 0, true, true, false> {};
template <> struct Decoder<kQ8_0> : Legacy<kQ8_0, 128, false, false, true> {};
template <> struct Decoder<kIQ4_NL> : Legacy<kIQ4_NL, 128, false, false, true> {};

// q4_k and q5_k: 8 blocks of 32 with 6-bit scales and minimums.
template <Dtype type> struct K45 : Layout<type> {
  using L = Layout<type>;
  static constexpr int kSub = 1, kOffset = 0;
  static constexpr bool kMin = true, kBiased = false;
  struct State { F d, dmin; I scales[2], mins[2]; };
  CRIA_INLINE State open(const uint8_t* p, int s) {
    const I a = as_i(L::unit(p, 0, s)), b = as_i(L::unit(p, 1, s)), c = as_i(L::unit(p, 2, s));
    const I low6 = iset(0x3f3f3f3f), low4 = iset(0x0f0f0f0f), high2 = iset(0x30303030);
    return {L::half(p, 0, s), -L::half(p, 1, s),
            {a & low6, (c & low4) | (shr<2>(a) & high2)},
            {b & low6, (shr<4>(c) & low4) | (shr<2>(b) & high2)}};
  }
  template <int b> CRIA_INLINE F scale(const State& st, int) { return to_f(byte_of<b % 4>(st.scales[b / 4])) * st.d; }
  template <int b> CRIA_INLINE F minimum(const State& st, int) { return to_f(byte_of<b % 4>(st.mins[b / 4])) * st.dmin; }
  template <int b, int j> CRIA_INLINE B line(const uint8_t* p, int s) {
    constexpr int first = type == kQ5_K ? 11 : 3;
    const B nibbles = bshift<b % 2 == 0 ? 0 : -4>(L::unit(p, first + b / 2 * 8 + j, s)) & bset(15);
    if constexpr (type == kQ5_K) return nibbles | (bshift<4 - b>(L::unit(p, 3 + j, s)) & bset(16));
    return nibbles;
  }
};
template <> struct Decoder<kQ4_K> : K45<kQ4_K> {};
template <> struct Decoder<kQ5_K> : K45<kQ5_K> {};

// q2_k: 16 scales and minimums of 4 bits, each for 16 columns.
template <> struct Decoder<kQ2_K> : Layout<kQ2_K> {
  static constexpr int kSub = 2, kOffset = 0;
  static constexpr bool kMin = true, kBiased = false;
  struct State { F d, dmin; I packed[4]; };
  CRIA_INLINE State open(const uint8_t* p, int s) {
    State st = {half(p, 0, s), -half(p, 1, s), {}};
    static_for<4>([&](auto i) CRIA_FLAT { st.packed[i] = as_i(unit(p, i, s)); });
    return st;
  }
  template <int b> CRIA_INLINE F scale(const State& st, int h) {
    const I v = st.packed[b / 2];
    return to_f((h == 0 ? shr<16 * (b % 2)>(v) : shr<16 * (b % 2) + 8>(v)) & iset(15)) * st.d;
  }
  template <int b> CRIA_INLINE F minimum(const State& st, int h) {
    const I v = st.packed[b / 2];
    return to_f((h == 0 ? shr<16 * (b % 2) + 4>(v) : shr<16 * (b % 2) + 12>(v)) & iset(15)) * st.dmin;
  }
  template <int b, int j> CRIA_INLINE B line(const uint8_t* p, int s) {
    return bshift<-2 * (b % 4)>(unit(p, 4 + b / 4 * 8 + j, s)) & bset(3);
  }
};

// q3_k: 16 signed scales of 6 bits; the third bit of the weights is in a mask of its own.
template <> struct Decoder<kQ3_K> : Layout<kQ3_K> {
  static constexpr int kSub = 2, kOffset = 4;
  static constexpr bool kMin = false, kBiased = false;
  struct State { F d; I scales[4]; };
  CRIA_INLINE State open(const uint8_t* p, int s) {
    const I a = as_i(unit(p, 0, s)), b = as_i(unit(p, 1, s)), c = as_i(unit(p, 2, s));
    const I low4 = iset(0x0f0f0f0f), high2 = iset(0x30303030);
    return {half(p, 0, s),
            {(a & low4) | (shl<4>(c) & high2), (b & low4) | (shl<2>(c) & high2),
             (shr<4>(a) & low4) | (c & high2), (shr<4>(b) & low4) | (shr<2>(c) & high2)}};
  }
  template <int b> CRIA_INLINE F scale(const State& st, int h) {
    const I v = st.scales[b / 2];
    const I six = (h == 0 ? shr<16 * (b % 2)>(v) : shr<16 * (b % 2) + 8>(v)) & iset(63);
    return to_f(six - iset(32)) * st.d;
  }
  template <int b> CRIA_INLINE F minimum(const State&, int) { return fzero(); }
  template <int b, int j> CRIA_INLINE B line(const uint8_t* p, int s) {
    const B low = bshift<-2 * (b % 4)>(unit(p, 11 + b / 4 * 8 + j, s)) & bset(3);
    return low | (bshift<2 - b>(unit(p, 3 + j, s)) & bset(4));
  }
};

// q6_k: 16 signed 8-bit scales.
template <> struct Decoder<kQ6_K> : Layout<kQ6_K> {
  static constexpr int kSub = 2, kOffset = 32;
  static constexpr bool kMin = false, kBiased = false;
  struct State { F d; I scales[4]; };
  CRIA_INLINE State open(const uint8_t* p, int s) {
    State st = {half(p, 0, s), {}};
    static_for<4>([&](auto i) CRIA_FLAT { st.scales[i] = as_i(unit(p, i, s)); });
    return st;
  }
  template <int b> CRIA_INLINE F scale(const State& st, int h) {
    const I v = st.scales[b / 2];
    return to_f(sar<24>(h == 0 ? shl<24 - 16 * (b % 2)>(v) : shl<16 - 16 * (b % 2)>(v))) * st.d;
  }
  template <int b> CRIA_INLINE F minimum(const State&, int) { return fzero(); }
  template <int b, int j> CRIA_INLINE B line(const uint8_t* p, int s) {
    constexpr int n = b / 4, quarter = b % 4;
    const B low = bshift<quarter < 2 ? 0 : -4>(unit(p, 20 + n * 16 + quarter % 2 * 8 + j, s)) & bset(15);
    return low | (bshift<4 - 2 * quarter>(unit(p, 4 + n * 8 + j, s)) & bset(48));
  }
};

}  // namespace cria::CRIA_ISA
