#pragma once
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "recloom/data/dataset.hpp"

namespace recloom::fuzz {

/// Read a log, with filters and a split, as `recloom data stats` does.
inline void read_log(const MemoryFile& log, const DataOptions& options,
                     const SplitOptions& split = {}) {
  static RunContext run(1, 1);
  refuse_or_read([&] {
    const Dataset dataset = Dataset::open(log.name(), options, split, run);
    const auto offsets = dataset.offsets();
    if (offsets.back() != dataset.n_interactions()) __builtin_trap();
    for (const ItemId item : dataset.events())
      if (item <= 0 || item >= dataset.catalogue().n_items) __builtin_trap();
  });
}

/// The same of bytes.
inline void read_log(std::string_view bytes, const DataOptions& options) {
  read_log(MemoryFile(bytes), options);
}

}  // namespace recloom::fuzz
