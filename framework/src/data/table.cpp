#include "data/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <span>
#include <unordered_map>
#include <utility>

#include "core/text.hpp"
#include "data/block_parser.hpp"
#include "data/format_guess.hpp"
#include "data/line_blocks.hpp"
#include "data/merged_times.hpp"
#include "data/raw_file.hpp"
#include "data/table_header.hpp"
#include "data/table_messages.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// Blocks that are parsed at the same time. Fixed, so that memory does not grow with threads.
constexpr std::size_t kBlocksAtOnce = 16;
/// Text of such blocks: less of them are read where lines are unusually long.
constexpr std::size_t kBytesAtOnce = std::size_t{1} << 25;

struct Block {
  GrowingArray<char> bytes;
  std::size_t begin = 0;        // Where its rows begin: behind the header, in the first block.
  bool continues_line = false;  // Of the block before it.
  std::string_view rows() const { return {bytes.data() + begin, bytes.size() - begin}; }
};

/// Add the tokens of blocks to the table. @return false if there are too many.
bool merge_tokens(std::span<BlockColumns> blocks, std::size_t max_tokens, Table& table,
                  const RunContext& run) {
  constexpr std::size_t kShards = TokenTable::kShards;
  const std::size_t n_tokens = table.tokens.size();
  std::vector<std::vector<BlockCodes*>> columns(n_tokens);
  std::vector<TokenMerger> mergers;
  for (std::size_t token = 0; token < n_tokens; ++token) {
    for (BlockColumns& block : blocks) columns[token].push_back(&block.tokens[token].unknown);
    mergers.emplace_back(table.tokens[token], columns[token]);
  }
  run.parallel_for(n_tokens * kShards,
                   [&](std::size_t task) { mergers[task / kShards].find(task % kShards); });
  for (std::size_t token = 0; token < n_tokens; ++token) {
    if (table.tokens[token].size() + mergers[token].n_new() > max_tokens) return false;
  }
  run.parallel_for(n_tokens, [&](std::size_t token) { mergers[token].append(); });
  run.parallel_for(n_tokens * kShards,
                   [&](std::size_t task) { mergers[task / kShards].settle(task % kShards); });
  return true;
}

/// Where the rows of a block go.
struct Place {
  std::vector<std::int32_t*> codes;
  std::int64_t* times;
  std::uint8_t* passes;
};

void copy_rows(const BlockColumns& from, const Place& to) {
  for (std::size_t token = 0; token < to.codes.size(); ++token) {
    const TokenColumn& column = from.tokens[token];
    const std::int32_t* code_of = column.unknown.code_of.data();
    std::transform(
        column.codes.begin(), column.codes.end(), to.codes[token], [&](std::int32_t code) {
          return code >= Table::kMissing ? code : code_of[TokenColumn::unknown_code(code)];
        });
  }
  std::copy(from.times.keys().begin(), from.times.keys().end(), to.times);
  std::copy(from.passes.begin(), from.passes.end(), to.passes);
}

/// Append the rows of blocks, whose tokens the table knows: their codes become the table's.
void append(std::span<BlockColumns> blocks, Table& table, const RunContext& run) {
  std::size_t n_rows = 0, n_times = 0, n_passes = 0;
  for (const BlockColumns& columns : blocks) {
    n_rows += columns.n_rows();
    n_times += columns.times.keys().size();
    n_passes += columns.passes.size();
    table.n_without_token += columns.n_without_token;
    table.n_without_time += columns.n_without_time;
  }
  Place next;
  for (GrowingArray<std::int32_t>& column : table.codes) {
    next.codes.push_back(column.extend(n_rows));
  }
  next.times = table.times.extend(n_times);
  next.passes = table.passes.extend(n_passes);
  std::vector<Place> places;
  for (const BlockColumns& columns : blocks) {
    places.push_back(next);
    for (std::int32_t*& codes : next.codes) codes += columns.n_rows();
    next.times += columns.times.keys().size();
    next.passes += columns.passes.size();
  }
  run.parallel_for(blocks.size(),
                   [&](std::size_t index) { copy_rows(blocks[index], places[index]); });
}

}  // namespace

struct TableReader::Impl {
  Impl(const std::string& name, const TableSyntax& syntax, const RunContext& context)
      : file(shown_name(name)),
        limits(syntax.limits),
        run(context),
        blocks(name, context, limits.max_bytes, LineBlocks::kBlockBytes, syntax.encoding) {}

  std::string file;  // As messages show it.
  ReadLimits limits;
  const RunContext& run;
  LineBlocks blocks;
  CellRules rules = CellRules::pandas;
  Block first;
  TableHeader header;
  std::unordered_map<std::string_view, std::size_t> index_of;  // Of columns, by name.
  std::int64_t line = 0;                                       // The last one that was parsed.
  /// What ended the reading of blocks: of several errors the first in the file counts, which may be
  /// in blocks that are still to be parsed.
  std::exception_ptr read_error;

  std::string where() const {
    if (header.format == FileFormat::json) return file;  // No line says what keys there are.
    return fmt::format("{}:{}", file, std::max<std::int64_t>(header.lines, 1));
  }
  const Column& column(std::string_view name, std::string_view key, std::size_t& index) const;
  void check_type(const Column& found, ColumnType type, std::string_view needed) const;
  ParsePlan plan(const TableRequest& request) const;
  void plan_tokens(const TableRequest& request, ParsePlan& plan) const;
  void plan_times(const TimeRules& times, ParsePlan& plan) const;
  std::vector<std::string> time_parts(const std::string& name) const;
  void plan_filters(const TableRequest& request, ParsePlan& plan) const;
  void check_names(const TableRequest& request, ParsePlan& plan) const;
  bool read_block(Block& into);
  void read_blocks(std::vector<Block>& into);
  void check(std::span<const Block> blocks, std::span<const BlockColumns> parsed, Table& table,
             const ParsePlan& plan);
  void take(std::span<BlockColumns> parsed, Table& table);
};

const Column& TableReader::Impl::column(std::string_view name, std::string_view key,
                                        std::size_t& index) const {
  const auto found = index_of.find(name);
  if (found == index_of.end()) throw DataError(missing_column(where(), header, name, key));
  index = found->second;
  return header.columns[index];
}

ParsePlan TableReader::Impl::plan(const TableRequest& request) const {
  ParsePlan plan;
  plan.separator = header.separator;
  plan.rules = rules;
  plan.n_tokens = request.token_columns.size();
  plan.n_required = request.n_required;
  plan.columns_given = header.is_given;
  plan.fills_short_lines = rules == CellRules::pandas && !header.is_given;
  plan.columns.resize(header.columns.size());
  for (std::size_t index = 0; index < plan.columns.size(); ++index) {
    plan.columns[index].name = header.columns[index].name;
  }
  plan_tokens(request, plan);
  if (request.times) plan_times(*request.times, plan);
  plan_filters(request, plan);
  if (header.format == FileFormat::json) {
    plan.rules = CellRules::raw;  // A string "NA" is one; null is missing.
    for (const ColumnUse& use : plan.columns) plan.json_columns.push_back({use.name, use.used()});
  } else {
    check_names(request, plan);
  }
  return plan;
}

/// @throws DataError the header gives the column another type.
void TableReader::Impl::check_type(const Column& found, ColumnType type,
                                   std::string_view needed) const {
  // What a key of JSON holds may differ from line to line.
  const bool typed = found.type != ColumnType::untyped && header.format != FileFormat::json;
  if (!typed || found.type == type) return;
  throw DataError(
      fmt::format("{}: column '{}' must have type {}", where(), printable(found.name), needed));
}

void TableReader::Impl::plan_tokens(const TableRequest& request, ParsePlan& plan) const {
  std::size_t at = 0;
  for (std::size_t token = 0; token < plan.n_tokens; ++token) {
    const std::string key = token < request.token_keys.size() ? request.token_keys[token] : "";
    const Column& found = column(request.token_columns[token], key, at);
    if (token < plan.n_required) check_type(found, ColumnType::token, "token");
    plan.columns[at].token = token;
  }
}

void TableReader::Impl::plan_times(const TimeRules& times, ParsePlan& plan) const {
  std::size_t at = 0;
  const std::vector<std::string> parts = time_parts(times.column);
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const Column& found = column(parts[part], "data.time_column", at);
    // A date and its time of day are texts.
    if (parts.size() == 1) check_type(found, ColumnType::number, "float");
    plan.columns[at].time = plan.has_time = true;
    if (parts.size() > 1) plan.columns[at].time_part = part;
  }
  plan.n_time_parts = parts.size() > 1 ? parts.size() : 0;
  plan.times = times;
  plan.missing_time = times.missing;
}

/// A date and its time of day may stand in two columns, "day+hour", if none has that name.
std::vector<std::string> TableReader::Impl::time_parts(const std::string& name) const {
  std::vector<std::string> parts = split(name, '+');
  const bool all_there = std::all_of(parts.begin(), parts.end(), [this](const std::string& part) {
    return index_of.contains(part);
  });
  if (parts.size() < 2 || index_of.contains(name) || !all_there) return {name};
  return parts;
}

void TableReader::Impl::plan_filters(const TableRequest& request, ParsePlan& plan) const {
  std::size_t at = 0;
  for (const ValueFilter& filter : request.filters) {
    const Column& found = column(filter.column, "data.value_intervals", at);
    if (filter.is_list()) {
      check_type(found, ColumnType::token, "token for a filter that lists tokens");
    } else {
      check_type(found, ColumnType::number, "float for a filter by interval");
    }
    plan.columns[at].filters.push_back(&filter);
    plan.has_filters = true;
  }
}

/// Look for a row in the place of a header, and let rows that repeat the header be found.
void TableReader::Impl::check_names(const TableRequest& request, ParsePlan& plan) const {
  std::vector<std::string> used(
      request.token_columns.begin(),
      request.token_columns.begin() + static_cast<std::ptrdiff_t>(request.n_required));
  if (plan.has_time) used.push_back(request.times->column);
  if (const std::string wrong = values_for_names(where(), header, used); !wrong.empty()) {
    throw DataError(wrong);
  }
  if (request.n_required == 2 && !plan.has_time && !header.is_given) {
    plan.header_cells.emplace(used[0], used[1]);
  }
}

bool TableReader::Impl::read_block(Block& into) {
  into.begin = 0;
  const bool any = blocks.next(into.bytes);
  // The stream counts the bytes of this file alone.
  if (limits.bytes_before > 0 && limits.max_bytes > 0 &&
      limits.bytes_before + blocks.bytes_read() > limits.max_bytes) {
    constexpr double kGiB = 1024.0 * 1024 * 1024;
    throw DataError(
        fmt::format("{}: with the files before it, the text has more than {:.4g} GiB ({} bytes); "
                    "data.max_text_gib sets another limit",
                    file, static_cast<double>(limits.max_bytes) / kGiB, limits.max_bytes));
  }
  into.continues_line = blocks.continues_line();
  return any;
}

void TableReader::Impl::read_blocks(std::vector<Block>& into) {
  std::size_t count = 0, bytes = 0;
  into.resize(read_error ? 0 : kBlocksAtOnce);
  try {
    while (count < into.size() && bytes < kBytesAtOnce && read_block(into[count])) {
      bytes += into[count++].bytes.size();
    }
  } catch (...) {
    read_error = std::current_exception();
  }
  into.resize(count);
}

/// Look for errors in blocks that are parsed. @param table what came before them.
void TableReader::Impl::check(std::span<const Block> texts, std::span<const BlockColumns> parsed,
                              Table& table, const ParsePlan& plan) {
  std::size_t n_rows = table.n_rows();
  for (std::size_t at = 0; at < parsed.size(); ++at) {
    const BlockColumns& block = parsed[at];
    if (block.n_without_token > 0 && table.first_without_token.line == 0) {
      const MissingToken& missing = block.first_without_token;
      const auto use =
          std::find_if(plan.columns.begin(), plan.columns.end(),
                       [&](const ColumnUse& one) { return one.token == missing.token; });
      table.first_without_token = {line + missing.line, use->name, missing.word};
    }
    line += block.n_lines - (texts[at].continues_line ? 1 : 0);
    if (block.error) throw DataError(fmt::format("{}:{}: {}", file, line, *block.error));
    n_rows += block.n_rows();
    if (limits.max_rows > 0 && n_rows > static_cast<std::size_t>(limits.max_rows)) {
      throw DataError(fmt::format(
          "{}:{}: more than {} rows up to here; data.max_events allows more (0: any number), at "
          "about 50 bytes of memory a row",
          file, line, limits.max_rows));
    }
  }
}

void TableReader::Impl::take(std::span<BlockColumns> parsed, Table& table) {
  if (!merge_tokens(parsed, limits.max_tokens, table, run)) {
    throw DataError(fmt::format("{}:{}: more than {} different users or items up to here", file,
                                line, limits.max_tokens));
  }
  append(parsed, table, run);
}

TableReader::TableReader(const std::string& file, const TableSyntax& syntax, const RunContext& run)
    : impl_(std::make_unique<Impl>(file, syntax, run)) {
  impl_->rules = syntax.rules;
  const std::string_view head = impl_->blocks.head();
  const FileFormat format = find_format(impl_->file, head, syntax);
  std::string separator = "\t";
  if (format == FileFormat::sequences) {
    impl_->blocks.cut_long_lines();
  } else if (format != FileFormat::json) {
    separator = find_separator(impl_->file, head, syntax, format);
    if (syntax.rules == CellRules::pandas) impl_->blocks.keep_quoted_rows(separator);
  }
  impl_->read_block(impl_->first);
  impl_->header = parse_table_header(impl_->file, impl_->first.rows(), syntax, format, separator);
  impl_->first.begin = impl_->header.bytes;
  impl_->line = impl_->header.lines;
  impl_->index_of.reserve(columns().size());
  for (std::size_t index = 0; index < columns().size(); ++index) {
    impl_->index_of.emplace(columns()[index].name, index);
  }
}

TableReader::~TableReader() = default;

FileFormat TableReader::format() const noexcept { return impl_->header.format; }

const std::vector<Column>& TableReader::columns() const noexcept { return impl_->header.columns; }

bool TableReader::has_column(std::string_view name) const noexcept {
  return impl_->index_of.contains(name);
}

std::vector<std::string> TableReader::time_columns(const std::string& name) const {
  return impl_->time_parts(name);
}

const std::string& TableReader::separator() const noexcept { return impl_->header.separator; }

bool TableReader::has_header() const noexcept {
  return format() != FileFormat::sequences && !impl_->header.is_given;
}

std::int64_t TableReader::bytes_read() const noexcept { return impl_->blocks.bytes_read(); }

Table TableReader::read(const TableRequest& request) {
  Table table;
  read(request, table);
  return table;
}

void TableReader::read(const TableRequest& request, Table& table) {
  const bool sequences = format() == FileFormat::sequences;
  ParsePlan plan;
  plan.n_tokens = 2;
  if (!sequences) plan = impl_->plan(request);
  table.first_without_token = {};
  table.tokens.resize(plan.n_tokens);
  table.codes.resize(plan.n_tokens);
  for (auto& column : table.codes) column.want_large_pages_when_grown();
  table.times.want_large_pages_when_grown();
  std::vector<Block> now, next;
  std::vector<BlockColumns> parsed(kBlocksAtOnce);
  now.push_back(std::move(impl_->first));
  if (table.n_rows() == 0) table.time_scale = plan.times.scale();
  plan.times.decimals = table.time_scale.decimals;  // Of files before it.
  const auto parse = [&](std::size_t at, const ParsePlan& by) {
    if (sequences) {
      parse_sequences(now[at].rows(), table.tokens, parsed[at]);
    } else if (format() == FileFormat::json) {
      parse_json_rows(by, now[at].rows(), table.tokens, parsed[at]);
    } else {
      parse_rows(by, now[at].rows(), table.tokens, parsed[at]);
    }
  };
  while (!now.empty()) {
    // The next blocks are read (and decompressed) while these are parsed.
    impl_->run.parallel_for(now.size() + 1, [&](std::size_t task) {
      if (task == 0) {
        impl_->read_blocks(next);
      } else {
        parse(task - 1, plan);
      }
    });
    const auto blocks = std::span(parsed).first(now.size());
    if (plan.has_time) {
      const std::span<std::int64_t> times(table.times.data(), table.times.size());
      settle_times(plan, blocks, {times, table.time_scale, table.time_kinds}, parse);
      plan.times.decimals = table.time_scale.decimals;
    }
    impl_->check(now, blocks, table, plan);
    impl_->take(blocks, table);
    std::swap(now, next);
  }
  if (impl_->read_error) std::rethrow_exception(impl_->read_error);
}

}  // namespace recloom
