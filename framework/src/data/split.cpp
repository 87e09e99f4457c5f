#include "data/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "data/stable_sort.hpp"
#include "data/stop_check.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

struct Parts {
  std::int64_t train = 0, valid = 0, test = 0;
};

double sum_of(std::span<const double> ratios) {
  return std::accumulate(ratios.begin(), ratios.end(), 0.0);
}

class Splitter {
 public:
  Splitter(const Events& events, const RunContext& run)
      : events_(events), run_(run), n_users_(events.offsets.size() - 1) {
    rows_.train_ends.assign(events.offsets.begin(), events.offsets.end() - 1);
  }

  /// Give each user's rows to the parts in time order; parts_of(user, n_rows) says how many.
  template <class PartsOf>
  SplitRows by_user(const PartsOf& parts_of, bool keep_lone_events) {
    const std::vector<UserId> users = users_in_row_order();
    Parts total;
    for (const UserId user : users) {
      const std::int64_t n_rows = length(user) - 1;
      const Parts parts = parts_of(user, n_rows);
      total.train += parts.train;
      total.valid += parts.valid;
      total.test += n_rows - parts.train - parts.valid;
    }
    rows_.train.reserve(static_cast<std::size_t>(total.train));
    rows_.valid.reserve(static_cast<std::size_t>(total.valid));
    rows_.test.reserve(static_cast<std::size_t>(total.test));
    StopCheck stop(run_);
    for (const UserId user : users) {
      stop.step();
      const std::int64_t n_rows = length(user) - 1;
      const Parts parts = parts_of(user, n_rows);
      std::int64_t row = 0;
      for (; row < parts.train; ++row) rows_.train.push_back(entry(user, row + 1));
      for (; row < parts.train + parts.valid; ++row) rows_.valid.push_back(entry(user, row + 1));
      for (; row < n_rows; ++row) rows_.test.push_back(entry(user, row + 1));
      if (parts.train > 0) end_training(user, parts.train + 1);
    }
    if (keep_lone_events) keep_events_of_users_without_rows();
    return std::move(rows_);
  }

  /// Cut all rows in time order.
  SplitRows global(std::span<const double> ratios) {
    std::vector<Batch::Entry> all;
    StopCheck stop(run_);
    for (std::size_t user = 1; user < n_users_; ++user) {
      stop.step();
      const auto id = static_cast<UserId>(user);
      for (std::int64_t at = 1; at < length(id); ++at) all.push_back(entry(id, at));
    }
    sort_stably(
        all, [&](const Batch::Entry& a, const Batch::Entry& b) { return time(a) < time(b); }, run_);
    const auto counts = ratio_counts(ratios, static_cast<std::int64_t>(all.size()));
    const auto valid = all.begin() + counts[0], test = valid + counts[1];
    rows_.train.assign(all.begin(), valid);
    rows_.valid.assign(valid, test);
    rows_.test.assign(test, all.end());
    for (const Batch::Entry& row : rows_.train) end_training(row.user, row.history_length + 1);
    return std::move(rows_);
  }

  /// Return the largest time key that is not later than the boundary between earlier and later
  /// rows: the share early / all of all row times lies before it.
  /// Source: numpy.percentile's linear rule; the boundary lies between two neighbours in time, so
  /// which of them are later follows from the lower one.
  std::int64_t last_early_time(double early, double all) const {
    std::vector<std::int64_t> times;
    for (std::size_t user = 1; user < n_users_; ++user) {
      const auto begin = static_cast<std::size_t>(events_.offsets[user]);
      const auto end = static_cast<std::size_t>(events_.offsets[user + 1]);
      for (std::size_t at = begin + 1; at < end; ++at) times.push_back(events_.times[at]);
    }
    if (times.empty()) return 0;
    const std::int64_t index = share_of(static_cast<std::int64_t>(times.size()) - 1, early, all);
    std::nth_element(times.begin(), times.begin() + index, times.end());
    return times[static_cast<std::size_t>(index)];
  }
  /// Return how many of a user's rows have a time up to this one.
  std::int64_t rows_until(UserId user, std::int64_t last_time) const {
    const std::int64_t* begin =
        events_.times.data() + events_.offsets[static_cast<std::size_t>(user)];
    return std::upper_bound(begin + 1, begin + length(user), last_time) - (begin + 1);
  }

 private:
  std::int64_t length(UserId user) const {
    const auto at = static_cast<std::size_t>(user);
    return events_.offsets[at + 1] - events_.offsets[at];
  }
  Batch::Entry entry(UserId user, std::int64_t history_length) const {
    return {events_.offsets[static_cast<std::size_t>(user)],
            static_cast<std::int32_t>(history_length), 1, user};
  }
  std::int64_t time(const Batch::Entry& row) const {
    return events_.times[static_cast<std::size_t>(row.begin + row.history_length)];
  }
  void end_training(UserId user, std::int64_t n_events) {
    const auto at = static_cast<std::size_t>(user);
    rows_.train_ends[at] = events_.offsets[at] + n_events;
  }
  void keep_events_of_users_without_rows() {
    for (std::size_t user = 1; user < n_users_; ++user) {
      if (length(static_cast<UserId>(user)) == 1) end_training(static_cast<UserId>(user), 1);
    }
  }
  /// Users that have rows, by the time of their first row, ties by id.
  std::vector<UserId> users_in_row_order() const {
    struct First {
      std::int64_t time;
      UserId user;
    };
    std::vector<First> firsts;
    for (std::size_t user = 1; user < n_users_; ++user) {
      const auto id = static_cast<UserId>(user);
      if (length(id) > 1) firsts.push_back({time(entry(id, 1)), id});
    }
    sort_stably(
        firsts, [](const First& a, const First& b) { return a.time < b.time; }, run_);
    std::vector<UserId> users;
    users.reserve(firsts.size());
    for (const First& first : firsts) users.push_back(first.user);
    return users;
  }

  const Events& events_;
  const RunContext& run_;
  std::size_t n_users_;
  SplitRows rows_;
};

Parts leave_one_out(HeldOut held_out, std::int64_t n_rows) {
  const std::int64_t one = n_rows > 1 ? 1 : 0;
  switch (held_out) {
    case HeldOut::valid_only:
      return {n_rows - one, one, 0};
    case HeldOut::test_only:
      return {n_rows - one, 0, one};
    case HeldOut::valid_and_test:
      break;
  }
  const std::int64_t two = n_rows > 2 ? 1 : 0;
  return {n_rows - one - two, two, one};
}

SplitRows split_by_time(Splitter& splitter, std::span<const double> ratios) {
  const double early = ratios[0] + ratios[1];
  const std::int64_t last_early = splitter.last_early_time(early, early + ratios[2]);
  return splitter.by_user(
      [&](UserId user, std::int64_t n_rows) {
        const std::int64_t n_early = splitter.rows_until(user, last_early);
        const std::int64_t train = share_of(n_early, ratios[0], early);
        return Parts{train, n_early - train, n_rows - n_early};
      },
      false);
}

}  // namespace

std::int64_t share_of(std::int64_t n, double part, double all) {
  // Divided first: that cannot overflow.
  const double exact = static_cast<double>(n) * (part / all);
  // What a few roundings can do, and decimal shares that binary numbers only come near to.
  const double rounding = 1e-9 + 8 * std::numeric_limits<double>::epsilon() * exact;
  return std::min(n, static_cast<std::int64_t>(std::floor(exact + rounding)));
}

std::array<std::int64_t, 3> ratio_counts(std::span<const double> ratios, std::int64_t n) {
  const double sum = sum_of(ratios);
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

SplitRows split_rows(const Events& events, bool has_times, const SplitOptions& options,
                     const RunContext& run) {
  Splitter splitter(events, run);
  switch (options.mode) {
    case SplitMode::leave_one_out:
      return splitter.by_user(
          [&](UserId, std::int64_t n_rows) { return leave_one_out(options.held_out, n_rows); },
          true);
    case SplitMode::ratio: {
      if (options.group == RatioGroup::all) return splitter.global(options.ratios);
      return splitter.by_user(
          [&](UserId, std::int64_t n_rows) {
            const auto counts = ratio_counts(options.ratios, n_rows);
            return Parts{counts[0], counts[1], counts[2]};
          },
          true);
    }
    case SplitMode::temporal: {
      if (!has_times) {
        throw ConfigError("split.mode: temporal needs times, but a file of sequences has none");
      }
      return split_by_time(splitter, options.ratios);
    }
    case SplitMode::none:
      break;
  }
  return splitter.by_user([](UserId, std::int64_t n_rows) { return Parts{n_rows, 0, 0}; }, true);
}

}  // namespace recloom
