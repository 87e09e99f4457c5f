#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "data/events.hpp"
#include "data/raw_log.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

/// The users of a log with their items, in memory: each user by first appearance, items as training
/// would order them. Of a log whose lines bring their histories each line is a history.
class LogHistories {
 public:
  /// @param config of resolve_histories(). @throws as load_log(); Interrupted.
  LogHistories(const RunConfig& config, const RunContext& run);
  bool next(QueryHistory& history);
  double share() const noexcept;
  /// Return the items of a user, of several lines those of the last. @throws DataError there is no
  /// such user.
  std::vector<std::string> items_of_user(const std::string& user) const;

 private:
  std::vector<std::string> items_of(UserId user) const;
  std::vector<std::string> items_of_line(std::size_t row) const;

  std::string file_;
  RawLog lines_;  ///< With histories; else empty.
  std::size_t line_ = 0;
  Vocabulary vocabulary_;
  Events events_;
  UserId user_ = 0;  ///< The last that was given.
};

/// A user and items out of a line "user item item ...", words as a log's reader cuts them.
/// @throws DataError no item, bytes that are no UTF-8.
QueryHistory parse_sequence(std::string_view line, const std::string& place);

/// Whether a log can be read line by line, with what LogHistories would give: lines of "user item
/// item ...", one for each user, and nothing to be filtered.
bool is_line_by_line(const RunConfig& config, const RunContext& run);

/// Whether no user of such lines has two of them.
/// @param most_lines how many lines are looked at together: what bounds the memory.
RECLOOM_API bool has_a_line_each(const std::string& file, std::size_t most_lines,
                                 const RunContext& run);

}  // namespace recloom
