#include "data/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "core/text.hpp"
#include "data/block_parser.hpp"
#include "data/line_blocks.hpp"
#include "data/table_header.hpp"
#include "data/time_key.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// Blocks that are parsed at the same time. Fixed, so that memory does not grow with threads.
constexpr std::size_t kBlocksAtOnce = 16;

struct Block {
  GrowingArray<char> bytes;
  std::size_t begin = 0;  // Where its rows begin: behind the header, in the first block.
  std::string_view rows() const { return {bytes.data() + begin, bytes.size() - begin}; }
};

void to_real_keys(std::span<std::int64_t> times) {
  for (std::int64_t& time : times) {
    if (time != kMissingTime) time = real_time_key(static_cast<double>(time));
  }
}

/// Add the tokens of blocks to the table.
void merge_tokens(std::span<BlockColumns> blocks, Table& table, const RunContext& run) {
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
  run.parallel_for(n_tokens, [&](std::size_t token) { mergers[token].append(); });
  run.parallel_for(n_tokens * kShards,
                   [&](std::size_t task) { mergers[task / kShards].settle(task % kShards); });
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
  std::copy(from.times.begin(), from.times.end(), to.times);
  std::copy(from.passes.begin(), from.passes.end(), to.passes);
}

/// Append the rows of blocks to the table: their codes become the table's.
void append(std::span<BlockColumns> blocks, Table& table, const RunContext& run) {
  merge_tokens(blocks, table, run);
  std::size_t n_rows = 0, n_times = 0, n_passes = 0;
  for (const BlockColumns& columns : blocks) {
    n_rows += columns.n_rows();
    n_times += columns.times.size();
    n_passes += columns.passes.size();
    if (columns.real_times && !table.real_times) {
      to_real_keys({table.times.data(), table.times.size()});
      table.real_times = true;
    }
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
    next.times += columns.times.size();
    next.passes += columns.passes.size();
  }
  run.parallel_for(blocks.size(), [&](std::size_t index) {
    BlockColumns& columns = blocks[index];
    if (table.real_times && !columns.real_times) {
      to_real_keys({columns.times.data(), columns.times.size()});
    }
    copy_rows(columns, places[index]);
  });
}

}  // namespace

struct TableReader::Impl {
  explicit Impl(const std::string& name) : file(name), blocks(name) {}

  std::string file;
  LineBlocks blocks;
  CellRules rules = CellRules::pandas;
  Block first;
  TableHeader header;

  const Column& column(std::string_view name, std::size_t& index) const;
  ParsePlan plan(const TableRequest& request) const;
  void read_blocks(std::vector<Block>& into);
};

const Column& TableReader::Impl::column(std::string_view name, std::size_t& index) const {
  std::vector<std::string> names;
  for (index = 0; index < header.columns.size(); ++index) {
    if (header.columns[index].name == name) return header.columns[index];
    names.push_back(header.columns[index].name);
  }
  throw DataError(fmt::format(
      "{}:{}: no column '{}'; the header has {}{}", file, header.lines, printable(name),
      printable(fmt::format("{}", fmt::join(names, ", ")), 200), did_you_mean(name, names)));
}

ParsePlan TableReader::Impl::plan(const TableRequest& request) const {
  ParsePlan plan;
  plan.separator = header.separator;
  plan.rules = rules;
  plan.missing_time = request.missing_time;
  plan.n_tokens = request.token_columns.size();
  plan.n_required = request.n_required;
  plan.columns.resize(header.columns.size());
  for (std::size_t index = 0; index < plan.columns.size(); ++index) {
    plan.columns[index].name = header.columns[index].name;
  }
  const auto wrong_type = [&](std::string_view name, std::string_view needed) {
    return DataError(fmt::format("{}:{}: column '{}' must have type {}", file, header.lines,
                                 printable(name), needed));
  };
  std::size_t at = 0;
  for (std::size_t token = 0; token < plan.n_tokens; ++token) {
    const Column& found = column(request.token_columns[token], at);
    const bool required = token < plan.n_required;
    if (required && found.type != ColumnType::token && found.type != ColumnType::untyped) {
      throw wrong_type(found.name, "token");
    }
    plan.columns[at].token = static_cast<int>(token);
  }
  if (!request.time_column.empty()) {
    const Column& found = column(request.time_column, at);
    if (found.type != ColumnType::number && found.type != ColumnType::untyped) {
      throw wrong_type(found.name, "float");
    }
    plan.columns[at].time = plan.has_time = true;
  }
  for (const ValueFilter& filter : request.filters) {
    const Column& found = column(filter.column, at);
    const ColumnType needed = filter.is_list() ? ColumnType::token : ColumnType::number;
    if (found.type != needed && found.type != ColumnType::untyped) {
      throw wrong_type(found.name, filter.is_list() ? "token for a filter that lists tokens"
                                                    : "float for a filter by interval");
    }
    plan.columns[at].filters.push_back(&filter);
    plan.has_filters = true;
  }
  return plan;
}

void TableReader::Impl::read_blocks(std::vector<Block>& into) {
  into.resize(kBlocksAtOnce);
  std::size_t count = 0;
  while (count < kBlocksAtOnce && blocks.next(into[count].bytes)) into[count++].begin = 0;
  into.resize(count);
}

TableReader::TableReader(const std::string& file, const TableSyntax& syntax)
    : impl_(std::make_unique<Impl>(file)) {
  impl_->rules = syntax.rules;
  impl_->blocks.next(impl_->first.bytes);
  impl_->header = parse_table_header(file, impl_->first.rows(), syntax);
  impl_->first.begin = impl_->header.bytes;
}

TableReader::~TableReader() = default;

FileFormat TableReader::format() const noexcept { return impl_->header.format; }

const std::vector<Column>& TableReader::columns() const noexcept { return impl_->header.columns; }

bool TableReader::has_column(std::string_view name) const noexcept {
  return std::any_of(columns().begin(), columns().end(),
                     [name](const Column& column) { return column.name == name; });
}

Table TableReader::read(const TableRequest& request, const RunContext& run) {
  const bool sequences = format() == FileFormat::sequences;
  ParsePlan plan;
  plan.n_tokens = 2;
  if (!sequences) plan = impl_->plan(request);
  Table table;
  table.tokens.resize(plan.n_tokens);
  table.codes.resize(plan.n_tokens);
  for (auto& column : table.codes) column.want_large_pages_when_grown();
  table.times.want_large_pages_when_grown();
  std::int64_t line = impl_->header.lines;
  std::vector<Block> now, next;
  std::vector<BlockColumns> parsed(kBlocksAtOnce);
  now.push_back(std::move(impl_->first));
  while (!now.empty()) {
    // The next blocks are read (and decompressed) while these are parsed.
    run.parallel_for(now.size() + 1, [&](std::size_t task) {
      if (task == 0) {
        impl_->read_blocks(next);
      } else if (sequences) {
        parse_sequences(now[task - 1].rows(), table.tokens, parsed[task - 1]);
      } else {
        parse_rows(plan, now[task - 1].rows(), table.tokens, parsed[task - 1]);
      }
    });
    const auto blocks = std::span(parsed).first(now.size());
    for (const BlockColumns& block : blocks) {
      line += block.n_lines;
      if (block.error) throw DataError(fmt::format("{}:{}: {}", impl_->file, line, *block.error));
    }
    append(blocks, table, run);
    std::swap(now, next);
  }
  return table;
}

}  // namespace recloom
