#include "train/row_feed.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kRowsPerTask = 256;
constexpr std::size_t kRowsPerLook = 1 << 20;  // At a stop request, by a single thread.

/// Position of a row's target in the events.
std::int64_t id_of(const Batch::Entry& entry) { return entry.begin + entry.history_length; }

}  // namespace

std::vector<std::uint32_t> shuffled(std::size_t count, Rng rng, const RunContext* run) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (std::size_t left = count; left > 1; --left) {
    if (left % kRowsPerLook == 0 && run != nullptr) run->check_stop();
    std::swap(order[left - 1],
              order[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(left)))]);
  }
  return order;
}

RowFeed::RowFeed(const Batch& rows, const FeedOptions& options, const NegativeSampler* sampler)
    : rows_(rows), options_(options), sampler_(sampler) {
  if (rows.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw DataError("more than 4294967295 training rows");
  }
  if (sampler == nullptr) options_.n_negatives = 0;
  const auto largest = std::min(rows.size(), static_cast<std::size_t>(options.batch_size));
  entries_.reserve(largest);
  negatives_.reserve(largest * static_cast<std::size_t>(options_.n_negatives));
  if (options.batching != Batching::rows) sort_by_target();
}

std::int64_t RowFeed::n_steps() const noexcept {
  return (n_rows() + options_.batch_size - 1) / options_.batch_size;
}

std::int64_t RowFeed::rows_in(std::int64_t steps) const noexcept {
  return std::min(steps * options_.batch_size, n_rows());
}

void RowFeed::begin_epoch(int epoch, const RunContext& run) {
  epoch_ = epoch;
  const auto rng = [&](const char* purpose) {
    return run.rng(purpose).fork("epoch", static_cast<std::uint64_t>(epoch));
  };
  if (options_.batching == Batching::rows) {
    order_ = shuffled(rows_.size(), rng("train.shuffle"), &run);
    return;
  }
  cut_runs(rng("train.cut"));
  run.check_stop();
  shuffle_runs(rng("train.shuffle"), run);
}

// Rows may come in the order of time, users mixed.
void RowFeed::sort_by_target() {
  order_.resize(rows_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  std::ranges::sort(order_, {}, [&](std::uint32_t row) { return id_of(rows_.entries()[row]); });
}

void RowFeed::cut_runs(const Rng& rng) {
  runs_.clear();
  const auto longest = static_cast<std::size_t>(options_.run_rows);
  std::size_t end = 0;
  for (std::size_t begin = 0; begin < order_.size(); begin = end) {
    const Batch::Entry& first = entry(begin);
    for (end = begin + 1; end < order_.size() && follows_row_before(end);) ++end;
    std::size_t cut = end;
    if (end - begin > longest) {
      Rng user = rng.fork("user", static_cast<std::uint64_t>(first.user));
      cut = begin + 1 + static_cast<std::size_t>(user.below(options_.run_rows));
    }
    for (std::size_t from = begin; from < end; from = cut, cut = std::min(end, cut + longest))
      runs_.push_back(
          {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(cut - from), 0});
  }
}

void RowFeed::shuffle_runs(Rng rng, const RunContext& run) {
  std::vector<Run> all(runs_.size());
  const std::vector<std::uint32_t> order = shuffled(runs_.size(), rng, &run);
  std::ranges::transform(order, all.begin(), [&](std::uint32_t index) { return runs_[index]; });
  std::uint32_t at = 0;
  for (Run& next : all) {
    next.at = at;
    at += next.count;
  }
  runs_.swap(all);
}

Batch RowFeed::batch(std::int64_t step, const RunContext& run) {
  const auto first = static_cast<std::size_t>(rows_in(step));
  entries_.resize(static_cast<std::size_t>(rows_in(step + 1)) - first);
  if (options_.batching == Batching::rows) {
    take_rows(first);
  } else {
    take_runs(first);
  }
  if (sampler_ != nullptr) draw_negatives(run);
  return {rows_.events(), entries_, rows_.max_length(), negatives_};
}

void RowFeed::take_rows(std::size_t first) {
  for (std::size_t row = 0; row < entries_.size(); ++row) entries_[row] = entry(first + row);
}

bool RowFeed::follows_row_before(std::size_t at) const {
  return at > 0 && entry(at).begin == entry(at - 1).begin &&
         id_of(entry(at)) == id_of(entry(at - 1)) + 1;
}

std::uint32_t RowFeed::items_before(const Run& run) const {
  if (follows_row_before(run.first)) return 1;
  return static_cast<std::uint32_t>(std::min(entry(run.first).history_length, rows_.max_length()));
}

void RowFeed::take_runs(std::size_t first) {
  auto run = std::ranges::upper_bound(runs_, first, {}, &Run::at) - 1;
  for (std::size_t row = 0; row < entries_.size(); ++row) {
    if (first + row == run->at + std::size_t{run->count}) ++run;
    const auto nth = static_cast<std::uint32_t>(first + row - run->at);
    entries_[row] = entry(run->first + nth);
    if (options_.batching != Batching::sequences) continue;
    const auto history_length = static_cast<std::int32_t>(nth + items_before(*run));
    entries_[row].begin = id_of(entries_[row]) - history_length;
    entries_[row].history_length = history_length;
  }
}

void RowFeed::draw_negatives(const RunContext& run) {
  const std::size_t count = entries_.size();
  const auto n_negatives = static_cast<std::size_t>(options_.n_negatives);
  negatives_.resize(count * n_negatives);
  const Batch rows(rows_.events(), entries_, rows_.max_length());
  const Rng rng = run.rng("train.negatives").fork("epoch", static_cast<std::uint64_t>(epoch_));
  run.parallel_for((count + kRowsPerTask - 1) / kRowsPerTask, [&](std::size_t task) {
    const std::size_t end = std::min(count, (task + 1) * kRowsPerTask);
    for (std::size_t index = task * kRowsPerTask; index < end; ++index) {
      const Row row = rows[index];
      sampler_->sample(row, rng.fork("row", static_cast<std::uint64_t>(row.id)),
                       std::span(negatives_).subspan(index * n_negatives, n_negatives));
    }
  });
}

}  // namespace recloom
