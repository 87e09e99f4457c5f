#include "nn/exec/item_mix.hpp"

#include <algorithm>

#include "kernels/vector.hpp"

namespace recloom::nn {

ItemMix::ItemMix(const Plan& plan, NodeId node)
    : ItemOp(plan, node),
      filters_(static_cast<std::size_t>(plan.shape(node).extent[0])),
      groups_(kMostGroups) {}

/// Groups hold gradients of all distinct items: that must be less than what every row would hold.
bool ItemMix::worth_while(const BatchItems& items) const {
  return kMostGroups * items.items().size() < 2 * items.n_rows() * items.length();
}

kernels::MixRows ItemMix::rows_of(const BatchItems& items, const Shard& shard,
                                  std::size_t first) const {
  return {.rows = shard.rows(),
          .slots = items.slots(),
          .row_slots = items.row_slots() + first,
          .length = items.length(),
          .filters = filters_,
          .columns = items.columns(),
          .vectors = items.vectors(),
          .weight = parameter(1).values().data()};
}

void ItemMix::forward(const BatchItems& items, Shards shards, const RunContext& context) {
  for_each_shard(shards, context, [&](Shard& shard, std::size_t first) {
    kernels::mix_forward(rows_of(items, shard, first), parameter(2).values().data(),
                         shard.value(node_).data());
  });
}

void ItemMix::backward(const BatchItems& items, Shards shards, const RunContext& context) {
  n_groups_ = std::min(kMostGroups, shards.size());
  context.parallel_for(n_groups_, [&](std::size_t group) { backward_group(items, shards, group); });
  for (std::size_t group = 0; group < n_groups_; ++group) {
    const Group& g = groups_[group];
    if (float* to = dense_diff(shards, 1))
      kernels::add(g.diff_weight.size(), g.diff_weight.data(), to);
    if (float* to = dense_diff(shards, 2)) kernels::add(g.diff_bias.size(), g.diff_bias.data(), to);
  }
}

void ItemMix::backward_group(const BatchItems& items, Shards shards, std::size_t group) {
  Group& g = groups_[group];
  grow(g.diff_vectors, items.items().size() * items.columns());
  std::fill_n(g.diff_vectors.data(), items.items().size() * items.columns(), 0.0F);
  g.diff_weight.assign(filters_ * items.length(), 0.0F);
  g.diff_bias.assign(filters_, 0.0F);
  const std::size_t end = (group + 1) * shards.size() / n_groups_;
  for (std::size_t s = group * shards.size() / n_groups_; s < end; ++s)
    kernels::mix_backward(rows_of(items, *shards[s], s * shards.front()->rows()),
                          shards[s]->diff(node_).data(), g.diff_vectors.data(),
                          g.diff_weight.data(), g.diff_bias.data());
}

}  // namespace recloom::nn
