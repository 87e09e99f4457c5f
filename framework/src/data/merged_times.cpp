#include "data/merged_times.hpp"

#include <algorithm>
#include <cstddef>

namespace recloom {
namespace {

using Parse = std::function<void(std::size_t block, const ParsePlan& plan)>;

/// Look for numbers that cannot stand beside dates. @return whether there are any.
bool find_clash(const ParsePlan& plan, std::span<BlockColumns> blocks, TimeKinds& kinds,
                const Parse& parse) {
  TimeKinds all = kinds;
  std::size_t n_blocks = 0;
  while (n_blocks < blocks.size() && !all.clash()) {
    const BlockColumns& block = blocks[n_blocks++];
    all.add(block.times.kinds());
    if (block.error) break;
  }
  if (!all.clash()) {
    kinds = all;
    return false;
  }
  // The number is what is wrong; only if it lies far back, the date's line is named.
  const auto read = blocks.first(n_blocks);
  const auto guilty = std::find_if(read.begin(), read.end(), [](const BlockColumns& block) {
    return block.times.kinds().large;
  });
  ParsePlan strict = plan;
  (kinds.large ? strict.times.allow_dates : strict.times.allow_large) = false;
  parse(kinds.large ? n_blocks - 1 : static_cast<std::size_t>(guilty - read.begin()), strict);
  return true;
}

}  // namespace

void settle_times(const ParsePlan& plan, std::span<BlockColumns> blocks, const TimesSoFar& table,
                  const Parse& parse) {
  if (find_clash(plan, blocks, table.kinds, parse) || plan.times.real) return;
  const int before = table.scale.decimals;
  int decimals = before;
  for (const BlockColumns& block : blocks) {
    if (block.error) return;
    decimals = std::max(decimals, block.times.decimals());
  }
  ParsePlan strict = plan;
  if (decimals > before && !rescale_times(table.keys, decimals - before)) {
    strict.times.most_decimals = before;
    const auto finer = std::find_if(blocks.begin(), blocks.end(), [&](const BlockColumns& block) {
      return block.times.decimals() > before;
    });
    parse(static_cast<std::size_t>(finer - blocks.begin()), strict);
    return;
  }
  table.scale.decimals = decimals;
  strict.times.decimals = decimals;
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    if (blocks[at].times.decimals() == decimals || blocks[at].times.rescale(decimals)) continue;
    parse(at, strict);
    return;
  }
}

}  // namespace recloom
