#include "data/events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>

#include "core/text.hpp"
#include "data/stable_sort.hpp"
#include "data/stop_check.hpp"
#include "data/time_key.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

double mean_of_real(const RawLog& log, std::size_t known) {
  double sum = 0;
  for (const std::int64_t time : log.times) {
    if (time != kMissingTime) sum += real_time_of_key(time);
  }
  return known == 0 ? 0.0 : sum / static_cast<double>(known);
}

/// Sum quotients and remainders by `known`: no sum of times would fit. @param rest in 1 / known.
std::int64_t mean_of_integers(const RawLog& log, std::int64_t known, std::int64_t& rest) {
  std::int64_t whole = 0;
  rest = 0;
  for (const std::int64_t time : log.times) {
    if (time == kMissingTime) continue;
    const std::int64_t left = (time % known + known) % known;
    whole += (time - left) / known;
    rest += left;
  }
  whole += rest / known;
  rest %= known;
  return whole;
}

/// Return the key of the mean. If it lies between two keys, all get one more decimal: the mean is
/// then neither's equal.
std::int64_t exact_mean(RawLog& log, std::size_t known) {
  if (known == 0) return 0;
  const auto count = static_cast<std::int64_t>(known);
  std::int64_t rest = 0;
  const std::int64_t whole = mean_of_integers(log, count, rest);
  if (rest == 0) return whole;
  constexpr std::int64_t kMost = kMissingTime / 10 - 1;
  const bool room = log.time_scale.decimals < DecimalTime::kMostDecimals &&
                    std::all_of(log.times.begin(), log.times.end(), [](std::int64_t time) {
                      return time == kMissingTime || (time <= kMost && time >= -kMost);
                    });
  if (!room) return whole + (2 * rest >= count ? 1 : 0);
  rescale_times({log.times.data(), log.times.size()}, 1);
  ++log.time_scale.decimals;
  return 10 * whole + std::clamp<std::int64_t>(10 * rest / count, 1, 9);
}

void fill_missing(RawLog& log) {
  const auto missing =
      static_cast<std::size_t>(std::count(log.times.begin(), log.times.end(), kMissingTime));
  if (missing == 0) return;
  const std::size_t known = log.times.size() - missing;
  const std::int64_t mean =
      log.time_scale.real ? real_time_key(mean_of_real(log, known)) : exact_mean(log, known);
  std::replace(log.times.begin(), log.times.end(), kMissingTime, mean);
}

void round_to_float32(RawLog& log, bool normalize) {
  // Halves, if the whole range is too large for a number.
  double low = 0, scale = 1, part = 1;
  if (normalize) {
    const auto [least, most] = std::minmax_element(log.times.begin(), log.times.end());
    const double high = real_time_of_key(*most);
    low = real_time_of_key(*least);
    part = std::isfinite(high - low) ? 1 : 0.5;
    low *= part;
    scale = high * part - low;
  }
  for (std::int64_t& time : log.times) {
    double value = real_time_of_key(time);
    // A constant column scales to 1, as RecBole has it.
    if (normalize) value = scale == 0 ? 1.0 : (value * part - low) / scale;
    time = real_time_key(static_cast<double>(static_cast<float>(value)));
  }
}

/// Ids of codes, in order of first appearance.
struct Coding {
  std::vector<std::int32_t> id_of_code;
  std::vector<std::string> tokens = {"[PAD]"};

  explicit Coding(std::size_t n_codes) : id_of_code(n_codes, 0) { tokens.reserve(n_codes + 1); }
  std::int32_t add(std::int32_t code, const TokenTable& table) {
    std::int32_t& id = id_of_code[static_cast<std::size_t>(code)];
    if (id == 0) {
      id = static_cast<std::int32_t>(tokens.size());
      tokens.emplace_back(table[code]);
    }
    return id;
  }
};

/// Return how many codes a column has if 0, 1, 2, ... first appear in this order, as they do where
/// no filter has dropped a row; else nothing.
std::optional<std::int32_t> codes_in_order(const GrowingArray<std::int32_t>& column) {
  std::int32_t next = 0;
  for (const std::int32_t code : column) {
    if (code > next) return std::nullopt;
    next += code == next ? 1 : 0;
  }
  return next;
}

Coding code_column(GrowingArray<std::int32_t>& column, const TokenTable& table,
                   const std::optional<SideTable>& side, const RunContext& run) {
  Coding coding(table.size());
  if (const auto n_codes = codes_in_order(column)) {
    for_each_row(static_cast<std::size_t>(*n_codes), run,
                 [&](std::size_t code) { coding.add(static_cast<std::int32_t>(code), table); });
    for (std::int32_t& code : column) ++code;
  } else {
    for_each_row(column.size(), run,
                 [&](std::size_t row) { column[row] = coding.add(column[row], table); });
  }
  if (side) {
    for (const std::int32_t code : side->codes) coding.add(code, table);
  }
  return coding;
}

std::vector<std::string> names_by_id(const Coding& coding, const std::optional<SideTable>& side) {
  std::vector<std::string> names;
  if (!side || side->names.empty()) return names;
  names.resize(coding.tokens.size());
  for (std::size_t row = 0; row < side->codes.size(); ++row) {
    const auto code = static_cast<std::size_t>(side->codes[row]);
    names[static_cast<std::size_t>(coding.id_of_code[code])] = side->names[row];
  }
  return names;
}

/// Sort one user's events by time; most logs have them in order already, and those of a given split
/// lie part by part.
void sort_user(Events& events, std::size_t begin, std::size_t end, const RunContext& run) {
  std::int64_t* times = events.times.data();
  if (std::is_sorted(times + begin, times + end)) return;
  const bool parts = !events.parts.empty();
  struct Event {
    std::int64_t time;
    ItemId item;
    std::uint8_t part;
  };
  std::vector<Event> sorted(end - begin);
  for (std::size_t at = begin; at < end; ++at) {
    sorted[at - begin] = {times[at], events.items[at], parts ? events.parts[at] : std::uint8_t{0}};
  }
  sort_stably(
      sorted,
      [](const Event& a, const Event& b) {
        const LogPart part_a = part_of(a.part), part_b = part_of(b.part);
        return part_a != part_b ? part_a < part_b : a.time < b.time;
      },
      run);
  for (std::size_t at = begin; at < end; ++at) {
    times[at] = sorted[at - begin].time;
    events.items[at] = sorted[at - begin].item;
    if (parts) events.parts[at] = sorted[at - begin].part;
  }
}

}  // namespace

void finish_times(RawLog& log, const DataOptions& options) {
  if (!log.has_times()) return;
  fill_missing(log);
  if (log.time_scale.real) round_to_float32(log, options.normalize_time);
}

Vocabulary assign_ids(RawLog& log, const RunContext& run) {
  Coding users = code_column(log.users, log.user_tokens, log.user_table, run);
  Coding items = code_column(log.items, log.item_tokens, log.item_table, run);
  std::vector<std::string> names = names_by_id(items, log.item_table);
  log.user_tokens = TokenTable();
  log.item_tokens = TokenTable();
  return {std::move(users.tokens), std::move(items.tokens), std::move(names)};
}

void check_lengths(std::span<const std::int64_t> offsets, const Vocabulary& vocabulary) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  for (std::size_t user = 0; user + 1 < offsets.size(); ++user) {
    const std::int64_t n_events = offsets[user + 1] - offsets[user];
    if (n_events <= kMost) continue;
    throw DataError(fmt::format("user '{}' has {} events; there may be {} at most",
                                printable(vocabulary.user_token(static_cast<UserId>(user))),
                                n_events, kMost));
  }
}

Events make_events(RawLog& log, std::size_t n_users, const RunContext& run) {
  Events events;
  events.offsets.assign(n_users + 1, 0);
  for (const std::int32_t user : log.users) ++events.offsets[static_cast<std::size_t>(user) + 1];
  std::partial_sum(events.offsets.begin(), events.offsets.end(), events.offsets.begin());
  events.items.resize(log.size());
  events.times.extend(log.size());
  events.time_scale = log.time_scale;
  std::vector<std::int64_t> next(events.offsets.begin(), events.offsets.end() - 1);
  const bool has_times = log.has_times(), parts = !log.parts.empty();
  events.has_times = has_times;
  events.parts.extend(log.parts.size());
  for_each_row(log.size(), run, [&](std::size_t row) {
    const auto user = static_cast<std::size_t>(log.users[row]);
    const auto at = static_cast<std::size_t>(next[user]++);
    events.items[at] = log.items[row];
    events.times[at] = has_times ? log.times[row] : static_cast<std::int64_t>(row);
    if (parts) events.parts[at] = log.parts[row];
  });
  log.users.release();
  log.items.release();
  log.times.release();
  log.parts.release();
  constexpr std::size_t kUsersAtOnce = 1024;
  run.parallel_for((n_users + kUsersAtOnce - 1) / kUsersAtOnce, [&](std::size_t part) {
    const std::size_t last = std::min(n_users, (part + 1) * kUsersAtOnce);
    for (std::size_t user = part * kUsersAtOnce; user < last; ++user) {
      sort_user(events, static_cast<std::size_t>(events.offsets[user]),
                static_cast<std::size_t>(events.offsets[user + 1]), run);
    }
  });
  return events;
}

}  // namespace recloom
