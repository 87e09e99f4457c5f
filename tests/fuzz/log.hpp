#pragma once
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "recloom/data/dataset.hpp"

namespace recloom::fuzz {

/// Read bytes as a log, with filters and a split, as `recloom data stats` does.
inline void read_log(std::string_view bytes, const DataOptions& options) {
  static RunContext run(1, 1);
  const MemoryFile file(bytes);
  refuse_or_read([&] {
    const Dataset dataset = Dataset::open(file.name(), options, SplitOptions(), run);
    const auto offsets = dataset.offsets();
    if (offsets.back() != dataset.n_interactions()) __builtin_trap();
    for (const ItemId item : dataset.events())
      if (item <= 0 || item >= dataset.catalogue().n_items) __builtin_trap();
  });
}

}  // namespace recloom::fuzz
