#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/data/options.hpp"
#include "recloom/data/read_summary.hpp"
#include "recloom/data/vocabulary.hpp"

namespace recloom {

/// What the times of a filtered log say, in the file's unit.
struct TimeSummary {
  bool known = false;  ///< False for a file of sequences: nothing else holds then.
  double first = 0, last = 0;
  /// Share of events that have the same time as another event of their user: only the file's order
  /// tells which came first.
  double tied = 0;
};

/// All events with their split; parts are views. Cheap to copy, immutable, safe to share between
/// threads.
class RECLOOM_API Dataset {
 public:
  /// Read, filter, order and split a log. The result does not depend on the number of threads.
  /// Rows without user or item are left out with a warning.
  /// @param path a log file, plain, .gz or .zst.
  /// @throws DataError what the file holds is wrong (with file:line), nothing is left after
  /// filtering, there is no training row (mode test: no row); ConfigError a setting is wrong;
  /// IoError the file cannot be opened.
  static Dataset open(const std::string& path, const DataOptions& data, const SplitOptions& split,
                      RunContext& run);

  /// The same for several files that are one log: their rows follow each other.
  /// @param files at least one; "-" is standard input.
  static Dataset open(const std::vector<std::string>& files, const DataOptions& data,
                      const SplitOptions& split, RunContext& run);

  const ReadSummary& read_summary() const noexcept;
  const std::string& name() const noexcept;  ///< The (first) file's, without its endings.
  const Catalogue& catalogue() const noexcept;
  const Vocabulary& vocabulary() const noexcept;
  std::int64_t n_interactions() const noexcept;
  /// All events, users one after the other, each in time order.
  std::span<const ItemId> events() const noexcept;
  std::span<const std::int64_t> offsets() const noexcept;  ///< [n_users + 1] into the events.
  TrainingData train() const;
  /// Rows of a part in RecBole's order: users by the time of their first row, each user's rows in
  /// time order (split.group = all: all rows in time order).
  Batch train_rows() const;
  Batch valid() const;
  Batch test() const;
  /// How often an item is the target of a training row, [n_items].
  std::span<const std::int64_t> target_counts() const noexcept;
  /// How often an item is the target of any row (train, valid and test), [n_items]: what RecBole's
  /// popularity sampler draws by.
  std::span<const std::int64_t> all_target_counts() const noexcept;
  const TimeSummary& times() const noexcept;
  /// xxh3 of tokens, events and split as 16 hexadecimal digits. Neither item names nor max_length
  /// are part of it.
  const std::string& hash() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace recloom
