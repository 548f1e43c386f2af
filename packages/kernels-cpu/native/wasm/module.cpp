// The WebAssembly module: what JavaScript calls (src/wasm-engine.ts), and the loop of its workers. Memory is imported and
// handed out by JavaScript; with shared memory every worker runs its own instance of this module on it.
#include "../executor/linear-table.h"
#include "../executor/opcodes.h"
#include "../executor/team.h"

#define CRIA_EXPORT(name) extern "C" __attribute__((export_name(#name)))

// JavaScript's side: a job that left the event loop has finished.
extern "C" __attribute__((import_module("env"), import_name("finished"))) void finished();

extern "C" {
// Where the compiler calls these instead of emitting memory.copy and memory.fill.
__attribute__((no_builtin)) void* memcpy(void* to, const void* from, size_t n) {
  for (size_t i = 0; i < n; i++) ((uint8_t*)to)[i] = ((const uint8_t*)from)[i];
  return to;
}
__attribute__((no_builtin)) void* memset(void* to, int value, size_t n) {
  for (size_t i = 0; i < n; i++) ((uint8_t*)to)[i] = (uint8_t)value;
  return to;
}
}

namespace cria {

namespace CRIA_ISA {
extern const OpFn kOps[kOpCount];
}

void futex_wait(int32_t* word, int32_t seen) { __builtin_wasm_memory_atomic_wait32(word, seen, -1); }
uint64_t nanoseconds() { return 0; }
void futex_wake(int32_t* word) { __builtin_wasm_memory_atomic_notify(word, 0x7fffffff); }

static const LinearKernels* kernels() { return CRIA_JOIN(linear_kernels_, CRIA_ISA)(); }

// One for each device, in zeroed memory. The order of the first words is known to src/wasm-engine.ts.
struct Pool {
  int32_t done;  // jobs that left the event loop and have finished
  int32_t stop;
  const int32_t* words;
  uint32_t n_words;
  uint8_t* scratch;
  int32_t pad0[11];
  int32_t jobs;
  int32_t sleepers;
  int32_t pad1[14];
  int32_t away_jobs;
  int32_t away_sleepers;
  int32_t pad2[14];
  Team team;
};

constexpr int kIdleSpins = 50000;

static void run(Pool& pool) {
  if (pool.team.n > 1) announce(&pool.jobs, &pool.sleepers);
  walk(pool.words, pool.n_words, CRIA_ISA::kOps, pool.team, 0, pool.scratch);
  pool.team.wait(0);
}

CRIA_EXPORT(pool_bytes) uint32_t pool_bytes() { return sizeof(Pool); }
CRIA_EXPORT(pool_init) void pool_init(Pool* pool, int32_t threads, int32_t may_sleep) {
  pool->team.n = threads;
  pool->team.may_sleep = may_sleep;
}
static void set_job(Pool* pool, const int32_t* words, uint32_t n, uint8_t* scratch) {
  pool->words = words;
  pool->n_words = n;
  pool->scratch = scratch;
}
// Runs a program on this thread and the workers.
CRIA_EXPORT(pool_run) void pool_run(Pool* pool, const int32_t* words, uint32_t n, uint8_t* scratch) {
  set_job(pool, words, n, scratch);
  run(*pool);
}
// Hands a program to the conductor, a worker that stands in for this thread.
CRIA_EXPORT(pool_send) void pool_send(Pool* pool, const int32_t* words, uint32_t n, uint8_t* scratch) {
  set_job(pool, words, n, scratch);
  announce(&pool->away_jobs, &pool->away_sleepers);
}
CRIA_EXPORT(pool_stop) void pool_stop(Pool* pool) {
  __atomic_store_n(&pool->stop, 1, __ATOMIC_SEQ_CST);
  announce(&pool->jobs, &pool->sleepers);
  announce(&pool->away_jobs, &pool->away_sleepers);
}
// The life of a worker; thread 0 is the conductor.
CRIA_EXPORT(pool_work) void pool_work(Pool* pool, int32_t thread) {
  int32_t* word = thread == 0 ? &pool->away_jobs : &pool->jobs;
  int32_t* sleepers = thread == 0 ? &pool->away_sleepers : &pool->sleepers;
  for (int32_t seen = 0;;) {
    await_change(word, seen, sleepers, thread == 0 ? 0 : kIdleSpins, true);
    seen++;
    if (__atomic_load_n(&pool->stop, __ATOMIC_SEQ_CST)) return;
    if (thread == 0) {
      run(*pool);
      __atomic_fetch_add(&pool->done, 1, __ATOMIC_SEQ_CST);
      futex_wake(&pool->done);
      finished();
    } else {
      walk(pool->words, pool->n_words, CRIA_ISA::kOps, pool->team, thread, pool->scratch);
      pool->team.wait(thread);
    }
  }
}

CRIA_EXPORT(pack) void pack_matrix(int32_t back, int32_t dtype, void* to, const void* from, uint32_t rows, uint32_t cols) {
  (back ? unpack : pack)((Dtype)dtype, to, from, rows, cols, 0, rows);
}
CRIA_EXPORT(measure_packed) uint32_t measure_packed(int32_t t, uint32_t rows, uint32_t cols) {
  return (uint32_t)packed_bytes((Dtype)t, rows, cols);
}
CRIA_EXPORT(measure_kind) uint32_t measure_kind(int32_t t, uint32_t flags) { return kernels()->activation_kind((Dtype)t, flags); }
CRIA_EXPORT(measure_activations) uint32_t measure_activations(int32_t kind, uint32_t tokens, uint32_t cols) {
  return (uint32_t)kernels()->activation_bytes((ActivationKind)kind, tokens, cols);
}
CRIA_EXPORT(measure_linear) uint32_t measure_linear(int32_t t, uint32_t flags, uint32_t tokens, uint32_t rows, uint32_t cols) {
  return (uint32_t)kernels()->linear_thread_bytes((Dtype)t, flags, tokens, rows, cols);
}
CRIA_EXPORT(measure_matmul) uint32_t measure_matmul() { return (uint32_t)kernels()->matmul_thread_bytes(); }

}  // namespace cria
