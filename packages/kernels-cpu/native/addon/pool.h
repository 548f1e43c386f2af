// A fixed pool of pinned threads. The caller is thread 0; the others spin for a moment after each job, then sleep.
#pragma once
#include <functional>
#include <thread>
#include <vector>

#include "../executor/team.h"

namespace cria {

class Pool {
 public:
  // `cores`: where workers are pinned, thread i on core i. With more threads than cores nothing is pinned.
  Pool(int threads, const std::vector<int>& cores);
  ~Pool();
  Pool(const Pool&) = delete;

  int size() const { return team_.n; }
  Team& team() { return team_; }
  // Runs job(thread) on every thread of the pool and returns when all are done. One caller at a time.
  void run(const std::function<void(int)>& job);

 private:
  void work(int thread, int core);

  alignas(64) Team team_{};
  alignas(64) int32_t jobs_ = 0;
  alignas(64) int32_t sleepers_ = 0;
  const std::function<void(int)>* job_ = nullptr;
  std::vector<std::thread> workers_;
};

}  // namespace cria
