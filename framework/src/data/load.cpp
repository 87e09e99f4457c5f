#include "data/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "data/interval.hpp"
#include "data/line_histories.hpp"
#include "data/stop_check.hpp"
#include "data/table.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kPackings = {"", ".gz", ".zst"};
constexpr std::string_view kNoFile = "none";
constexpr std::string_view kTrainPart = ".train";

void remove_suffix(std::string& text, std::string_view suffix) {
  if (text.size() > suffix.size() && text.ends_with(suffix)) {
    text.resize(text.size() - suffix.size());
  }
}

std::string without_packing(std::string file) {
  for (const std::string_view packing : {".gz", ".zst"}) remove_suffix(file, packing);
  return file;
}

TableSyntax syntax_of(const DataOptions& options) {
  TableSyntax syntax;
  syntax.format = options.format;
  syntax.separator = options.separator;
  syntax.rules = options.raw_cells ? CellRules::raw : CellRules::pandas;
  syntax.user_column = options.user_column;
  syntax.item_column = options.item_column;
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  syntax.limits.max_bytes = static_cast<std::int64_t>(std::ceil(options.max_text_gib * kGiB));
  syntax.limits.max_rows = options.max_events;
  return syntax;
}

/// Return the name of a file for messages.
std::string shown(const std::string& file) { return printable(file, 400); }

bool is_there(const fs::path& file) {
  std::error_code none;
  return fs::exists(file, none);
}

/// Find a side table: the named one, or the one beside an atomic log. "" = none.
/// @param is_part the log is SET.train.inter, and its tables are SET.user and SET.item.
std::string find_side_file(const std::string& log, FileFormat format, const std::string& given,
                           std::string_view suffix, bool is_part) {
  if (given == kNoFile) return "";
  if (!given.empty()) return find_beside(log, given);
  if (format != FileFormat::atomic) return "";
  std::string stem = without_packing(log);
  remove_suffix(stem, ".inter");
  if (is_part) remove_suffix(stem, kTrainPart);
  for (const std::string_view packing : kPackings) {
    const std::string file = fmt::format("{}{}{}", stem, suffix, packing);
    if (is_there(file)) return file;
  }
  return "";
}

std::string choose_name_column(const TableReader& reader, const DataOptions& options,
                               const std::string& id_column) {
  if (!options.name_column.empty()) return options.name_column;
  for (const Column& column : reader.columns()) {
    // A list under a key is no name; the token_seq of an atomic file is one text.
    const bool list = reader.format() == FileFormat::json && column.type == ColumnType::token_seq;
    if (column.name == id_column || list) continue;
    for (const std::string_view ending : {"name", "title", "description"}) {
      if (std::string_view(column.name).ends_with(ending)) return column.name;
    }
  }
  return "";
}

/// A side table that is open: its header is known, its rows are still to be read.
struct OpenSideTable {
  std::string file, id_column, name_column;
  std::unique_ptr<TableReader> reader;
  std::vector<ValueFilter> filters;
};

OpenSideTable open_side_table(const std::string& file, const DataOptions& options,
                              const std::string& id_column, bool has_names, const RunContext& run) {
  OpenSideTable side;
  if (file.empty()) return side;
  TableSyntax syntax = syntax_of(options);
  syntax.format = FileFormat::automatic;
  syntax.user_column = syntax.item_column = id_column;
  syntax.may_be_sequences = false;
  side.file = file;
  side.id_column = id_column;
  side.reader = std::make_unique<TableReader>(file, syntax, run);
  if (has_names) side.name_column = choose_name_column(*side.reader, options, id_column);
  return side;
}

/// Read a side table; its ids become codes of the log's table.
std::optional<SideTable> read_side_table(OpenSideTable& side, TokenTable& log_tokens,
                                         const RunContext& run) {
  if (!side.reader) return std::nullopt;
  TableRequest request;
  request.token_columns = {side.id_column};
  request.n_required = 1;
  request.filters = side.filters;
  const bool names = !side.name_column.empty() && side.name_column != side.id_column;
  if (names) request.token_columns.push_back(side.name_column);
  const Table table = side.reader->read(request);
  SideTable result;
  std::vector<std::uint8_t> seen(table.tokens[0].size(), 0);
  StopCheck stop(run);
  for (std::size_t row = 0; row < table.n_rows(); ++row) {
    stop.step();
    const std::int32_t code = table.codes[0][row];
    // Of several rows with one id the first counts, even if a filter then drops it.
    if (std::exchange(seen[static_cast<std::size_t>(code)], 1) != 0) continue;
    if (!table.passes.empty() && table.passes[row] == 0) continue;
    result.codes.push_back(log_tokens.insert(table.tokens[0][code]));
    if (log_tokens.size() > ReadLimits::kMostTokens) {
      throw DataError(fmt::format("{}: with those of the log, more than {} users or items",
                                  shown(side.file), ReadLimits::kMostTokens));
    }
    if (!names) continue;
    const std::int32_t name = table.codes[1][row];
    result.names.emplace_back(name < 0 ? std::string_view() : table.tokens[1][name]);
  }
  return result;
}

/// Give each value filter to the table that has its column.
void assign_filters(const DataOptions& options, const std::string& file, const TableReader& log,
                    std::vector<ValueFilter>& log_filters, OpenSideTable& users,
                    OpenSideTable& items) {
  for (const std::string& text : options.value_intervals) {
    ValueFilter filter = parse_value_filter(text);
    const auto has = [&](const OpenSideTable& side) {
      return side.reader && side.reader->has_column(filter.column);
    };
    if (log.has_column(filter.column)) {
      log_filters.push_back(std::move(filter));
    } else if (has(items)) {
      items.filters.push_back(std::move(filter));
    } else if (has(users)) {
      users.filters.push_back(std::move(filter));
    } else {
      std::vector<std::string> names;
      for (const Column& column : log.columns()) names.push_back(column.name);
      throw ConfigError(
          fmt::format("data.value_intervals: no column '{}' in {} or its side "
                      "tables{}",
                      printable(filter.column), shown(file), did_you_mean(filter.column, names)));
    }
  }
}

void warn_of_dropped_rows(const std::string& file, std::int64_t n_rows, std::string_view what,
                          const RunContext& run) {
  if (n_rows == 0) return;
  run.warning(fmt::format("{}: {} without {} left out", shown(file),
                          n_rows == 1 ? "1 row" : fmt::format("{} rows", n_rows), what));
}

/// Return the column that holds the histories of lines, "" if there is none; RecBole calls that of
/// item_id item_id_list. Lists that nothing reads are told of: lines with histories look like
/// single events without them.
std::string find_histories(const std::string& file, const TableReader& log,
                           const DataOptions& options, bool wanted, const RunContext& run) {
  const std::string name = options.item_column + "_list";
  std::string found;
  for (const Column& column : log.columns()) {
    const bool is_history = column.name == name;
    if (wanted && is_history &&
        (column.type == ColumnType::token_seq || column.type == ColumnType::untyped)) {
      found = name;
    } else if (column.type == ColumnType::token_seq && column.name != options.item_column) {
      run.warning(fmt::format(
          "{}: column '{}' is not used, so each line is one event without its list; {}",
          shown(file), printable(column.name),
          is_history ? "if it holds the history before the item, --set split.mode=given takes each "
                       "line for a row with it"
                     : fmt::format("a column of histories has the name '{}', and is read under "
                                   "split.mode = \"given\"",
                                   printable(name))));
    }
  }
  return found;
}

}  // namespace

std::string find_beside(const std::string& log, const std::string& file) {
  const fs::path beside = fs::path(log).parent_path() / file;
  return is_there(beside) ? beside.string() : file;
}

RawLog load_log(const std::string& file, const DataOptions& options, const RunContext& run,
                const LogUse& use) {
  TableReader reader(file, syntax_of(options), run);
  RawLog log;
  const FileFormat format = reader.format();
  log.user_file = find_side_file(file, format, options.user_file, ".user", use.given_part);
  log.item_file = find_side_file(file, format, options.item_file, ".item", use.given_part);
  OpenSideTable users = open_side_table(log.user_file, options, options.user_column, false, run);
  OpenSideTable items = open_side_table(log.item_file, options, options.item_column, true, run);
  TableRequest request;
  request.token_columns = {options.user_column, options.item_column};
  request.n_required = 2;
  request.times = TimeRules::of(options);
  const std::string histories = find_histories(file, reader, options, use.histories, run);
  if (!histories.empty()) {
    request.token_columns.push_back(histories);
    // Lines with histories need no order.
    if (!reader.has_column(options.time_column)) request.times.reset();
  }
  assign_filters(options, file, reader, request.filters, users, items);
  Table table = reader.read(request);
  warn_of_dropped_rows(file, table.n_without_token, "user or item", run);
  warn_of_dropped_rows(file, table.n_without_time, "time", run);
  if (table.n_rows() == 0) throw DataError(shown(file) + ": the file has no interactions");
  log.user_tokens = std::move(table.tokens[0]);
  log.item_tokens = std::move(table.tokens[1]);
  log.users = std::move(table.codes[0]);
  log.items = std::move(table.codes[1]);
  log.times = std::move(table.times);
  log.time_scale = table.time_scale;
  log.time_kinds = table.time_kinds;
  log.passes = std::move(table.passes);
  if (!histories.empty()) {
    log.histories =
        parse_histories(table.tokens[2], std::move(table.codes[2]), log.item_tokens, run);
  }
  log.user_table = read_side_table(users, log.user_tokens, run);
  log.item_table = read_side_table(items, log.item_tokens, run);
  if (!use.given_part) log.release_slots();
  return log;
}

FileFormat log_format(const std::string& file, const DataOptions& options, const RunContext& run) {
  return TableReader(file, syntax_of(options), run).format();
}

std::string log_name(const std::string& file) {
  std::string name = without_packing(fs::path(file).filename().string());
  for (const std::string_view suffix :
       {".inter", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".dat", ".data"}) {
    remove_suffix(name, suffix);
  }
  return name;
}

}  // namespace recloom
