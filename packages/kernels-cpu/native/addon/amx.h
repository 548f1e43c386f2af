// Whether this process may use AMX tiles for bf16. Header-only: the test of the matrix kernels asks too.
#pragma once
#if defined(__x86_64__) && defined(__linux__)
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace cria {

// The CPU has them, and the kernel grants them: 8 KB more to save for each thread, so it wants to be asked.
inline bool amx_usable() {
#if defined(__x86_64__) && defined(__linux__)
  uint32_t a = 7, b = 0, c = 0, d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  const bool bf16 = d >> 22 & 1, tile = d >> 24 & 1;
  constexpr long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return bf16 && tile && syscall(SYS_arch_prctl, request, tile_data) == 0;
#else
  return false;
#endif
}

}  // namespace cria
