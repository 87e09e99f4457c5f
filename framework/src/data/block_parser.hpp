#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/cells.hpp"
#include "data/growing_array.hpp"
#include "data/interval.hpp"
#include "data/token_table.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// What one column of a file is used for.
struct ColumnUse {
  int token = -1;  ///< Index of the token column that it fills.
  bool time = false;
  std::vector<const ValueFilter*> filters;
  std::string name;  ///< For messages.
  bool used() const noexcept { return token >= 0 || time || !filters.empty(); }
};

/// What all blocks of a file share.
struct ParsePlan {
  std::vector<ColumnUse> columns;
  std::size_t n_tokens = 0, n_required = 0;
  bool has_time = false, has_filters = false;
  char separator = '\t';
  CellRules rules = CellRules::pandas;
  MissingTime missing_time = MissingTime::error;
};

/// The rows of one block, coded by tables of its own.
struct BlockColumns {
  std::vector<TokenTable> tokens;
  std::vector<GrowingArray<std::int32_t>> codes;
  GrowingArray<std::int64_t> times;
  bool real_times = false;
  GrowingArray<std::uint8_t> passes;
  std::int64_t n_without_token = 0, n_without_time = 0;
  std::int64_t n_lines = 0;          ///< Lines read, up to the faulty one if there is an error.
  std::optional<std::string> error;  ///< What is wrong with the last line that was read.

  void clear(std::size_t n_tokens);
};

/// Parse lines of cells. Errors are left in `out`: only the caller knows the line's number.
void parse_rows(const ParsePlan& plan, std::string_view bytes, BlockColumns& out);
/// Parse lines of the form "user item item ...": two token columns, a row per item.
void parse_sequences(std::string_view bytes, BlockColumns& out);

}  // namespace recloom
