// One CPU device: its instruction set, threads, memory and the order of its work. No Node in here.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cpu.h"
#include "memory.h"
#include "pool.h"

namespace cria {

struct Program {
  std::vector<int32_t> words;
  struct Input {
    void* at;
    size_t bytes;
  };
  std::vector<Input> inputs;
};

class Runtime {
 public:
  Runtime(const Isa& isa, int threads, const std::vector<int>& cores) : isa(isa), pool_(threads, cores) {}
  ~Runtime();

  const Isa isa;
  Memory memory;
  uint64_t replays = 0;  // native calls that ran a program

  int threads() const { return pool_.size(); }
  // Makes room for `bytes` of scratch memory for each thread. False when there is no memory.
  bool reserve(size_t bytes);

  // Work runs strictly in the order in which tickets were taken, on whichever thread carries it.
  uint64_t ticket() { return next_++; }
  template <class Fn> void in_turn(uint64_t ticket, Fn work) {
    await(ticket);
    work();
    done();
  }
  // Everything so far has finished.
  void settle() { in_turn(ticket(), [] {}); }

  void execute(const int32_t* words, size_t n);
  void parallel(const std::function<void(int, int)>& job) {
    pool_.run([&](int thread) { job(thread, pool_.size()); });
  }

 private:
  void await(uint64_t ticket);
  void done();

  Pool pool_;
  uint8_t* scratch_ = nullptr;
  size_t scratch_bytes_ = 0;
  uint64_t next_ = 0;  // taken by the JavaScript thread alone
  uint64_t serving_ = 0;
  std::mutex lock_;
  std::condition_variable turn_;
};

}  // namespace cria
