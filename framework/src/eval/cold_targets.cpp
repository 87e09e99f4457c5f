#include "eval/cold_targets.hpp"

#include <algorithm>
#include <numeric>

#include "eval/item_lists.hpp"

namespace recloom {

ColdRows find_cold_rows(const Batch& rows, const EvalContext& context) {
  ColdRows cold;
  const std::span<const std::int64_t> counts = context.train_counts;
  const auto is_cold = [&](ItemId item) {
    return !is_real(item, context.catalogue.n_items) ||
           (!counts.empty() && counts[static_cast<std::size_t>(item)] == 0);
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::span<const ItemId> targets = rows[row].targets;
    const std::int64_t lost = context.lost_targets.empty() ? 0 : context.lost_targets[row];
    const auto n_targets = lost + static_cast<std::int64_t>(targets.size());
    const std::int64_t n_cold = lost + std::ranges::count_if(targets, is_cold);
    cold.targets += n_cold;
    if (n_cold == 0 || n_cold < n_targets) cold.others.push_back(row);
  }
  return cold;
}

KeptRows::KeptRows(const Batch& rows, const EvalContext& context, ColdTargets rule)
    : rows_(rows), named_rows_(rows), context_(context) {
  const ColdRows cold = find_cold_rows(rows, context);
  cold_targets_ = cold.targets;
  if (rule == ColdTargets::count || cold.others.size() == rows.size()) return;
  dropped_ = static_cast<std::int64_t>(rows.size() - cold.others.size());
  const Batch& named = context.named_rows != nullptr ? *context.named_rows : rows;
  for (const std::size_t row : cold.others) {
    entries_.push_back(rows.entries()[row]);
    named_entries_.push_back(named.entries()[row]);
    if (!context.lost_targets.empty()) lost_targets_.push_back(context.lost_targets[row]);
  }
  rows_ = Batch(rows.events(), entries_, rows.max_length());
  named_rows_ = Batch(named.events(), named_entries_, named.max_length());
  context_.named_rows = &named_rows_;
  context_.lost_targets = lost_targets_;
}

void KeptRows::note_in(EvalReport& report) const {
  report.cold_targets = cold_targets_;
  report.dropped_rows = dropped_;
  const Batch& asked = context_.named_rows != nullptr ? *context_.named_rows : rows_;
  report.targets = 0;
  for (const Batch::Entry& row : asked.entries()) report.targets += row.n_targets;
  if (context_.named_rows == nullptr)
    report.targets += std::accumulate(context_.lost_targets.begin(), context_.lost_targets.end(),
                                      std::int64_t{0});
}

}  // namespace recloom
