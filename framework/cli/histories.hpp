#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace recloom::cli {

/// Options that say for whom: --history with --user, or --input with a history a line.
struct HistoryOptions {
  std::string history, user, input, unknown = "skip";
  bool has_history = false;

  void add_to(CLI::App& command);
  bool any() const { return has_history || !user.empty() || !input.empty(); }
  /// @throws ConfigError for what is neither skip nor refuse.
  UnknownItems unknown_items() const;
  /// Call body with the histories, in order, some at a time: at most `most`, fewer where they are
  /// long. Warns where there are none.
  /// @throws IoError an input that cannot be read; DataError a line that is no text or too long, an
  /// item unknown to the model that is to be refused; Interrupted.
  void for_each_piece(const Vocabulary& vocabulary, std::size_t most, const RunContext& run,
                      const std::function<void(const std::vector<QueryHistory>&)>& body) const;
};

/// Return the words of a text, separated by white space.
std::vector<std::string> words_of(const std::string& text);
/// Return the items of a file that lists them, or of a list with commas between.
/// @param flag how a message names it. @throws IoError, DataError what is neither a file nor an
/// item.
std::vector<std::string> items_of(const std::string& flag, const std::string& file_or_list,
                                  const Vocabulary& vocabulary, const RunContext& run);

}  // namespace recloom::cli
