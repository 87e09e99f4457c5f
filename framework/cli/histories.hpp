#pragma once
#include <functional>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace recloom::cli {

/// Where `recommend` and `export` take histories from: one on the command line, or a file with one
/// a line: `user<TAB>item item ...`, or `item item ...`.
struct HistoryOptions {
  std::string history, user, input;
  bool has_history = false;
  std::string unknown = "skip";

  void add_to(CLI::App& command);
  bool any() const { return has_history || !user.empty() || !input.empty(); }
  UnknownItems unknown_items() const;
  /// Call body with pieces of the histories, a few thousand at a time.
  void for_each_piece(const std::function<void(std::vector<QueryHistory>)>& body) const;
};

/// Return the words of a text, separated by blanks.
std::vector<std::string> words_of(const std::string& text);
/// Return the item tokens of a file (one or several a line), or of a list with commas.
std::vector<std::string> items_of(const std::string& file_or_list);

}  // namespace recloom::cli
