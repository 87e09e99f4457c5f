#include "eval/rows_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

#include "core/file.hpp"

namespace recloom {
namespace {

std::string shown(std::span<const std::string> tokens, std::int32_t id) {
  const auto index = static_cast<std::size_t>(id);
  return index < tokens.size() ? tokens[index] : std::to_string(id);
}

}  // namespace

RowsFile::RowsFile(const EvalContext& context, const MetricTable& table, std::size_t n_rows)
    : context_(context) {
  if (context.rows_file.empty()) return;
  lines_.resize(n_rows);
  header_ = "user\ttarget\trank";
  for (const std::string& name : table.column_names()) header_ += "\t" + name;
  header_ += "\n";
}

void RowsFile::set(std::size_t row, const RankedRow& ranked, std::span<const double> values) {
  if (lines_.empty()) return;
  std::string& line = lines_[row];
  line = shown(context_.user_tokens, ranked.row.user) + "\t";
  for (std::size_t target = 0; target < ranked.row.targets.size(); ++target)
    line += (target > 0 ? "," : "") + shown(context_.item_tokens, ranked.row.targets[target]);
  fmt::format_to(std::back_inserter(line), "\t{}", fmt::join(ranked.ranks, ","));
  for (const double value : values) fmt::format_to(std::back_inserter(line), "\t{}", value);
  line += "\n";
}

void RowsFile::write() const {
  if (lines_.empty()) return;
  write_file_atomically(context_.rows_file, [&](const auto& append) {
    append(header_);
    for (const std::string& line : lines_) append(line);
  });
}

}  // namespace recloom
