#include "cli/histories.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <sstream>
#include <system_error>

namespace recloom::cli {
namespace {

constexpr std::size_t kPiece = 4096;

std::ifstream open(const std::string& file) {
  std::ifstream in(file);
  if (!in || in.peek() == std::ifstream::traits_type::eof()) {
    const int error = errno;
    if (!in.is_open())
      throw IoError(
          fmt::format("cannot open {}: {}", file, std::generic_category().message(error)));
    if (in.bad()) throw IoError(fmt::format("cannot read {}", file));
    in.clear();
  }
  return in;
}

QueryHistory parse_line(const std::string& line) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string::npos) return {"", words_of(line)};
  return {line.substr(0, tab), words_of(line.substr(tab + 1))};
}

}  // namespace

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> items_of(const std::string& file_or_list) {
  std::ostringstream text;
  if (std::ifstream in(file_or_list); in.is_open() && in.peek() != EOF) {
    text << in.rdbuf();
    return words_of(text.str());
  }
  std::string list = file_or_list;
  for (char& c : list)
    if (c == ',') c = ' ';
  return words_of(list);
}

void HistoryOptions::add_to(CLI::App& command) {
  command.add_option("--history", history, "Item tokens, oldest first: \"A B C\"")
      ->each([this](const std::string&) { has_history = true; });
  command.add_option("--user", user, "Token of the user; one that the model never saw is fine");
  command.add_option("--input", input,
                     "File with a history a line: user<TAB>items, or items; - is standard input");
  command.add_option("--unknown", unknown,
                     "Items that the model never saw: skip (default) or refuse");
}

UnknownItems HistoryOptions::unknown_items() const {
  if (unknown != "skip" && unknown != "refuse")
    throw ConfigError(fmt::format("--unknown {}: must be skip or refuse", unknown));
  return unknown == "skip" ? UnknownItems::skip : UnknownItems::refuse;
}

void HistoryOptions::for_each_piece(
    const std::function<void(std::vector<QueryHistory>)>& body) const {
  if (input.empty()) {
    body({QueryHistory{user, words_of(history)}});
    return;
  }
  std::ifstream file;
  if (input != "-") file = open(input);
  std::istream& in = input == "-" ? std::cin : file;
  std::vector<QueryHistory> piece;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    piece.push_back(parse_line(line));
    if (piece.size() < kPiece) continue;
    body(std::move(piece));
    piece.clear();
  }
  if (!piece.empty()) body(std::move(piece));
}

}  // namespace recloom::cli
