#include "data/format_guess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "data/first_lines.hpp"
#include "data/foreign_files.hpp"
#include "data/free_text.hpp"
#include "data/line_blocks.hpp"
#include "data/plain_cells.hpp"
#include "data/table_guess.hpp"
#include "data/table_header.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// Does a text begin with an object, or with a list of them, which is then refused as such?
bool begins_json(std::string_view head) {
  constexpr std::string_view kBlanks = " \t\r\n";
  constexpr std::size_t kBytesToLookAt = 4096;
  head = head.substr(0, kBytesToLookAt);
  head.remove_prefix(std::min(head.find_first_not_of(kBlanks), head.size()));
  if (head.starts_with('[')) {
    head.remove_prefix(std::min(head.find_first_not_of(kBlanks, 1), head.size()));
  }
  return head.starts_with('{') && head.find(':') != std::string_view::npos;
}

/// Look at the first line: text, or no text at all?
void check_text(const std::string& where, std::string_view head, std::string_view line,
                bool is_whole) {
  if (const std::string kind = foreign_file(head); !kind.empty()) {
    throw DataError(where + ": this is " + kind);
  }
  // The last character of a line that is cut may be cut itself.
  while (!is_whole && !line.empty() && static_cast<unsigned char>(line.back()) >= 0x80) {
    line.remove_suffix(1);
  }
  if (line.find('\0') != std::string_view::npos || !is_utf8(line)) {
    throw DataError(where + ": " + not_utf8_text(head));
  }
  if (line.find('\r') != std::string_view::npos) {
    throw DataError(where +
                    ": a carriage return within the line; lines must end with a line feed "
                    "(\\n or \\r\\n)");
  }
}

/// Refuse text that is JSON but not an object a line.
void check_no_json(const std::string& where, std::string_view line) {
  line = trim(line);
  if (!line.starts_with('[') && !line.starts_with('{')) return;
  throw DataError(
      fmt::format("{}: this looks like JSON, though not like an object a line, which is what "
                  "data.format = json "
                  "reads; `jq -c '.[]' FILE` writes the elements of a list that way",
                  where));
}

/// Refuse a table whose first line is a row: it would be eaten as a header.
/// @param guess its separator is the one that the table is read with.
void check_header(const std::string& where, const Words& lines, TableGuess guess,
                  const TableSyntax& syntax) {
  const bool certain =
      has_cells(lines[0], guess.separator, {syntax.user_column, syntax.item_column});
  guess.sign = sign_of_no_header(lines, guess.separator, certain);
  if (guess.sign.empty()) return;
  throw DataError(
      fmt::format("{}: this table has no header line ({}); name its columns by position: {}", where,
                  guess.sign, settings_for(lines, guess)));
}

/// Refuse lines that may be a table.
void check_sequences(const std::string& where, const Words& lines) {
  const std::optional<TableGuess> guess = guess_table(lines);
  if (!guess) return;
  const std::string sequences = set_option("data.format", std::string("sequences"));
  if (guess->is_text)
    throw DataError(fmt::format(
        "{}: this looks like {}, not like lines of \"user item item ...\"; {}{}, {} takes each "
        "line "
        "as a user and items",
        where, guess->sign, guess->remedy, guess->is_advice ? "" : " reads it", sequences));
  throw DataError(fmt::format(
      "{}: this looks like a table {} a header line ({}), not like lines of \"user item item "
      "...\"; "
      "{} reads it, {} takes each line as a user and items",
      where, guess->has_header ? "with" : "without", guess->sign, settings_for(lines, *guess),
      sequences));
}

FileFormat guess_format(const std::string& file, const std::string& where, std::string_view head,
                        const Words& lines, const TableSyntax& syntax) {
  if (syntax.format != FileFormat::automatic) return syntax.format;
  if (!syntax.columns.empty() && begins_json(head)) {
    throw DataError(
        where +
        ": lines of JSON have keys, so data.columns names nothing; --set "
        "'data.columns=[]' leaves it out, --set data.format=csv reads cells all the same");
  }
  if (!syntax.columns.empty()) return FileFormat::csv;
  if (head.starts_with('{') && begins_json(head)) return FileFormat::json;
  if (const FileFormat named = format_of_name(file); named != FileFormat::automatic) return named;
  if (begins_json(head)) return FileFormat::json;
  if (lines[0].find(":token") != std::string_view::npos) return FileFormat::atomic;
  if (!syntax.may_be_sequences || !syntax.separator.empty()) return FileFormat::csv;
  if (find_drawn_table(lines)) check_sequences(where, lines);
  if (separator_with(lines[0], {syntax.user_column, syntax.item_column})) return FileFormat::csv;
  check_no_json(where, lines[0]);
  check_sequences(where, lines);
  return FileFormat::sequences;
}

}  // namespace

FileFormat format_of_name(std::string_view file) {
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (file.ends_with(packed)) file.remove_suffix(packed.size());
  }
  for (const std::string_view suffix : {".inter", ".user", ".item"}) {
    if (file.ends_with(suffix)) return FileFormat::atomic;
  }
  for (const std::string_view suffix : {".jsonl", ".ndjson", ".json"}) {
    if (file.ends_with(suffix)) return FileFormat::json;
  }
  const bool is_csv = file.ends_with(".csv") || file.ends_with(".tsv");
  return is_csv ? FileFormat::csv : FileFormat::automatic;
}

FileFormat find_format(const std::string& file, std::string_view head, const TableSyntax& syntax) {
  const bool is_all = head.size() < LineBlocks::kBlockBytes;
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  const FirstLines first = first_lines(head);
  const std::string& shown = file;
  if (first.lines.empty()) {
    throw DataError(shown + (is_all ? ": the file is empty" : ": the first lines are all blank"));
  }
  const std::string_view line = first.lines[0];
  const std::string where = fmt::format("{}:{}", shown, first.n_before + 1);
  check_text(where, head, line, is_all || head.data() + head.size() != line.data() + line.size());
  const FileFormat format = guess_format(file, where, head, first.lines, syntax);
  if (format == FileFormat::csv && syntax.may_be_sequences && syntax.columns.empty()) {
    TableGuess guess;
    guess.separator = find_separator(file, head, syntax, format);
    check_header(where, first.lines, guess, syntax);
  }
  return format;
}

}  // namespace recloom
