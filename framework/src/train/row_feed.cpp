#include "train/row_feed.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kRowsPerTask = 256;

}  // namespace

std::vector<std::uint32_t> shuffled(std::size_t count, Rng rng) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (std::size_t left = count; left > 1; --left) {
    std::swap(order[left - 1],
              order[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(left)))]);
  }
  return order;
}

RowFeed::RowFeed(const Batch& rows, int batch_size, const NegativeSampler* sampler, int n_negatives)
    : rows_(rows),
      batch_size_(batch_size),
      sampler_(sampler),
      n_negatives_(sampler == nullptr ? 0 : static_cast<std::size_t>(n_negatives)) {
  if (rows.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw DataError("more than 4294967295 training rows");
  }
  const auto largest = std::min(rows.size(), static_cast<std::size_t>(batch_size));
  entries_.reserve(largest);
  negatives_.reserve(largest * n_negatives_);
}

std::int64_t RowFeed::n_steps() const noexcept {
  return (n_rows() + batch_size_ - 1) / batch_size_;
}

std::int64_t RowFeed::rows_in(std::int64_t steps) const noexcept {
  return std::min(steps * batch_size_, n_rows());
}

void RowFeed::begin_epoch(int epoch, const RunContext& run) {
  epoch_ = epoch;
  order_ = shuffled(rows_.size(),
                    run.rng("train.shuffle").fork("epoch", static_cast<std::uint64_t>(epoch)));
}

Batch RowFeed::batch(std::int64_t step, const RunContext& run) {
  const auto first = static_cast<std::size_t>(rows_in(step));
  const auto count = static_cast<std::size_t>(rows_in(step + 1)) - first;
  entries_.resize(count);
  for (std::size_t row = 0; row < count; ++row) {
    entries_[row] = rows_.entries()[order_[first + row]];
  }
  if (sampler_ != nullptr) draw_negatives(count, run);
  return {rows_.tape(), entries_, rows_.max_length(), negatives_};
}

void RowFeed::draw_negatives(std::size_t count, const RunContext& run) {
  negatives_.resize(count * n_negatives_);
  const Batch rows(rows_.tape(), entries_, rows_.max_length());
  const Rng rng = run.rng("train.negatives").fork("epoch", static_cast<std::uint64_t>(epoch_));
  run.parallel_for((count + kRowsPerTask - 1) / kRowsPerTask, [&](std::size_t task) {
    const std::size_t end = std::min(count, (task + 1) * kRowsPerTask);
    for (std::size_t index = task * kRowsPerTask; index < end; ++index) {
      const Row row = rows[index];
      sampler_->sample(row, rng.fork("row", static_cast<std::uint64_t>(row.id)),
                       std::span(negatives_).subspan(index * n_negatives_, n_negatives_));
    }
  });
}

}  // namespace recloom
