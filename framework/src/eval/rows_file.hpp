#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "eval/metric_sums.hpp"
#include "recloom/eval/evaluator.hpp"

namespace recloom {

/// The file that EvalContext::rows_file asks for; does nothing where none is asked for.
class RowsFile {
 public:
  RowsFile(const EvalContext& context, const MetricTable& table, std::size_t n_rows);
  /// Thread safety: any number of callers with different rows.
  void set(std::size_t row, const RankedRow& ranked, std::span<const double> values);
  /// @throws IoError
  void write() const;

 private:
  const EvalContext& context_;
  std::string header_;
  std::vector<std::string> lines_;
};

}  // namespace recloom
