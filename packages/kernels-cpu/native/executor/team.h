// A team of threads that walk one program together: the barrier between dependent calls, and the walk. Freestanding:
// the native addon and the WASM workers both run it. Who creates the threads is not decided here.
#pragma once
#include "call.h"

namespace cria {

// Sleeps until *word is no longer `seen` (or a wake, or a spurious return); wakes all sleepers. Per platform.
void futex_wait(int32_t* word, int32_t seen);
void futex_wake(int32_t* word);
// Nanoseconds of a clock that only moves forward; 0 where there is none.
uint64_t nanoseconds();

// Looks at a word before sleeping: some 50 µs. WebAssembly has no instruction to pause.
#if defined(__wasm__)
constexpr int kSpins = 20000;
#else
constexpr int kSpins = 4000;
#endif

inline void cpu_relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Waits for *word to change: spins about as long as a kernel takes, then sleeps, so that a machine with fewer free
// cores than threads does not collapse.
inline void await_change(int32_t* word, int32_t seen, int32_t* sleepers, int spins, bool may_sleep) {
  for (int i = 0; i < spins || !may_sleep; i++) {
    if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != seen) return;
    cpu_relax();
  }
  __atomic_fetch_add(sleepers, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == seen) futex_wait(word, seen);
  __atomic_fetch_sub(sleepers, 1, __ATOMIC_SEQ_CST);
}

inline void announce(int32_t* word, int32_t* sleepers) {
  __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(sleepers, __ATOMIC_SEQ_CST) > 0) futex_wake(word);
}

// 64 bytes between words that different threads write: no false sharing. Zeroed memory is a valid start.
struct Team {
  int32_t n;
  int32_t may_sleep;  // whether thread 0 may (a browser's main thread may not)
  int32_t pad0[14];
  int32_t arrived;
  int32_t pad1[15];
  int32_t generation;
  int32_t pad2[15];
  int32_t sleepers;
  int32_t pad3[15];

  void wait(int thread) {
    if (n == 1) return;
    const int32_t seen = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == n) {
      __atomic_store_n(&arrived, 0, __ATOMIC_RELAXED);
      announce(&generation, &sleepers);
    } else {
      await_change(&generation, seen, &sleepers, kSpins, thread > 0 || may_sleep);
    }
  }
};

// Every thread of the team walks the program. Results are in memory once all have returned.
inline void walk(const int32_t* words, size_t n_words, const OpFn* table, Team& team, int thread, uint8_t* scratch) {
  const Ctx mine{thread, team.n, scratch}, alone{0, 1, scratch};
  for (size_t at = 0; at < n_words;) {
    const Call& call = *(const Call*)(words + at);
    const bool timed = (call.flags & kTimed) && thread == 0;
    const uint64_t arrived = timed ? nanoseconds() : 0;
    if (call.flags & kBarrierBefore) team.wait(thread);
    const uint64_t started = timed ? nanoseconds() : 0;
    if (!(call.flags & kSolo)) table[call.opcode](call, mine);
    else if (thread == 0) table[call.opcode](call, alone);
    if (timed) {
      Call& mutable_call = const_cast<Call&>(call);
      mutable_call.waited = (uint32_t)(started - arrived);
      mutable_call.worked = (uint32_t)(nanoseconds() - started);
    }
    at += (size_t)call.words;
  }
}

}  // namespace cria
