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
constexpr std::size_t kBlocksAtOnce = 8;

struct Block {
  GrowingArray<char> bytes;
  std::size_t begin = 0;  // Where its rows begin: behind the header, in the first block.
  BlockColumns columns;
  std::string_view rows() const { return {bytes.data() + begin, bytes.size() - begin}; }
};

void to_real_keys(std::span<std::int64_t> times) {
  for (std::int64_t& time : times) {
    if (time != kMissingTime) time = real_time_key(static_cast<double>(time));
  }
}

/// Append a block's rows to the table: its codes become the table's.
void append(BlockColumns& block, Table& table) {
  std::vector<std::int32_t> code_of;
  for (std::size_t token = 0; token < table.tokens.size(); ++token) {
    const auto n_codes = static_cast<std::int32_t>(block.tokens[token].size());
    code_of.resize(static_cast<std::size_t>(n_codes));
    for (std::int32_t code = 0; code < n_codes; ++code) {
      code_of[static_cast<std::size_t>(code)] =
          table.tokens[token].insert(block.tokens[token][code]);
    }
    std::int32_t* to = table.codes[token].extend(block.codes[token].size());
    for (const std::int32_t code : block.codes[token]) {
      *to++ = code < 0 ? Table::kMissing : code_of[static_cast<std::size_t>(code)];
    }
  }
  if (block.real_times && !table.real_times) {
    to_real_keys({table.times.data(), table.times.size()});
    table.real_times = true;
  } else if (table.real_times && !block.real_times) {
    to_real_keys({block.times.data(), block.times.size()});
  }
  std::copy(block.times.begin(), block.times.end(), table.times.extend(block.times.size()));
  std::copy(block.passes.begin(), block.passes.end(), table.passes.extend(block.passes.size()));
  table.n_without_token += block.n_without_token;
  table.n_without_time += block.n_without_time;
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
  std::int64_t line = impl_->header.lines;
  std::vector<Block> now, next;
  now.push_back(std::move(impl_->first));
  while (!now.empty()) {
    // The next blocks are read (and decompressed) while these are parsed.
    run.parallel_for(now.size() + 1, [&](std::size_t task) {
      if (task == 0) {
        impl_->read_blocks(next);
      } else if (sequences) {
        parse_sequences(now[task - 1].rows(), now[task - 1].columns);
      } else {
        parse_rows(plan, now[task - 1].rows(), now[task - 1].columns);
      }
    });
    for (Block& block : now) {
      line += block.columns.n_lines;
      if (block.columns.error) {
        throw DataError(fmt::format("{}:{}: {}", impl_->file, line, *block.columns.error));
      }
      append(block.columns, table);
    }
    std::swap(now, next);
  }
  return table;
}

}  // namespace recloom
