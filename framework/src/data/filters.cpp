#include "data/filters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/sessions.hpp"
#include "data/stable_sort.hpp"
#include "data/stop_check.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// Keep the rows for which keep(row) holds.
template <class Keep>
void keep_rows(RawLog& log, const RunContext& run, const Keep& keep) {
  const std::size_t before = log.size();
  const bool times = log.has_times(), passes = !log.passes.empty(), parts = !log.parts.empty();
  GrowingArray<std::int32_t>* const lists = log.histories ? &log.histories->lists : nullptr;
  std::size_t to = 0;
  for_each_row(before, run, [&](std::size_t row) {
    if (!keep(row)) return;
    log.users[to] = log.users[row];
    log.items[to] = log.items[row];
    if (times) log.times[to] = log.times[row];
    if (passes) log.passes[to] = log.passes[row];
    if (parts) log.parts[to] = log.parts[row];
    if (lists) (*lists)[to] = (*lists)[row];
    ++to;
  });
  log.users.shrink(to);
  log.items.shrink(to);
  log.times.shrink(to);
  log.passes.shrink(to);
  log.parts.shrink(to);
  if (lists) lists->shrink(to);
}

template <class T>
void permute(GrowingArray<T>& column, const std::vector<std::size_t>& order,
             const RunContext& run) {
  if (column.empty()) return;
  GrowingArray<T> sorted;
  T* to = sorted.extend(column.size());
  for_each_row(order.size(), run, [&](std::size_t row) { to[row] = column[order[row]]; });
  column = std::move(sorted);
}

/// Sort all rows by time, those of a given split by their part first; ties in file order. A missing
/// time comes last.
void sort_by_time(RawLog& log, const RunContext& run) {
  const GrowingArray<std::int64_t>& times = log.times;
  const bool parts = !log.parts.empty();
  if (!parts && std::is_sorted(times.begin(), times.end())) return;
  std::vector<std::size_t> order(log.size());
  for (std::size_t row = 0; row < order.size(); ++row) order[row] = row;
  sort_stably(
      order,
      [&](std::size_t a, std::size_t b) {
        if (parts && log.parts[a] != log.parts[b]) return log.parts[a] < log.parts[b];
        return times[a] < times[b];
      },
      run);
  permute(log.users, order, run);
  permute(log.items, order, run);
  permute(log.passes, order, run);
  permute(log.parts, order, run);
  permute(log.times, order, run);
}

/// A set of 64-bit keys, open addressing.
class KeySet {
 public:
  explicit KeySet(std::size_t n_keys) {
    std::size_t size = 64;
    while (size < 2 * n_keys) size *= 2;
    slots_.assign(size, kFree);
  }
  /// @return false if the key is in the set already.
  bool insert(std::uint64_t key) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = place_of(key) & mask;
    for (; slots_[at] != kFree; at = (at + 1) & mask) {
      if (slots_[at] == key) return false;
    }
    slots_[at] = key;
    return true;
  }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  /// Both halves of the product, so that every bit of a key counts: all keys of a log may have the
  /// same lower half.
  static std::size_t place_of(std::uint64_t key) noexcept {
    __extension__ using Product = unsigned __int128;
    const Product product = static_cast<Product>(key) * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(product ^ (product >> 64));
  }
  std::vector<std::uint64_t> slots_;
};

std::vector<std::int64_t> count(const GrowingArray<std::int32_t>& column, std::size_t n_codes) {
  std::vector<std::int64_t> counts(n_codes, 0);
  for (const std::int32_t code : column) ++counts[static_cast<std::size_t>(code)];
  return counts;
}

/// The side of k-core filtering that concerns users, or items.
struct CountFilter {
  const Intervals& legal;
  std::vector<std::int64_t> counts;
  std::vector<std::uint8_t> banned;

  CountFilter(const Intervals& intervals, const GrowingArray<std::int32_t>& column, std::size_t n)
      : legal(intervals), counts(count(column, n)), banned(n, 0) {}
  bool ban_by_counts() {
    bool any = false;
    for (std::size_t code = 0; code < counts.size(); ++code) {
      const bool ban = counts[code] > 0 && !legal.contains(static_cast<double>(counts[code]));
      banned[code] |= static_cast<std::uint8_t>(ban);
      any = any || ban;
    }
    return any;
  }
  /// Ban those of some codes that are not banned yet but should be, and return them.
  std::vector<std::int32_t> ban(const std::vector<std::int32_t>& codes) {
    std::vector<std::int32_t> bad;
    for (const std::int32_t code : codes) {
      const auto at = static_cast<std::size_t>(code);
      if (banned[at] != 0 || counts[at] == 0 || legal.contains(static_cast<double>(counts[at])))
        continue;
      banned[at] = 1;
      bad.push_back(code);
    }
    return bad;
  }
  void forget_row(std::int32_t code) { --counts[static_cast<std::size_t>(code)]; }
  bool is_banned(std::int32_t code) const { return banned[static_cast<std::size_t>(code)] != 0; }
  void prune(std::optional<SideTable>& table) const {
    if (!table) return;
    const bool needs_events = legal.parts().front().low > 0;
    SideTable kept;
    for (std::size_t row = 0; row < table->codes.size(); ++row) {
      const std::int32_t code = table->codes[row];
      const bool idle = counts[static_cast<std::size_t>(code)] == 0;
      if (is_banned(code) || (idle && needs_events)) continue;
      kept.codes.push_back(code);
      if (!table->names.empty()) kept.names.push_back(std::move(table->names[row]));
    }
    *table = std::move(kept);
  }
};

/// Row numbers, sorted by the code that a column has in them.
class RowsByCode {
 public:
  RowsByCode(const GrowingArray<std::int32_t>& column, std::size_t n_codes)
      : ends_(n_codes, 0), rows_(column.size()) {
    for (const std::int32_t code : column) ++ends_[static_cast<std::size_t>(code)];
    std::partial_sum(ends_.begin(), ends_.end(), ends_.begin());
    for (std::size_t row = column.size(); row-- > 0;)
      rows_[--ends_[static_cast<std::size_t>(column[row])]] = row;
    ends_.push_back(rows_.size());
  }
  std::span<const std::size_t> operator[](std::int32_t code) const {
    const auto at = static_cast<std::size_t>(code);
    return std::span(rows_).subspan(ends_[at], ends_[at + 1] - ends_[at]);
  }

 private:
  std::vector<std::size_t> ends_, rows_;  // Ends of the code before, so begins.
};

/// The rest of k-core filtering, round by round as before, but each looks only at codes that have
/// lost rows in the one before it: there may be as many rounds as rows.
void keep_core(RawLog& log, CountFilter& users, CountFilter& items, const RunContext& run) {
  const RowsByCode rows_of_user(log.users, users.counts.size());
  const RowsByCode rows_of_item(log.items, items.counts.size());
  std::vector<std::uint8_t> dropped(log.size(), 0);
  std::vector<std::int32_t> changed_users(users.counts.size()), changed_items(items.counts.size());
  std::iota(changed_users.begin(), changed_users.end(), 0);
  std::iota(changed_items.begin(), changed_items.end(), 0);
  StopCheck stop(run);
  const auto drop = [&](std::span<const std::size_t> rows) {
    for (const std::size_t row : rows) {
      stop.step();
      if (std::exchange(dropped[row], 1) != 0) continue;
      users.forget_row(changed_users.emplace_back(log.users[row]));
      items.forget_row(changed_items.emplace_back(log.items[row]));
    }
  };
  while (!changed_users.empty()) {
    const std::vector<std::int32_t> bad_users = users.ban(changed_users);
    const std::vector<std::int32_t> bad_items = items.ban(changed_items);
    changed_users.clear();
    changed_items.clear();
    for (const std::int32_t user : bad_users) drop(rows_of_user[user]);
    for (const std::int32_t item : bad_items) drop(rows_of_item[item]);
  }
  keep_rows(log, run, [&](std::size_t row) { return dropped[row] == 0; });
}

std::vector<std::uint8_t> flags_of(const SideTable& table, std::size_t n_codes) {
  std::vector<std::uint8_t> known(n_codes, 0);
  for (const std::int32_t code : table.codes) known[static_cast<std::size_t>(code)] = 1;
  return known;
}

/// Lines that bring their own histories are rows: to drop one says nothing of the event in the
/// histories of others.
void refuse_filters_of_events(const DataOptions& options, const Intervals& user_counts,
                              const Intervals& item_counts) {
  const std::pair<std::string_view, bool> settings[] = {
      {"user_interval=[0,inf)", !user_counts.contains_all_counts()},
      {"item_interval=[0,inf)", !item_counts.contains_all_counts()},
      {"duplicates=keep", options.duplicates != Duplicates::keep},
      {"session_gap=0", options.session_gap > 0}};
  for (const auto& [off, is_on] : settings) {
    if (!is_on) continue;
    throw ConfigError(fmt::format(
        "data.{} filters events, but the lines of this log bring their histories along: filter "
        "before these are written (--set data.{})",
        off.substr(0, off.find('=')), off));
  }
}

}  // namespace

void keep_distinct(RawLog& log, Duplicates which, const RunContext& run) {
  if (which == Duplicates::keep) return;
  if (log.has_times()) sort_by_time(log, run);
  KeySet seen(log.size());
  const auto is_new = [&](std::size_t row) {
    return seen.insert(static_cast<std::uint64_t>(log.users[row]) << 32 |
                       static_cast<std::uint64_t>(log.items[row]));
  };
  if (which == Duplicates::first) {
    keep_rows(log, run, is_new);
    return;
  }
  std::vector<std::uint8_t> keep(log.size());
  for_each_row(log.size(), run, [&](std::size_t nth) {
    const std::size_t row = log.size() - 1 - nth;
    keep[row] = is_new(row) ? 1 : 0;
  });
  keep_rows(log, run, [&](std::size_t row) { return keep[row] != 0; });
}

void keep_passing(RawLog& log, const RunContext& run) {
  if (log.passes.empty()) return;
  keep_rows(log, run, [&](std::size_t row) { return log.passes[row] != 0; });
  log.passes.release();
}

void keep_known(RawLog& log, const RunContext& run) {
  if (log.user_table) {
    const auto known = flags_of(*log.user_table, log.user_tokens.size());
    keep_rows(log, run, [&](std::size_t row) {
      return known[static_cast<std::size_t>(log.users[row])] != 0;
    });
  }
  if (log.item_table) {
    const auto known = flags_of(*log.item_table, log.item_tokens.size());
    keep_rows(log, run, [&](std::size_t row) {
      return known[static_cast<std::size_t>(log.items[row])] != 0;
    });
  }
}

void keep_by_counts(RawLog& log, const Intervals& user_counts, const Intervals& item_counts,
                    const RunContext& run) {
  if (user_counts.contains_all_counts() && item_counts.contains_all_counts()) return;
  CountFilter users(user_counts, log.users, log.user_tokens.size());
  CountFilter items(item_counts, log.items, log.item_tokens.size());
  for (;;) {
    run.check_stop();
    const bool any_user = users.ban_by_counts();
    const bool any_item = items.ban_by_counts();
    if (!any_user && !any_item) break;
    const std::size_t before = log.size();
    keep_rows(log, run, [&](std::size_t row) {
      const std::int32_t user = log.users[row], item = log.items[row];
      if (!users.is_banned(user) && !items.is_banned(item)) return true;
      users.forget_row(user);
      items.forget_row(item);
      return false;
    });
    constexpr std::size_t kFewRows = 16;  // So many rounds cost as much as keep_core().
    if (before - log.size() > before / kFewRows) continue;
    keep_core(log, users, items, run);
    break;
  }
  users.prune(log.user_table);
  items.prune(log.item_table);
}

void filter_log(RawLog& log, const DataOptions& options, const RunContext& run) {
  // Both are parsed before any work, so that a malformed one is reported at once.
  const Intervals user_counts(options.user_interval, "data.user_interval");
  const Intervals item_counts(options.item_interval, "data.item_interval");
  const bool sessions = options.session_gap > 0;
  if (log.histories) refuse_filters_of_events(options, user_counts, item_counts);
  if (!sessions) keep_distinct(log, options.duplicates, run);
  keep_passing(log, run);
  if (options.filter_by_side_tables) keep_known(log, run);
  if (sessions) {
    cut_sessions(log, options, run);
    keep_distinct(log, options.duplicates, run);
  }
  keep_by_counts(log, user_counts, item_counts, run);
}

}  // namespace recloom
