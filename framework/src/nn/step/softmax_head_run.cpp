#include "nn/step/softmax_head_run.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/scratch.hpp"
#include "kernels/gemm.hpp"
#include "kernels/vector.hpp"
#include "nn/graph/parameter_data.hpp"

namespace recloom::nn {
namespace {

// A tile of logits (128 KiB), its items' vectors and their gradients stay in L2 while they are
// worked on.
constexpr std::size_t kBlockRows = 128;
constexpr std::size_t kTileItems = 256;
constexpr std::size_t kTileFloats = kBlockRows * kTileItems;
constexpr std::size_t kMaxGroups = 16;  // copies of the table gradients
constexpr std::size_t kMaxRanges = 32;
constexpr std::size_t kLeastRange = 8192;

std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

SoftmaxHeadRun::SoftmaxHeadRun(const ItemHead& head, int n_items, std::size_t n_targets,
                               std::vector<float*> diff_tables)
    : head_(head),
      n_items_(static_cast<std::size_t>(n_items)),
      n_targets_(n_targets),
      diff_tables_(std::move(diff_tables)) {
  for (const Parameter& table : head.tables) {
    q_ += table.data()->columns();
    sizes_.push_back(n_items_ * table.data()->columns());
  }
  if (head.bias) sizes_.push_back(n_items_);
  copies_.resize(sizes_.size());
}

void SoftmaxHeadRun::begin(std::size_t rows) {
  rows_ = rows;
  queries_.resize(rows * q_);
  diff_queries_.resize(rows * q_);
  losses_.resize(rows);
  targets_.resize(rows * n_targets_);
  target_logits_.resize(rows * n_targets_);
}

void SoftmaxHeadRun::run(float weight, RunContext& context) {
  if (head_.scale != 1) kernels::scale(queries_.size(), head_.scale, queries_.data());
  if (n_items_ <= static_cast<std::size_t>(kSmallCatalogue))
    run_small(weight, context);
  else
    run_large(weight, context);
  if (head_.scale != 1) kernels::scale(diff_queries_.size(), head_.scale, diff_queries_.data());
}

// --- blocks of logits and what follows from their gradient

void SoftmaxHeadRun::logits(const Tile& tile, float* dst) const {
  if (head_.bias)
    for (std::size_t r = 0; r < tile.rows; ++r)
      std::copy_n(head_.bias.data()->values.data() + tile.item, tile.items, dst + r * kTileItems);
  std::size_t first = 0;
  for (const Parameter& table : head_.tables) {
    const std::size_t width = table.data()->columns();
    kernels::gemm({.transpose_b = true,
                   .m = static_cast<std::int64_t>(tile.rows),
                   .n = static_cast<std::int64_t>(tile.items),
                   .k = static_cast<std::int64_t>(width),
                   .a = queries_.data() + tile.row * q_ + first,
                   .lda = static_cast<std::int64_t>(q_),
                   .b = table.data()->values.data() + tile.item * width,
                   .ldb = static_cast<std::int64_t>(width),
                   .c = dst,
                   .ldc = static_cast<std::int64_t>(kTileItems),
                   .accumulate = first > 0 || head_.bias});
    first += width;
  }
}

void SoftmaxHeadRun::add_diff_queries(const Tile& tile, const float* diff_logits, float* dst,
                                      bool accumulate) const {
  std::size_t first = 0;
  for (const Parameter& table : head_.tables) {
    const std::size_t width = table.data()->columns();
    kernels::gemm({.m = static_cast<std::int64_t>(tile.rows),
                   .n = static_cast<std::int64_t>(width),
                   .k = static_cast<std::int64_t>(tile.items),
                   .a = diff_logits,
                   .lda = static_cast<std::int64_t>(kTileItems),
                   .b = table.data()->values.data() + tile.item * width,
                   .ldb = static_cast<std::int64_t>(width),
                   .c = dst + tile.row * q_ + first,
                   .ldc = static_cast<std::int64_t>(q_),
                   .accumulate = accumulate});
    first += width;
  }
}

void SoftmaxHeadRun::add_diff_tables(const Tile& tile, const float* diff_logits,
                                     const std::vector<float*>& dst, bool accumulate) const {
  std::size_t first = 0;
  for (std::size_t t = 0; t < head_.tables.size(); ++t) {
    const std::size_t width = head_.tables[t].data()->columns();
    if (dst[t] != nullptr)
      kernels::gemm({.transpose_a = true,
                     .m = static_cast<std::int64_t>(tile.items),
                     .n = static_cast<std::int64_t>(width),
                     .k = static_cast<std::int64_t>(tile.rows),
                     .a = diff_logits,
                     .lda = static_cast<std::int64_t>(kTileItems),
                     .b = queries_.data() + tile.row * q_ + first,
                     .ldb = static_cast<std::int64_t>(q_),
                     .c = dst[t] + tile.item * width,
                     .ldc = static_cast<std::int64_t>(width),
                     .accumulate = accumulate});
    first += width;
  }
  if (!head_.bias || dst.back() == nullptr) return;
  float* bias = dst.back() + tile.item;
  if (!accumulate) std::fill_n(bias, tile.items, 0.0F);
  for (std::size_t r = 0; r < tile.rows; ++r)
    kernels::add(tile.items, diff_logits + r * kTileItems, bias);
}

template <class Body>
void SoftmaxHeadRun::for_each_target(const Tile& tile, Body body) const {
  const std::size_t first = tile.row * n_targets_;
  for (std::size_t at = 0; at < tile.rows * n_targets_; ++at) {
    const std::size_t place = static_cast<std::size_t>(targets_[first + at]) - tile.item;
    if (place < tile.items) body(at / n_targets_, first + at, place);
  }
}

void SoftmaxHeadRun::note_target_logits(const Tile& tile, const float* logits) {
  for_each_target(tile, [&](std::size_t r, std::size_t target, std::size_t place) {
    target_logits_[target] = logits[r * kTileItems + place];
  });
}

float SoftmaxHeadRun::mean_target_logit(std::size_t row) const {
  const float* logits = target_logits_.data() + row * n_targets_;
  return std::accumulate(logits, logits + n_targets_, 0.0F) / static_cast<float>(n_targets_);
}

/// From weight * softmax to all that the tile adds to.
void SoftmaxHeadRun::add_gradients(const Tile& tile, float weight, float* softmax,
                                   float* diff_queries, bool accumulate_queries,
                                   const std::vector<float*>& diff_tables,
                                   bool accumulate_tables) const {
  const float share = weight / static_cast<float>(n_targets_);
  for_each_target(tile, [&](std::size_t r, std::size_t, std::size_t place) {
    softmax[r * kTileItems + place] -= share;
  });
  add_diff_queries(tile, softmax, diff_queries, accumulate_queries);
  add_diff_tables(tile, softmax, diff_tables, accumulate_tables);
}

// --- small catalogues: groups of rows over all items

void SoftmaxHeadRun::run_small(float weight, RunContext& context) {
  group_rows_ = std::max<std::size_t>(2 * kBlockRows, divide_up(rows_, kMaxGroups));
  group_rows_ = divide_up(group_rows_, kBlockRows) * kBlockRows;
  const std::size_t groups = divide_up(rows_, group_rows_);
  if (own_copies_.size() < groups) own_copies_.resize(groups);
  for (std::size_t table = 0; table < sizes_.size(); ++table) {
    copies_[table].clear();
    if (diff_tables_[table] == nullptr) continue;
    for (std::size_t group = 0; group < groups; ++group) {
      own_copies_[group].resize(sizes_.size());
      own_copies_[group][table].resize(sizes_[table]);
      copies_[table].push_back(own_copies_[group][table].data());
    }
  }
  context.parallel_for(groups, [&](std::size_t group) { run_group(group, weight, context); });
}

void SoftmaxHeadRun::run_group(std::size_t group, float weight, const RunContext& context) {
  std::vector<float*> tables(sizes_.size(), nullptr);
  for (std::size_t table = 0; table < sizes_.size(); ++table)
    if (diff_tables_[table] != nullptr) tables[table] = own_copies_[group][table].data();
  const std::size_t first = group * group_rows_, end = std::min(rows_, first + group_rows_);
  for (std::size_t row = first; row < end; row += kBlockRows) {
    context.check_stop();
    run_block(row, std::min(kBlockRows, end - row), weight, tables, row != first);
  }
}

void SoftmaxHeadRun::run_block(std::size_t row, std::size_t rows, float weight,
                               const std::vector<float*>& tables, bool accumulate) {
  // Every tile keeps its e^(logit - top) with the top known when it was made, so that it is
  // written once and read once; what is missing to the softmax is a factor of tile and row.
  const std::size_t tiles = divide_up(n_items_, kTileItems);
  Scratch scratch;
  float* const exponentials = scratch.floats(tiles * kTileFloats + tiles * kBlockRows);
  float* const tops = exponentials + tiles * kTileFloats;
  std::array<kernels::SoftmaxState, kBlockRows> states{};
  const auto tile_at = [&](std::size_t t) {
    return Tile{row, rows, t * kTileItems, std::min(kTileItems, n_items_ - t * kTileItems)};
  };
  for (std::size_t t = 0; t < tiles; ++t) {
    const Tile tile = tile_at(t);
    float* x = exponentials + t * kTileFloats;
    logits(tile, x);
    note_target_logits(tile, x);
    for (std::size_t r = 0; r < rows; ++r) {
      kernels::softmax_block(tile.items, x + r * kTileItems, states[r]);
      tops[t * kBlockRows + r] = states[r].top;
    }
  }
  for (std::size_t r = 0; r < rows; ++r)
    losses_[row + r] =
        static_cast<float>(std::log(states[r].sum) + states[r].top - mean_target_logit(row + r));
  for (std::size_t t = 0; t < tiles; ++t) {
    const Tile tile = tile_at(t);
    float* x = exponentials + t * kTileFloats;
    for (std::size_t r = 0; r < rows; ++r) {
      const double rescale =
          std::exp(static_cast<double>(tops[t * kBlockRows + r]) - states[r].top);
      kernels::scale(tile.items, static_cast<float>(weight * rescale / states[r].sum),
                     x + r * kTileItems);
    }
    add_gradients(tile, weight, x, diff_queries_.data(), t > 0, tables, accumulate);
  }
}

// --- large catalogues: ranges of items over all rows

void SoftmaxHeadRun::run_large(float weight, RunContext& context) {
  range_items_ = std::max(kLeastRange, divide_up(n_items_, kMaxRanges));
  range_items_ = divide_up(range_items_, kTileItems) * kTileItems;
  const std::size_t ranges = divide_up(n_items_, range_items_);
  range_states_.assign(ranges * rows_, {});
  log_normaliser_.resize(rows_);
  range_diff_queries_.resize(ranges * rows_ * q_);
  context.parallel_for(ranges, [&](std::size_t range) { normalisers_of_range(range, context); });
  combine_normalisers(ranges);
  context.parallel_for(ranges,
                       [&](std::size_t range) { gradients_of_range(range, weight, context); });
  for (std::size_t table = 0; table < sizes_.size(); ++table) {
    copies_[table].clear();
    if (diff_tables_[table] != nullptr) copies_[table].push_back(diff_tables_[table]);
  }
  context.parallel_for(divide_up(rows_, kBlockRows), [&](std::size_t block) {
    const std::size_t first = block * kBlockRows * q_,
                      n = std::min(kBlockRows, rows_ - block * kBlockRows) * q_;
    std::copy_n(range_diff_queries_.data() + first, n, diff_queries_.data() + first);
    for (std::size_t range = 1; range < ranges; ++range)
      kernels::add(n, range_diff_queries_.data() + range * rows_ * q_ + first,
                   diff_queries_.data() + first);
  });
}

template <class Body>
void SoftmaxHeadRun::for_each_tile(std::size_t range, const RunContext& context, Body body) const {
  const std::size_t first = range * range_items_, end = std::min(n_items_, first + range_items_);
  Scratch scratch;
  float* const x = scratch.floats(kTileFloats);
  for (std::size_t item = first; item < end; item += kTileItems)
    for (std::size_t row = 0; row < rows_; row += kBlockRows) {
      context.check_stop();
      const Tile tile{row, std::min(kBlockRows, rows_ - row), item,
                      std::min(kTileItems, end - item)};
      logits(tile, x);
      body(tile, x);
    }
}

void SoftmaxHeadRun::normalisers_of_range(std::size_t range, const RunContext& context) {
  kernels::SoftmaxState* states = range_states_.data() + range * rows_;
  for_each_tile(range, context, [&](const Tile& tile, float* x) {
    note_target_logits(tile, x);
    for (std::size_t r = 0; r < tile.rows; ++r)
      kernels::softmax_block(tile.items, x + r * kTileItems, states[tile.row + r]);
  });
}

void SoftmaxHeadRun::combine_normalisers(std::size_t ranges) {
  for (std::size_t row = 0; row < rows_; ++row) {
    double top = -std::numeric_limits<double>::infinity(), total = 0;
    for (std::size_t range = 0; range < ranges; ++range)
      top = std::max<double>(top, range_states_[range * rows_ + row].top);
    for (std::size_t range = 0; range < ranges; ++range) {
      const kernels::SoftmaxState& state = range_states_[range * rows_ + row];
      total += state.sum * std::exp(state.top - top);
    }
    log_normaliser_[row] = top + std::log(total);
    losses_[row] = static_cast<float>(log_normaliser_[row] - mean_target_logit(row));
  }
}

void SoftmaxHeadRun::gradients_of_range(std::size_t range, float weight,
                                        const RunContext& context) {
  float* diff_queries = range_diff_queries_.data() + range * rows_ * q_;
  for_each_tile(range, context, [&](const Tile& tile, float* x) {
    for (std::size_t r = 0; r < tile.rows; ++r)
      kernels::scaled_exp(tile.items, weight, static_cast<float>(log_normaliser_[tile.row + r]),
                          x + r * kTileItems);
    add_gradients(tile, weight, x, diff_queries, tile.item != range * range_items_, diff_tables_,
                  tile.row != 0);
  });
}

}  // namespace recloom::nn
