#include "nn/exec/row_order.hpp"

#include <algorithm>

namespace recloom::nn {
namespace {

int seen_items(const Batch& rows, std::size_t row) {
  return std::min(rows.entries()[row].history_length, rows.max_length());
}

}  // namespace

bool extends_row_before(const Batch& rows, std::size_t row) {
  if (row == 0) return false;
  const Batch::Entry &before = rows.entries()[row - 1], &own = rows.entries()[row];
  return own.begin == before.begin && before.history_length > 0 &&
         own.history_length == before.history_length + 1 && own.history_length <= rows.max_length();
}

int longest_history(const Batch& rows) {
  int items = 0;
  for (std::size_t row = 0; row < rows.size(); ++row)
    items = std::max(items, seen_items(rows, row));
  return items;
}

Batch LengthOrder::sort(const Batch& rows, bool keep_together) {
  const auto longest = static_cast<std::size_t>(rows.max_length());
  groups_.clear();
  begins_.assign(longest + 2, 0);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const int length = seen_items(rows, row);
    if (keep_together && extends_row_before(rows, row))
      groups_.back() = {groups_.back().first, groups_.back().count + 1, length};
    else
      groups_.push_back({row, 1, length});
  }
  // A counting sort, so that rows of one length keep their order.
  const auto place = [&](const Group& group) {
    return longest - static_cast<std::size_t>(group.length);
  };
  for (const Group& group : groups_) begins_[place(group) + 1] += group.count;
  for (std::size_t at = 1; at < begins_.size(); ++at) begins_[at] += begins_[at - 1];
  order_.resize(rows.size());
  for (const Group& group : groups_)
    for (std::size_t row = 0; row < group.count; ++row)
      order_[begins_[place(group)]++] = group.first + row;
  entries_.clear();
  negatives_.clear();
  for (const std::size_t row : order_) {
    entries_.push_back(rows.entries()[row]);
    const auto negatives = rows[row].negatives;
    negatives_.insert(negatives_.end(), negatives.begin(), negatives.end());
  }
  return {rows.events(), entries_, rows.max_length(), negatives_};
}

}  // namespace recloom::nn
