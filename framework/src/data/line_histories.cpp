#include "data/line_histories.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "data/stop_check.hpp"
#include "data/table_syntax.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kMostInt = std::numeric_limits<int>::max();

}  // namespace

std::span<const std::int32_t> items_of(const LineHistories& histories, std::size_t row) {
  const std::int32_t list = histories.lists[row];
  if (list < 0) return {};
  const auto at = static_cast<std::size_t>(list);
  const std::size_t begin = at == 0 ? 0 : histories.ends[at - 1];
  return histories.items.view().subspan(begin, histories.ends[at] - begin);
}

namespace {

/// Lists as Python and JSON write them: [1, 2], ['a', 'b'].
bool is_bracketed(std::string_view text) {
  return text.size() > 1 && ((text.front() == '[' && text.back() == ']') ||
                             (text.front() == '(' && text.back() == ')'));
}

/// Take the next item of a list off its text: between blanks, in brackets also between commas and
/// in quotes. @return false at the end.
bool next_item(std::string_view& text, bool bracketed, std::string& item) {
  const std::string_view between = bracketed ? " ,\t" : " ";
  text.remove_prefix(std::min(text.find_first_not_of(between), text.size()));
  if (text.empty()) return false;
  const char quote = text.front();
  if (!bracketed || (quote != '\'' && quote != '"')) {
    const std::size_t end = std::min(text.find_first_of(between), text.size());
    item = text.substr(0, end);
    text.remove_prefix(end);
    return !bracketed || !is_missing_word(item) || next_item(text, bracketed, item);
  }
  item.clear();
  std::size_t at = 1;
  for (; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    item += text[at];
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return true;
}

/// @throws DataError an item that no line has, though a part of it between commas is one.
void refuse_commas(const std::string& file, std::string_view item, const TokenTable& items,
                   std::int32_t n_known) {
  if (item.find(',') == std::string_view::npos) return;
  const auto is_known = [&](std::string_view token) {
    const std::int32_t code = items.find(token);
    return code >= 0 && code < n_known;
  };
  bool any_part = false;
  for (std::size_t begin = 0; begin < item.size();) {
    const std::size_t end = std::min(item.find(',', begin), item.size());
    any_part = any_part || is_known(item.substr(begin, end - begin));
    begin = end + 1;
  }
  if (!any_part || is_known(item)) return;
  throw DataError(
      fmt::format("{}: histories in lines are parted by blanks, or are lists in brackets ([1, 2, "
                  "3]); '{}' is no item "
                  "of a line, though a part of it is; `awk -F'\\t' -v OFS='\\t' '{{gsub(/,/, \" "
                  "\", $2)}} 1' FILE` writes "
                  "blanks in the second column of a file with tabs",
                  file, printable(item)));
}

}  // namespace

LineHistories parse_histories(const std::string& file, const TokenTable& texts,
                              GrowingArray<std::int32_t> lists, TokenTable& items,
                              const RunContext& run) {
  LineHistories histories;
  histories.lists = std::move(lists);
  histories.ends.reserve(texts.size());
  const auto n_known = static_cast<std::int32_t>(items.size());  // Those of the lines themselves.
  std::string scratch;
  for_each_row(texts.size(), run, [&](std::size_t list) {
    std::string_view text = trim(texts[static_cast<std::int32_t>(list)]);
    // Under data.raw_cells a cell has its quotes.
    if (text.starts_with("\"[") && text.ends_with("]\"")) text = text.substr(1, text.size() - 2);
    const bool bracketed = is_bracketed(text);
    if (bracketed) text = text.substr(1, text.size() - 2);
    while (next_item(text, bracketed, scratch)) {
      if (!bracketed) refuse_commas(file, scratch, items, n_known);
      histories.items.push_back(items.insert(scratch));
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
