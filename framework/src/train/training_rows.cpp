#include "train/training_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

std::int64_t target_of(const Batch::Entry& row) { return row.begin + row.history_length; }

/// The rows of one user whose targets follow each other, by index.
class Run {
 public:
  Run(std::span<const Batch::Entry> rows, std::span<const std::uint32_t> order)
      : rows_(rows), order_(order) {}

  /// Give the rows that stay T targets, the others none.
  void give_targets(const RowShape& shape, std::vector<Batch::Entry>& made) const {
    const std::size_t n = order_.size(), n_targets = static_cast<std::size_t>(shape.n_targets);
    bool any = false;
    for (std::size_t at = 0; at < n; ++at) {
      Batch::Entry& row = made[order_[at]];
      const bool stays = at + n_targets <= n && (shape.rows == TrainRows::prefix ||
                                                 row.history_length >= shape.max_length);
      row.n_targets = stays ? shape.n_targets : 0;
      any = any || stays;
    }
    if (!any) made[order_.front()] = newest(shape.n_targets);
  }

 private:
  Batch::Entry newest(int n_targets) const {
    Batch::Entry row = rows_[order_.back()];
    const std::int32_t n_events = row.history_length + 1;
    row.n_targets = std::min(n_targets, n_events);
    row.history_length = n_events - row.n_targets;
    return row;
  }

  std::span<const Batch::Entry> rows_;
  std::span<const std::uint32_t> order_;
};

}  // namespace

std::vector<Batch::Entry> training_rows(const Batch& rows, const RowShape& shape) {
  const std::span<const Batch::Entry> given = rows.entries();
  std::vector<std::uint32_t> order(given.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t row) { return target_of(given[row]); });
  std::vector<Batch::Entry> made(given.begin(), given.end());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const Batch::Entry& first = given[order[begin]];
    const auto follows = [&](std::size_t at) {
      const Batch::Entry &row = given[order[at]], &before = given[order[at - 1]];
      return row.begin == first.begin && target_of(row) == target_of(before) + 1;
    };
    for (end = begin + 1; end < order.size() && follows(end);) ++end;
    if (end < order.size() && given[order[end]].user == first.user)
      throw ConfigError(fmt::format(
          "train.n_targets = {}, train.rows = {}: the rows bring histories of their own and have "
          "one target each (legal: train.n_targets = 1 with train.rows = prefix)",
          shape.n_targets, shape.rows == TrainRows::windows ? "windows" : "prefix"));
    Run(given, std::span(order).subspan(begin, end - begin)).give_targets(shape, made);
  }
  std::erase_if(made, [](const Batch::Entry& row) { return row.n_targets == 0; });
  return made;
}

}  // namespace recloom
