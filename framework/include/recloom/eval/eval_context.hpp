#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "recloom/data/batch.hpp"

namespace recloom {

/// What the evaluator must know of the data beside the rows themselves.
struct EvalContext {
  Catalogue catalogue;
  std::span<const std::int64_t> train_counts;  ///< Training targets of every item, [n_items].
  std::span<const std::int64_t> all_counts;    ///< Targets of any row, for popN.
  std::uint64_t epoch = 0;                     ///< Keys the candidates when they are redrawn.
  /// Where each row's values go; "" = nowhere. Tab separated, a header, then a line per row in the
  /// order of the rows: user, target (comma separated), rank (ascending, inf where an item
  /// cannot be ranked), then the metrics that have a value per row. Tabs, line ends and backslashes
  /// of tokens are escaped by a backslash.
  std::string rows_file;
  /// For that file; empty: ids are written.
  std::span<const std::string> user_tokens, item_tokens;
  /// For that file: the same rows in the ids of these tokens. Null: the ranked rows.
  const Batch* named_rows = nullptr;
  /// [rows] targets of a row that are no items of the model and that the rows do not even hold:
  /// misses as well. Empty: none.
  std::span<const std::int32_t> lost_targets;
};

}  // namespace recloom
