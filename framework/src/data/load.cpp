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
#include "data/log_checks.hpp"
#include "data/log_summary.hpp"
#include "data/plain_cells.hpp"
#include "data/raw_file.hpp"
#include "data/stop_check.hpp"
#include "data/table.hpp"
#include "data/time_key.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kPackings = {"", ".gz", ".zst"};
constexpr std::string_view kNone = "none";  // A file or column that is not wanted.
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

/// Return the column of times, "" if times are not wanted.
std::string time_column_of(const DataOptions& options) {
  return options.time_column == kNone ? "" : options.time_column;
}

TableSyntax syntax_of(const DataOptions& options) {
  TableSyntax syntax;
  syntax.format = options.format;
  syntax.separator = options.separator;
  if (options.separator == "\\t") syntax.separator = "\t";
  if (options.separator == "\\s+") syntax.separator = kBlankRuns;  // As pandas calls them.
  syntax.columns = options.columns;
  syntax.encoding = options.encoding;
  syntax.rules = options.raw_cells ? CellRules::raw : CellRules::pandas;
  syntax.user_column = options.user_column;
  syntax.item_column = options.item_column;
  syntax.time_column = time_column_of(options);
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  syntax.limits.max_bytes = static_cast<std::int64_t>(std::ceil(options.max_text_gib * kGiB));
  syntax.limits.max_rows = options.max_events;
  return syntax;
}

bool is_there(const fs::path& file) {
  std::error_code none;
  return fs::exists(file, none);
}

/// Find a side table: the named one, or the one beside an atomic log. "" = none.
/// @param is_part the log is SET.train.inter, and its tables are SET.user and SET.item.
std::string find_side_file(const std::string& log, FileFormat format, const std::string& given,
                           std::string_view suffix, bool is_part) {
  if (given == kNone) return "";
  if (!given.empty()) return find_beside(log, given);
  if (format != FileFormat::atomic || log == kStandardInput) return "";
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
    std::string lower = column.name;
    std::ranges::transform(lower, lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    for (const std::string_view ending : {"name", "title", "description"}) {
      if (lower.ends_with(ending)) return column.name;
    }
  }
  return "";
}

std::string rows_text(std::int64_t n_rows) {
  return n_rows == 1 ? "1 row" : fmt::format("{} rows", n_rows);
}

void warn_of_missing_tokens(const std::string& file, std::int64_t n_rows, const FirstMissing& first,
                            const RunContext& run) {
  if (n_rows == 0) return;
  const std::string what =
      first.word.empty()
          ? "is empty"
          : fmt::format(
                "is {}, which stands for a missing cell (--set data.raw_cells=true takes it as "
                "it is)",
                printable(first.word));
  run.warning(
      fmt::format("{}: {} without user or item left out; the first is line {}, where '{}' {}",
                  shown_name(file), rows_text(n_rows), first.line, printable(first.column), what));
}

/// A side table that is open: its header is known, its rows are still to be read.
struct OpenSideTable {
  std::string file, id_column, id_key, name_column;
  std::unique_ptr<TableReader> reader;
  std::vector<ValueFilter> filters;
};

OpenSideTable open_side_table(const std::string& file, const DataOptions& options,
                              const std::string& id_column, bool is_of_items,
                              const RunContext& run) {
  OpenSideTable side;
  if (file.empty()) return side;
  TableSyntax syntax = syntax_of(options);
  syntax.format = FileFormat::automatic;
  syntax.columns.clear();
  syntax.user_column = syntax.item_column = id_column;
  syntax.may_be_sequences = false;
  side.file = file;
  side.id_column = id_column;
  side.id_key = is_of_items ? "data.item_column" : "data.user_column";
  side.reader = std::make_unique<TableReader>(file, syntax, run);
  if (is_of_items) side.name_column = choose_name_column(*side.reader, options, id_column);
  return side;
}

/// Read a side table; its ids become codes of the log's table.
std::optional<SideTable> read_side_table(OpenSideTable& side, TokenTable& log_tokens,
                                         const RunContext& run) {
  if (!side.reader) return std::nullopt;
  TableRequest request;
  request.token_columns = {side.id_column};
  request.token_keys = {side.id_key, "data.name_column"};
  request.n_required = 1;
  request.filters = side.filters;
  const bool names = !side.name_column.empty() && side.name_column != side.id_column;
  if (names) request.token_columns.push_back(side.name_column);
  const Table table = side.reader->read(request);
  warn_of_missing_tokens(side.file, table.n_without_token, table.first_without_token, run);
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
                                  shown_name(side.file), ReadLimits::kMostTokens));
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
      throw ConfigError(fmt::format(
          "data.value_intervals: no column '{}' in {} or its side "
          "tables{}",
          printable(filter.column), shown_name(file), did_you_mean(filter.column, names)));
    }
  }
}

/// Does a column hold the histories of lines? RecBole calls that of item_id item_id_list.
bool is_history(const Column& column, const DataOptions& options) {
  return column.name == options.item_column + "_list" &&
         (column.type == ColumnType::token_seq || column.type == ColumnType::untyped);
}

/// Return the column that holds the histories of lines, "" if there is none. Lists that nothing
/// reads are told of: lines with histories look like single events without them.
std::string find_histories(const std::string& file, const TableReader& log,
                           const DataOptions& options, bool wanted, const RunContext& run) {
  // Lists under the keys of objects are of all kinds.
  const bool atomic = log.format() == FileFormat::atomic;
  std::string found;
  for (const Column& column : log.columns()) {
    const bool is_list = column.type == ColumnType::token_seq;
    const bool holds_histories = is_history(column, options);
    if (wanted && holds_histories) {
      found = column.name;
    } else if (holds_histories || (is_list && atomic && column.name != options.item_column)) {
      run.warning(fmt::format(
          "{}: column '{}' is not used, so each line is one event without its list; {}",
          shown_name(file), printable(column.name),
          holds_histories
              ? "if it holds the history before the item, --set split.mode=given takes each "
                "line for a row with it"
              : fmt::format("a column of histories has the name '{}', and is read under "
                            "split.mode = \"given\"",
                            printable(options.item_column + "_list"))));
    }
  }
  return found;
}

/// Reads the files of a log one after the other into one table, then those of its parts.
class LogReader {
 public:
  LogReader(const std::vector<std::string>& files, const DataOptions& options,
            const RunContext& run, const LogUse& use)
      : files_(files), options_(options), run_(run), use_(use), syntax_(syntax_of(options)) {}

  RawLog read() {
    RawLog log;
    for (const std::string& file : files_) read_file(file);
    end_part(log, LogPart::train, files_[0], files_.size());
    for (const PartFile& part : use_.parts) {
      read_file(part.file);
      end_part(log, part.part, part.file, 1);
    }
    if (*format_ == FileFormat::sequences && options_.format == FileFormat::automatic &&
        !use_.histories) {
      note_even_lines(shown_name(files_[0]), table_.codes[0].view(), table_.tokens[0].size(), run_);
    }
    if (*format_ == FileFormat::atomic || *format_ == FileFormat::csv) {
      warn_of_blanks(shown_name(files_[0]), table_.tokens[0], table_.tokens[1], separator_, run_);
    }
    log.user_tokens = std::move(table_.tokens[0]);
    log.item_tokens = std::move(table_.tokens[1]);
    log.users = std::move(table_.codes[0]);
    log.items = std::move(table_.codes[1]);
    log.times = std::move(table_.times);
    log.time_scale = table_.time_scale;
    log.time_kinds = table_.time_kinds;
    log.passes = std::move(table_.passes);
    log.summary = std::move(summary_);
    log.summary.times =
        log.has_times() ? describe_times(log.time_kinds, options_) : "none: file order";
    log.summary.first = first_event(log, options_);
    if (request_.token_columns.size() > 2) {
      log.histories = parse_histories(shown_name(files_[0]), table_.tokens[2],
                                      std::move(table_.codes[2]), log.item_tokens, run_);
    }
    log.user_table = read_side_table(users_, log.user_tokens, run_);
    log.item_table = read_side_table(items_, log.item_tokens, run_);
    log.release_slots();
    return log;
  }

 private:
  /// Mark the rows that were read since the part before it.
  void end_part(RawLog& log, LogPart part, const std::string& file, std::size_t n_files) {
    const std::size_t count = table_.n_rows() - n_rows_before_;
    if (count == 0) {
      throw DataError(fmt::format("{}: the {} no interactions", shown_name(file),
                                  n_files == 1 ? "file has" : "files have"));
    }
    n_rows_before_ = table_.n_rows();
    if (!use_.given_split) return;
    std::uint8_t* parts = log.parts.extend(count);
    std::fill(parts, parts + count, code_of(part));
  }

  void read_file(const std::string& file) {
    TableReader reader(file, syntax_, run_);
    if (!format_) {
      begin(file, reader);
    } else {
      check_agrees(file, reader);
    }
    const std::int64_t without_token = table_.n_without_token;
    const std::int64_t without_time = table_.n_without_time;
    const std::size_t n_times = table_.times.size();
    reader.read(request_, table_);
    if (!table_.time_kinds.dates)
      units_.add(shown_name(file), table_.times.view().subspan(n_times), table_.time_scale,
                 options_, reader, run_);
    warn_of_missing_tokens(file, table_.n_without_token - without_token, table_.first_without_token,
                           run_);
    if (const std::int64_t n_rows = table_.n_without_time - without_time; n_rows > 0) {
      run_.warning(
          fmt::format("{}: {} without time left out", shown_name(file), rows_text(n_rows)));
    }
    syntax_.limits.bytes_before += reader.bytes_read();
  }

  bool has_times(const TableReader& reader) const {
    return reader.has_column(reader.time_columns(options_.time_column)[0]);
  }
  /// A further file is read as the first one.
  void check_agrees(const std::string& file, const TableReader& reader) const {
    const std::string here = shown_name(file), first = shown_name(files_[0]);
    if ((*format_ == FileFormat::sequences) != (reader.format() == FileFormat::sequences)) {
      throw DataError(
          fmt::format("{}: of the files that are read as one log, {} and {} are written "
                      "in another way: one has lines of \"user item item ...\", one is "
                      "a table; data.format says which is meant",
                      here, first, here));
    }
    const auto has_it = [&](std::string_view what) {
      return DataError(fmt::format("{}: has a {}, but {} has none", here, what, first));
    };
    const bool histories = std::ranges::any_of(
        reader.columns(), [&](const Column& column) { return is_history(column, options_); });
    const bool own = request_.token_columns.size() > 2;
    if (use_.histories && histories && !own) throw has_it("column of histories");
    // Without histories a log has times unless they are not wanted.
    if (own && !request_.times && has_times(reader)) {
      throw has_it("column of times");
    }
    for (const ValueFilter& filter : request_.filters) {
      if (!reader.has_column(filter.column)) {
        refuse_filter(filter, here, fmt::format("no column '{}'", printable(filter.column)),
                      "of " + first);
      }
    }
    for (const OpenSideTable* side : {&users_, &items_}) {
      for (const ValueFilter& filter : side->filters) {
        if (!reader.has_column(filter.column)) continue;
        refuse_filter(
            filter, here, fmt::format("has a column '{}'", printable(filter.column)),
            fmt::format("by that of {}, since {} has none", shown_name(side->file), first));
      }
    }
  }
  [[noreturn]] static void refuse_filter(const ValueFilter& filter, const std::string& file,
                                         const std::string& what, const std::string& filtered) {
    throw DataError(fmt::format(
        "{}: {}, but data.value_intervals filters rows {}; give all files of the log a column "
        "'{}', or none of them (--set 'data.value_intervals=[]' filters nothing)",
        file, what, filtered, printable(filter.column)));
  }

  /// What the first file tells of all.
  void begin(const std::string& file, const TableReader& reader) {
    format_ = reader.format();
    separator_ = reader.separator();
    const auto side_file = [&](const std::string& given, std::string_view suffix) {
      return find_side_file(file, *format_, given, suffix, use_.given_split);
    };
    users_ = open_side_table(side_file(options_.user_file, ".user"), options_, options_.user_column,
                             false, run_);
    items_ = open_side_table(side_file(options_.item_file, ".item"), options_, options_.item_column,
                             true, run_);
    request_.token_columns = {options_.user_column, options_.item_column};
    request_.token_keys = {"data.user_column", "data.item_column"};
    request_.n_required = 2;
    if (!time_column_of(options_).empty()) request_.times = TimeRules::of(options_);
    const std::string histories = find_histories(file, reader, options_, use_.histories, run_);
    if (!histories.empty()) {
      request_.token_columns.push_back(histories);
      // Lines with histories need no order.
      if (!has_times(reader)) request_.times.reset();
    }
    assign_filters(options_, file, reader, request_.filters, users_, items_);
    summary_.format = format_text(reader, options_, files_.size());
    summary_.columns = columns_text(reader, request_);
    if (*format_ != FileFormat::sequences && !request_.times && histories.empty()) {
      run_.info(fmt::format("{}: no times: events are in file order", shown_name(file)));
    }
  }

  const std::vector<std::string>& files_;
  const DataOptions& options_;
  const RunContext& run_;
  LogUse use_;
  TableSyntax syntax_;
  std::optional<FileFormat> format_;  // Of the first file.
  TableRequest request_;
  OpenSideTable users_, items_;
  TimeUnitCheck units_;
  std::string separator_;  // Of the first file.
  Table table_;
  ReadSummary summary_;
  std::size_t n_rows_before_ = 0;  // Of the part that is read.
};

}  // namespace

std::string find_beside(const std::string& log, const std::string& file) {
  const fs::path beside = fs::path(log).parent_path() / file;
  return is_there(beside) ? beside.string() : file;
}

RawLog load_log(const std::vector<std::string>& files, const DataOptions& options,
                const RunContext& run, const LogUse& use) {
  LogReader reader(files, options, run, use);
  return reader.read();
}

FileFormat log_format(const std::string& file, const DataOptions& options, const RunContext& run) {
  return TableReader(file, syntax_of(options), run).format();
}

bool can_read(const std::string& file, const DataOptions& options, const RunContext& run) {
  try {
    TableReader reader(file, syntax_of(options), run);
    TableRequest request;
    request.token_columns = {options.user_column, options.item_column};
    request.token_keys = {"data.user_column", "data.item_column"};
    request.n_required = 2;
    if (!time_column_of(options).empty()) request.times = TimeRules::of(options);
    return reader.read(request).n_rows() > 0;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    return false;
  }
}

std::string log_name(const std::string& file) {
  if (file == kStandardInput) return "stdin";
  std::string name = without_packing(fs::path(file).filename().string());
  for (const std::string_view suffix :
       {".inter", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".dat", ".data"}) {
    remove_suffix(name, suffix);
  }
  return name;
}

}  // namespace recloom
