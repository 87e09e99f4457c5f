#include "host/known_rows.hpp"

#include <algorithm>

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

  KnownRows known;
  // Known events keep their order; known_before[p] of them stand before position p.
  const std::span<const ItemId> tape = rows.tape();
  std::vector<std::int64_t> known_before(tape.size() + 1, 0);
  for (std::size_t position = 0; position < tape.size(); ++position) {
    const ItemId item = items[static_cast<std::size_t>(tape[position])];
    if (item != 0) known.tape.push_back(item);
    known_before[position + 1] = known_before[position] + (item != 0);
  }
  const auto before = [&](std::int64_t position) {
    return known_before[static_cast<std::size_t>(position)];
  };

  known.entries.reserve(rows.size());
  for (const Batch::Entry& entry : rows.entries()) {
    const std::int64_t target = entry.begin + entry.history_length;
    const std::int64_t end = target + entry.n_targets;
    const auto history = static_cast<std::int32_t>(before(target) - before(entry.begin));
    const std::int64_t missing = entry.n_targets - (before(end) - before(target));
    Batch::Entry translated{before(entry.begin), history, entry.n_targets,
                            users[static_cast<std::size_t>(entry.user)]};
    if (missing != 0) {
      // The targets do not stand behind the history any more: a copy of both at the tape's end.
      const std::int64_t from = translated.begin;
      translated.begin = static_cast<std::int64_t>(known.tape.size());
      for (std::int64_t p = from; p < from + history; ++p)
        known.tape.push_back(ItemId{known.tape[static_cast<std::size_t>(p)]});
      for (std::int64_t p = target; p < end; ++p)
        known.tape.push_back(items[static_cast<std::size_t>(tape[static_cast<std::size_t>(p)])]);
    }
    known.unknown_history_items += entry.history_length - history;
    known.unknown_users += translated.user == 0;
    known.entries.push_back(translated);
  }
  const std::size_t n_items = vocabulary.items().size();
  known.target_counts = translate_counts(dataset.target_counts(), items, n_items);
  known.all_target_counts = translate_counts(dataset.all_target_counts(), items, n_items);
  return known;
}

}  // namespace recloom
