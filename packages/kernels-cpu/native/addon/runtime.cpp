// Order of work, scratch memory, and the walk of a program by the pool.
#include "runtime.h"

namespace cria {

Runtime::~Runtime() { settle(); }

void Runtime::await(uint64_t ticket) {
  std::unique_lock<std::mutex> hold(lock_);
  turn_.wait(hold, [&] { return serving_ == ticket; });
}

void Runtime::done() {
  {
    std::lock_guard<std::mutex> hold(lock_);
    serving_++;
  }
  turn_.notify_all();
}

bool Runtime::reserve(size_t bytes) {
  if (bytes <= scratch_bytes_) return true;
  settle();
  void* grown = memory.alloc(bytes * (size_t)threads());
  if (grown == nullptr) return false;
  if (scratch_ != nullptr) memory.release(scratch_);
  scratch_ = (uint8_t*)grown;
  scratch_bytes_ = bytes;
  return true;
}

void Runtime::execute(const int32_t* words, size_t n) {
  pool_.run([&](int thread) { walk(words, n, isa.ops, pool_.team(), thread, scratch_); });
}

}  // namespace cria
