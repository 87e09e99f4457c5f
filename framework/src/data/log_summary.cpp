#include "data/log_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/text.hpp"
#include "data/plain_cells.hpp"
#include "data/time_cell.hpp"
#include "data/time_key.hpp"
#include "data/time_text.hpp"

namespace recloom {
namespace {

std::string time_text(std::int64_t key, const RawLog& log, const DataOptions& options) {
  if (log.time_kinds.dates) return format_time(key, log.time_scale);
  if (log.time_scale.real) return fmt::format("{}", real_time_of_key(key));
  const auto scaled = [&](int decimals) {
    return static_cast<double>(static_cast<long double>(key) /
                               static_cast<long double>(power_of_ten(decimals)));
  };
  const int decimals = log.time_scale.decimals - decimals_of(options.time_unit);
  const std::string number =
      decimals == 0 ? fmt::to_string(key) : fmt::format("{}", scaled(decimals));
  constexpr double kEarliest = 1e8, kLatest = 1e11;  // 1973, and no date of any log.
  const double seconds = scaled(log.time_scale.decimals);
  if (seconds >= kLatest)
    return number +
           " (as seconds beyond the year 5000: --set data.time_unit=milliseconds, or finer?)";
  constexpr double kFirstDay = 19000101, kLastDay = 21001231;
  if (decimals == 0 && seconds >= kFirstDay && seconds <= kLastDay)
    return number + " (a number; if it is a date: --set data.time_format=%Y%m%d)";
  if (seconds < kEarliest) return number;
  return fmt::format("{} ({})", number, format_time(key, log.time_scale));
}

}  // namespace

std::string format_text(const TableReader& reader, const DataOptions& options,
                        std::size_t n_files) {
  std::string text;
  if (reader.format() == FileFormat::sequences) {
    text = "sequences, lines of \"user item item ...\"";
  } else if (reader.format() == FileFormat::json) {
    text = "json lines";
  } else {
    const std::string& separator = reader.separator();
    text = fmt::format("{}{}, cells parted by {}",
                       reader.format() == FileFormat::atomic ? "atomic" : "csv",
                       reader.has_header() ? "" : " without header",
                       separator == "\t"         ? "tabs"
                       : separator == " "        ? "blanks"
                       : separator == kBlankRuns ? "runs of blanks"
                                                 : fmt::format("'{}'", printable(separator)));
  }
  if (options.encoding != DataOptions().encoding) text += ", " + printable(options.encoding);
  if (n_files > 1) text += fmt::format(", {} files", n_files);
  return text;
}

std::string columns_text(const TableReader& reader, const TableRequest& request) {
  std::vector<std::string> names = request.token_columns;
  if (request.times)
    for (const std::string& name : reader.time_columns(request.times->column))
      names.push_back(name);
  std::string text;
  const std::vector<Column>& columns = reader.columns();
  for (const std::string& name : names) {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const Column& column) { return column.name == name; });
    if (found == columns.end()) continue;
    text += (text.empty() ? "" : ", ") + printable(name);
    // The keys of an object have no order.
    if (reader.format() != FileFormat::json)
      text += fmt::format(" ({})", found - columns.begin() + 1);
  }
  return text;
}

std::string first_event(const RawLog& log, const DataOptions& options) {
  std::string text = fmt::format("user '{}', item '{}'", printable(log.user_tokens[log.users[0]]),
                                 printable(log.item_tokens[log.items[0]]));
  if (!log.has_times()) return text;
  if (log.times[0] == kMissingTime) return text + ", no time";
  return fmt::format("{}, time {}", text, time_text(log.times[0], log, options));
}

}  // namespace recloom
