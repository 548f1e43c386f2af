// The pool, and futexes for its waits.
#include "pool.h"

#include <chrono>

#include "cpu.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <atomic>
#endif

namespace cria {

#if defined(__linux__)
void futex_wait(int32_t* word, int32_t seen) { syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0); }
void futex_wake(int32_t* word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1 << 30, nullptr, nullptr, 0); }
#else
void futex_wait(int32_t* word, int32_t seen) { std::atomic_ref<int32_t>(*word).wait(seen); }
void futex_wake(int32_t* word) { std::atomic_ref<int32_t>(*word).notify_all(); }
#endif

uint64_t nanoseconds() {
  return (uint64_t)std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Between two decode steps JavaScript samples a token: workers stay awake about that long (some 100 µs).
constexpr int kIdleSpins = 6000;

Pool::Pool(int threads, const std::vector<int>& cores) {
  team_.n = threads;
  team_.may_sleep = 1;
  const bool pin = (size_t)threads <= cores.size();
  for (int i = 1; i < threads; i++) workers_.emplace_back([this, i, core = pin ? cores[(size_t)i] : -1] { work(i, core); });
}

Pool::~Pool() {
  if (workers_.empty()) return;
  job_ = nullptr;
  announce(&jobs_, &sleepers_);
  for (std::thread& w : workers_) w.join();
}

void Pool::work(int thread, int core) {
  if (core >= 0) pin_thread(core);
  for (int32_t seen = 0;;) {
    await_change(&jobs_, seen, &sleepers_, kIdleSpins, true);
    seen++;
    if (job_ == nullptr) return;
    (*job_)(thread);
    team_.wait(thread);
  }
}

void Pool::run(const std::function<void(int)>& job) {
  if (workers_.empty()) return job(0);
  job_ = &job;
  announce(&jobs_, &sleepers_);
  job(0);
  team_.wait(0);
}

}  // namespace cria
