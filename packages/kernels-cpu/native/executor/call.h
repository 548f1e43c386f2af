// The binary program: a flat run of 32-bit words that TypeScript writes (src/encode.ts) and every thread of the team
// reads in place. Nothing is decoded and nothing is allocated: a call is a view of its words.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "../dtype.h"

namespace cria {

constexpr int kMaxRank = 8;

enum CallFlags : int32_t {
  kBarrierBefore = 1,  // reads or overwrites what earlier calls of other threads wrote
  kSolo = 2,           // thread 0 alone: cheaper than a barrier
  kTimed = 4,          // thread 0 writes into the header how long it waited and worked
};

// A tensor: where it is and what it looks like. Always dense and row-major, or packed by linear/pack.cpp.
struct Operand {
  uint32_t low, high;  // the address
  int32_t dtype;       // Dtype, plus kPacked
  int32_t rank;
  int32_t dims[kMaxRank];

  template <class T = float> T* as() const { return (T*)(uintptr_t)((uint64_t)low | (uint64_t)high << 32); }
  Dtype type() const { return (Dtype)(dtype & 255); }
  bool packed() const { return (dtype & 256) != 0; }
  size_t size() const { return product(0, rank); }
  size_t product(int from, int to) const {
    size_t n = 1;
    for (int i = from; i < to; i++) n *= (size_t)dims[i];
    return n;
  }
  size_t last() const { return rank > 0 ? (size_t)dims[rank - 1] : 1; }
  size_t rows() const { return rank > 0 ? product(0, rank - 1) : 1; }
};

struct Call {
  int32_t words;  // of the whole call, this header included
  int32_t opcode;
  int32_t flags;
  int32_t scratch;  // bytes of scratch memory of each thread, the same in every call of a program
  int32_t n_operands;
  int32_t n_attrs;
  uint32_t waited, worked;  // nanoseconds of the last walk, where kTimed asks for them

  const Operand& op(int i) const { return ((const Operand*)(this + 1))[i]; }
  const int32_t* attrs() const { return (const int32_t*)((const Operand*)(this + 1) + n_operands); }
  int32_t attr(int i) const { return attrs()[i]; }
  float attr_f(int i) const {
    float f;
    __builtin_memcpy(&f, attrs() + i, 4);
    return f;
  }
  double attr_d(int i) const {
    double d;
    __builtin_memcpy(&d, attrs() + i, 8);
    return d;
  }
};

// What a kernel knows besides its call: which share is its own, and private memory.
struct Ctx {
  int thread;
  int n_threads;
  uint8_t* scratch;  // of all threads, `Call::scratch` bytes each, one after another

  uint8_t* own(const Call& c) const { return scratch + (size_t)thread * (size_t)c.scratch; }
};

using OpFn = void (*)(const Call&, const Ctx&);

}  // namespace cria
