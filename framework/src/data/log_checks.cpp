// What is looked at when a log is read: things that are no error of any line, and yet wrong.
#include "data/log_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "data/block_times.hpp"
#include "data/plain_cells.hpp"
#include "data/time_text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr std::size_t kUnits = 4;
constexpr std::array<std::string_view, kUnits> kNames = {"seconds", "milliseconds", "microseconds",
                                                         "nanoseconds"};
/// 1990 to 2040.
constexpr std::int64_t kFirst = 631152000, kLast = 2208988800;

/// In which unit a number is a Unix time of our days; kUnits: in none.
std::size_t unit_of(std::int64_t value) {
  std::int64_t one = 1;
  for (std::size_t unit = 0; unit < kUnits; ++unit, one *= 1000)
    if (value >= kFirst * one && (value / one) < kLast) return unit;
  return kUnits;
}

/// Where blanks stand behind every separator, reading them as part of it mends that.
std::string remedy_of_blanks(const std::string& separator) {
  if (separator.empty() || separator == "\t")
    return "`sed 's/^ *//; s/ *$//; s/ *\\t */\\t/g' FILE | recloom data stats -` takes them away";
  return fmt::format(
      "{} reads them as part of the separator if one stands behind each, `sed 's/^ *//; s/ *$//; "
      "s/ *{} */{}/g' FILE | recloom data stats -` takes all away",
      set_option("data.separator", separator + " "), separator == "|" ? "[|]" : separator,
      separator);
}

/// A command that writes the times of a file in another unit.
std::string remedy_of_units(const TableReader& reader, const DataOptions& options,
                            std::size_t wanted, std::size_t unit) {
  const std::vector<Column>& columns = reader.columns();
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& column) {
    return column.name == options.time_column;
  });
  if (found == columns.end() || reader.format() == FileFormat::json) return "";
  const std::string& separator = reader.separator();
  const std::string shown = separator == "\t" ? "\\t" : separator;
  const std::string split = separator == "|"                              ? "[|]"
                            : separator == kBlankRuns || separator == " " ? " "
                                                                          : shown;
  const std::size_t digits = 3 * (unit > wanted ? unit - wanted : wanted - unit);
  return fmt::format(
      "; `awk -F'{}' -v OFS='{}' '${} ~ /^[0-9]/ {{${} = sprintf(\"%.{}f\", ${} {} 1e{})}} 1' "
      "FILE` "
      "writes them in {}",
      split, separator == kBlankRuns ? " " : shown, found - columns.begin() + 1,
      found - columns.begin() + 1, unit > wanted ? digits : 0, found - columns.begin() + 1,
      unit > wanted ? "/" : "*", digits, kNames[wanted]);
}

}  // namespace

void TimeUnitCheck::add(const std::string& file, std::span<const std::int64_t> keys,
                        const TimeScale& scale, const DataOptions& options,
                        const TableReader& reader, const RunContext& run) {
  const int more = scale.decimals - decimals_of(options.time_unit);
  if (scale.real || more < 0) return;
  const std::int64_t whole = power_of_ten(more);
  std::array<std::size_t, kUnits + 1> counts{};
  std::array<std::int64_t, kUnits + 1> values{};
  for (const std::int64_t key : keys) {
    if (key == kMissingTime) continue;
    const std::int64_t value = key / whole;
    const std::size_t unit = unit_of(value);
    if (counts[unit]++ == 0) values[unit] = value;
  }
  std::size_t most = 0, other = kUnits;
  for (std::size_t unit = 1; unit < kUnits; ++unit)
    if (counts[unit] > counts[most]) most = unit;
  for (std::size_t unit = 0; unit < kUnits; ++unit)
    if (unit != most && counts[unit] > 0) other = unit;
  // Numbers of all sizes are no Unix times.
  if (counts[most] == 0 || 10 * counts[kUnits] > keys.size()) return;
  if (other != kUnits)
    run.warning(fmt::format(
        "{}: times such as {} look like {}, {} of them such as {} like {}; all are read as {}, so "
        "their order is wrong unless they are written in one unit",
        file, values[most], kNames[most], counts[other], values[other], kNames[other],
        kNames[static_cast<std::size_t>(options.time_unit)]));
  if (first_ && first_->unit != most)
    throw DataError(
        fmt::format("{}: its times look like {} ({}), those of {} like {} ({}), and as one log "
                    "their order would "
                    "be wrong{}",
                    file, kNames[most], values[most], first_->file, kNames[first_->unit],
                    first_->value, remedy_of_units(reader, options, first_->unit, most)));
  if (!first_) first_ = {file, most, values[most]};
}

void note_even_lines(const std::string& file, std::span<const std::int32_t> users,
                     std::size_t n_users, const RunContext& run) {
  constexpr std::size_t kFewestUsers = 3, kMostItems = 4;
  const std::size_t n_items = n_users < kFewestUsers ? 0 : users.size() / n_users;
  if (n_items < 2 || n_items > kMostItems || n_items * n_users != users.size()) return;
  for (std::size_t event = 0; event < users.size(); ++event)
    if (users[event] != static_cast<std::int32_t>(event / n_items)) return;
  run.info(fmt::format(
      "{}: every line has {} words, read as a user and {} items; if one of them is no item, "
      "data.columns names each ({} says that all are)",
      file, n_items + 1, n_items, set_option("data.format", std::string("sequences"))));
}

void warn_of_blanks(const std::string& file, const TokenTable& users, const TokenTable& items,
                    const std::string& separator, const RunContext& run) {
  std::string counts, shown;
  bool has_twin = false;
  for (const TokenTable* tokens : {&users, &items}) {
    std::size_t n_blank = 0;
    for (std::size_t code = 0; code < tokens->size(); ++code) {
      const std::string_view token = (*tokens)[static_cast<std::int32_t>(code)];
      if (token.empty() || (token.front() != ' ' && token.back() != ' ')) continue;
      ++n_blank;
      const bool twin = !has_twin && tokens->find(trim(token)) != TokenTable::kUnknown;
      if (shown.empty() || twin) shown = token;
      has_twin = has_twin || twin;
    }
    if (n_blank == 0) continue;
    counts += fmt::format("{}{} of {} {}", counts.empty() ? "" : " and ", n_blank, tokens->size(),
                          tokens == &users ? "users" : "items");
  }
  if (counts.empty()) return;
  run.warning(
      fmt::format("{}: {} begin or end with blanks, which are part of them: '{}' is not '{}'{}; {}",
                  file, counts, printable(shown), printable(trim(shown)),
                  has_twin ? ", which is there, too" : "", remedy_of_blanks(separator)));
}

}  // namespace recloom
