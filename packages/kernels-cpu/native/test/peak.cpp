// Prints the peak rates of fp32 and bf16 multiply-adds over all given threads at once, as JSON in GFLOP/s: what
// tools/bench/train.ts holds a step against. Usage: peak THREADS
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "peak-avx512.cpp"

template <class Fn> static double all(int threads, Fn rate) {
  std::vector<double> rates((size_t)threads);
  std::vector<std::thread> team;
  for (double& r : rates) team.emplace_back([&r, rate] { r = rate(); });
  double total = 0;
  for (std::thread& t : team) t.join();
  for (double r : rates) total += r;
  return total;
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  printf("{\"fp32\": %.1f, \"bf16\": %.1f}\n", all(threads, peaks::fma_gflops), all(threads, peaks::bf16_gflops));
}
