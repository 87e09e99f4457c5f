#pragma once
#include <atomic>
#include <cstddef>

namespace recloom::kernels {

/// Column of Highway's tables of functions that is in use; 0 until the first call. Ours alone:
/// Highway's own choice is process-wide and belongs to the host.
extern std::atomic<std::size_t> dispatch_column;
std::size_t choose_dispatch_column();

inline std::size_t dispatch_index() {
  const std::size_t column = dispatch_column.load(std::memory_order_relaxed);
  return column != 0 ? column : choose_dispatch_column();
}

}  // namespace recloom::kernels

/// Call the variant of an HWY_EXPORTed function for the level in use.
#define RECLOOM_DISPATCH(function) \
  (*(HWY_DISPATCH_TABLE(function)[::recloom::kernels::dispatch_index()]))
