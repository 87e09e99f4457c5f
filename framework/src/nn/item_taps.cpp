#include "nn/item_taps.hpp"

#include <algorithm>
#include <bit>
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
constexpr std::size_t kLineFloats = 16;  // of a cache line
/// Windows that are summed up together: many rows use the taps that lie in cache.
constexpr std::size_t kBlockWindows = std::size_t{1} << 14;

}  // namespace

ItemTaps::ItemTaps(const Plan& plan, std::int32_t node)
    : ItemOp(plan, node), op_(dynamic_cast<const ConvMaxOverTime&>(*plan.graph().node(node).op())) {
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
    least.work += shape(h).height * shape(h).lanes;
  }
  first_lane_.push_back(0);
  for (std::size_t h = 0; h < heights.size(); ++h)
    first_lane_.push_back(first_lane_.back() + shape(h).lanes);
}

ItemTaps::Workspace& ItemTaps::workspace() {
  thread_local Workspace work;
  return work;
}

kernels::TapsShape ItemTaps::shape(std::size_t h) const {
  const ConvMaxOverTime::Height& height = op_.heights()[h];
  const std::size_t lanes = (static_cast<std::size_t>(height.filters) + kernels::kTapLanes - 1) /
                            kernels::kTapLanes * kernels::kTapLanes;
  const std::size_t size = static_cast<std::size_t>(height.height) * lanes;
  // An odd number of cache lines: what all items have at one tap is then spread over the cache.
  const std::size_t lines = (size + kLineFloats - 1) / kLineFloats | 1;
  return {static_cast<std::size_t>(height.height), lanes, lines * kLineFloats};
}
std::size_t ItemTaps::n_windows(const Run& run, std::size_t h) const {
  return run.rows + static_cast<std::size_t>(op_.length() - op_.heights()[h].height);
}
bool ItemTaps::worth_while(const BatchItems& items) const {
  std::size_t taps = 0, windows = 0, largest = 0;
  for (std::size_t h = 0; h < op_.heights().size(); ++h) {
    const kernels::TapsShape s = shape(h);
    taps += s.height * s.lanes;
    largest = std::max(largest, s.stride);
    for (const Run& run : items.runs()) windows += s.height * s.lanes * n_windows(run, h);
  }
  return items.items().size() * taps < windows && items.items().size() * largest <= kMostTaps;
}

void ItemTaps::forward(const BatchItems& items, Shards shards, const RunContext& context) {
  n_rows_ = items.n_rows();
  grow(best_, first_lane_.back() * n_rows_);
  grow(where_, first_lane_.back() * n_rows_);
  context.parallel_for(groups_.size(), [&](std::size_t g) {
    for (const std::size_t h : groups_[g].heights) forward_height(h, items);
  });
  for_each_shard(shards, context,
                 [&](Shard& shard, std::size_t first_row) { finish_forward(shard, first_row); });
}

void ItemTaps::finish_forward(Shard& shard, std::size_t first_row) const {
  float* value = shard.value(node_).data();
  for (std::size_t row = first_row; row < first_row + shard.rows(); ++row)
    for (std::size_t h = 0; h < op_.heights().size(); ++h) {
      const float* best = best_.data() + place(h) + row * shape(h).lanes;
      for (const float b : bias(h).values()) *value++ = *best++ + b;
    }
  op_.activate(shard.value(node_));
}

/// Reorder [filters, height, columns] to [height, lanes, columns].
void ItemTaps::load_filters(Workspace& work, std::size_t h) const {
  const auto [filters, height, first] = op_.heights()[h];
  const auto columns = static_cast<std::size_t>(op_.columns()), n = shape(h).lanes;
  const std::size_t n_taps = static_cast<std::size_t>(height) * n;
  grow(work.filters, n_taps * columns);
  std::fill_n(work.filters.data(), n_taps * columns, 0.0F);
  const float* from = weight(h).data()->values.data();
  for (std::size_t f = 0; f < static_cast<std::size_t>(filters); ++f)
    for (std::size_t j = 0; j < static_cast<std::size_t>(height); ++j, from += columns)
      std::copy_n(from, columns, work.filters.data() + (j * n + f) * columns);
}

void ItemTaps::forward_height(std::size_t h, const BatchItems& items) {
  Workspace& work = workspace();
  const int columns = op_.columns();
  const kernels::TapsShape s = shape(h);
  load_filters(work, h);
  grow(work.taps, items.items().size() * s.stride);
  kernels::gemm({.transpose_b = true,
                 .m = static_cast<int>(items.items().size()),
                 .n = static_cast<int>(s.height * s.lanes),
                 .k = columns,
                 .a = items.vectors(),
                 .lda = columns,
                 .b = work.filters.data(),
                 .ldb = columns,
                 .c = work.taps.data(),
                 .ldc = static_cast<int>(s.stride)});
  const std::span<const Run> runs = items.runs();
  for (std::size_t first = 0; first < runs.size();) {
    std::size_t end = first, windows = 0;
    while (end < runs.size() && (end == first || windows < kBlockWindows))
      windows += n_windows(runs[end++], h);
    grow(work.windows, windows * s.lanes);
    sum_windows(work, h, items, runs.subspan(first, end - first));
    take_largest(work, h, runs.subspan(first, end - first));
    first = end;
  }
}

void ItemTaps::sum_windows(Workspace& work, std::size_t h, const BatchItems& items,
                           std::span<const Run> runs) const {
  const kernels::TapsShape s = shape(h);
  for (std::size_t tap = 0; tap < s.height; tap += kernels::kTapsAtOnce) {
    float* windows = work.windows.data();
    for (const Run& run : runs) {
      kernels::add_taps(s, tap, n_windows(run, h), items.slots() + run.slot, work.taps.data(),
                        windows);
      windows += n_windows(run, h) * s.lanes;
    }
  }
}

void ItemTaps::take_largest(const Workspace& work, std::size_t h, std::span<const Run> runs) {
  const kernels::TapsShape s = shape(h);
  const float* windows = work.windows.data();
  for (const Run& run : runs) {
    const std::size_t n = n_windows(run, h), to = place(h) + run.row * s.lanes;
    for (std::size_t row = 0; row < run.rows; ++row)
      kernels::largest_windows(s.lanes, n - run.rows + 1, windows + row * s.lanes,
                               best_.data() + to + row * s.lanes,
                               where_.data() + to + row * s.lanes);
    windows += n * s.lanes;
  }
}

void ItemTaps::backward(const BatchItems& items, Shards shards, const RunContext& context) {
  grow(diff_, first_lane_.back() * n_rows_);
  for_each_shard(shards, context,
                 [&](Shard& shard, std::size_t first_row) { begin_backward(shard, first_row); });
  add_bias_diffs(shards);
  context.parallel_for(groups_.size(), [&](std::size_t g) {
    bool first = true;
    grow(groups_[g].diff_vectors, items.items().size() * static_cast<std::size_t>(op_.columns()));
    for (const std::size_t h : groups_[g].heights) {
      backward_height(groups_[g], h, first, items, shards);
      first = false;
    }
  });
}

void ItemTaps::begin_backward(Shard& shard, std::size_t first_row) {
  const std::span<float> diff = shard.diff(node_);
  op_.times_slope(shard.value(node_), diff, diff);
  const float* from = diff.data();
  for (std::size_t row = first_row; row < first_row + shard.rows(); ++row)
    for (std::size_t h = 0; h < op_.heights().size(); ++h) {
      const auto filters = static_cast<std::size_t>(op_.heights()[h].filters);
      std::copy_n(from, filters, diff_.data() + place(h) + row * shape(h).lanes);
      from += filters;
    }
}

void ItemTaps::add_bias_diffs(Shards shards) const {
  std::vector<float> sums(op_.width());
  for (const auto& shard : shards)
    kernels::column_sums(shard->rows(), op_.width(), shard->diff(node_).data(), sums.data());
  for (std::size_t h = 0; h < op_.heights().size(); ++h)
    if (float* to = dense_diff(shards, 2 + 2 * h))
      kernels::add(static_cast<std::size_t>(op_.heights()[h].filters),
                   sums.data() + op_.heights()[h].first, to);
}

/// The windows that win in some row, with the sum of those rows' gradients: few where rows overlap.
void ItemTaps::list_winners(Workspace& work, std::size_t h, const BatchItems& items) const {
  const kernels::TapsShape s = shape(h);
  const auto filters = static_cast<std::size_t>(op_.heights()[h].filters);
  work.at.clear();
  const float* diff = diff_.data() + place(h);
  const float* where = where_.data() + place(h);
  for (const Run& run : items.runs()) {
    work.entry.assign(n_windows(run, h), -1);
    for (std::size_t row = 0; row < run.rows; ++row, diff += s.lanes, where += s.lanes)
      for (std::size_t f = 0; f < filters; ++f) {
        if (diff[f] == 0) continue;
        const std::size_t window = row + static_cast<std::size_t>(where[f]);
        std::int32_t& entry = work.entry[window];
        if (entry < 0) {
          entry = static_cast<std::int32_t>(work.at.size());
          work.at.push_back(static_cast<std::int32_t>(run.slot + window));
          grow(work.diff_windows, std::bit_ceil(work.at.size() * s.lanes));
          std::fill_n(work.diff_windows.data() + static_cast<std::size_t>(entry) * s.lanes, s.lanes,
                      0.0F);
        }
        work.diff_windows[static_cast<std::size_t>(entry) * s.lanes + f] += diff[f];
      }
  }
}

void ItemTaps::backward_height(Group& group, std::size_t h, bool first, const BatchItems& items,
                               Shards shards) {
  const auto [filters, height, first_column] = op_.heights()[h];
  const auto columns = op_.columns();
  const kernels::TapsShape s = shape(h);
  const auto d = static_cast<std::size_t>(columns);
  const int n_taps = static_cast<int>(s.height * s.lanes),
            n_items = static_cast<int>(items.items().size());
  Workspace& work = workspace();
  list_winners(work, h, items);
  grow(work.taps, items.items().size() * s.stride);
  std::fill_n(work.taps.data(), items.items().size() * s.stride, 0.0F);
  for (std::size_t tap = 0; tap < s.height; tap += kernels::kTapsAtOnce)
    kernels::scatter_taps(s, tap, work.at.size(), work.at.data(), work.diff_windows.data(),
                          items.slots(), work.taps.data());
  if (float* to = dense_diff(shards, 1 + 2 * h)) {
    grow(work.diff_filters, static_cast<std::size_t>(n_taps) * d);
    kernels::gemm({.transpose_a = true,
                   .m = n_taps,
                   .n = columns,
                   .k = n_items,
                   .a = work.taps.data(),
                   .lda = static_cast<int>(s.stride),
                   .b = items.vectors(),
                   .ldb = columns,
                   .c = work.diff_filters.data(),
                   .ldc = columns});
    for (std::size_t f = 0; f < static_cast<std::size_t>(filters); ++f)
      for (std::size_t j = 0; j < s.height; ++j, to += d)
        kernels::add(d, work.diff_filters.data() + (j * s.lanes + f) * d, to);
  }
  if (trains_vectors()) {
    load_filters(work, h);
    kernels::gemm({.m = n_items,
                   .n = columns,
                   .k = n_taps,
                   .a = work.taps.data(),
                   .lda = static_cast<int>(s.stride),
                   .b = work.filters.data(),
                   .ldb = columns,
                   .c = group.diff_vectors.data(),
                   .ldc = columns,
                   .accumulate = !first});
  }
}

}  // namespace recloom::nn
