#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "data/table.hpp"
#include "data/time_key.hpp"
#include "data/token_table.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/options.hpp"

namespace recloom {

/// Looks whether all numbers of a log that may be Unix times count the same: seconds beside
/// milliseconds would order events wrongly.
class TimeUnitCheck {
 public:
  /// Look at the times of one more file. @param file as messages show it. @param keys without
  /// dates among them. @param scale of the keys. @param reader of the file. @throws DataError its
  /// times count another unit than those of the files before it. Warns of a file that has several.
  void add(const std::string& file, std::span<const std::int64_t> keys, const TimeScale& scale,
           const DataOptions& options, const TableReader& reader, const RunContext& run);

 private:
  struct Seen {
    std::string file;
    std::size_t unit = 0;    // Which of the four.
    std::int64_t value = 0;  // One of its times.
  };
  std::optional<Seen> first_;
};

/// Say of guessed lines of "user item item ..." that all have the same few words: then they may be
/// rows of a table in which nothing else tells. @param users of each event.
void note_even_lines(const std::string& file, std::span<const std::int32_t> users,
                     std::size_t n_users, const RunContext& run);

/// Say once that blanks at the ends of tokens make other tokens of them. @param file as messages
/// show it. @param separator of the table.
void warn_of_blanks(const std::string& file, const TokenTable& users, const TokenTable& items,
                    const std::string& separator, const RunContext& run);

}  // namespace recloom
