#include "core/scratch.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <numeric>
#include <vector>

namespace recloom {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kSmallest = std::size_t{1} << 16;

struct Free {
  void operator()(std::byte* p) const noexcept { ::operator delete (p, std::align_val_t{kLine}); }
};
struct Block {
  explicit Block(std::size_t n)
      : memory(static_cast<std::byte*>(::operator new (n, std::align_val_t{kLine}))), size(n) {}
  std::unique_ptr<std::byte, Free> memory;
  std::size_t size;
};

/// A thread's memory. Blocks never move while a Scratch lives; when none does, they become one.
struct Stack {
  std::vector<Block> blocks;
  std::size_t block = 0, used = 0;  // What is in use: blocks before `block`, and of that so much.
};
thread_local Stack stack;

}  // namespace

Scratch::Scratch() noexcept : block_(stack.block), used_(stack.used) {}

Scratch::~Scratch() {
  stack.block = block_;
  stack.used = used_;
  if (block_ > 0 || used_ > 0 || stack.blocks.size() < 2) return;
  const std::size_t size =
      std::accumulate(stack.blocks.begin(), stack.blocks.end(), std::size_t{0},
                      [](std::size_t sum, const Block& one) { return sum + one.size; });
  stack.blocks.clear();
  try {
    stack.blocks.emplace_back(size);
  } catch (const std::bad_alloc&) {  // It is asked for again when it is needed.
  }
}

void* Scratch::bytes(std::size_t n) {
  n = (n + kLine - 1) / kLine * kLine;
  while (stack.block < stack.blocks.size() && stack.blocks[stack.block].size - stack.used < n) {
    ++stack.block;
    stack.used = 0;
  }
  if (stack.block == stack.blocks.size()) stack.blocks.emplace_back(std::max(n, kSmallest));
  void* const found = stack.blocks[stack.block].memory.get() + stack.used;
  stack.used += n;
  return found;
}

float* Scratch::zeros(std::size_t n) {
  float* const found = floats(n);
  std::fill_n(found, n, 0.0F);
  return found;
}

}  // namespace recloom
