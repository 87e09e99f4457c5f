#include "eval/history_mask.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace recloom {
namespace {

/// Histories up to this length are sorted row by row: faster than to look a list up, and bounded.
constexpr std::int32_t kShort = 256;

}  // namespace

bool HistoryMask::UserItems::holds(std::size_t index, const HistoryWindow& window) const {
  if (firsts[index] >= window.end) return false;
  if (firsts[index] >= window.begin) return true;
  const auto from = places.begin() + static_cast<std::ptrdiff_t>(index == 0 ? 0 : ends[index - 1]);
  const auto to = places.begin() + static_cast<std::ptrdiff_t>(ends[index]);
  const auto found = std::lower_bound(from, to, window.begin);
  return found != to && *found < window.end;
}

HistoryMask::HistoryMask(const Batch& rows, MaskHistory mask, int n_items, const RunContext& run)
    : mask_(mask), max_length_(rows.max_length()), n_items_(n_items) {
  if (mask == MaskHistory::none) return;
  add_users(rows.entries());
  run.parallel_for(users_.size(),
                   [&](std::size_t user) { list_items(rows.events(), users_[user]); });
}

HistoryWindow HistoryMask::window(const Batch::Entry& row) const {
  if (mask_ == MaskHistory::none) return {};
  const std::int32_t shown =
      mask_ == MaskHistory::input ? std::min(row.history_length, max_length_) : row.history_length;
  return {row.history_length - shown, row.history_length};
}

const HistoryMask::UserItems* HistoryMask::find(const Batch::Entry& row) const {
  if (window(row).length() <= kShort) return nullptr;
  const auto found = std::ranges::lower_bound(users_, row.begin, {}, &UserItems::begin);
  return found != users_.end() && found->begin == row.begin ? &*found : nullptr;
}

// A user with one long row gains nothing from a list.
void HistoryMask::add_users(std::span<const Batch::Entry> rows) {
  std::vector<std::pair<std::int64_t, std::int32_t>> ends;  // user's first event, events of a row
  for (const Batch::Entry& row : rows)
    if (window(row).length() > kShort) ends.emplace_back(row.begin, row.history_length);
  std::ranges::sort(ends);
  for (std::size_t first = 0, last = 0; first < ends.size(); first = last) {
    while (last < ends.size() && ends[last].first == ends[first].first) ++last;
    if (last - first < 2) continue;
    UserItems& user = users_.emplace_back();
    user.begin = ends[first].first;
    user.length = ends[last - 1].second;
  }
}

void HistoryMask::list_items(std::span<const ItemId> events, UserItems& user) const {
  std::vector<std::pair<ItemId, std::int32_t>> places;  // of each item
  places.reserve(static_cast<std::size_t>(user.length));
  for (std::int32_t place = 0; place < user.length; ++place) {
    const ItemId item = events[static_cast<std::size_t>(user.begin + place)];
    if (is_real(item, n_items_)) places.emplace_back(item, place);
  }
  std::ranges::sort(places);
  for (const auto& [item, place] : places) {
    if (user.items.empty() || user.items.back() != item) {
      user.items.push_back(item);
      user.firsts.push_back(place);
      if (mask_ == MaskHistory::input) user.ends.push_back(user.places.size());
    }
    if (mask_ != MaskHistory::input) continue;
    user.places.push_back(place);
    user.ends.back() = user.places.size();
  }
}

void BlockMask::start(const Batch& rows) {
  lists_.clear();
  rows_.clear();
  for (const Batch::Entry& entry : rows.entries()) {
    const HiddenItems row{mask_.find(entry), mask_.window(entry)};
    if (row.user == nullptr) {
      const auto history =
          rows.events().subspan(static_cast<std::size_t>(entry.begin + row.window.begin),
                                static_cast<std::size_t>(row.window.length()));
      lists_.open().insert(lists_.open().end(), history.begin(), history.end());
    }
    lists_.close_as_set(mask_.n_items());
    rows_.push_back(row);
  }
}

void BlockMask::apply(std::size_t row, ItemId first, std::span<float> scores) {
  if (first == 0) scores[0] = -HUGE_VALF;
  HiddenItems& hidden = rows_[row];
  const std::span<const ItemId> items = items_of(row);
  const std::int64_t end = std::int64_t{first} + static_cast<std::int64_t>(scores.size());
  std::size_t& next = hidden.next;
  while (next < items.size() && items[next] < first) ++next;
  for (; next < items.size() && items[next] < end; ++next)
    if (hidden.user == nullptr || hidden.user->holds(next, hidden.window))
      scores[static_cast<std::size_t>(items[next] - first)] = -HUGE_VALF;
}

bool BlockMask::hides(std::size_t row, ItemId item) const {
  const HiddenItems& hidden = rows_[row];
  const std::span<const ItemId> items = items_of(row);
  const auto found = std::ranges::lower_bound(items, item);
  if (found == items.end() || *found != item) return false;
  return hidden.user == nullptr ||
         hidden.user->holds(static_cast<std::size_t>(found - items.begin()), hidden.window);
}

void BlockMask::append_to(std::size_t row, std::vector<ItemId>& items) const {
  const HiddenItems& hidden = rows_[row];
  const std::span<const ItemId> all = items_of(row);
  for (std::size_t index = 0; index < all.size(); ++index)
    if (hidden.user == nullptr || hidden.user->holds(index, hidden.window))
      items.push_back(all[index]);
}

}  // namespace recloom
