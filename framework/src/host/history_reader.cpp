// Histories out of whatever holds them.
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "core/text.hpp"
#include "data/stream_write.hpp"
#include "host/config_sections.hpp"
#include "host/history_format.hpp"
#include "host/line_reader.hpp"
#include "host/log_histories.hpp"
#include "recloom/serving.hpp"

namespace recloom {
namespace {

constexpr std::size_t kLinesToLookAt = 100;

bool is_blank(const std::string& line) { return trim(line).empty(); }

/// The first lines of a file that are not blank.
std::vector<std::string> first_lines(const std::string& file, const RunContext& run) {
  std::vector<std::string> lines;
  LineReader reader(file, run);
  for (std::string line; lines.size() < kLinesToLookAt && reader.next(line);)
    if (!is_blank(line)) lines.push_back(line);
  return lines;
}

/// What is no file may be the name of a shipped set or a folder with a log.
bool is_file(const std::string& name) {
  std::error_code none;
  return name == "-" ||
         (std::filesystem::exists(name, none) && !std::filesystem::is_directory(name, none));
}

bool says_how_to_read(const ConfigRequest& log) {
  return !log.recipe.empty() || !log.config_file.empty() || !log.settings.empty();
}

/// Whether a line may be a row or the header of a table rather than "user item item ...".
bool may_be_row(const std::string& line, const DataOptions& data) {
  if (!data.columns.empty()) return true;
  if (data.format != FileFormat::automatic && data.format != FileFormat::sequences) return true;
  const auto has = [&](std::string_view text) { return line.find(text) != std::string::npos; };
  return line.find_first_of(",;|{\t") != std::string::npos || has(":token") ||
         (has(data.user_column) && has(data.item_column));
}

RunConfig config_of(const HistoryInput& input, const Recommender& model, const RunContext& run) {
  ConfigRequest request = input.log;
  request.data = input.file;
  RunConfig config = resolve_histories(model.config(), request);
  verify_source(config.source, run);
  return config;
}

}  // namespace

struct HistoryReader::Impl {
  Impl(const HistoryInput& input, const Recommender& model, const RunContext& context)
      : run(context),
        vocabulary(model.vocabulary()),
        name(input.file == "-" ? "standard input" : printable(input.file, 400)),
        format(input.format) {
    const bool pipe = is_pipe(input.file);
    if (format == InputFormat::automatic && (!is_file(input.file) || says_how_to_read(input.log)))
      format = InputFormat::log;
    if (pipe && format != InputFormat::log) lines = std::make_unique<LineReader>(input.file, run);
    if (format == InputFormat::automatic) find_format(input, model, pipe);
    if (format != InputFormat::log) {
      if (!lines) lines = std::make_unique<LineReader>(input.file, run);
    } else if (!lines) {
      open_log(input, model);
    }
  }

  void find_format(const HistoryInput& input, const Recommender& model, bool pipe) {
    const DataOptions data = model.config().data;
    if (!pipe) {
      format = find_input_format(name, first_lines(input.file, run), data, vocabulary);
      return;
    }
    std::string line;
    while (!first && lines->next(line))
      if (!is_blank(line)) first = line;
    std::vector<std::string> seen;
    if (first) seen.push_back(*first);
    format = find_input_format(name, seen, data, vocabulary);
    if (format != InputFormat::log) return;
    // What was read of a pipe cannot be read again; a line of words needs nothing before it.
    if (may_be_row(*first, data))
      throw ConfigError(fmt::format(
          "{}: '{}' looks like a log; --input-format log reads it as one, --input-format histories "
          "as a list of histories",
          name, printable(*first)));
    note_sequences();
  }

  void open_log(const HistoryInput& input, const Recommender& model) {
    const RunConfig config = config_of(input, model, run);
    if (!is_line_by_line(config, run)) {
      log = std::make_unique<LogHistories>(config, run);
      return;
    }
    lines = std::make_unique<LineReader>(config.source.file, run);
    if (input.format == InputFormat::automatic && !says_how_to_read(input.log)) note_sequences();
  }

  void note_sequences() const {
    run.info(
        fmt::format("{}: lines are read as \"user item item ...\", as train does; "
                    "--input-format histories takes every word for an item",
                    name));
  }

  /// Take the next line that is not blank.
  bool next_line(std::string& line) {
    if (first) {
      line = std::move(*first);
      first.reset();
      return true;
    }
    while (lines->next(line))
      if (!is_blank(line)) return true;
    return false;
  }

  QueryHistory parse(const std::string& line) const {
    if (format == InputFormat::json) return parse_history_object(line, lines->place());
    if (format == InputFormat::log) return parse_sequence(line, lines->place());
    return parse_history_line(line, lines->place(), vocabulary);
  }

  const RunContext& run;
  const Vocabulary vocabulary;
  std::string name;
  InputFormat format;
  std::unique_ptr<LineReader> lines;  ///< Null: `log` has them all.
  std::unique_ptr<LogHistories> log;
  std::optional<std::string> first;  ///< A line that was looked at.
};

HistoryReader::HistoryReader(const HistoryInput& input, const Recommender& model,
                             const RunContext& run)
    : impl_(std::make_unique<Impl>(input, model, run)) {}
HistoryReader::~HistoryReader() = default;

bool HistoryReader::next(AskedHistory& asked) {
  asked.error.clear();
  if (impl_->log) return impl_->log->next(asked.history);
  std::string line;
  if (!impl_->next_line(line)) return false;
  try {
    asked.history = impl_->parse(line);
  } catch (const DataError& error) {
    asked.history = {};
    asked.error = error.what();
  }
  return true;
}

bool HistoryReader::ready() { return impl_->log || impl_->first || impl_->lines->ready(); }
InputFormat HistoryReader::format() const noexcept { return impl_->format; }
const std::string& HistoryReader::name() const noexcept { return impl_->name; }
std::string HistoryReader::place() const {
  return impl_->log ? impl_->name : impl_->lines->place();
}
double HistoryReader::share() const noexcept {
  return impl_->log ? impl_->log->share() : impl_->lines->share();
}

QueryHistory history_of_user(const std::string& user, const HistoryInput& log,
                             const Recommender& model, const RunContext& run) {
  return {user, LogHistories(config_of(log, model, run), run).items_of_user(user)};
}

void for_each_line(
    const std::string& file, const RunContext& run,
    const std::function<void(const std::string& line, const std::string& place)>& body) {
  LineReader reader(file, run);
  for (std::string line; reader.next(line);) body(line, reader.place());
}

void write_packed(
    const std::string& file,
    const std::function<void(const std::function<void(std::string_view)>& append)>& write) {
  write_packed_atomically(file, write);
}

}  // namespace recloom
