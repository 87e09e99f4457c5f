#include "cli/histories.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/line_reader.hpp"

namespace recloom::cli {
namespace {

/// Text of the histories of one piece: what bounds the memory for long ones.
constexpr std::size_t kPieceBytes = std::size_t{16} << 20;
constexpr std::string_view kSpace = " \t\r\v\f\n";

QueryHistory parse_line(const std::string& line) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string::npos) return {"", words_of(line)};
  return {line.substr(0, tab), words_of(line.substr(tab + 1))};
}

void refuse_unknown(const QueryHistory& history, const std::string& place,
                    const Vocabulary& vocabulary) {
  for (const std::string& item : history.items)
    if (vocabulary.item(item) == 0)
      throw DataError(fmt::format("{}: the model does not know item '{}'{}", place, item,
                                  suggestion(item, vocabulary.items())));
}

/// Whether a text that names no file looks as if it should.
bool looks_like_a_file(const std::string& text) {
  return text.find_first_of("./") != std::string::npos &&
         text.find_first_of(", \t") == std::string::npos;
}

}  // namespace

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::size_t end = 0;
  for (std::size_t begin; (begin = text.find_first_not_of(kSpace, end)) != std::string::npos;) {
    end = std::min(text.find_first_of(kSpace, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
  }
  return words;
}

std::vector<std::string> items_of(const std::string& flag, const std::string& file_or_list,
                                  const Vocabulary& vocabulary, const RunContext& run) {
  std::error_code none;
  const auto type = std::filesystem::status(file_or_list, none).type();
  const bool known = vocabulary.item(file_or_list) != 0;
  if (std::filesystem::exists(std::filesystem::file_status(type)) &&
      !(known && type == std::filesystem::file_type::directory)) {
    std::vector<std::string> items;
    LineReader reader(file_or_list, run);
    for (std::string line; reader.next(line);)
      for (std::string& word : words_of(line)) items.push_back(std::move(word));
    return items;
  }
  if (!known && looks_like_a_file(file_or_list))
    throw DataError(fmt::format("{} {}: there is no such file, and the model knows no such item",
                                flag, file_or_list));
  std::string list = file_or_list;
  std::replace(list.begin(), list.end(), ',', ' ');
  return words_of(list);
}

void HistoryOptions::add_to(CLI::App& command) {
  add_parsed(
      command, "--history",
      [this](const std::string& text) {
        history = text;
        has_history = true;
      },
      "Item tokens, oldest first: \"A B C\"");
  add_option(command, "--user", user, "Token of the user; one that the model never saw is fine");
  add_path(command, "--input", input,
           "File with a history a line: user<TAB>items, or items; - is standard input");
  add_option(command, "--unknown", unknown,
             "Items that the model never saw: skip (default) or refuse");
}

UnknownItems HistoryOptions::unknown_items() const {
  if (unknown != "skip" && unknown != "refuse")
    throw ConfigError(fmt::format("--unknown {}: must be skip or refuse", unknown));
  return unknown == "skip" ? UnknownItems::skip : UnknownItems::refuse;
}

void HistoryOptions::for_each_piece(
    const Vocabulary& vocabulary, std::size_t most, const RunContext& run,
    const std::function<void(const std::vector<QueryHistory>&)>& body) const {
  const bool refuse = unknown_items() == UnknownItems::refuse;
  if (input.empty()) {
    const QueryHistory one{user, words_of(history)};
    if (refuse) refuse_unknown(one, "--history", vocabulary);
    body({one});
    return;
  }
  LineReader reader(input, run);
  std::vector<QueryHistory> piece;
  std::size_t bytes = 0, count = 0;
  for (std::string line; reader.next(line);) {
    if (line.empty()) continue;
    piece.push_back(parse_line(line));
    if (refuse) refuse_unknown(piece.back(), reader.place(), vocabulary);
    bytes += line.size();
    ++count;
    if (piece.size() < most && bytes < kPieceBytes) continue;
    body(piece);
    piece.clear();
    bytes = 0;
  }
  if (!piece.empty()) body(piece);
  if (count == 0) run.warning(fmt::format("{}: no histories", reader.name()));
}

}  // namespace recloom::cli
