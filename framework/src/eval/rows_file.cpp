#include "eval/rows_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>

#include "core/file.hpp"
#include "core/text.hpp"

namespace recloom {
namespace {

std::string shown(std::span<const std::string> tokens, std::int32_t id) {
  const auto index = static_cast<std::size_t>(id);
  return index < tokens.size() ? escaped_cell(tokens[index]) : std::to_string(id);
}

}  // namespace

RowsFile::RowsFile(const EvalContext& context, const MetricTable& table, const Batch& rows)
    : context_(context), table_(table), rows_(rows) {
  if (context.rows_file.empty()) return;
  rank_begins_.reserve(rows.size() + 1);
  rank_begins_.push_back(0);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::int32_t lost = context.lost_targets.empty() ? 0 : context.lost_targets[row];
    const std::int64_t n_targets = std::int64_t{rows.entries()[row].n_targets} + lost;
    rank_begins_.push_back(rank_begins_.back() + static_cast<std::size_t>(n_targets));
  }
  ranks_.resize(rank_begins_.back(), std::numeric_limits<double>::quiet_NaN());
  values_.resize(rows.size() * table.width());
}

void RowsFile::set(std::size_t row, const RankedRow& ranked, std::span<const double> values) {
  if (rank_begins_.empty()) return;
  std::ranges::copy(ranked.ranks, ranks_.begin() + static_cast<std::ptrdiff_t>(rank_begins_[row]));
  std::ranges::copy(values, values_.begin() + static_cast<std::ptrdiff_t>(row * values.size()));
}

void RowsFile::write() const {
  if (rank_begins_.empty()) return;
  write_file_atomically(context_.rows_file, [&](const auto& append) {
    std::string header = "user\ttarget\trank";
    for (const std::string& name : table_.column_names()) header += "\t" + name;
    append(header + "\n");
    for (std::size_t row = 0; row < rows_.size(); ++row) write_row(row, append);
  });
}

void RowsFile::write_row(std::size_t row,
                         const std::function<void(std::string_view)>& append) const {
  const Row named = context_.named_rows != nullptr ? (*context_.named_rows)[row] : rows_[row];
  std::string line = shown(context_.user_tokens, named.user) + "\t";
  for (std::size_t target = 0; target < named.targets.size(); ++target)
    line += (target > 0 ? "," : "") + shown(context_.item_tokens, named.targets[target]);
  for (std::size_t rank = rank_begins_[row]; rank < rank_begins_[row + 1]; ++rank)
    if (!std::isnan(ranks_[rank]))
      fmt::format_to(std::back_inserter(line), "{}{}", rank > rank_begins_[row] ? "," : "\t",
                     ranks_[rank]);
  if (rank_begins_[row] == rank_begins_[row + 1]) line += "\t";
  for (std::size_t column = 0; column < table_.width(); ++column)
    fmt::format_to(std::back_inserter(line), "\t{}", values_[row * table_.width() + column]);
  append(line + "\n");
}

}  // namespace recloom
