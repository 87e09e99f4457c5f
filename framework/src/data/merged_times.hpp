#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "data/block_parser.hpp"

namespace recloom {

/// The times of a table, as far as it is read.
struct TimesSoFar {
  std::span<std::int64_t> keys;
  TimeScale& scale;
  TimeKinds& kinds;
};

/// Bring the times of blocks that are parsed, and those of the table before them, to one scale.
/// Where they do not fit together, a block is parsed again, so that its line is known: the error is
/// left in it. @param parse parses a block again by a plan.
void settle_times(const ParsePlan& plan, std::span<BlockColumns> blocks, const TimesSoFar& table,
                  const std::function<void(std::size_t block, const ParsePlan& plan)>& parse);

}  // namespace recloom
