#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "recloom/serving.hpp"

namespace recloom::cli {

/// Options that say for whom: --history or --item, --user with --log, or --input.
struct HistoryOptions {
  std::vector<std::string> histories, items, sets;
  std::string user, log, input, input_format = "auto", config_file, recipe, unknown = "skip";
  bool empty = false, keep_going = false;

  void add_to(CLI::App& command);
  /// Add what is to become of histories that cannot be answered.
  void add_answers_to(CLI::App& command);
  /// What can be said before anything is read. @param command its name. @throws ConfigError.
  void check(const std::string& command) const;
  bool any() const;
  UnknownItems unknown_items() const;
  /// All that is read: no output may take its place.
  std::vector<std::string> files() const;

  /// How a log or a list of histories is read.
  HistoryInput source(const std::string& file) const;
};

/// The histories that were asked for.
class Histories {
 public:
  /// What became of them.
  struct Counts {
    std::int64_t taken = 0, empty = 0, wrong = 0;
  };
  /// Some of them in order, and how far the input is read.
  struct Piece {
    std::vector<AskedHistory> asked;  ///< With an error: one that cannot be answered.
    double share = -1;                ///< As HistoryReader::share().
    bool waits = false;               ///< Whoever writes the input may wait for the answer.
  };

  /// All of these must outlive it. @throws as HistoryReader; DataError as parse_items().
  Histories(const HistoryOptions& options, const Recommender& model, const RunContext& run);

  /// Whether they come as JSON lines: each line then gets its answer, an error too.
  bool in_json() const;
  /// Answers are JSON lines: then each line of a pipe, or of JSON, has one, an error too, so that
  /// who asks line by line need not wait for ever.
  void answer_in_json();
  /// Call body, which may take them, with them, in order, some at a time: at most `most`, fewer
  /// where they are long, and what there is before a pipe is waited for. Those without a known item
  /// are left out, and of JSON lines told as errors, unless --empty asks for them.
  /// @throws DataError a line that is wrong, unless --keep-going; an item unknown to the model that
  /// is to be refused; as HistoryReader.
  Counts for_each_piece(std::size_t most, const std::function<void(Piece&)>& body);

 private:
  void take_given();
  void warn_of_sessions() const;
  void add_given(QueryHistory history, bool may_be_empty);
  bool take(AskedHistory& asked, Counts& counts) const;

  const HistoryOptions& options_;
  const Recommender& model_;
  const RunContext& run_;
  std::unique_ptr<HistoryReader> reader_;  ///< Of --input.
  std::vector<AskedHistory> given_;        ///< Else.
  bool answers_all_ = false;               ///< Wrong lines, too.
};

/// An item as messages show it: a line with commas is one item, of any length.
std::string shown_item(const std::string& item);

/// A list of items out of texts, where each is a file or a list with commas between, and out of
/// files that hold an item a line.
struct ItemList {
  std::string flag;  ///< "--block"
  std::vector<std::string> texts, files;

  void add_to(CLI::App& command, const std::string& doc);
  bool any() const { return !texts.empty() || !files.empty(); }
  /// @throws IoError; DataError what is neither a file nor an item, or can be read two ways.
  std::vector<std::string> read(const Vocabulary& vocabulary, const RunContext& run) const;
};

}  // namespace recloom::cli
