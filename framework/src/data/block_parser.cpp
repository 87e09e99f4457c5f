#include "data/block_parser.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "core/text.hpp"
#include "data/time_key.hpp"

namespace recloom {
namespace {

constexpr std::size_t kMaxTokens = 4;

/// Call take(line) for each line, without its end, until it returns false.
template <class Take>
void for_each_line(std::string_view bytes, BlockColumns& out, const Take& take) {
  // One look at the whole block: text never holds a zero byte, binary data nearly always does.
  const bool binary = !bytes.empty() && std::memchr(bytes.data(), 0, bytes.size()) != nullptr;
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end) {
    const auto rest = static_cast<std::size_t>(end - at);
    const auto* line_end = static_cast<const char*>(std::memchr(at, '\n', rest));
    const char* next = line_end == nullptr ? end : line_end + 1;
    if (line_end == nullptr) line_end = end;
    std::string_view line(at, static_cast<std::size_t>(line_end - at));
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++out.n_lines;
    at = next;
    if (binary && line.find('\0') != std::string_view::npos) {
      out.error = "binary data (a zero byte); expected UTF-8 text";
      return;
    }
    if (line.find_first_not_of(' ') == std::string_view::npos) continue;
    if (!take(line)) return;
  }
}

/// The token before in a column. A log often has a user's rows together, so it is compared first.
struct LastToken {
  TokenKey key{std::string_view()};
  std::int32_t code = TokenTable::kUnknown;
};

/// Code a token. @return false if it is no text.
bool code_token(std::string_view token, TokenTable& table, LastToken& last, std::int32_t& code) {
  const TokenKey key(token);
  if (last.code >= 0 && key == last.key && (key.is_short() || table[last.code] == token)) {
    code = last.code;
    return true;
  }
  const std::size_t known = table.size();
  code = table.insert(token, key);
  last = {key, code};
  return table.size() == known || is_utf8(token);
}

std::string not_text(std::string_view token) {
  return fmt::format("token '{}' is not valid UTF-8", printable(token));
}

class RowParser {
 public:
  RowParser(const ParsePlan& plan, BlockColumns& out) : plan_(plan), out_(out) {}

  bool line(std::string_view text) {
    CellCursor cursor(text, plan_.separator, plan_.rules, scratch_);
    std::string_view cell;
    std::size_t column = 0;
    passes_ = true;
    while (cursor.next(cell)) {
      if (column == plan_.columns.size()) {
        return fail(fmt::format("too many cells; the header has {}", column));
      }
      const ColumnUse& use = plan_.columns[column++];
      if (use.used() && !take(use, cell)) return false;
    }
    if (cursor.unclosed_quote()) {
      return fail(
          "a cell starts with a double quote that is not closed (data.raw_cells = true takes "
          "quotes "
          "as they are)");
    }
    if (column < plan_.columns.size() && !fill_short_line(column)) return false;
    finish_row();
    return true;
  }

 private:
  bool fail(std::string message) {
    out_.error = std::move(message);
    return false;
  }
  bool fill_short_line(std::size_t column) {
    if (plan_.rules == CellRules::raw) {
      return fail(
          fmt::format("too few cells: {}; the header has {}", column, plan_.columns.size()));
    }
    for (; column < plan_.columns.size(); ++column) {
      const ColumnUse& use = plan_.columns[column];
      if (use.used() && !take(use, {})) return false;
    }
    return true;
  }
  bool missing_token(std::string_view cell) const {
    return plan_.rules == CellRules::raw ? cell.empty() : is_missing_word(cell);
  }
  bool take(const ColumnUse& use, std::string_view cell) {
    if (use.token >= 0) {
      const auto index = static_cast<std::size_t>(use.token);
      if (missing_token(cell)) {
        codes_[index] = TokenTable::kUnknown;
      } else if (!code_token(cell, out_.tokens[index], last_[index], codes_[index])) {
        return fail(not_text(cell));
      }
    }
    if (use.time && !take_time(use, cell)) return false;
    for (const ValueFilter* filter : use.filters) {
      if (!apply(*filter, cell)) return false;
    }
    return true;
  }
  bool take_time(const ColumnUse& use, std::string_view cell) {
    if (is_missing_word(cell)) {
      time_ = kMissingTime;
      if (plan_.missing_time != MissingTime::error) return true;
      return fail(
          fmt::format("'{}' is missing; data.missing_time = \"drop\" leaves such rows out, "
                      "\"mean\" gives them the mean time",
                      use.name));
    }
    if (!out_.real_times && parse_integer(cell, time_)) return true;
    double real = 0;
    if (!parse_real(cell, real) || !std::isfinite(real)) {
      return fail(fmt::format("'{}' is not a number: '{}'", use.name, printable(cell)));
    }
    if (!out_.real_times) {
      out_.real_times = true;
      for (std::int64_t& time : out_.times) {
        if (time != kMissingTime) time = real_time_key(static_cast<double>(time));
      }
    }
    time_ = real_time_key(real);
    return true;
  }
  bool apply(const ValueFilter& filter, std::string_view cell) {
    if (filter.is_list()) {
      passes_ = passes_ && !missing_token(cell) && filter.passes(cell);
      return true;
    }
    if (is_missing_word(cell)) {
      passes_ = false;
      return true;
    }
    double value = 0;
    if (!parse_real(cell, value)) {
      return fail(fmt::format("'{}' is not a number: '{}'", filter.column, printable(cell)));
    }
    passes_ = passes_ && filter.passes(value);
    return true;
  }
  void finish_row() {
    for (std::size_t token = 0; token < plan_.n_required; ++token) {
      if (codes_[token] < 0) {
        ++out_.n_without_token;
        return;
      }
    }
    if (plan_.has_time) {
      if (time_ == kMissingTime && plan_.missing_time == MissingTime::drop) {
        ++out_.n_without_time;
        return;
      }
      out_.times.push_back(time_);
    }
    for (std::size_t token = 0; token < plan_.n_tokens; ++token) {
      out_.codes[token].push_back(codes_[token]);
    }
    if (plan_.has_filters) out_.passes.push_back(passes_ ? 1 : 0);
  }

  const ParsePlan& plan_;
  BlockColumns& out_;
  std::string scratch_;
  std::int32_t codes_[kMaxTokens] = {-1, -1, -1, -1};
  LastToken last_[kMaxTokens];
  std::int64_t time_ = kMissingTime;
  bool passes_ = true;
};

/// Cut the next word off a line whose words are parted by blanks or tabs.
std::string_view next_word(std::string_view& line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  const std::size_t end = line.find_first_of(" \t", begin);
  const std::string_view word = line.substr(begin, end - begin);
  line = end == std::string_view::npos ? std::string_view() : line.substr(end);
  return word;
}

}  // namespace

void BlockColumns::clear(std::size_t n_tokens) {
  tokens.resize(n_tokens);
  codes.resize(n_tokens);
  for (TokenTable& table : tokens) table.clear();
  for (GrowingArray<std::int32_t>& column : codes) column.clear();
  times.clear();
  passes.clear();
  real_times = false;
  n_without_token = n_without_time = n_lines = 0;
  error.reset();
}

void parse_rows(const ParsePlan& plan, std::string_view bytes, BlockColumns& out) {
  out.clear(plan.n_tokens);
  RowParser parser(plan, out);
  for_each_line(bytes, out, [&](std::string_view line) { return parser.line(line); });
}

void parse_sequences(std::string_view bytes, BlockColumns& out) {
  out.clear(2);
  LastToken last_user, last_item;
  for_each_line(bytes, out, [&](std::string_view line) {
    const std::string_view user = next_word(line);
    std::int32_t user_code = 0, item_code = 0, n_items = 0;
    if (user.empty()) return true;
    if (!code_token(user, out.tokens[0], last_user, user_code)) {
      out.error = not_text(user);
      return false;
    }
    for (std::string_view item; !(item = next_word(line)).empty(); ++n_items) {
      if (!code_token(item, out.tokens[1], last_item, item_code)) {
        out.error = not_text(item);
        return false;
      }
      out.codes[0].push_back(user_code);
      out.codes[1].push_back(item_code);
    }
    if (n_items == 0) {
      out.error =
          fmt::format("user '{}' has no items; a line is \"user item item ...\"", printable(user));
    }
    return n_items > 0;
  });
}

}  // namespace recloom
