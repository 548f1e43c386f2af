// The memory of one runtime: every block it hands out or maps, so that all of it is returned when the runtime ends.
#pragma once
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace cria {

class Memory {
 public:
  ~Memory();
  // Zeros at a cache line (large blocks: at a huge page). Null when there is no memory.
  void* alloc(size_t bytes);
  // A private copy-on-write view of a range of a file, or null with `error` set. Writing to it never changes the file.
  void* map(const std::string& path, uint64_t offset, size_t bytes, std::string& error);
  // False when the block is not one of this memory's.
  bool release(void* at);
  size_t live_bytes() const { return live_; }

 private:
  struct Block {
    void* base;
    size_t length;  // of the mapping; 0 for heap blocks
    size_t bytes;
  };
  void drop(const Block& block);

  std::mutex lock_;
  std::unordered_map<void*, Block> blocks_;
  size_t live_ = 0;
};

}  // namespace cria
