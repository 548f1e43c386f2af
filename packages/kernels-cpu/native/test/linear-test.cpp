// Checks every matrix kernel on every instruction set this CPU has against double-precision arithmetic on the dequantised
// weights, at odd shapes; that packing is reversible; and that results have the same bits for any number of threads and
// tokens. Prints one line for each instruction set and type; exits 1 on the first failure. No framework: see native.test.ts.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../addon/amx.h"
#include "../linear/dequant-block.h"
#include "../linear/linear.h"

using namespace cria;

static uint64_t seed = 1;
static uint32_t random_u32() {
  seed = seed * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(seed >> 32);
}
static float random_normal() {
  float s = -6;
  for (int i = 0; i < 12; i++) s += (float)random_u32() * 0x1p-32f;
  return s;
}
static uint16_t to_f16(float x) {  // truncated, and 0 below the normal numbers: enough to make test weights
  if (std::fabs(x) < 0x1p-14f) return 0;
  uint32_t u;
  memcpy(&u, &x, 4);
  return (uint16_t)((u >> 16 & 0x8000) | (((u >> 13) - 0x1c000) & 0x7fff));
}

static const char* names[] = {"f32",  "f16",  "bf16", "i32",  "u32",  "i8",   "u8",   "q4_0", "q4_1",
                              "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl"};

static void fail(const char* what, const char* isa, Dtype t, double got) {
  printf("FAILED %s: isa %s, type %s, got %g\n", what, isa, names[t], got);
  exit(1);
}

static void* aligned(std::vector<uint8_t>& v, size_t n) {
  v.assign(n + 64, 0xA5);  // stale bytes, so that reading what was never written shows
  return (void*)(((uintptr_t)v.data() + 63) & ~(uintptr_t)63);
}

// Random bytes with plausible scales.
static std::vector<uint8_t> random_weights(Dtype t, size_t rows, size_t cols) {
  std::vector<uint8_t> w(rows * row_bytes(t, cols));
  if (t == kF32) for (size_t i = 0; i < rows * cols; i++) ((float*)w.data())[i] = random_normal();
  else if (t == kF16) for (size_t i = 0; i < rows * cols; i++) ((uint16_t*)w.data())[i] = to_f16(random_normal());
  else if (t == kBF16) for (auto& b : w) b = 0;
  if (t == kBF16) {
    for (size_t i = 0; i < rows * cols; i++) {
      const float x = random_normal();
      memcpy(&w[2 * i], (const uint8_t*)&x + 2, 2);
    }
  }
  if (!is_quantized(t)) return w;
  for (auto& b : w) b = (uint8_t)random_u32();
  for (size_t at = 0; at < w.size(); at += block_bytes(t)) {
    uint8_t* b = &w[at];
    const uint16_t d = to_f16((0.5f + (float)(random_u32() % 100) / 100) * 0.01f * (random_u32() & 1 ? 1 : -1));
    const uint16_t m = to_f16((0.5f + (float)(random_u32() % 100) / 100) * 0.05f);
    const size_t d_at = t == kQ2_K ? 80 : t == kQ3_K ? 108 : t == kQ6_K ? 208 : 0;
    memcpy(b + d_at, &d, 2);
    if (t == kQ4_1 || t == kQ5_1 || t == kQ4_K || t == kQ5_K || t == kQ2_K) memcpy(b + d_at + 2, &m, 2);
  }
  return w;
}

static float weight(Dtype t, const std::vector<uint8_t>& w, size_t cols, size_t r, size_t k, std::vector<float>& row) {
  if (k == 0) {
    const uint8_t* p = &w[r * row_bytes(t, cols)];
    for (size_t b = 0; b < cols / block_elems(t); b++) {
      if (t == kF32) memcpy(&row[b], p + 4 * b, 4);
      else if (t == kF16) row[b] = half_at(p + 2 * b);
      else if (t == kBF16) row[b] = bf16_to_f32((uint16_t)(p[2 * b] | p[2 * b + 1] << 8));
      else dequant_block(t, p + b * block_bytes(t), &row[b * block_elems(t)]);
    }
  }
  return row[k];
}

// What `prepare` makes of x: the int8 blocks, or bf16 roundings.
static std::vector<float> rounded_activations(ActivationKind kind, const std::vector<float>& x) {
  std::vector<float> y = x;
  if (kind == kActQ8 || kind == kActQ15) {
    const float limit = kind == kActQ8 ? 127.0f : 127.0f * 128.0f;
    for (size_t b = 0; b < x.size(); b += 32) {
      float peak = 0;
      for (int i = 0; i < 32; i++) peak = std::fmax(peak, std::fabs(x[b + i]));
      for (int i = 0; i < 32; i++) y[b + i] = peak == 0 ? 0 : std::nearbyint(x[b + i] * (limit / peak)) * (peak / limit);
    }
  } else if (kind == kActBF16) {
    for (auto& v : y) {
      uint32_t u;
      memcpy(&u, &v, 4);
      u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000;
      memcpy(&v, &u, 4);
    }
  }
  return y;
}

static std::vector<float> run_linear(const LinearKernels* k, LinearArgs a, int threads) {
  std::vector<uint8_t> act, scratch;
  a.activations = aligned(act, k->activation_bytes(k->activation_kind(a.dtype, a.flags), a.tokens, a.cols));
  a.thread_scratch = aligned(scratch, threads * k->linear_thread_bytes(a.dtype, a.flags, a.tokens, a.rows, a.cols));
  std::vector<float> y(a.tokens * a.y_stride + 1, 0.25f);
  a.y = y.data();
  for (int i = 0; i < threads; i++) k->prepare(a, i, threads);
  for (int i = 0; i < threads; i++) k->compute(a, i, threads);
  return y;
}

static double check_linear(const LinearKernels* k, Dtype t, uint32_t flags, size_t rows, size_t cols) {
  const std::vector<uint8_t> w = random_weights(t, rows, cols);
  std::vector<uint8_t> packed_memory;
  void* packed = aligned(packed_memory, packed_bytes(t, rows, cols));
  const size_t middle = rows / 2 / kGroupRows * kGroupRows;
  pack(t, packed, w.data(), rows, cols, 0, middle);
  pack(t, packed, w.data(), rows, cols, middle, rows);
  std::vector<uint8_t> back(w.size(), 1);
  unpack(t, back.data(), packed, rows, cols, 0, rows);
  if (back != w) fail("unpack(pack(w)) == w", k->isa, t, 0);

  const size_t most = 257;
  std::vector<float> x(most * cols), bias(rows), row(cols), got_row(cols);
  for (auto& v : x) v = random_normal();
  for (auto& v : bias) v = random_normal();
  const ActivationKind kind = k->activation_kind(t, flags);
  const std::vector<float> rounded = rounded_activations(kind, x);
  std::vector<double> want(most * rows), size(most * rows);
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < cols; c++) weight(t, w, cols, r, c, row);
    dequant_row(t, packed, rows, cols, r, got_row.data());
    if (memcmp(row.data(), got_row.data(), cols * 4) != 0) fail("dequant_row", k->isa, t, (double)r);
    for (size_t i = 0; i < most; i++) {
      double s = 0, m = 0;
      for (size_t c = 0; c < cols; c++) {
        const double p = (double)row[c] * rounded[i * cols + c];
        s += p;
        m += p * p;
      }
      want[i * rows + r] = s;
      size[i * rows + r] = std::sqrt(m) + 1e-6;
    }
  }
  double worst = 0;
  std::vector<float> longest;
  for (size_t tokens : {257, 1, 2, 3, 4, 5, 6, 8, 11, 17, 64}) {
    LinearArgs a = {x.data(), cols, tokens, packed, t, flags, rows, cols, nullptr, nullptr, rows + 3, nullptr, nullptr};
    const std::vector<float> y = run_linear(k, a, 1);
    for (size_t i = 0; i < tokens; i++) {
      for (size_t r = 0; r < rows; r++) {
        const double e = std::fabs(y[i * (rows + 3) + r] - want[i * rows + r]) / size[i * rows + r];
        if (!(e <= worst)) worst = e;
      }
      for (size_t r = 0; r < 3; r++) if (y[i * (rows + 3) + rows + r] != 0.25f) fail("writes past the row", k->isa, t, 0);
    }
    // On bf16 pairs the hardware rounds after two products, and on quantised types every integer sum is exact: 1e-4 of the
    // size of the terms is far above rounding and far below any wrong weight.
    if (!(worst < 1e-4)) fail("largest relative error", k->isa, t, worst);
    if (tokens == 257) longest = y;
    if (memcmp(y.data(), longest.data(), tokens * (rows + 3) * 4) != 0) fail("same bits for any token count", k->isa, t, (double)tokens);
    if (memcmp(run_linear(k, a, 3).data(), y.data(), y.size() * 4) != 0) fail("same bits for any threads", k->isa, t, (double)tokens);
    a.bias = bias.data();
    a.flags |= kLinearAccumulate;
    const std::vector<float> z = run_linear(k, a, 2);
    for (size_t i = 0; i < tokens; i++) {
      for (size_t r = 0; r < rows; r++) {
        const float expect = (y[i * (rows + 3) + r] + bias[r]) + 0.25f;
        if (z[i * (rows + 3) + r] != expect) fail("bias and residual", k->isa, t, z[i * (rows + 3) + r] - expect);
      }
    }
  }
  x[cols / 2] = NAN;
  LinearArgs a = {x.data(), cols, 5, packed, t, flags, rows, cols, nullptr, nullptr, rows, nullptr, nullptr};
  const std::vector<float> y = run_linear(k, a, 1);
  if (!std::isnan(y[0]) || std::isnan(y[rows])) fail("NaN reaches its own token", k->isa, t, y[0]);
  return worst;
}

static float rounded(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
  memcpy(&x, &bits, 4);
  return x;
}

// `bf16`: of operands that are rounded first, which the expected sums are made of too.
static double check_matmul(const LinearKernels* k, Dtype t, size_t m, size_t n, size_t kk, bool ta, bool tb, bool acc, int threads, bool bf16) {
  const size_t batch = m < 40 ? 3 : 1, lda = (ta ? m : kk) + 3, ldb = (tb ? kk : n) + 5, ldc = n + 2;
  const size_t na = (ta ? kk : m) * lda, nb = (tb ? n : kk) * ldb;
  std::vector<uint8_t> a = random_weights(t, batch, na), b = random_weights(t, 1, nb), scratch;
  std::vector<float> af(na), bf(nb), c(batch * m * ldc, 0.5f);
  weight(t, b, nb, 0, 0, bf);
  MatmulArgs args = {a.data(), b.data(), c.data(), t, t, ta, tb, acc, m, n, kk, lda, ldb, ldc, batch, na, 0, m * ldc, nullptr, bf16};
  args.thread_scratch = aligned(scratch, threads * k->matmul_thread_bytes());
  for (int i = 0; i < threads; i++) k->matmul(args, i, threads);
  double worst = 0;
  for (size_t z = 0; z < batch; z++) {
    weight(t, a, na, z, 0, af);
    for (size_t i = 0; i < m; i++) {
      for (size_t j = 0; j < n; j++) {
        double s = acc ? 0.5 : 0, size = 1;
        for (size_t p = 0; p < kk; p++) {
          const float x = af[ta ? p * lda + i : i * lda + p], y = bf[tb ? j * ldb + p : p * ldb + j];
          const double v = bf16 ? (double)rounded(x) * rounded(y) : (double)x * y;
          s += v;
          size += v * v;
        }
        const double e = std::fabs(c[(z * m + i) * ldc + j] - s) / std::sqrt(size);
        if (!(e <= worst)) worst = e;
      }
      if (c[(z * m + i) * ldc + n] != 0.5f) fail("matmul writes past the row", k->isa, t, 0);
    }
  }
  if (!(worst < 1e-5)) fail("matmul error", k->isa, t, worst);
  return worst;
}

static void check(const LinearKernels* k) {
  const Dtype types[] = {kF32, kF16, kBF16, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kQ2_K, kQ3_K, kQ4_K, kQ5_K, kQ6_K, kIQ4_NL};
  for (Dtype t : types) {
    const size_t block = block_elems(t) == 1 ? 37 : block_elems(t);
    double worst = 0;
    for (size_t rows : {5, 16, 83}) {
      for (size_t blocks : {1, 3}) {
        // 9 blocks of 32 cross the boundary of a panel.
        const size_t cols = blocks * (block == 32 && blocks == 3 ? 96 : block) + (block == 37 && blocks == 3 ? 200 : 0);
        worst = std::fmax(worst, check_linear(k, t, 0, rows, cols));
        if (is_quantized(t)) worst = std::fmax(worst, check_linear(k, t, kLinearInt8Activations, rows, cols));
        if (t == kBF16) worst = std::fmax(worst, check_linear(k, t, kLinearBf16Activations, rows, cols));
      }
    }
    printf("%s linear %s: largest error %.1e of the terms' size\n", k->isa, names[t], worst);
  }
  for (Dtype t : {kF32, kF16, kBF16}) {
    double worst = 0;
    for (int v = 0; v < 8; v++) {
      for (int threads : {1, 5}) {
        for (bool bf16 : {false, true}) {
          worst = std::fmax(worst, check_matmul(k, t, 31, 67, 19, v & 1, v & 2, v & 4, threads, bf16));
          worst = std::fmax(worst, check_matmul(k, t, 181, 70, 300, v & 1, v & 2, v & 4, threads, bf16));
          worst = std::fmax(worst, check_matmul(k, t, 1, 533, 40, v & 1, v & 2, v & 4, threads, bf16));
          // More rows of A, of B, and more of k than are packed at a time.
          worst = std::fmax(worst, check_matmul(k, t, 339, 35, 193, v & 1, v & 2, v & 4, threads, bf16));
          worst = std::fmax(worst, check_matmul(k, t, 15, 771, 193, v & 1, v & 2, v & 4, threads, bf16));
          worst = std::fmax(worst, check_matmul(k, t, 33, 32, 801, v & 1, v & 2, v & 4, threads, bf16));
        }
      }
    }
    printf("%s matmul %s: largest error %.1e of the terms' size\n", k->isa, names[t], worst);
  }
}

int main() {
  check(linear_kernels_generic());
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) check(linear_kernels_avx2());
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16")) check(linear_kernels_avx512());
  if (amx_usable()) check(linear_kernels_amx());
#elif defined(__aarch64__)
  check(linear_kernels_neon());
#endif
  printf("ok\n");
}
