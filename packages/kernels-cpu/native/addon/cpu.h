// What the machine offers: instruction sets, and the cores that this process may use.
#pragma once
#include <string>
#include <vector>

#include "../executor/call.h"
#include "../linear/linear.h"

namespace cria {

// Kernels of one instruction set.
struct Isa {
  const char* name;
  const OpFn* ops;
  const LinearKernels* linear;
};

// Those that were built and that this CPU runs, the best first.
std::vector<Isa> usable_isas();

// One logical CPU for each physical core that this process may run on, at least one entry; fewer where a container's
// quota allows fewer.
std::vector<int> usable_cores();

// Keeps the calling thread on one CPU. Ignored where the system has no such thing.
void pin_thread(int cpu);

}  // namespace cria
