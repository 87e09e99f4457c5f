#include "eval/rows_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

#include "core/file.hpp"

namespace recloom {

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
  const auto user = static_cast<std::size_t>(ranked.row.user);
  std::string& line = lines_[row];
  line = user < context_.user_tokens.size() ? context_.user_tokens[user] : std::to_string(user);
  fmt::format_to(std::back_inserter(line), "\t{}\t{}", fmt::join(ranked.row.targets, ","),
                 fmt::join(ranked.ranks, ","));
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
