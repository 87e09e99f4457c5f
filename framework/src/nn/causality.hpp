#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "nn/graph_impl.hpp"

namespace recloom::nn {

/// What rows of one user can share. Of two rows whose histories begin alike, one shorter by some
/// items, everything up to History::last is computed for the longer one; the shorter one takes
/// what stands at its own last item. That is exact if position t of every tensor up to there
/// depends on items 0..t alone, which is proved op by op (Op::reach).
struct Causality {
  /// By node: 1 for what runs over the positions of a history and is shared, the ids included.
  std::vector<char> shared;
  /// The first thing in the way, naming the op; "": rows can share.
  std::string obstacle;
};

/// @param used by node: 0 for what no output depends on.
Causality find_causality(const Graph& graph, std::span<const char> used,
                         std::span<const std::int32_t> outputs);

}  // namespace recloom::nn
