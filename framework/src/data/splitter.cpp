#include "data/splitter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "data/stable_sort.hpp"

namespace recloom {

std::int64_t share_of(std::int64_t n, double part, double all) {
  // Divided first: that cannot overflow.
  const double exact = static_cast<double>(n) * (part / all);
  // What a few roundings can do, and decimal shares that binary numbers only come near to.
  const double rounding = 1e-9 + 8 * std::numeric_limits<double>::epsilon() * exact;
  return std::min(n, static_cast<std::int64_t>(std::floor(exact + rounding)));
}

std::array<std::int64_t, 3> ratio_counts(std::span<const double> ratios, std::int64_t n) {
  const double sum = std::accumulate(ratios.begin(), ratios.end(), 0.0);
  std::array<std::int64_t, 3> counts{};
  for (const std::size_t part : {1, 2}) counts[part] = share_of(n, ratios[part], sum);
  counts[0] = n - counts[1] - counts[2];
  for (const std::size_t part : {2, 1}) {
    if (counts[0] <= 1) break;
    if (counts[part] == 0 && ratios[part] > 0) {
      ++counts[part];
      --counts[0];
    }
  }
  return counts;
}

std::array<std::int64_t, 3> event_counts(std::span<const double> ratios, std::int64_t n) {
  const double sum = std::accumulate(ratios.begin(), ratios.end(), 0.0);
  // ceil(share n) leaves floor of the rest; share_of() forgives what rounding does to either.
  const std::int64_t held_out = std::min(n - 1, share_of(n, ratios[1] + ratios[2], sum));
  const std::int64_t test = std::min(held_out, share_of(n, ratios[2], sum));
  return {n - held_out, held_out - test, test};
}

namespace {

/// Return one row for all of a user's. @param rows of a user in time order, without gaps.
std::vector<Batch::Entry> joined(std::span<const Batch::Entry> rows) {
  std::vector<Batch::Entry> users;
  std::unordered_map<UserId, std::size_t> places;
  for (const Batch::Entry& row : rows) {
    const auto [found, is_new] = places.try_emplace(row.user, users.size());
    if (is_new)
      users.push_back(row);
    else
      ++users[found->second].n_targets;
  }
  return users;
}

}  // namespace

Splitter::Splitter(const Events& events, SplitTargets targets, const RunContext& run)
    : events_(events),
      run_(run),
      together_(targets == SplitTargets::together),
      n_users_(events.offsets.size() - 1) {
  rows_.train_ends.assign(events.offsets.begin(), events.offsets.end() - 1);
}

void Splitter::hold_out(std::vector<Batch::Entry>& part, UserId user, std::int64_t history_length,
                        std::int64_t n) const {
  if (n == 0) return;
  if (together_) {
    Batch::Entry row = entry(user, history_length);
    row.n_targets = static_cast<std::int32_t>(n);
    part.push_back(row);
    return;
  }
  for (const std::int64_t end = history_length + n; history_length < end; ++history_length)
    part.push_back(entry(user, history_length));
}

SplitRows Splitter::by_time(std::span<const double> ratios) {
  std::vector<Batch::Entry> all;
  for_each_user([&](UserId user) {
    for (std::int64_t at = 1; at < length(user); ++at) all.push_back(entry(user, at));
  });
  sort_stably(
      all, [&](const Batch::Entry& a, const Batch::Entry& b) { return time(a) < time(b); }, run_);
  const auto counts = ratio_counts(ratios, static_cast<std::int64_t>(all.size()));
  const auto valid = all.begin() + counts[0], test = valid + counts[1];
  rows_.train.assign(all.begin(), valid);
  rows_.valid.assign(valid, test);
  rows_.test.assign(test, all.end());
  if (together_) {
    rows_.valid = joined(rows_.valid);
    rows_.test = joined(rows_.test);
  }
  for (const Batch::Entry& row : rows_.train) end_training(row.user, row.history_length + 1);
  return std::move(rows_);
}

SplitRows Splitter::as_given() {
  const auto parts_of = [&](UserId user, std::int64_t n_rows) {
    const std::int64_t first_row = begin(user) + 1;
    const std::int64_t train = until(user, LogPart::train), valid = until(user, LogPart::valid);
    RowParts parts;
    parts.train = std::max<std::int64_t>(0, train - first_row);
    parts.valid = std::max<std::int64_t>(0, valid - first_row) - parts.train;
    parts.test = n_rows - parts.train - parts.valid;
    parts.first = part_of(events_.parts[static_cast<std::size_t>(begin(user))]);
    return parts;
  };
  SplitRows rows = by_user(parts_of, LoneEvents::left_out);
  for_each_user([&](UserId user) {
    rows.train_ends[static_cast<std::size_t>(user)] = until(user, LogPart::train);
  });
  return rows;
}

SplitRows Splitter::as_lines(SplitTargets targets) {
  std::vector<Batch::Entry>* const parts[] = {&rows_.train, &rows_.valid, &rows_.test};
  for_each_user([&](UserId user) {
    std::int64_t line = begin(user);
    std::optional<Batch::Entry> last;
    for (std::int64_t at = line; at < begin(user) + length(user); ++at) {
      const std::uint8_t code = events_.parts[static_cast<std::size_t>(at)];
      if ((code & kOnlyHistory) != 0) continue;
      const Batch::Entry row{line, static_cast<std::int32_t>(at - line), 1, user};
      line = at + 1;
      if (row.history_length == 0) continue;
      if (targets == SplitTargets::all) parts[code_of(part_of(code))]->push_back(row);
      last = row;
    }
    if (targets == SplitTargets::last && last) rows_.test.push_back(*last);
    rows_.train_ends[static_cast<std::size_t>(user)] = until(user, LogPart::train);
  });
  return std::move(rows_);
}

std::int64_t Splitter::last_early_time(double early, double all) const {
  std::vector<std::int64_t> times;
  for_each_user([&](UserId user) {
    for (std::int64_t at = 1; at < length(user); ++at) times.push_back(time(entry(user, at)));
  });
  if (times.empty()) return 0;
  const std::int64_t index = share_of(static_cast<std::int64_t>(times.size()) - 1, early, all);
  std::nth_element(times.begin(), times.begin() + index, times.end());
  return times[static_cast<std::size_t>(index)];
}

std::int64_t Splitter::rows_until(UserId user, std::int64_t last_time) const {
  const std::int64_t* first = events_.times.data() + begin(user) + 1;
  return std::upper_bound(first, first + length(user) - 1, last_time) - first;
}

std::int64_t Splitter::rows_before(UserId user, std::int64_t time) const {
  const std::int64_t* first = events_.times.data() + begin(user) + 1;
  return std::lower_bound(first, first + length(user) - 1, time) - first;
}

std::int64_t Splitter::until(UserId user, LogPart part) const {
  const std::uint8_t* first = events_.parts.data() + begin(user);
  const auto* end = std::partition_point(first, first + length(user),
                                         [&](std::uint8_t code) { return part_of(code) <= part; });
  return begin(user) + (end - first);
}

std::vector<UserId> Splitter::users_in_row_order() const {
  struct First {
    std::int64_t time;
    UserId user;
  };
  std::vector<First> firsts;
  for_each_user([&](UserId user) {
    const std::int64_t first = length(user) > 1 ? 1 : 0;
    if (first == 1 || (together_ && length(user) == 1))
      firsts.push_back({time(entry(user, first)), user});
  });
  sort_stably(
      firsts, [](const First& a, const First& b) { return a.time < b.time; }, run_);
  std::vector<UserId> users;
  users.reserve(firsts.size());
  for (const First& first : firsts) users.push_back(first.user);
  return users;
}

}  // namespace recloom
