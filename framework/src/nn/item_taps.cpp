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
/// Most numbers in a table of taps: 64 MiB.
constexpr std::size_t kLargestTable = std::size_t{1} << 24;

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
    least.work += height(h) * lanes(h);
  }
  first_lane_.push_back(0);
  for (std::size_t h = 0; h < heights.size(); ++h)
    first_lane_.push_back(first_lane_.back() + lanes(h));
}

ItemTaps::Workspace& ItemTaps::workspace() {
  thread_local Workspace work;
  return work;
}

std::size_t ItemTaps::lanes(std::size_t h) const {
  const auto filters = static_cast<std::size_t>(op_.heights()[h].filters);
  return (filters + kernels::kTapLanes - 1) / kernels::kTapLanes * kernels::kTapLanes;
}

template <class Body>
void ItemTaps::for_each_piece(std::size_t h, const Body& body) const {
  for (std::size_t first = 0; first < height(h); first += kernels::kMostTaps)
    body(Piece{first, {std::min(kernels::kMostTaps, height(h) - first), lanes(h)}});
}

std::size_t ItemTaps::n_windows(const Run& run, std::size_t h) const {
  return run.rows + static_cast<std::size_t>(op_.length() - op_.heights()[h].height);
}
bool ItemTaps::worth_while(const BatchItems& items) const {
  std::size_t taps = 0, windows = 0, widest = 0;
  for (std::size_t h = 0; h < op_.heights().size(); ++h) {
    taps += height(h) * lanes(h);
    widest = std::max(widest, kernels::kMostTaps * lanes(h));
    for (const Run& run : items.runs()) windows += height(h) * lanes(h) * n_windows(run, h);
  }
  return items.items().size() * taps < windows && items.items().size() * widest <= kLargestTable;
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
      const float* best = best_.data() + place(h) + row * lanes(h);
      for (const float b : bias(h).values()) *value++ = *best++ + b;
    }
  op_.activate(shard.value(node_));
}

/// Reorder [filters, height, columns] to [height, lanes, columns].
void ItemTaps::load_filters(Workspace& work, std::size_t h) const {
  const auto [filters, height, first] = op_.heights()[h];
  const auto columns = static_cast<std::size_t>(op_.columns()), n = lanes(h);
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
  load_filters(work, h);
  std::size_t windows = 0;
  for (const Run& run : items.runs()) windows += n_windows(run, h);
  grow(work.windows, windows * lanes(h));
  for_each_piece(h, [&](const Piece& piece) { add_piece(work, h, piece, items); });
  take_largest(work, h, items.runs());
}

void ItemTaps::add_piece(Workspace& work, std::size_t h, const Piece& piece,
                         const BatchItems& items) const {
  const int columns = op_.columns();
  grow(work.taps, items.items().size() * static_cast<std::size_t>(piece.columns()));
  kernels::gemm({.transpose_b = true,
                 .m = static_cast<std::int64_t>(items.items().size()),
                 .n = piece.columns(),
                 .k = columns,
                 .a = items.vectors(),
                 .lda = columns,
                 .b = work.filters.data() + piece.first * piece.shape.lanes * items.columns(),
                 .ldb = columns,
                 .c = work.taps.data(),
                 .ldc = piece.columns()});
  float* windows = work.windows.data();
  for (const Run& run : items.runs()) {
    kernels::add_taps(piece.shape, n_windows(run, h), items.slots() + run.slot + piece.first,
                      work.taps.data(), piece.first > 0, windows);
    windows += n_windows(run, h) * piece.shape.lanes;
  }
}

void ItemTaps::take_largest(const Workspace& work, std::size_t h, std::span<const Run> runs) {
  const std::size_t n = lanes(h);
  const float* windows = work.windows.data();
  float *best = best_.data() + place(h), *where = where_.data() + place(h);
  for (const Run& run : runs) {
    const std::size_t in_row = n_windows(run, h) - run.rows + 1;
    for (std::size_t row = 0; row < run.rows; ++row, best += n, where += n)
      kernels::largest_windows(n, in_row, windows + row * n, best, where);
    windows += n_windows(run, h) * n;
  }
}

void ItemTaps::backward(const BatchItems& items, Shards shards, const RunContext& context) {
  grow(diff_, first_lane_.back() * n_rows_);
  for_each_shard(shards, context,
                 [&](Shard& shard, std::size_t first_row) { begin_backward(shard, first_row); });
  add_bias_diffs(shards);
  context.parallel_for(groups_.size(), [&](std::size_t g) {
    const std::size_t n = items.items().size() * items.columns();
    grow(groups_[g].diff_vectors, n);
    std::fill_n(groups_[g].diff_vectors.data(), n, 0.0F);
    for (const std::size_t h : groups_[g].heights) backward_height(groups_[g], h, items, shards);
  });
}

void ItemTaps::begin_backward(Shard& shard, std::size_t first_row) {
  const std::span<float> diff = shard.diff(node_);
  op_.times_slope(shard.value(node_), diff, diff);
  const float* from = diff.data();
  for (std::size_t row = first_row; row < first_row + shard.rows(); ++row)
    for (std::size_t h = 0; h < op_.heights().size(); ++h) {
      const auto filters = static_cast<std::size_t>(op_.heights()[h].filters);
      std::copy_n(from, filters, diff_.data() + place(h) + row * lanes(h));
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
  const std::size_t n = lanes(h);
  const auto filters = static_cast<std::size_t>(op_.heights()[h].filters);
  work.at.clear();
  const float* diff = diff_.data() + place(h);
  const float* where = where_.data() + place(h);
  for (const Run& run : items.runs()) {
    work.entry.assign(n_windows(run, h), -1);
    for (std::size_t row = 0; row < run.rows; ++row, diff += n, where += n)
      for (std::size_t f = 0; f < filters; ++f) {
        if (diff[f] == 0) continue;
        const std::size_t window = row + static_cast<std::size_t>(where[f]);
        std::int64_t& entry = work.entry[window];
        if (entry < 0) {
          entry = static_cast<std::int64_t>(work.at.size());
          work.at.push_back(run.slot + window);
          grow(work.diff_windows, std::bit_ceil(work.at.size() * n));
          std::fill_n(work.diff_windows.data() + static_cast<std::size_t>(entry) * n, n, 0.0F);
        }
        work.diff_windows[static_cast<std::size_t>(entry) * n + f] += diff[f];
      }
  }
}

void ItemTaps::backward_height(Group& group, std::size_t h, const BatchItems& items,
                               Shards shards) const {
  Workspace& work = workspace();
  list_winners(work, h, items);
  load_filters(work, h);
  float* diff_weight = dense_diff(shards, 1 + 2 * h);
  const std::size_t n_items = items.items().size();
  const int columns = op_.columns();
  for_each_piece(h, [&](const Piece& piece) {
    const std::size_t table = n_items * static_cast<std::size_t>(piece.columns());
    grow(work.taps, table);
    std::fill_n(work.taps.data(), table, 0.0F);
    kernels::scatter_taps(piece.shape, work.at.size(), work.at.data(), work.diff_windows.data(),
                          items.slots() + piece.first, work.taps.data());
    if (diff_weight != nullptr) add_filter_diffs(work, h, piece, items, diff_weight);
    if (!trains_vectors()) return;
    kernels::gemm({.m = static_cast<std::int64_t>(n_items),
                   .n = columns,
                   .k = piece.columns(),
                   .a = work.taps.data(),
                   .lda = piece.columns(),
                   .b = work.filters.data() + piece.first * piece.shape.lanes * items.columns(),
                   .ldb = columns,
                   .c = group.diff_vectors.data(),
                   .ldc = columns,
                   .accumulate = true});
  });
}

void ItemTaps::add_filter_diffs(Workspace& work, std::size_t h, const Piece& piece,
                                const BatchItems& items, float* diff_weight) const {
  const std::size_t d = items.columns();
  const int columns = op_.columns();
  grow(work.diff_filters, static_cast<std::size_t>(piece.columns()) * d);
  kernels::gemm({.transpose_a = true,
                 .m = piece.columns(),
                 .n = columns,
                 .k = static_cast<std::int64_t>(items.items().size()),
                 .a = work.taps.data(),
                 .lda = piece.columns(),
                 .b = items.vectors(),
                 .ldb = columns,
                 .c = work.diff_filters.data(),
                 .ldc = columns});
  for (std::size_t f = 0; f < static_cast<std::size_t>(op_.heights()[h].filters); ++f)
    for (std::size_t j = 0; j < piece.shape.taps; ++j)
      kernels::add(d, work.diff_filters.data() + (j * piece.shape.lanes + f) * d,
                   diff_weight + (f * height(h) + piece.first + j) * d);
}

}  // namespace recloom::nn
