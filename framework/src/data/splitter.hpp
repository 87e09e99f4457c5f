#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "data/events.hpp"
#include "data/stop_check.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// The rows of each part. A row's target is an event that has at least one before it.
struct SplitRows {
  std::vector<Batch::Entry> train, valid, test;
  std::vector<std::int64_t> train_ends;  ///< [n_users] where a user's training events end.
};

/// How many of a user's rows go where, in time order.
struct RowParts {
  std::int64_t train = 0, valid = 0, test = 0;
  LogPart first = LogPart::train;  ///< Where the user's first event lies, which has no row.
  std::int64_t unasked = 0;        ///< Rows before all these: their targets are history only.
};

/// Return floor(n part / all). What differs from a whole number by rounding only is taken for it,
/// so that shares of 0.6 and 0.2 mean the same as 6 and 2.
/// @param part, all 0 <= part <= all, all > 0.
RECLOOM_API std::int64_t share_of(std::int64_t n, double part, double all);

/// Return how many of `n` rows in time order go to train, valid, test.
/// @param ratios three shares; they need not sum to 1.
/// Source: RecBole, dataset.py, split_by_ratio: parts but the first get floor(ratio n), and one row
/// if 0 < ratio n < 1 and the first part can spare it; the last part is served first. Where RecBole
/// loses a row to rounding (0.29 of 100 rows are 28), this does not.
RECLOOM_API std::array<std::int64_t, 3> ratio_counts(std::span<const double> ratios,
                                                     std::int64_t n);

/// Return how many of a user's `n` events train, validate and test: the first ceil(share n) up to
/// each boundary, one at least for training. Source: the split files of caser_pytorch.
/// @param n at least 1.
RECLOOM_API std::array<std::int64_t, 3> event_counts(std::span<const double> ratios,
                                                     std::int64_t n);

/// Deals the rows of a log to parts, once. All of it ends with Interrupted when asked to.
class Splitter {
 public:
  /// Is the event of a user that has no other a training event?
  enum class LoneEvents { left_out, train };

  /// @param events, run must outlive it. @param targets together: a user's validation and test
  /// events are one row each.
  Splitter(const Events& events, SplitTargets targets, const RunContext& run);

  /// Give each user's rows to the parts in time order; parts_of(user, n_rows) says how many.
  template <class PartsOf>
  SplitRows by_user(const PartsOf& parts_of, LoneEvents lone_events);
  /// Cut all rows in time order.
  SplitRows by_time(std::span<const double> ratios);
  /// Give each event's row to the part that its file is.
  SplitRows as_given();
  /// Make each line that brings its history a row of its part; last: each user's last line is for
  /// test.
  SplitRows as_lines(SplitTargets targets);

  /// Return the largest time key that is not later than the boundary between earlier and later
  /// rows: the share early / all of all row times lies before it.
  /// Source: numpy.percentile's linear rule; the boundary lies between two neighbours in time, so
  /// which of them are later follows from the lower one.
  std::int64_t last_early_time(double early, double all) const;
  /// Return how many rows of a user that has any have a time up to, or before, this one.
  std::int64_t rows_until(UserId user, std::int64_t last_time) const;
  std::int64_t rows_before(UserId user, std::int64_t time) const;
  /// Return the time of a user's first event.
  std::int64_t first_time(UserId user) const { return time(entry(user, 0)); }
  /// Return how many events a user has: one more than rows.
  std::int64_t length(UserId user) const {
    return events_.offsets[static_cast<std::size_t>(user) + 1] - begin(user);
  }
  template <class Body>
  void for_each_user(const Body& body) const {
    StopCheck stop(run_);
    for (std::size_t user = 1; user < n_users_; ++user) {
      stop.step();
      body(static_cast<UserId>(user));
    }
  }

 private:
  std::int64_t begin(UserId user) const { return events_.offsets[static_cast<std::size_t>(user)]; }
  Batch::Entry entry(UserId user, std::int64_t history_length) const {
    return {begin(user), static_cast<std::int32_t>(history_length), 1, user};
  }
  std::int64_t time(const Batch::Entry& row) const {
    return events_.times[static_cast<std::size_t>(row.begin + row.history_length)];
  }
  /// Return where a user's events of this part and those before it end.
  std::int64_t until(UserId user, LogPart part) const;
  void end_training(UserId user, std::int64_t n_events) {
    rows_.train_ends[static_cast<std::size_t>(user)] = begin(user) + n_events;
  }
  /// Append rows for `n` events of a user, the first of which has `history_length` before it.
  void hold_out(std::vector<Batch::Entry>& part, UserId user, std::int64_t history_length,
                std::int64_t n) const;
  /// Users that may have rows, by the time of their first row, ties by id.
  std::vector<UserId> users_in_row_order() const;

  const Events& events_;
  const RunContext& run_;
  bool together_;
  std::size_t n_users_;
  SplitRows rows_;
};

template <class PartsOf>
SplitRows Splitter::by_user(const PartsOf& parts_of, LoneEvents lone_events) {
  const std::vector<UserId> users = users_in_row_order();
  RowParts total;
  for (const UserId user : users) {
    const RowParts parts = parts_of(user, length(user) - 1);
    total.train += parts.train;
    total.valid += parts.valid;
    total.test += parts.test;
  }
  rows_.train.reserve(static_cast<std::size_t>(total.train));
  rows_.valid.reserve(together_ ? users.size() : static_cast<std::size_t>(total.valid));
  rows_.test.reserve(together_ ? users.size() : static_cast<std::size_t>(total.test));
  StopCheck stop(run_);
  for (const UserId user : users) {
    stop.step();
    const RowParts parts = parts_of(user, length(user) - 1);
    std::int64_t next = parts.unasked + 1;
    for (std::int64_t n = 0; n < parts.train; ++n) rows_.train.push_back(entry(user, next++));
    if (parts.train > 0) end_training(user, next);
    // Together, a first event that is held out is asked for with the others: of no history.
    const auto own = [&](LogPart part) { return together_ && parts.first == part ? 1 : 0; };
    const std::int64_t before = next - own(LogPart::valid);
    hold_out(rows_.valid, user, before, next - before + parts.valid);
    next += parts.valid;
    hold_out(rows_.test, user, next - own(LogPart::test), own(LogPart::test) + parts.test);
  }
  if (lone_events == LoneEvents::train) {
    for_each_user([&](UserId user) {
      if (length(user) == 1) end_training(user, 1);
    });
  }
  return std::move(rows_);
}

}  // namespace recloom
