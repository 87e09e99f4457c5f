#include "data/block_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <utility>

#include "core/text.hpp"
#include "core/utf8.hpp"
#include "data/marks.hpp"
#include "data/time_key.hpp"

namespace recloom {
namespace {

constexpr std::size_t kMaxTokens = 4;

/// Text never holds a zero byte, binary data nearly always does.
bool is_binary(std::string_view bytes) {
  return !bytes.empty() && std::memchr(bytes.data(), 0, bytes.size()) != nullptr;
}

/// Take the next line, without its end, from `bytes`. @return false if it is binary data.
bool next_line(std::string_view& bytes, std::string_view& line, bool binary, BlockColumns& out) {
  const auto* end = static_cast<const char*>(std::memchr(bytes.data(), '\n', bytes.size()));
  line =
      bytes.substr(0, end == nullptr ? bytes.size() : static_cast<std::size_t>(end - bytes.data()));
  bytes.remove_prefix(line.size() + (end == nullptr ? 0 : 1));
  if (line.ends_with('\r')) line.remove_suffix(1);
  ++out.n_lines;
  if (!binary || line.find('\0') == std::string_view::npos) return true;
  out.error = "binary data (a zero byte); expected UTF-8 text";
  return false;
}

/// @param tabs part nothing: else they stand between empty cells.
bool is_blank(std::string_view line, bool tabs) {
  return line.find_first_not_of(tabs ? " \t" : " ") == std::string_view::npos;
}

/// Point at a token in a block of text.
TokenRef ref_in(std::string_view block, std::string_view token) {
  const char* const end = block.data() + block.size();
  const bool roomy = end - token.data() >= static_cast<std::ptrdiff_t>(TokenKey::kShort);
  return {roomy && token.data() >= block.data() ? TokenKey::in_text(token) : TokenKey(token),
          token.data()};
}

/// Find the codes of a column's tokens. @return false if one is no text.
bool code_column(const TokenTable& table, TokenColumn& column) {
  constexpr std::size_t kAhead = 32;
  const std::size_t n = column.refs.size();
  std::int32_t* codes = column.codes.extend(n);
  const TokenRef* before = nullptr;  // A log often has a user's rows together.
  for (std::size_t row = 0; row < n; ++row) {
    if (row + kAhead < n) table.prefetch(column.refs[row + kAhead].key);
    const TokenRef& ref = column.refs[row];
    if (ref.text == nullptr) {
      codes[row] = TokenTable::kUnknown;
      continue;
    }
    if (before && before->key == ref.key && (ref.key.is_short() || before->view() == ref.view())) {
      codes[row] = codes[before - column.refs.data()];
      continue;
    }
    before = &ref;
    codes[row] = table.find(ref.view(), ref.key);
    if (codes[row] >= 0) continue;
    BlockTokens& unknown = column.unknown.tokens;
    const std::size_t known = unknown.size();
    codes[row] = TokenColumn::unknown_code(unknown.insert(ref.view(), ref.key));
    if (unknown.size() != known && !is_utf8(ref.view())) return false;
  }
  return true;
}

bool code_columns(std::span<const TokenTable> tables, BlockColumns& out) {
  for (std::size_t token = 0; token < out.tokens.size(); ++token) {
    if (!code_column(tables[token], out.tokens[token])) return false;
    out.tokens[token].unknown.deal();
  }
  return true;
}

std::string not_text(std::string_view token) {
  return fmt::format(
      "token '{}' is not valid UTF-8 (--set data.encoding=latin-1, or another, reads it)",
      printable(token));
}

/// Is this line a row by itself? Then a quote that was open before it was never closed.
bool is_row(std::string_view line, const ParsePlan& plan) {
  const std::vector<std::string_view> cells = plain_cells(line, plan.separator);
  if (cells.size() != plan.columns.size()) return false;
  const bool blanks =
      plan.separator == "\t" || plan.separator == " " || plan.separator == kBlankRuns;
  for (std::size_t column = 0; column < cells.size(); ++column) {
    const bool digits = cells[column].find_first_of("0123456789") != std::string_view::npos;
    if (plan.columns[column].time && !digits) return false;
    // In a text a comma has a blank behind it.
    if (!blanks && column > 0 && cells[column].starts_with(' ')) return false;
  }
  return true;
}

/// Is each line of a text a row by itself? In a table of one or two columns nothing tells.
bool are_rows(std::string_view text, const ParsePlan& plan) {
  if (plan.columns.size() < 3 && plan.separator != "\t") return false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!is_row(text.substr(0, end), plan)) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

/// @tparam Separators Marks or TextMarks.
template <class Separators>
class RowParser {
 public:
  /// @param strict look at the text of every token: finds the line of one that is no UTF-8.
  RowParser(const ParsePlan& plan, std::string_view bytes, bool strict, BlockColumns& out)
      : plan_(plan),
        block_(bytes),
        bytes_(bytes),
        strict_(strict),
        out_(out),
        marks_(bytes, plan.separator) {}

  void parse() {
    binary_ = is_binary(bytes_);
    const bool runs = plan_.separator == kBlankRuns;
    while (!bytes_.empty()) {
      const Took took = binary_ || runs ? Took::nothing : usual_line();
      if (took == Took::line) continue;
      if (took == Took::error) return;
      std::string_view text;
      if (!next_line(bytes_, text, binary_, out_)) return;
      if (!is_blank(text, runs) && !row(text)) return;
      marks_.seek(bytes_.data());
    }
  }

  /// Take a row whose cells are known, one per column. @return false if there is an error.
  bool row_of(std::span<const std::string_view> cells) {
    begin_row();
    for (std::size_t column = 0; column < cells.size(); ++column) {
      const ColumnUse& use = plan_.columns[column];
      if (use.used() && !take(use, cells[column])) return false;
    }
    finish_row();
    return true;
  }

 private:
  enum class Took { line, nothing, error };

  void begin_row() {
    passes_ = true;
    n_time_parts_ = 0;  // A line may have been left in the middle.
  }

  /// Parse a line without looking for its end first. Lines that are out of the usual (blank,
  /// quoted, of another number of cells) are left to row().
  Took usual_line() {
    const char* cell = bytes_.data();
    const char* const end = cell + bytes_.size();
    if (static_cast<unsigned char>(*cell) <= ' ') return Took::nothing;
    begin_row();
    bool last = false;
    for (const ColumnUse& use : plan_.columns) {
      if (last) return Took::nothing;
      const char* const mark = marks_.next();
      last = mark == end || *mark == '\n';
      std::string_view text(cell, static_cast<std::size_t>(mark - cell));
      if (last && text.ends_with('\r')) text.remove_suffix(1);
      if (plan_.rules == CellRules::pandas && text.starts_with('"')) return Took::nothing;
      if (use.used() && !take(use, text)) {
        ++out_.n_lines;
        return Took::error;
      }
      cell = mark == end ? end : mark + (last ? 1 : marks_.width());
    }
    if (!last) return Took::nothing;
    bytes_.remove_prefix(static_cast<std::size_t>(cell - bytes_.data()));
    ++out_.n_lines;
    return finish_row() ? Took::line : Took::error;
  }
  /// Parse a row that begins with this line, and take the lines that its cells go on over.
  bool row(std::string_view line) {
    const auto rest = static_cast<std::size_t>(block_.data() + block_.size() - line.data());
    CellCursor cursor(line, plan_.separator, plan_.rules, scratch_, rest - line.size());
    const char* line_begin = line.data();  // Of the line on which the next cell begins.
    std::int64_t lines = 0;                // Before that one.
    std::string_view cell;
    std::size_t column = 0;
    begin_row();
    while (cursor.next(cell)) {
      if (cursor.more_lines() > lines) {
        const std::string_view text(line_begin, cursor.end());
        if (are_rows(text, plan_)) return unclosed_quote(lines);
        line_begin += text.rfind('\n') + 1;
      }
      lines = cursor.more_lines();
      if (column == plan_.columns.size()) {
        return fail(fmt::format("too many cells; {} {}", plan_.names_from(), column));
      }
      const ColumnUse& use = plan_.columns[column++];
      if (use.used() && !take(use, cell)) return false;
    }
    if (cursor.unclosed_quote()) return unclosed_quote(lines);
    if (column < plan_.columns.size() && !fill_short_line(column)) return false;
    return finish_row() && (lines == 0 || go_on_behind(cursor));
  }
  /// @param lines of the row before the one on which the quote stands.
  bool unclosed_quote(std::int64_t lines) {
    out_.n_lines += lines;
    return fail(
        "a cell starts with a double quote that is not closed (--set data.raw_cells=true takes "
        "quotes "
        "as they are)");
  }
  bool go_on_behind(const CellCursor& cursor) {
    const auto taken = static_cast<std::size_t>(cursor.end() - bytes_.data());
    const bool binary = binary_ && bytes_.substr(0, taken).find('\0') != std::string_view::npos;
    if (binary) return fail("binary data (a zero byte); expected UTF-8 text");
    out_.n_lines += cursor.more_lines();
    bytes_.remove_prefix(std::min(taken, bytes_.size()));
    if (bytes_.starts_with('\r')) bytes_.remove_prefix(1);
    if (bytes_.starts_with('\n')) bytes_.remove_prefix(1);
    return true;
  }
  bool fail(std::string message) {
    out_.error = std::move(message);
    return false;
  }
  bool fill_short_line(std::size_t column) {
    if (!plan_.fills_short_lines) {
      return fail(fmt::format("too few cells: {}; {} {}", column, plan_.names_from(),
                              plan_.columns.size()));
    }
    for (; column < plan_.columns.size(); ++column) {
      const ColumnUse& use = plan_.columns[column];
      if (use.used() && !take(use, {})) return false;
    }
    return true;
  }
  bool missing_token(std::string_view cell) const {
    if (!may_be_missing(cell)) return false;
    return plan_.rules == CellRules::raw ? cell.empty() : is_missing_word(cell);
  }
  TokenRef ref_to(std::string_view cell) {
    constexpr std::less<const char*> before;
    const bool inside =
        !before(cell.data(), block_.data()) && before(cell.data(), block_.data() + block_.size());
    return ref_in(block_, inside ? cell : std::string_view(out_.unquoted.emplace_back(cell)));
  }
  bool take(const ColumnUse& use, std::string_view cell) {
    if (use.token) {
      refs_[*use.token] = missing_token(cell) ? without_token(*use.token, cell) : ref_to(cell);
      if (strict_ && !is_utf8(cell)) return fail(not_text(cell));
    }
    if (use.time && !(use.time_part ? take_time_part(*use.time_part, cell) : take_time(cell)))
      return false;
    for (const ValueFilter* filter : use.filters) {
      if (!apply(*filter, cell)) return false;
    }
    return true;
  }
  bool take_time(std::string_view cell) {
    return out_.times.read(cell, time_) || fail(out_.times.error());
  }
  /// Of a time in several cells; the last of them that comes completes it.
  [[gnu::noinline]] bool take_time_part(std::size_t part, std::string_view cell) {
    time_parts_.resize(plan_.n_time_parts);
    time_parts_[part] = cell;
    if (++n_time_parts_ < plan_.n_time_parts) return true;
    n_time_parts_ = 0;
    std::string text;
    for (const std::string& one : time_parts_) {
      if (is_missing_word(one)) return take_time({});
      text += text.empty() ? "" : " ";
      text += trim(one);
    }
    return take_time(text);
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
      return fail(
          fmt::format("'{}' is not a number: '{}'", printable(filter.column), printable(cell)));
    }
    passes_ = passes_ && filter.passes(value);
    return true;
  }
  // What is rare is kept apart, so that the compiler sees how short the rest is.
  [[gnu::noinline]] TokenRef without_token(std::size_t token, std::string_view cell) {
    missing_words_[token] = cell;
    return {};
  }
  [[gnu::noinline]] bool leave_out(std::size_t token) {
    if (out_.n_without_token++ == 0) {
      out_.first_without_token = {out_.n_lines, token, missing_words_[token]};
    }
    return true;
  }
  [[gnu::noinline]] bool finish_row_without_time() {
    if (refs_[0].view() != plan_.header_cells->first ||
        refs_[1].view() != plan_.header_cells->second) {
      return append_row();
    }
    return fail(std::string(kHeaderAgain));
  }
  /// @return false if the row is a header.
  bool finish_row() {
    for (std::size_t token = 0; token < plan_.n_required; ++token) {
      if (refs_[token].text == nullptr) return leave_out(token);
    }
    return plan_.header_cells ? finish_row_without_time() : append_row();
  }
  bool append_row() {
    if (plan_.has_time) {
      if (time_ == kMissingTime && plan_.missing_time == MissingTime::drop) {
        ++out_.n_without_time;
        return true;
      }
      out_.times.push_back(time_);
    }
    for (std::size_t token = 0; token < plan_.n_tokens; ++token) {
      out_.tokens[token].refs.push_back(refs_[token]);
    }
    if (plan_.has_filters) out_.passes.push_back(passes_ ? 1 : 0);
    return true;
  }

  const ParsePlan& plan_;
  std::string_view block_;
  std::string_view bytes_;  // What is left of the block.
  bool strict_;
  bool binary_ = false;
  BlockColumns& out_;
  Separators marks_;
  std::string scratch_;
  std::array<TokenRef, kMaxTokens> refs_;
  std::array<std::string, kMaxTokens> missing_words_;  // Of the tokens that lack.
  std::vector<std::string> time_parts_;                // Of the row.
  std::size_t n_time_parts_ = 0;                       // Seen of it.
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

class SequenceParser {
 public:
  SequenceParser(std::string_view bytes, bool strict, BlockColumns& out)
      : block_(bytes), strict_(strict), out_(out) {}

  void parse() {
    const bool binary = is_binary(block_);
    std::string_view bytes = block_, text;
    while (!bytes.empty() && next_line(bytes, text, binary, out_) && line(text)) continue;
  }

 private:
  bool line(std::string_view line) {
    const std::string_view user = next_word(line);
    if (user.empty()) return true;
    if (!check(user)) return false;
    const TokenRef user_ref = ref_in(block_, user);
    std::string_view item = next_word(line);
    if (item.empty()) {
      out_.error =
          fmt::format("user '{}' has no items; a line is \"user item item ...\"", printable(user));
      return false;
    }
    for (; !item.empty(); item = next_word(line)) {
      if (!check(item)) return false;
      out_.tokens[0].refs.push_back(user_ref);
      out_.tokens[1].refs.push_back(ref_in(block_, item));
    }
    return true;
  }
  bool check(std::string_view token) {
    if (strict_ && !is_utf8(token)) out_.error = not_text(token);
    return !out_.error;
  }

  std::string_view block_;
  bool strict_;
  BlockColumns& out_;
};

/// Parse a block, and once more if there is an error: texts of tokens are looked at only where they
/// are new, but of several errors the first counts.
template <class Parse>
void parse_block(std::span<const TokenTable> tables, BlockColumns& out, const Parse& parse) {
  out.clear(tables.size());
  parse(false);
  if (!out.error && code_columns(tables, out)) return;
  out.clear(tables.size());
  parse(true);
}

}  // namespace

void BlockColumns::clear(std::size_t n_tokens) {
  tokens.resize(n_tokens);
  for (TokenColumn& column : tokens) {
    column.refs.clear();
    column.codes.clear();
    column.unknown.tokens.clear();
  }
  unquoted.clear();
  passes.clear();
  n_without_token = n_without_time = n_lines = 0;
  error.reset();
}

void parse_rows(const ParsePlan& plan, std::string_view bytes, std::span<const TokenTable> tables,
                BlockColumns& out) {
  parse_block(tables, out, [&](bool strict) {
    out.times.clear(plan.times);
    if (plan.separator.size() == 1) {
      RowParser<Marks>(plan, bytes, strict, out).parse();
    } else {
      RowParser<TextMarks>(plan, bytes, strict, out).parse();
    }
  });
}

void parse_json_rows(const ParsePlan& plan, std::string_view bytes,
                     std::span<const TokenTable> tables, BlockColumns& out) {
  parse_block(tables, out, [&](bool strict) {
    out.times.clear(plan.times);
    RowParser<Marks> row(plan, bytes, strict, out);
    JsonRows lines(plan.json_columns, bytes);
    bool good = true;
    while (good && lines.next()) {
      out.n_lines = lines.n_lines();  // Of the row, if it is left out.
      good = row.row_of(lines.cells());
    }
    out.n_lines = lines.n_lines();
    if (good && !lines.error().empty()) out.error = lines.error();
  });
}

void parse_sequences(std::string_view bytes, std::span<const TokenTable> tables,
                     BlockColumns& out) {
  parse_block(tables, out, [&](bool strict) { SequenceParser(bytes, strict, out).parse(); });
}

}  // namespace recloom
