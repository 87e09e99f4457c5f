#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "recloom/core/types.hpp"

namespace recloom {

/// Sizes that fix a model's shapes. All counts include the padding entry 0.
struct Catalogue {
  int n_users = 0;
  int n_items = 0;
  int max_length = 0;  ///< L: how many items of a history a model gets to see.
};

/// One row as a model sees it: slices of the events, never copied, never padded.
struct Row {
  UserId user = 0;
  /// Position of the (first) target in the events; random draws are keyed by it.
  std::int64_t id = 0;
  std::span<const ItemId> history;    ///< Oldest first, at most L items, possibly empty.
  std::span<const ItemId> targets;    ///< What came next; empty when serving.
  std::span<const ItemId> negatives;  ///< Sampled by the host when the loss needs them.
};

/// Read-only view of rows; valid during the call it is passed to.
class Batch {
 public:
  /// Where a row lies in the events: its whole history, then its targets.
  struct Entry {
    std::int64_t begin;           ///< First event of the user, or of the line with its history.
    std::int32_t history_length;  ///< All earlier events; a row shows the last `max_length`.
    std::int32_t n_targets;
    UserId user;
  };
  static constexpr int kWholeHistory = std::numeric_limits<std::int32_t>::max();

  /// @param events of all users, one after the other, each in time order; entries point into them.
  Batch(std::span<const ItemId> events, std::span<const Entry> entries, int max_length,
        std::span<const ItemId> negatives = {})
      : events_(events), entries_(entries), negatives_(negatives), max_length_(max_length) {}

  std::size_t size() const noexcept { return entries_.size(); }
  int max_length() const noexcept { return max_length_; }
  Row operator[](std::size_t row) const {
    const Entry& e = entries_[row];
    const std::int64_t id = e.begin + e.history_length;
    const std::int32_t length = std::min(e.history_length, max_length_);
    const std::size_t n = entries_.empty() ? 0 : negatives_.size() / entries_.size();
    return {e.user, id, at(id - length, length), at(id, e.n_targets),
            negatives_.subspan(row * n, n)};
  }
  /// Return all earlier events of a row's user, oldest first.
  std::span<const ItemId> whole_history(std::size_t row) const {
    return at(entries_[row].begin, entries_[row].history_length);
  }
  /// Return the rows first..first+count-1.
  Batch rows(std::size_t first, std::size_t count) const {
    const std::size_t n = entries_.empty() ? 0 : negatives_.size() / entries_.size();
    return {events_, entries_.subspan(first, count), max_length_,
            negatives_.subspan(first * n, count * n)};
  }
  /// All events, also those that belong to no row of this batch.
  std::span<const ItemId> events() const noexcept { return events_; }
  std::span<const Entry> entries() const noexcept { return entries_; }

 private:
  std::span<const ItemId> at(std::int64_t begin, std::int32_t length) const {
    return events_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(length));
  }

  std::span<const ItemId> events_;
  std::span<const Entry> entries_;
  std::span<const ItemId> negatives_;
  int max_length_;
};

/// The training part, for models that count. Iterable any number of times, in a fixed order.
class TrainingData {
 public:
  /// @param events of all users, one after the other, each in time order.
  /// @param begins, ends [n_users] where each user's training events lie in them.
  TrainingData(const Catalogue& catalogue, Batch rows, std::span<const ItemId> events,
               std::span<const std::int64_t> begins, std::span<const std::int64_t> ends)
      : catalogue_(catalogue), rows_(rows), events_(events), begins_(begins), ends_(ends) {}
  const Catalogue& catalogue() const noexcept { return catalogue_; }
  /// Return every training row (history -> target), as the trainer of a network would see it.
  const Batch& rows() const noexcept { return rows_; }
  /// Return a user's training events, oldest first (line by line, if lines bring their histories).
  std::span<const ItemId> sequence(UserId user) const {
    const auto u = static_cast<std::size_t>(user);
    return events_.subspan(static_cast<std::size_t>(begins_[u]),
                           static_cast<std::size_t>(ends_[u] - begins_[u]));
  }

 private:
  Catalogue catalogue_;
  Batch rows_;
  std::span<const ItemId> events_;
  std::span<const std::int64_t> begins_, ends_;
};

}  // namespace recloom
