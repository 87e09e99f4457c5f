#pragma once
#include <cstdint>
#include <vector>

#include "recloom/data/batch.hpp"
#include "recloom/eval/eval_context.hpp"
#include "recloom/eval/eval_report.hpp"
#include "recloom/eval/options.hpp"

namespace recloom {

/// Targets that no training row asked for. Rows that have no other are cold.
struct ColdRows {
  std::int64_t targets = 0;
  std::vector<std::size_t> others;  ///< Rows that are not cold.
};
/// @param context train_counts (empty: only what is no item is cold) and lost_targets are looked
/// at.
RECLOOM_API ColdRows find_cold_rows(const Batch& rows, const EvalContext& context);

/// The rows that eval.cold_targets leaves, with what a context says of them row by row. Of all rows
/// a copy is made only where some are left out.
class KeptRows {
 public:
  KeptRows(const Batch& rows, const EvalContext& context, ColdTargets rule);
  KeptRows(const KeptRows&) = delete;
  KeptRows& operator=(const KeptRows&) = delete;

  const Batch& rows() const noexcept { return rows_; }
  const EvalContext& context() const noexcept { return context_; }
  /// Fill in targets, cold_targets and dropped_rows.
  void note_in(EvalReport& report) const;

 private:
  std::int64_t cold_targets_ = 0, dropped_ = 0;
  std::vector<Batch::Entry> entries_, named_entries_;
  std::vector<std::int32_t> lost_targets_;
  Batch rows_, named_rows_;
  EvalContext context_;
};

}  // namespace recloom
