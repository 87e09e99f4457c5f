#include "nn/exec/item_taps.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "kernels/gemm.hpp"
#include "kernels/item_taps.hpp"
#include "kernels/vector.hpp"
#include "nn/graph/parameter_data.hpp"

namespace recloom::nn {
namespace {

constexpr std::size_t kMostGroups = 8;
/// Most numbers in a table of taps: 64 MiB.
constexpr std::size_t kLargestTable = std::size_t{1} << 24;

}  // namespace

ItemTaps::ItemTaps(const Plan& plan, NodeId node)
    : ItemOp(plan, node),
      op_(dynamic_cast<const ConvMaxOverTime&>(*plan.graph().node(node).op())),
      length_(plan.operand_shapes(node).inputs[0].extent[0]),
      columns_(plan.operand_shapes(node).inputs[0].extent[1]),
      heights_(ConvMaxOverTime::heights(plan.operand_shapes(node))) {
  // Heights by falling work, each to the group that has least so far.
  const auto& heights = heights_;
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

std::size_t ItemTaps::lanes(std::size_t h) const {
  const auto filters = static_cast<std::size_t>(heights_[h].filters);
  return (filters + kernels::kTapLanes - 1) / kernels::kTapLanes * kernels::kTapLanes;
}

template <class Body>
void ItemTaps::for_each_piece(std::size_t h, const Body& body) const {
  for (std::size_t first = 0; first < height(h); first += kernels::kMostTaps)
    body(Piece{first, {std::min(kernels::kMostTaps, height(h) - first), lanes(h)}});
}

std::size_t ItemTaps::n_windows(const Run& run, std::size_t h) const {
  return run.rows + static_cast<std::size_t>(length_ - heights_[h].height);
}
std::size_t ItemTaps::all_windows(std::span<const Run> runs, std::size_t h) const {
  std::size_t windows = 0;
  for (const Run& run : runs) windows += n_windows(run, h);
  return windows;
}

bool ItemTaps::worth_while(const BatchItems& items) const {
  if (op_.way() == Convolution::taps) return true;
  std::size_t taps = 0, windows = 0, widest = 0;
  for (std::size_t h = 0; h < heights_.size(); ++h) {
    taps += height(h) * lanes(h);
    widest = std::max(widest, kernels::kMostTaps * lanes(h));
    windows += height(h) * lanes(h) * all_windows(items.runs(), h);
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
    for (std::size_t h = 0; h < heights_.size(); ++h) {
      const float* best = best_.data() + place(h) + row * lanes(h);
      for (const float b : bias(h).values()) *value++ = *best++ + b;
    }
  op_.activate(shard.value(node_));
}

/// Reorder [filters, height, columns] to [height, lanes, columns], lanes padded with zeros.
const float* ItemTaps::load_filters(Scratch& scratch, std::size_t h) const {
  const auto [filters, height, first] = heights_[h];
  const auto columns = static_cast<std::size_t>(columns_), n = lanes(h);
  float* const to = scratch.zeros(static_cast<std::size_t>(height) * n * columns);
  const float* from = weight(h).data()->values.data();
  for (std::size_t f = 0; f < static_cast<std::size_t>(filters); ++f)
    for (std::size_t j = 0; j < static_cast<std::size_t>(height); ++j, from += columns)
      std::copy_n(from, columns, to + (j * n + f) * columns);
  return to;
}

void ItemTaps::forward_height(std::size_t h, const BatchItems& items) {
  Scratch scratch;
  const float* const filters = load_filters(scratch, h);
  float* const windows = scratch.floats(all_windows(items.runs(), h) * lanes(h));
  for_each_piece(h, [&](const Piece& piece) { add_piece(h, piece, items, filters, windows); });
  take_largest(windows, h, items.runs());
}

/// windows = or += what a piece adds to the windows of all runs.
void ItemTaps::add_piece(std::size_t h, const Piece& piece, const BatchItems& items,
                         const float* filters, float* windows) const {
  Scratch scratch;
  float* const taps =
      scratch.floats(items.items().size() * static_cast<std::size_t>(piece.columns()));
  kernels::gemm({.transpose_b = true,
                 .m = static_cast<std::int64_t>(items.items().size()),
                 .n = piece.columns(),
                 .k = columns_,
                 .a = items.vectors(),
                 .lda = columns_,
                 .b = filters + piece.first * piece.shape.lanes * items.columns(),
                 .ldb = columns_,
                 .c = taps,
                 .ldc = piece.columns()});
  for (const Run& run : items.runs()) {
    kernels::add_taps(piece.shape, n_windows(run, h), items.slots() + run.slot + piece.first, taps,
                      piece.first > 0, windows);
    windows += n_windows(run, h) * piece.shape.lanes;
  }
}

void ItemTaps::take_largest(const float* windows, std::size_t h, std::span<const Run> runs) {
  const std::size_t n = lanes(h);
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
    for (std::size_t h = 0; h < heights_.size(); ++h) {
      const auto filters = static_cast<std::size_t>(heights_[h].filters);
      std::copy_n(from, filters, diff_.data() + place(h) + row * lanes(h));
      from += filters;
    }
}

void ItemTaps::add_bias_diffs(Shards shards) const {
  std::vector<float> sums(plan_.slot(node_).size);
  for (const auto& shard : shards)
    kernels::column_sums(shard->rows(), plan_.slot(node_).size, shard->diff(node_).data(),
                         sums.data());
  for (std::size_t h = 0; h < heights_.size(); ++h)
    if (float* to = dense_diff(shards, 2 + 2 * h))
      kernels::add(static_cast<std::size_t>(heights_[h].filters), sums.data() + heights_[h].first,
                   to);
}

/// Few where rows overlap.
ItemTaps::Winners ItemTaps::list_winners(Scratch& scratch, std::size_t h,
                                         const BatchItems& items) const {
  const std::size_t n = lanes(h), most = all_windows(items.runs(), h);
  const auto filters = static_cast<std::size_t>(heights_[h].filters);
  const std::span<std::size_t> at = scratch.take<std::size_t>(most);
  Winners winners{at.first(0), scratch.floats(most * n)};
  const std::span<std::int64_t> all_entries = scratch.take<std::int64_t>(most);
  const float* diff = diff_.data() + place(h);
  const float* where = where_.data() + place(h);
  for (const Run& run : items.runs()) {
    // Of the windows of the run: place in `at`, or -1.
    const std::span<std::int64_t> entries = all_entries.first(n_windows(run, h));
    std::ranges::fill(entries, -1);
    for (std::size_t row = 0; row < run.rows; ++row, diff += n, where += n)
      for (std::size_t f = 0; f < filters; ++f) {
        if (diff[f] == 0) continue;
        const std::size_t window = row + static_cast<std::size_t>(where[f]);
        std::int64_t& entry = entries[window];
        if (entry < 0) {
          entry = static_cast<std::int64_t>(winners.at.size());
          winners.at = at.first(winners.at.size() + 1);
          winners.at.back() = run.slot + window;
          std::fill_n(winners.diff + static_cast<std::size_t>(entry) * n, n, 0.0F);
        }
        winners.diff[static_cast<std::size_t>(entry) * n + f] += diff[f];
      }
  }
  return winners;
}

void ItemTaps::backward_height(Group& group, std::size_t h, const BatchItems& items,
                               Shards shards) const {
  Scratch scratch;
  const Winners winners = list_winners(scratch, h, items);
  const float* const filters = load_filters(scratch, h);
  float* diff_weight = dense_diff(shards, 1 + 2 * h);
  const std::size_t n_items = items.items().size();
  for_each_piece(h, [&](const Piece& piece) {
    Scratch of_piece;
    float* const taps = of_piece.zeros(n_items * static_cast<std::size_t>(piece.columns()));
    kernels::scatter_taps(piece.shape, winners.at.size(), winners.at.data(), winners.diff,
                          items.slots() + piece.first, taps);
    if (diff_weight != nullptr) add_filter_diffs(h, piece, items, taps, diff_weight);
    if (!trains_vectors()) return;
    kernels::gemm({.m = static_cast<std::int64_t>(n_items),
                   .n = columns_,
                   .k = piece.columns(),
                   .a = taps,
                   .lda = piece.columns(),
                   .b = filters + piece.first * piece.shape.lanes * items.columns(),
                   .ldb = columns_,
                   .c = group.diff_vectors.data(),
                   .ldc = columns_,
                   .accumulate = true});
  });
}

void ItemTaps::add_filter_diffs(std::size_t h, const Piece& piece, const BatchItems& items,
                                const float* taps, float* diff_weight) const {
  const std::size_t d = items.columns();
  Scratch scratch;
  float* const diff_filters = scratch.floats(static_cast<std::size_t>(piece.columns()) * d);
  kernels::gemm({.transpose_a = true,
                 .m = piece.columns(),
                 .n = columns_,
                 .k = static_cast<std::int64_t>(items.items().size()),
                 .a = taps,
                 .lda = piece.columns(),
                 .b = items.vectors(),
                 .ldb = columns_,
                 .c = diff_filters,
                 .ldc = columns_});
  for (std::size_t f = 0; f < static_cast<std::size_t>(heights_[h].filters); ++f)
    for (std::size_t j = 0; j < piece.shape.taps; ++j)
      kernels::add(d, diff_filters + (j * piece.shape.lanes + f) * d,
                   diff_weight + (f * height(h) + piece.first + j) * d);
}

}  // namespace recloom::nn
