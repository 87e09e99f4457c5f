#pragma once
// For whom to recommend: histories out of logs, lists of histories and pipes; and what a model's
// answers are written to.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

/// How an input is understood: `histories` has lines of user<TAB>items, `json` has an object a
/// line, `log` is what train() reads; `automatic` is told by name and first lines, never guessed.
enum class InputFormat : int { automatic, histories, log, json };

/// Return the configuration to read a log's histories with: data.* of the model's training without
/// the filters that count events or know users (a new customer need not pass them), then what the
/// log itself says (recipe, dataset.toml), then the keys data.* of a config file, then the
/// settings.
/// @param request its data, more_data, recipe, config_file and settings count.
/// @throws as resolve_data_config(); ConfigError for a setting outside data.*.
RECLOOM_API RunConfig resolve_histories(const RunConfig& trained, const ConfigRequest& request);

/// Where histories come from.
struct HistoryInput {
  std::string file;  ///< As ConfigRequest::data, or "-".
  InputFormat format = InputFormat::automatic;
  ConfigRequest log = {};  ///< How a log is read: recipe, config_file, settings.
};

/// What one line, or one user of a log, asks for. @see QueryHistory
struct AskedHistory {
  QueryHistory history;
  std::string error;  ///< What is wrong with the line, with its place; "" = nothing.
};

/// Reads histories one after the other. A log gives one for each user, by first appearance, a
/// user's items in the order in which training would have them; its memory is that of its events,
/// but for files of "user item item ...", which are read line by line. Lists of histories and pipes
/// are read line by line, too.
class RECLOOM_API HistoryReader {
 public:
  /// @param run must outlive the reader; its stop request ends all waiting.
  /// @throws ConfigError the format cannot be told: names the one that is to be asked for;
  /// DataError, IoError as reading a log does; Interrupted.
  HistoryReader(const HistoryInput& input, const Recommender& model, const RunContext& run);
  ~HistoryReader();
  HistoryReader(const HistoryReader&) = delete;
  HistoryReader& operator=(const HistoryReader&) = delete;

  /// Take the next. A wrong line is told in AskedHistory::error, and the one behind it can be read.
  /// @return false at the end. @throws IoError; DataError of a log; Interrupted.
  bool next(AskedHistory& asked);
  /// Whether next() answers without waiting for whoever writes a pipe.
  bool ready();
  InputFormat format() const noexcept;       ///< Never automatic.
  const std::string& name() const noexcept;  ///< For people.
  std::string place() const;                 ///< Of what was taken last: "histories.tsv:3".
  double share() const noexcept;             ///< Of the input that is read, 0 to 1; -1: unknown.

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Return one user's own history out of a log. @throws DataError no such user, with the nearest; as
/// HistoryReader.
RECLOOM_API QueryHistory history_of_user(const std::string& user, const HistoryInput& log,
                                         const Recommender& model, const RunContext& run);

/// Return the items that a text names: the text itself if it is an item of the model, else its
/// words. @param separators what parts words. @param place for the message.
/// @throws DataError if it can be read both ways.
RECLOOM_API std::vector<std::string> parse_items(std::string_view text, std::string_view separators,
                                                 const Vocabulary& vocabulary,
                                                 std::string_view place);

/// Call body(line, place) for every line of a text file, plain, .gz or .zst, without its end.
/// @throws IoError; DataError binary data, a line of more than 64 MiB; Interrupted.
RECLOOM_API void for_each_line(
    const std::string& file, const RunContext& run,
    const std::function<void(const std::string& line, const std::string& place)>& body);

/// Write a file as write_file() does, packed if its name ends in .gz or .zst.
RECLOOM_API void write_packed(
    const std::string& file,
    const std::function<void(const std::function<void(std::string_view)>& append)>& write);

/// Takes some rows of a table.
using AppendVectors = std::function<void(const VectorTable& rows)>;
/// Write a table as write_npy() does, in the memory of the rows that are appended at a time; to a
/// pipe or device in that of all, since their number comes first. @throws IoError.
RECLOOM_API void write_npy(const std::string& file,
                           const std::function<void(const AppendVectors& append)>& write);

}  // namespace recloom
