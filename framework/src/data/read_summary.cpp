#include "data/read_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/text.hpp"
#include "data/time_cell.hpp"

namespace recloom {
namespace {

std::string_view unit_text(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::seconds:
      return "seconds";
    case TimeUnit::milliseconds:
      return "milliseconds";
    case TimeUnit::microseconds:
      return "microseconds";
    case TimeUnit::nanoseconds:
      break;
  }
  return "nanoseconds";
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
                       separator == "\t"  ? "tabs"
                       : separator == " " ? "blanks"
                                          : fmt::format("'{}'", printable(separator)));
  }
  if (options.encoding != DataOptions().encoding) text += ", " + printable(options.encoding);
  if (n_files > 1) text += fmt::format(", {} files", n_files);
  return text;
}

std::string columns_text(const TableReader& reader, const TableRequest& request) {
  std::vector<std::string> names = request.token_columns;
  if (request.times) names.push_back(request.times->column);
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

std::string times_text(const RawLog& log, const DataOptions& options) {
  if (!log.has_times()) return "none: file order";
  if (!options.time_format.empty()) return "dates, as " + printable(options.time_format);
  const TimeKinds& kinds = log.time_kinds;
  std::string text = kinds.dates ? "ISO 8601" : "";
  if (kinds.integers || kinds.decimals) {
    text += fmt::format("{}{}, as {}", text.empty() ? "" : " and ",
                        kinds.decimals ? "decimals" : "integers", unit_text(options.time_unit));
  }
  return text;
}

std::string first_event(const RawLog& log) {
  std::string text = fmt::format("user '{}', item '{}'", printable(log.user_tokens[log.users[0]]),
                                 printable(log.item_tokens[log.items[0]]));
  if (!log.has_times()) return text;
  if (log.times[0] == kMissingTime) return text + ", no time";
  return fmt::format("{}, time {}", text, format_time(log.times[0], log.time_scale));
}

}  // namespace recloom
