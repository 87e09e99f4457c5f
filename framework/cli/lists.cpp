#include "cli/lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/table.hpp"

namespace recloom::cli {
namespace {

constexpr std::array<std::pair<std::string_view, ListFormat>, 4> kEndings = {
    {{".tsv", ListFormat::tsv},
     {".csv", ListFormat::csv},
     {".jsonl", ListFormat::json},
     {".json", ListFormat::json}}};

std::string with_name(const Vocabulary& vocabulary, const std::string& token) {
  const std::string_view name = vocabulary.item_name(vocabulary.item(token));
  return name.empty() ? token : fmt::format("{} {}", token, name);
}

/// What was asked, what was skipped, the list.
std::string for_people(const RecommendedList& list, const Vocabulary& vocabulary) {
  constexpr std::size_t kShown = 20;
  const std::size_t first = list.history.size() > kShown ? list.history.size() - kShown : 0;
  std::string text = "history: ";
  if (first > 0)
    text += fmt::format("{} earlier items | ", grouped(static_cast<std::int64_t>(first)));
  for (std::size_t item = first; item < list.history.size(); ++item)
    text += (item > first ? " | " : "") + display_text(with_name(vocabulary, list.history[item]));
  text += list.history.empty() ? "(empty)\n" : "\n";
  if (list.items.empty())
    return text + "\nnothing is left to recommend: every item is hidden, blocked or not allowed\n";
  bool named = false;
  for (const RecommendedItem& found : list.items) named |= !found.name.empty();
  Table table(named ? std::vector<std::string>{"rank", "item", "score", "name"}
                    : std::vector<std::string>{"rank", "item", "score"});
  for (std::size_t rank = 0; rank < list.items.size(); ++rank) {
    const RecommendedItem& found = list.items[rank];
    table.add(
        {fmt::to_string(rank + 1), found.item, fmt::format("{:.4f}", found.score), found.name});
  }
  return text + "\n" + table.text();
}

/// Quoted as RFC 4180 has it; lines end as those of all other files.
std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

/// user, item, rank, score, name; a user that was not named is empty.
template <class Cell>
std::string table_lines(const RecommendedList& list, char separator, const Cell& cell) {
  std::string text;
  const std::string user = cell(list.user);
  for (std::size_t rank = 0; rank < list.items.size(); ++rank) {
    const RecommendedItem& found = list.items[rank];
    fmt::format_to(std::back_inserter(text), "{}{}{}{}{}{}{}{}{}\n", user, separator,
                   cell(found.item), separator, rank + 1, separator, found.score, separator,
                   cell(found.name));
  }
  return text;
}

}  // namespace

ListFormat list_format_of(const std::string& file, ListFormat other) {
  std::string_view name = file;
  for (const std::string_view packing : {".gz", ".zst"})
    if (name.ends_with(packing)) name.remove_suffix(packing.size());
  for (const auto& [ending, format] : kEndings)
    if (name.ends_with(ending)) return format;
  if (is_device(file)) return other;
  throw ConfigError(fmt::format(
      "--output {}: must end in .csv, .tsv or .jsonl, packed with .gz or .zst behind it", file));
}

bool is_device(const std::string& file) {
  std::error_code none;
  return std::filesystem::is_other(std::filesystem::status(file, none));
}

std::string_view list_heading(ListFormat format) {
  if (format == ListFormat::tsv) return "user\titem\trank\tscore\tname\n";
  if (format == ListFormat::csv) return "user,item,rank,score,name\n";
  return "";
}

std::string list_text(const RecommendedList& list, ListFormat format,
                      const Vocabulary& vocabulary) {
  switch (format) {
    case ListFormat::people:
      return for_people(list, vocabulary);
    case ListFormat::tsv:
      return table_lines(list, '\t', tsv_cell);
    case ListFormat::csv:
      return table_lines(list, ',', csv_cell);
    case ListFormat::json:
      return list.to_json() + "\n";
  }
  return "";
}

std::string error_line(const std::string& user, const std::string& error) {
  return json_object({{"user", json_quote(user)}, {"error", json_quote(error)}}) + "\n";
}

}  // namespace recloom::cli
