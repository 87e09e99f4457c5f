#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "eval/metric_sums.hpp"
#include "recloom/eval/eval_context.hpp"
#include "recloom/eval/metric.hpp"

namespace recloom {

/// The file that EvalContext::rows_file asks for; does nothing where none is asked for. Numbers are
/// kept until all rows are there, the text is made while it is written.
class RowsFile {
 public:
  /// @param rows what is ranked; must outlive this.
  RowsFile(const EvalContext& context, const MetricTable& table, const Batch& rows);
  /// Thread safety: any number of callers with different rows.
  void set(std::size_t row, const RankedRow& ranked, std::span<const double> values);
  /// @throws IoError
  void write() const;

 private:
  void write_row(std::size_t row, const std::function<void(std::string_view)>& append) const;

  const EvalContext& context_;
  const MetricTable& table_;
  const Batch& rows_;
  std::vector<std::size_t> rank_begins_;  ///< [rows + 1] into ranks_; empty: no file.
  std::vector<double> ranks_;             ///< NaN where a target is named twice.
  std::vector<double> values_;            ///< [rows, columns]
};

}  // namespace recloom
