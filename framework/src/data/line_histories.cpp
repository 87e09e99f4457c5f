#include "data/line_histories.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "data/stop_check.hpp"
#include "data/table_syntax.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kMostInt = std::numeric_limits<int>::max();

std::span<const std::int32_t> items_of(const LineHistories& histories, std::size_t row) {
  const std::int32_t list = histories.lists[row];
  if (list < 0) return {};
  const auto at = static_cast<std::size_t>(list);
  const std::size_t begin = at == 0 ? 0 : histories.ends[at - 1];
  return histories.items.view().subspan(begin, histories.ends[at] - begin);
}

}  // namespace

LineHistories parse_histories(const TokenTable& texts, GrowingArray<std::int32_t> lists,
                              TokenTable& items, const RunContext& run) {
  LineHistories histories;
  histories.lists = std::move(lists);
  histories.ends.reserve(texts.size());
  for_each_row(texts.size(), run, [&](std::size_t list) {
    const std::string_view text = texts[static_cast<std::int32_t>(list)];
    for (std::size_t begin = text.find_first_not_of(' '); begin != std::string_view::npos;) {
      const std::size_t end = std::min(text.find(' ', begin), text.size());
      histories.items.push_back(items.insert(text.substr(begin, end - begin)));
      begin = text.find_first_not_of(' ', end);
    }
    histories.ends.push_back(histories.items.size());
  });
  if (items.size() > ReadLimits::kMostTokens) {
    throw DataError("with those of the lines' histories, there are too many different items");
  }
  return histories;
}

std::size_t expand_histories(RawLog& log, int max_events, const RunContext& run) {
  const LineHistories& histories = *log.histories;
  std::size_t n_events = log.size(), n_empty = 0;
  for_each_row(log.size(), run, [&](std::size_t row) {
    const std::size_t length = items_of(histories, row).size();
    n_events += length;
    n_empty += length == 0 ? 1 : 0;
  });
  if (max_events > 0 && n_events > static_cast<std::size_t>(max_events)) {
    throw DataError(fmt::format(
        "with the histories of its lines, the log has {} events; data.max_events = {} allows fewer "
        "(--set data.max_events={})",
        n_events, max_events, n_events <= kMostInt ? n_events : 0));
  }
  RawLog events;
  std::int32_t *users = events.users.extend(n_events), *items = events.items.extend(n_events);
  std::int64_t* times = log.has_times() ? events.times.extend(n_events) : nullptr;
  std::uint8_t* parts = events.parts.extend(n_events);
  const auto add = [&](std::size_t row, std::int32_t item, std::uint8_t part) {
    *users++ = log.users[row];
    *items++ = item;
    if (times != nullptr) *times++ = log.times[row];
    *parts++ = part;
  };
  for_each_row(log.size(), run, [&](std::size_t row) {
    const std::uint8_t part = log.parts[row];
    for (const std::int32_t item : items_of(histories, row)) add(row, item, part | kOnlyHistory);
    add(row, log.items[row], part);
  });
  log.users = std::move(events.users);
  log.items = std::move(events.items);
  log.times = std::move(events.times);
  log.parts = std::move(events.parts);
  log.histories.reset();
  return n_empty;
}

}  // namespace recloom
