// Rates the CPU reaches with nothing but the instruction in question: the yardstick of linear-bench.
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include <chrono>

namespace peaks {

static double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Twelve independent chains hide the latency; inline assembly keeps the compiler from merging them.
#define CHAINS(op)                                                                                              \
  asm volatile(op " %[b], %[b], %%zmm0\n" op " %[b], %[b], %%zmm1\n" op " %[b], %[b], %%zmm2\n"                 \
               op " %[b], %[b], %%zmm3\n" op " %[b], %[b], %%zmm4\n" op " %[b], %[b], %%zmm5\n"                 \
               op " %[b], %[b], %%zmm6\n" op " %[b], %[b], %%zmm7\n" op " %[b], %[b], %%zmm8\n"                 \
               op " %[b], %[b], %%zmm9\n" op " %[b], %[b], %%zmm10\n" op " %[b], %[b], %%zmm11\n"               \
               :: [b] "v"(b) : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",   \
                 "xmm10", "xmm11")
#define RATE(name, op, ops)                                                \
  double name() {                                                          \
    const __m512i b = _mm512_setzero_si512();                              \
    double best = 0;                                                       \
    for (int round = 0; round < 1000; round++) {                           \
      const double t = now();                                              \
      for (int i = 0; i < 20000; i++) CHAINS(op);                          \
      const double r = 20000.0 * 12 * (ops) / (now() - t) / 1e9;           \
      if (r > best) best = r;                                              \
    }                                                                      \
    return best;                                                           \
  }
RATE(fma_gflops, "vfmadd231ps", 32)
RATE(bf16_gflops, "vdpbf16ps", 64)
RATE(vnni_gops, "vpdpbusd", 128)

double read_sum(const void* p, size_t bytes) {
  __m512i s[4] = {};
  for (size_t i = 0; i + 256 <= bytes; i += 256) {
    for (int j = 0; j < 4; j++) s[j] = _mm512_add_epi64(s[j], _mm512_load_si512((const uint8_t*)p + i + 64 * j));
  }
  return (double)_mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_add_epi64(s[0], s[1]), _mm512_add_epi64(s[2], s[3])));
}

}  // namespace peaks
