#pragma once
#include <cstdint>
#include <map>
#include <string>

namespace recloom {

/// What an evaluation found.
struct EvalReport {
  /// "ndcg@10", "gauc", ... -> value; empty if there was no row. NaN where a metric is defined
  /// for none of the rows.
  std::map<std::string, double> values;
  std::int64_t rows = 0;             ///< Rows that were ranked.
  std::int64_t targets = 0;          ///< What they ask for; a repeated target counts each time.
  std::int64_t unknown_targets = 0;  ///< Targets that are no item of the model: misses.
  std::int64_t cold_targets = 0;     ///< Targets that no training row asked for, unknown ones too.
  std::int64_t dropped_rows = 0;     ///< Left out for that (eval.cold_targets = "drop").
  double seconds = 0;                ///< Wall time, the model included.
  double rows_per_second() const noexcept {
    return seconds > 0 ? static_cast<double>(rows) / seconds : 0;
  }
};

}  // namespace recloom
