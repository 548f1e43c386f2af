// Speed of the matrix kernels against what this machine can do, measured in the same run: the read bandwidth of memory and
// the peak rates of f32, bf16 and int8 multiply-adds of one core. Usage: linear-bench [isa [threads [type]]].
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

#include "../linear/linear.h"

using namespace cria;

namespace peaks {  // peak-avx512.cpp, where the CPU has it
double fma_gflops();
double bf16_gflops();
double vnni_gops();
double read_sum(const void* p, size_t bytes);
}  // namespace peaks

static double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
static const char* names[] = {"f32",  "f16",  "bf16", "i32",  "u32",  "i8",   "u8",   "q4_0", "q4_1",
                              "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl"};

// A pool of spinning threads for the bench; thread 0 is the caller.
struct Pool {
  int n;
  std::vector<std::thread> threads;
  std::atomic<int> generation{0}, left{0}, arrived{0}, phase{0};
  void (*job)(void*, int) = nullptr;
  void* context = nullptr;
  bool stop = false;
  static void pin(int cpu) {
#if defined(__linux__)
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
#endif
  }
  explicit Pool(int n_threads) : n(n_threads) {
    pin(0);
    for (int i = 1; i < n; i++) {
      threads.emplace_back([this, i] {
        pin(i);
        for (int seen = 0;;) {
          while (generation.load(std::memory_order_acquire) == seen) __builtin_ia32_pause();
          seen++;
          if (stop) return;
          job(context, i);
          left.fetch_sub(1);
        }
      });
    }
  }
  void run(void (*fn)(void*, int), void* ctx) {
    job = fn, context = ctx;
    left = n - 1;
    generation.fetch_add(1, std::memory_order_release);
    fn(ctx, 0);
    while (left.load() != 0) __builtin_ia32_pause();
  }
  ~Pool() {
    stop = true;
    generation.fetch_add(1);
    for (auto& t : threads) t.join();
  }
  static void wait(void* context, int) {
    Pool* p = (Pool*)context;
    const int phase = p->phase.load();
    if (p->arrived.fetch_add(1) == p->n - 1) {
      p->arrived = 0;
      p->phase.fetch_add(1);
    } else while (p->phase.load() == phase) __builtin_ia32_pause();
  }
};

template <class Fn> static double best_time(double budget, Fn&& fn) {
  fn();
  double best = 1e9;
  const double end = now() + budget;
  do {
    const double t = now();
    fn();
    const double d = now() - t;
    if (d < best) best = d;
  } while (now() < end);
  return best;
}

static void* big(size_t n) {
  void* p = aligned_alloc(1 << 21, (n + (1 << 21) - 1) >> 21 << 21);
  memset(p, 1, n);
  return p;
}

struct Job { const LinearKernels* k; LinearArgs a; Pool* pool; size_t copies, step; };

int main(int argc, char** argv) {
  const char* isa = argc > 1 ? argv[1] : "avx512";
  const int threads = argc > 2 ? atoi(argv[2]) : 1;
  const LinearKernels* k = !strcmp(isa, "avx2") ? linear_kernels_avx2()
                         : !strcmp(isa, "generic") ? linear_kernels_generic() : linear_kernels_avx512();
  Pool pool(threads);
  const size_t bytes = 256 << 20;
  uint8_t* memory = (uint8_t*)big(bytes + (64 << 20));
  struct Read { uint8_t* p; size_t n; int threads; } read = {memory, bytes, threads};
  auto read_job = [](void* c, int i) {
    Read* r = (Read*)c;
    volatile double sink = peaks::read_sum(r->p + r->n / r->threads * i, r->n / r->threads);
    (void)sink;
  };
  auto bandwidth = [&] { return bytes / best_time(0.15, [&] { pool.run(read_job, &read); }) / 1e9; };
  const double read_gbs = bandwidth();
  const double fma = peaks::fma_gflops() * threads, bf16 = peaks::bf16_gflops() * threads, vnni = peaks::vnni_gops() * threads;
  printf("%s, %d threads. read %.1f GB/s; peak f32 %.0f, bf16 %.0f GFLOP/s, int8 %.0f GOP/s\n", k->isa, threads, read_gbs, fma, bf16, vnni);

  printf("%-8s %20s %10s %22s %30s\n", "linear", "T=1 GB/s (of read)", "in cache", "T=4 / T=8 Gop/s", "T=512 Gop/s (of peak)");
  for (int t = 0; t < kDtypeCount; t++) {
    const Dtype type = (Dtype)t;
    if (!linear_supports(type) || (argc > 3 && strcmp(argv[3], names[t]))) continue;
    for (uint32_t flags : {0u, (uint32_t)kLinearBf16Activations, (uint32_t)kLinearInt8Activations}) {
      if (flags && !(flags == kLinearBf16Activations ? type == kBF16 : is_quantized(type))) continue;
      const size_t rows = 8192, cols = 2048;
      const size_t size = packed_bytes(type, rows, cols);
      const size_t copies = bytes / size ? bytes / size : 1;  // decode walks weights that are not in any cache
      std::vector<float> x(512 * cols), y(512 * rows);
      for (size_t i = 0; i < x.size(); i++) x[i] = (float)(int)(i * 2654435761u >> 8 & 255) / 128 - 1;
      memset(memory, 0x11, bytes);
      Job job = {k, {x.data(), cols, 1, memory, type, flags, rows, cols, nullptr, y.data(), rows, nullptr, nullptr}, &pool, copies, size};
      const ActivationKind kind = k->activation_kind(type, flags);
      job.a.activations = big(k->activation_bytes(kind, 512, cols) + 64);
      job.a.thread_scratch = big(threads * k->linear_thread_bytes(type, flags, 512, rows, cols) + 64);
      auto run = [](void* c, int i) {
        Job* j = (Job*)c;
        for (size_t m = 0; m < j->copies; m++) {
          LinearArgs a = j->a;
          a.w = (uint8_t*)a.w + m * j->step;
          j->k->linear(a, {Pool::wait, j->pool}, i, j->pool->n);
          Pool::wait(j->pool, i);
        }
      };
      double gbs = 0, cached = 0, gops[4];
      const size_t tokens[4] = {1, 4, 8, 512};
      for (int v = 0; v < 4; v++) {
        job.a.tokens = tokens[v];
        // Many tokens: a smaller matrix, so that some runs fall between other work on the machine.
        if (v == 3) job.copies = 1, job.a.rows = 2048;
        const double s = best_time(0.4, [&] { pool.run(run, &job); }) / job.copies;
        gops[v] = 2.0 * job.a.rows * cols * tokens[v] / s / 1e9;
        if (v == 0) {
          gbs = size / s / 1e9;
          // The same from cache: what the instructions alone cost.
          job.copies = 16, job.step = 0, job.a.rows = 64 * threads;
          const double c = best_time(0.2, [&] { pool.run(run, &job); }) / job.copies;
          cached = packed_bytes(type, job.a.rows, cols) / c / 1e9;
          job.copies = copies, job.step = size, job.a.rows = rows;
        }
      }
      const double peak = is_quantized(type) ? vnni : flags ? bf16 : fma;
      printf("%-6s%s %8.1f (%3.0f %%) %10.0f %16.0f / %6.0f %20.0f (%2.0f %%)\n", names[t], flags ? "fast" : "    ", gbs, 100 * gbs / bandwidth(), cached,
             gops[1], gops[2], gops[3], 100 * gops[3] / peak);
      free(job.a.activations);
      free(job.a.thread_scratch);
    }
  }
  if (argc > 3) return 0;
  for (size_t n : {256, 512, 1024, 2048}) {
    printf("matmul f32 %4zu:", n);
    for (int v = 0; v < 4; v++) {
      MatmulArgs a = {memory, memory + n * n * 4, (float*)(memory + 2 * n * n * 4), kF32, kF32, (v & 1) != 0, (v & 2) != 0, false,
                      n, n, n, n, n, n, 1, 0, 0, 0, big(threads * k->matmul_thread_bytes())};
      memset(memory, 0, 3 * n * n * 4);
      struct M { const LinearKernels* k; MatmulArgs* a; int n; } m = {k, &a, threads};
      const double s = best_time(0.3, [&] { pool.run([](void* c, int i) { M* j = (M*)c; j->k->matmul(*j->a, i, j->n); }, &m); });
      const double g = 2.0 * n * n * n / s / 1e9;
      printf("  %c%c %.0f GFLOP/s (%.0f %%)", v & 1 ? 'T' : 'N', v & 2 ? 'T' : 'N', g, 100 * g / fma);
      free(a.thread_scratch);
    }
    printf("\n");
  }
}
