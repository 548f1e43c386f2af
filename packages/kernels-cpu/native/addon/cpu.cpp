// Detection of instruction sets and cores. Linux in detail; elsewhere what the C++ library knows.
#include "cpu.h"

#include <cstdio>
#include <fstream>
#include <set>
#include <thread>

#include "../executor/linear-table.h"
#include "../executor/opcodes.h"
#include "amx.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace cria {

#define CRIA_OPS(isa) \
  namespace isa {     \
  extern const OpFn kOps[kOpCount]; \
  }
#if defined(__x86_64__)
CRIA_OPS(generic)
CRIA_OPS(avx2)
CRIA_OPS(avx512)
namespace avx512 {
extern const OpFn kTileOps[kOpCount];
}
#elif defined(__aarch64__)
CRIA_OPS(generic)
CRIA_OPS(neon)
#else
CRIA_OPS(generic)
#endif

std::vector<Isa> usable_isas() {
  std::vector<Isa> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
  if (avx512 && amx_usable()) found.push_back({"amx", avx512::kTileOps, linear_kernels_amx()});
  if (avx512) found.push_back({"avx512", avx512::kOps, linear_kernels_avx512()});
  if (avx2) found.push_back({"avx2", avx2::kOps, linear_kernels_avx2()});
#elif defined(__aarch64__)
  found.push_back({"neon", neon::kOps, linear_kernels_neon()});
#endif
  found.push_back({"generic", generic::kOps, linear_kernels_generic()});
  return found;
}

#if defined(__linux__)
namespace {

// Whole CPUs that a container may use at once, or a large number.
int quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string limit;
  double period = 0;
  if (!(file >> limit >> period) || limit == "max" || period <= 0) return 1 << 16;
  const int whole = (int)(std::stod(limit) / period + 0.5);
  return whole > 0 ? whole : 1;
}

}  // namespace
#endif

std::vector<int> usable_cores() {
  std::vector<int> cores;
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    std::set<std::string> seen;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
      if (!CPU_ISSET(cpu, &set)) continue;
      std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
      std::string siblings;
      if (!(file >> siblings)) siblings = std::to_string(cpu);
      if (seen.insert(siblings).second) cores.push_back(cpu);
    }
    const size_t limit = (size_t)quota();
    if (cores.size() > limit) cores.resize(limit);
  }
#endif
  if (cores.empty()) {
    const unsigned n = std::thread::hardware_concurrency();
    for (unsigned i = 0; i < (n ? n : 1); i++) cores.push_back((int)i);
  }
  return cores;
}

void pin_thread(int cpu) {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
#else
  (void)cpu;
#endif
}

}  // namespace cria
