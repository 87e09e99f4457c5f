#include "host/history_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/json.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "data/format_guess.hpp"

namespace recloom {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";

std::vector<std::string> words_of(std::string_view text, std::string_view separators) {
  std::vector<std::string> words;
  for (std::size_t begin, end = 0;
       (begin = text.find_first_not_of(separators, end)) != std::string_view::npos;) {
    end = std::min(text.find_first_of(separators, begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
  }
  return words;
}

/// A file of such a name may hold a table or histories.
bool is_tsv(std::string_view name) {
  return name.ends_with(".tsv") || name.ends_with(".tsv.gz") || name.ends_with(".tsv.zst");
}

bool has_header(const std::string& line, const DataOptions& data) {
  if (line.find(":token") != std::string::npos) return true;
  const std::vector<std::string> cells = words_of(line, "\t,;|:\" ");
  const auto has = [&](const std::string& name) {
    return std::find(cells.begin(), cells.end(), name) != cells.end();
  };
  return has(data.user_column) && has(data.item_column);
}

/// Whether an object lists items; else it may be an event of a log.
bool lists_items(const std::string& line, const std::string& name) {
  try {
    const Json json = parse_json(line);
    const auto items = json.find("items");
    return json.is_object() && items != json.end() && items->is_array();
  } catch (const IoError& error) {
    throw DataError(fmt::format("{}:1: {}", name, error.what()));
  }
}

/// Whether every line may as well be a row of a table: a user, an item, and numbers that are no
/// items of the model behind them.
bool may_be_rows(const std::vector<std::string>& lines, const Vocabulary& vocabulary) {
  std::set<std::string> users;
  bool single = true, numbers = true;
  for (const std::string& line : lines) {
    const std::vector<std::string> cells = words_of(line, "\t");
    const bool one = cells.size() == 2 && words_of(cells[1], kBlanks).size() == 1;
    double number = 0;
    single = single && one;
    numbers = numbers && cells.size() > 2 && vocabulary.item(cells.back()) == 0 &&
              parse_number(cells.back(), number);
    if (!cells.empty()) users.insert(cells.front());
  }
  return numbers || (single && users.size() < lines.size());
}

[[noreturn]] void ambiguous(const std::string& name, std::string_view what) {
  throw ConfigError(fmt::format("{}: {}", name, what));
}

std::string token_of(const Json& value, const std::string& place, const char* key) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return dump_json(value);
  throw DataError(fmt::format("{}: {} = {}: must be a text or an integer", place, key,
                              printable(dump_json(value))));
}

std::vector<std::string> tokens_of(const Json& value, const std::string& place, const char* key) {
  if (!value.is_array())
    throw DataError(fmt::format("{}: {} = {}: must be a list of items", place, key,
                                printable(dump_json(value))));
  std::vector<std::string> tokens;
  for (const Json& each : value) tokens.push_back(token_of(each, place, key));
  return tokens;
}

}  // namespace

InputFormat find_input_format(const std::string& name, const std::vector<std::string>& lines,
                              const DataOptions& data, const Vocabulary& vocabulary) {
  if (lines.empty()) return InputFormat::histories;
  const FileFormat named = format_of_name(name);
  if (named == FileFormat::atomic || (named == FileFormat::csv && !is_tsv(name)))
    return InputFormat::log;
  const std::string& first = lines.front();
  if (trim(first).starts_with('{'))
    return lists_items(first, name) ? InputFormat::json : InputFormat::log;
  if (named == FileFormat::json)
    throw DataError(fmt::format("{}:1: '{}' is no JSON object", name, printable(first)));
  if (has_header(first, data)) return InputFormat::log;
  const bool tabs = std::ranges::any_of(
      lines, [](const std::string& line) { return line.find('\t') != std::string::npos; });
  if (tabs && (!data.columns.empty() || may_be_rows(lines, vocabulary)))
    ambiguous(
        name,
        "may be a table or a list of histories; --input-format log reads rows of a log "
        "(--set data.columns=... names their columns), --input-format histories reads lines of "
        "user<TAB>items");
  if (tabs) return InputFormat::histories;
  const bool words = std::ranges::any_of(
      lines, [](const std::string& line) { return words_of(line, kBlanks).size() > 1; });
  if (!words && data.columns.empty() && first.find_first_of(",;|") == std::string::npos)
    ambiguous(
        name,
        "its lines are single words; --input-format histories takes each for a history of one "
        "item, --input-format log reads a log");
  return InputFormat::log;
}

std::vector<std::string> parse_items(std::string_view text, std::string_view separators,
                                     const Vocabulary& vocabulary, std::string_view place) {
  const std::string_view whole = trim(text);
  std::vector<std::string> words = words_of(text, separators);
  if (words.size() < 2 || vocabulary.item(whole) == 0) return words;
  const bool all_known = std::ranges::all_of(
      words, [&](const std::string& word) { return vocabulary.item(word) != 0; });
  if (!all_known) return {std::string(whole)};
  throw DataError(
      fmt::format("{}: '{}' is an item, and so is each of its words; write an item with "
                  "blanks or commas by --item, in a file with a tab behind it, or in "
                  "JSON lines",
                  place, printable(whole)));
}

QueryHistory parse_history_line(const std::string& line, const std::string& place,
                                const Vocabulary& vocabulary) {
  if (!is_utf8(line))
    throw DataError(
        fmt::format("{}: the line is not valid UTF-8: {}; `iconv -f latin1 -t utf-8 FILE` writes "
                    "it so, if that is "
                    "its encoding",
                    place, printable(line)));
  const std::size_t tab = line.find('\t');
  if (tab == std::string::npos) return {"", parse_items(line, kBlanks, vocabulary, place)};
  QueryHistory history{line.substr(0, tab), {}};
  const std::string_view items = std::string_view(line).substr(tab + 1);
  history.items = items.find('\t') == std::string_view::npos
                      ? parse_items(items, kBlanks, vocabulary, place)
                      : words_of(items, "\t");
  return history;
}

QueryHistory parse_history_object(const std::string& line, const std::string& place) {
  Json json;
  try {
    json = parse_json(line);
  } catch (const IoError& error) {
    throw DataError(fmt::format("{}: {}", place, error.what()));
  }
  if (!json.is_object())
    throw DataError(fmt::format("{}: '{}' is no JSON object", place, printable(line)));
  static const std::vector<std::string> kKeys = {"user", "items", "candidates"};
  QueryHistory history;
  for (const auto& [key, value] : json.items()) {
    if (key == "user") {
      if (!value.is_null()) history.user = token_of(value, place, "user");
    } else if (key == "items") {
      history.items = tokens_of(value, place, "items");
    } else if (key == "candidates") {
      history.candidates = tokens_of(value, place, "candidates");
      if (history.candidates.empty())
        throw DataError(place +
                        ": candidates = []: leaves nothing to rank; without the key every "
                        "item is ranked");
    } else {
      throw DataError(fmt::format("{}: unknown key '{}'{} (a line holds user, items, candidates)",
                                  place, printable(key), did_you_mean(key, kKeys)));
    }
  }
  if (!json.contains("items"))
    throw DataError(place + ": items is missing; a line is {\"user\": \"u\", \"items\": [\"a\"]}");
  return history;
}

}  // namespace recloom
