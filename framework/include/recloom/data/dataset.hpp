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
#include "recloom/data/vocabulary.hpp"

namespace recloom {

/// One event tape with its split; parts are views. Cheap to copy, immutable, safe to share between
/// threads.
class RECLOOM_API Dataset {
 public:
  /// Read, filter, order and split a log.
  /// @param path a log file (the resolved one: see find_dataset()).
  /// @throws DataError with file:line; IoError if it cannot be opened.
  static Dataset open(const std::string& path, const DataOptions& data, const SplitOptions& split,
                      RunContext& run);

  const std::string& name() const noexcept;
  const Catalogue& catalogue() const noexcept;
  const Vocabulary& vocabulary() const noexcept;
  std::int64_t n_interactions() const noexcept;
  /// All events, users one after the other, each in time order.
  std::span<const ItemId> tape() const noexcept;
  std::span<const std::int64_t> offsets() const noexcept;  ///< [n_users + 1] into the tape.
  TrainingData train() const;
  Batch train_rows() const;
  Batch valid() const;
  Batch test() const;
  /// How often an item is the target of a training row, [n_items].
  std::span<const std::int64_t> target_counts() const noexcept;
  /// How often an item is the target of any row (train, valid and test), [n_items]: what RecBole's
  /// popularity sampler draws by.
  std::span<const std::int64_t> all_target_counts() const noexcept;
  /// xxh3 of vocabulary, tape and split as 16 hexadecimal digits.
  const std::string& hash() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace recloom
