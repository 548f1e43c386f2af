// Blocks from the heap when small, from the system when large, and mapped files.
#include "memory.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(_WIN32)
#include <malloc.h>
#include <cstdio>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace cria {

namespace {

constexpr size_t kLine = 64, kHuge = 2u << 20, kLarge = 1u << 20;

void* heap(size_t bytes) {
#if defined(_WIN32)
  return _aligned_malloc(bytes, kLine);
#else
  void* p = nullptr;
  return posix_memalign(&p, kLine, bytes) == 0 ? p : nullptr;
#endif
}

}  // namespace

Memory::~Memory() {
  for (auto& [at, block] : blocks_) drop(block);
}

void Memory::drop(const Block& block) {
#if defined(_WIN32)
  _aligned_free(block.base);
#else
  if (block.length > 0) munmap(block.base, block.length);
  else free(block.base);
#endif
}

void* Memory::alloc(size_t bytes) {
  const size_t rounded = (bytes + kLine - 1) / kLine * kLine + kLine;  // vectors may read one line past the end
  Block block{nullptr, 0, bytes};
  void* at = nullptr;
#if !defined(_WIN32)
  if (rounded >= kLarge) {
    const size_t length = rounded + kHuge;
    void* base = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return nullptr;
    at = (void*)(((uintptr_t)base + kHuge - 1) / kHuge * kHuge);
#if defined(MADV_HUGEPAGE)
    madvise(at, rounded, MADV_HUGEPAGE);
#endif
    block.base = base;
    block.length = length;
  }
#endif
  if (at == nullptr) {
    at = block.base = heap(rounded);
    if (at == nullptr) return nullptr;
    memset(at, 0, rounded);
  }
  std::lock_guard<std::mutex> hold(lock_);
  blocks_.emplace(at, block);
  live_ += bytes;
  return at;
}

void* Memory::map(const std::string& path, uint64_t offset, size_t bytes, std::string& error) {
#if defined(_WIN32)
  FILE* file = fopen(path.c_str(), "rb");
  void* at = file ? alloc(bytes) : nullptr;
  if (at == nullptr || _fseeki64(file, (long long)offset, SEEK_SET) != 0 || fread(at, 1, bytes, file) != bytes) {
    error = "cannot read the range";
    if (at != nullptr) release(at);
    at = nullptr;
  }
  if (file) fclose(file);
  return at;
#else
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    error = strerror(errno);
    return nullptr;
  }
  struct stat info;
  void* at = nullptr;
  if (fstat(file, &info) != 0) error = strerror(errno);
  else if (offset + bytes < offset || offset + bytes > (uint64_t)info.st_size) error = "the range lies beyond the end of the file";
  else {
    // Reading a page that is cut off later would kill the process: files must not shrink while they are in use.
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start = offset / page * page;
    const size_t skip = (size_t)(offset - start);
    void* base = mmap(nullptr, bytes + skip, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, (off_t)start);
    if (base == MAP_FAILED) error = strerror(errno);
    else {
      at = (uint8_t*)base + skip;
      std::lock_guard<std::mutex> hold(lock_);
      blocks_.emplace(at, Block{base, bytes + skip, bytes});
      live_ += bytes;
    }
  }
  close(file);
  return at;
#endif
}

bool Memory::release(void* at) {
  Block block;
  {
    std::lock_guard<std::mutex> hold(lock_);
    const auto found = blocks_.find(at);
    if (found == blocks_.end()) return false;
    block = found->second;
    live_ -= block.bytes;
    blocks_.erase(found);
  }
  drop(block);
  return true;
}

}  // namespace cria
