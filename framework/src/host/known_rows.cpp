#include "host/known_rows.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

namespace recloom {
namespace {

std::vector<std::int64_t> translate_counts(std::span<const std::int64_t> counts,
                                           std::span<const ItemId> items, std::size_t n_items) {
  std::vector<std::int64_t> translated(n_items, 0);
  for (std::size_t item = 1; item < counts.size(); ++item)
    if (items[item] != 0) translated[static_cast<std::size_t>(items[item])] += counts[item];
  return translated;
}

}  // namespace

KnownRows translate_rows(const Dataset& dataset, const Batch& rows, const Vocabulary& vocabulary) {
  const Vocabulary& own = dataset.vocabulary();
  std::vector<ItemId> items(own.items().size(), 0);
  for (std::size_t item = 1; item < items.size(); ++item)
    items[item] = vocabulary.item(own.items()[item]);
  std::vector<UserId> users(own.users().size(), 0);
  for (std::size_t user = 1; user < users.size(); ++user)
    users[user] = vocabulary.user(own.users()[user]);

  // What is asked for twice is lost once.
  std::vector<ItemId> lost;
  const auto count_lost = [&](std::span<const ItemId> targets) {
    lost.clear();
    std::ranges::copy_if(targets, std::back_inserter(lost),
                         [&](ItemId item) { return items[static_cast<std::size_t>(item)] == 0; });
    std::ranges::sort(lost);
    return static_cast<std::int32_t>(std::ranges::unique(lost).begin() - lost.begin());
  };

  KnownRows known;
  // Known events keep their order; known_before[p] of them stand before position p.
  const std::span<const ItemId> events = rows.events();
  std::vector<std::int64_t> known_before(events.size() + 1, 0);
  for (std::size_t position = 0; position < events.size(); ++position) {
    const ItemId item = items[static_cast<std::size_t>(events[position])];
    if (item != 0) known.events.push_back(item);
    known_before[position + 1] = known_before[position] + (item != 0);
  }
  const auto before = [&](std::int64_t position) {
    return known_before[static_cast<std::size_t>(position)];
  };

  known.entries.reserve(rows.size());
  known.lost_targets.reserve(rows.size());
  for (const Batch::Entry& entry : rows.entries()) {
    const std::int64_t target = entry.begin + entry.history_length;
    const std::int64_t end = target + entry.n_targets;
    const auto history = static_cast<std::int32_t>(before(target) - before(entry.begin));
    const auto n_targets = static_cast<std::int32_t>(before(end) - before(target));
    const UserId user = users[static_cast<std::size_t>(entry.user)];
    known.entries.push_back({before(entry.begin), history, n_targets, user});
    known.lost_targets.push_back(
        n_targets == entry.n_targets
            ? 0
            : count_lost(events.subspan(static_cast<std::size_t>(target),
                                        static_cast<std::size_t>(entry.n_targets))));
    known.unknown_history_items += entry.history_length - history;
    known.unknown_users += user == 0;
  }
  const std::size_t n_items = vocabulary.items().size();
  known.target_counts = translate_counts(dataset.target_counts(), items, n_items);
  known.all_target_counts = translate_counts(dataset.all_target_counts(), items, n_items);
  return known;
}

}  // namespace recloom
