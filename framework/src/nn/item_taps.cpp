#include "nn/item_taps.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/gemm.hpp"
#include "kernels/item_taps.hpp"
#include "kernels/vector.hpp"
#include "nn/parameter_data.hpp"

namespace recloom::nn {
namespace {

constexpr std::size_t kMostGroups = 8;
/// Largest table of taps of one height: 64 MiB.
constexpr std::size_t kMostTaps = std::size_t{1} << 24;

void grow(AlignedFloats& buffer, std::size_t n) {
  if (buffer.size() < n) buffer.resize(n);
}

}  // namespace

std::vector<std::unique_ptr<ItemTaps>> ItemTaps::find(const Plan& plan) {
  std::vector<std::unique_ptr<ItemTaps>> found;
  for (std::int32_t node = 0; node < plan.n_nodes(); ++node) {
    if (!plan.slot(node).used) continue;
    const Node& recorded = plan.graph().node(node);
    if (dynamic_cast<const ConvMaxOverTime*>(recorded.op()) == nullptr) continue;
    const std::int32_t source = recorded.operands.front().var.node();
    if (std::holds_alternative<Lookup>(plan.graph().node(source).work))
      found.push_back(std::make_unique<ItemTaps>(plan, node, source));
  }
  return found;
}

ItemTaps::ItemTaps(const Plan& plan, std::int32_t node, std::int32_t lookup)
    : plan_(plan),
      node_(node),
      lookup_(lookup),
      ids_(plan.graph().node(lookup).operands.front().ids.node()),
      op_(dynamic_cast<const ConvMaxOverTime&>(*plan.graph().node(node).op())) {
  // Heights by falling work, each to the group that has least so far.
  const auto& heights = op_.heights();
  std::vector<std::size_t> order(heights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](std::size_t h) { return heights[h].height; });
  groups_.resize(std::min(kMostGroups, heights.size()));
  for (const std::size_t h : order) {
    Group& least = *std::ranges::min_element(groups_, {}, &Group::work);
    least.heights.push_back(h);
    least.work += static_cast<std::size_t>(heights[h].height) * lanes(h);
  }
  slot_of_item_.assign(std::get<Lookup>(plan.graph().node(lookup).work).table.data()->rows(), -1);
}

std::size_t ItemTaps::lanes(std::size_t h) const {
  const auto filters = static_cast<std::size_t>(op_.heights()[h].filters);
  return (filters + kernels::kTapLanes - 1) / kernels::kTapLanes * kernels::kTapLanes;
}
Parameter ItemTaps::weight(std::size_t h) const {
  return plan_.graph().node(node_).operands[1 + 2 * h].parameter;
}
Parameter ItemTaps::bias(std::size_t h) const {
  return plan_.graph().node(node_).operands[2 + 2 * h].parameter;
}

void ItemTaps::collect_items(std::span<const std::unique_ptr<Shard>> shards) {
  for (const std::int32_t item : items_) slot_of_item_[static_cast<std::size_t>(item)] = -1;
  items_.clear();
  for (const auto& shard : shards)
    for (const std::int32_t item : shard->ids(ids_)) {
      std::int32_t& slot = slot_of_item_[static_cast<std::size_t>(item)];
      if (slot < 0) {
        slot = 0;
        items_.push_back(item);
      }
    }
  std::ranges::sort(items_);
  for (std::size_t slot = 0; slot < items_.size(); ++slot)
    slot_of_item_[static_cast<std::size_t>(items_[slot])] = static_cast<std::int32_t>(slot);
}

bool ItemTaps::worth_while(std::size_t rows) const {
  std::size_t taps = 0, windows = 0, largest = 0;
  for (std::size_t h = 0; h < op_.heights().size(); ++h) {
    const auto height = static_cast<std::size_t>(op_.heights()[h].height);
    const std::size_t one = height * lanes(h);
    taps += one;
    windows += one * (static_cast<std::size_t>(op_.length()) - height + 1);
    largest = std::max(largest, one);
  }
  return items_.size() * taps < rows * windows && items_.size() * largest <= kMostTaps;
}

void ItemTaps::forward(std::span<const std::unique_ptr<Shard>> shards, const RunContext& context) {
  collect_items(shards);
  std::size_t rows = 0;
  for (const auto& shard : shards) rows += shard->rows();
  ran_ = worth_while(rows);
  if (!ran_) return;

  const Lookup& work = std::get<Lookup>(plan_.graph().node(lookup_).work);
  const auto columns = static_cast<std::size_t>(op_.columns());
  grow(vectors_, items_.size() * columns);
  kernels::gather_rows(items_.size(), columns, work.table.data()->values.data(), items_.data(),
                       vectors_.data());
  slots_.resize(std::max(slots_.size(), shards.size()));
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const auto ids = shards[s]->ids(ids_);
    slots_[s].resize(ids.size());
    for (std::size_t e = 0; e < ids.size(); ++e)
      slots_[s][e] = slot_of_item_[static_cast<std::size_t>(ids[e])];
    shards[s]->supply(node_);
  }
  context.parallel_for(groups_.size(), [&](std::size_t g) {
    for (const std::size_t h : groups_[g].heights) forward_height(groups_[g], h, shards);
  });
}

/// Reorder [filters, height, columns] to [height, lanes, columns].
void ItemTaps::load_filters(Group& group, std::size_t h) const {
  const auto [filters, height, first] = op_.heights()[h];
  const auto columns = static_cast<std::size_t>(op_.columns()), n = lanes(h);
  const std::size_t n_taps = static_cast<std::size_t>(height) * n;
  grow(group.filters, n_taps * columns);
  std::fill_n(group.filters.data(), n_taps * columns, 0.0F);
  const float* from = weight(h).data()->values.data();
  for (std::size_t f = 0; f < static_cast<std::size_t>(filters); ++f)
    for (std::size_t j = 0; j < static_cast<std::size_t>(height); ++j, from += columns)
      std::copy_n(from, columns, group.filters.data() + (j * n + f) * columns);
}

void ItemTaps::forward_height(Group& group, std::size_t h,
                              std::span<const std::unique_ptr<Shard>> shards) {
  const ConvMaxOverTime::Height& height = op_.heights()[h];
  const auto columns = op_.columns();
  const kernels::TapsShape shape{static_cast<std::size_t>(op_.length()),
                                 static_cast<std::size_t>(height.height), lanes(h)};
  load_filters(group, h);
  const std::size_t n_taps = shape.height * shape.lanes;
  grow(group.taps, items_.size() * n_taps);
  kernels::gemm({.transpose_b = true,
                 .m = static_cast<int>(items_.size()),
                 .n = static_cast<int>(n_taps),
                 .k = columns,
                 .a = vectors_.data(),
                 .lda = columns,
                 .b = group.filters.data(),
                 .ldb = columns,
                 .c = group.taps.data(),
                 .ldc = static_cast<int>(n_taps)});
  grow(group.windows, shape.length * shape.lanes);
  grow(group.best, shape.lanes);
  grow(group.where, shape.lanes);
  const std::span<const float> b = bias(h).values();
  for (std::size_t s = 0; s < shards.size(); ++s) {
    float* value = shards[s]->value(node_).data() + height.first;
    float* saved = shards[s]->saved(node_).data() + height.first;
    for (std::size_t row = 0; row < shards[s]->rows(); ++row) {
      kernels::taps_forward(shape, slots_[s].data() + row * shape.length, group.taps.data(),
                            group.windows.data(), group.best.data(), group.where.data());
      for (std::size_t f = 0; f < b.size(); ++f) {
        value[f] = op_.activate(group.best[f] + b[f]);
        saved[f] = group.where[f];
      }
      value += op_.width();
      saved += op_.width();
    }
  }
}

void ItemTaps::backward(std::span<const std::unique_ptr<Shard>> shards, const RunContext& context) {
  context.parallel_for(groups_.size(), [&](std::size_t g) {
    bool first = true;
    grow(groups_[g].diff_vectors, items_.size() * static_cast<std::size_t>(op_.columns()));
    for (const std::size_t h : groups_[g].heights) {
      backward_height(groups_[g], h, first, shards);
      first = false;
    }
  });
}

/// Gradients of the taps, summed over the rows; and those of the bias on the way.
void ItemTaps::sum_taps(Group& group, std::size_t h,
                        std::span<const std::unique_ptr<Shard>> shards) const {
  const ConvMaxOverTime::Height& height = op_.heights()[h];
  const kernels::TapsShape shape{static_cast<std::size_t>(op_.length()),
                                 static_cast<std::size_t>(height.height), lanes(h)};
  const auto filters = static_cast<std::size_t>(height.filters);
  std::fill_n(group.taps.data(), items_.size() * shape.height * shape.lanes, 0.0F);
  grow(group.diff, filters);
  const Plan::Dense* dense_bias = plan_.find_dense(bias(h).data());
  float* diff_bias = dense_bias ? shards.front()->dense_diff(dense_bias->offset) : nullptr;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const float* value = shards[s]->value(node_).data() + height.first;
    const float* saved = shards[s]->saved(node_).data() + height.first;
    const float* diff = shards[s]->diff(node_).data() + height.first;
    for (std::size_t row = 0; row < shards[s]->rows(); ++row) {
      for (std::size_t f = 0; f < filters; ++f) {
        group.diff[f] = diff[f] * op_.slope(value[f]);
        if (diff_bias != nullptr) diff_bias[f] += group.diff[f];
      }
      kernels::taps_backward(shape, filters, slots_[s].data() + row * shape.length,
                             group.diff.data(), saved, group.taps.data());
      value += op_.width();
      saved += op_.width();
      diff += op_.width();
    }
  }
}

void ItemTaps::backward_height(Group& group, std::size_t h, bool first,
                               std::span<const std::unique_ptr<Shard>> shards) {
  const auto [filters, height, first_column] = op_.heights()[h];
  const auto columns = op_.columns();
  const auto d = static_cast<std::size_t>(columns), n = lanes(h);
  const int n_taps = height * static_cast<int>(n), n_items = static_cast<int>(items_.size());
  sum_taps(group, h, shards);
  if (const Plan::Dense* dense = plan_.find_dense(weight(h).data())) {
    grow(group.diff_filters, static_cast<std::size_t>(n_taps) * d);
    kernels::gemm({.transpose_a = true,
                   .m = n_taps,
                   .n = columns,
                   .k = n_items,
                   .a = group.taps.data(),
                   .lda = n_taps,
                   .b = vectors_.data(),
                   .ldb = columns,
                   .c = group.diff_filters.data(),
                   .ldc = columns});
    float* to = shards.front()->dense_diff(dense->offset);
    for (std::size_t f = 0; f < static_cast<std::size_t>(filters); ++f)
      for (std::size_t j = 0; j < static_cast<std::size_t>(height); ++j, to += d)
        kernels::add(d, group.diff_filters.data() + (j * n + f) * d, to);
  }
  if (plan_.slot(lookup_).gradient) {
    load_filters(group, h);
    kernels::gemm({.m = n_items,
                   .n = columns,
                   .k = n_taps,
                   .a = group.taps.data(),
                   .lda = n_taps,
                   .b = group.filters.data(),
                   .ldb = columns,
                   .c = group.diff_vectors.data(),
                   .ldc = columns,
                   .accumulate = !first});
  }
}

}  // namespace recloom::nn
