#include "host/log_histories.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "data/filters.hpp"
#include "data/given_split.hpp"
#include "data/line_histories.hpp"
#include "data/load.hpp"
#include "host/line_reader.hpp"

namespace recloom {
namespace {

/// Hashes of users that are held at a time: 64 MiB.
constexpr std::size_t kMostHashes = std::size_t{1} << 23;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// A plain loop: words are short, and find_first_of() looks each character up.
std::string_view next_word(std::string_view& line) {
  std::size_t begin = 0;
  while (begin < line.size() && is_blank(line[begin])) ++begin;
  std::size_t end = begin;
  while (end < line.size() && !is_blank(line[end])) ++end;
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

/// The other files of a log that comes split: what happened in them is history, too.
SplitOptions other_parts(const DataSource& source) {
  SplitOptions split;
  const auto text = [&](std::string_view key) {
    const Value* value = source.settings.find(key);
    const auto* held = value ? std::get_if<std::string>(value) : nullptr;
    return held ? *held : std::string();
  };
  if (text("split.mode") != "given") return split;
  split.mode = SplitMode::given;
  split.valid_file = text("split.valid_file");
  split.test_file = text("split.test_file");
  return split;
}

bool has_other_parts(const SplitOptions& split) {
  return !split.valid_file.empty() || !split.test_file.empty();
}

/// Lines may bring their histories.
RawLog read_parts(const RunConfig& config, const RunContext& run) {
  const SplitOptions split = other_parts(config.source);
  if (has_other_parts(split)) return load_given_split(config.source.files, config.data, split, run);
  LogUse use;
  use.histories = true;
  return load_log(config.source.files, config.data, run, use);
}

RawLog read_log(const RunConfig& config, const RunContext& run) {
  try {
    return read_parts(config, run);
  } catch (const ConfigError& error) {
    if (!std::string_view(error.what()).starts_with("data.value_intervals")) throw;
    throw ConfigError(fmt::format(
        "{}; the model was trained on what passes it, --set 'data.value_intervals=[]' reads a log "
        "without it",
        error.what()));
  }
}

enum class Lines { distinct, repeated, too_many };

bool has_repeat(std::vector<std::uint64_t>& hashes) {
  std::sort(hashes.begin(), hashes.end());
  return std::adjacent_find(hashes.begin(), hashes.end()) != hashes.end();
}

/// Look for users with several lines among those whose hash falls into one of `parts`. Hashes stand
/// for them: that two users of a million have the same is one chance in ten millions, and what
/// follows is more memory.
Lines look_through(const std::string& file, std::size_t most, std::uint64_t parts,
                   std::uint64_t part, const RunContext& run) {
  LineReader reader(file, run);
  std::vector<std::uint64_t> hashes;
  for (std::string line; reader.next(line);) {
    std::string_view rest = line;
    const std::string_view user = next_word(rest);
    if (user.empty()) continue;
    const std::uint64_t hash = hash64(user);
    if (hash % parts != part) continue;
    // More parts would not part the lines of one user.
    if (hashes.size() == most) return has_repeat(hashes) ? Lines::repeated : Lines::too_many;
    hashes.push_back(hash);
  }
  return has_repeat(hashes) ? Lines::repeated : Lines::distinct;
}

}  // namespace

LogHistories::LogHistories(const RunConfig& config, const RunContext& run)
    : file_(printable(config.source.file, 400)) {
  RawLog log = read_log(config, run);
  filter_log(log, config.data, run);
  if (log.size() == 0)
    throw DataError(
        fmt::format("{}: no events are left after filtering (data.value_intervals, "
                    "data.user_interval, data.item_interval)",
                    printable(config.source.file, 400)));
  if (log.histories) {
    run.info(fmt::format(
        "{}: lines bring their histories: each line is one, of the items of its list alone",
        file_));
    lines_ = std::move(log);
    return;
  }
  finish_times(log, config.data);
  log.user_table.reset();  // Who has no events asks for nothing.
  vocabulary_ = assign_ids(log, run);
  events_ = make_events(log, vocabulary_.users().size(), run);
  events_.times.release();
  check_lengths(events_.offsets, vocabulary_);
}

bool LogHistories::next(QueryHistory& history) {
  if (lines_.histories) {
    if (line_ == lines_.size()) return false;
    history.user = std::string(lines_.user_tokens[lines_.users[line_]]);
    history.items = items_of_line(line_++);
    history.candidates.clear();
    return true;
  }
  const auto n_users = static_cast<UserId>(vocabulary_.users().size());
  if (user_ + 1 >= n_users) return false;
  ++user_;
  history.user = std::string(vocabulary_.user_token(user_));
  history.items = items_of(user_);
  history.candidates.clear();
  return true;
}

std::vector<std::string> LogHistories::items_of(UserId user) const {
  const auto at = static_cast<std::size_t>(user);
  std::vector<std::string> items;
  for (std::int64_t event = events_.offsets[at]; event < events_.offsets[at + 1]; ++event)
    items.emplace_back(vocabulary_.item_token(events_.items[static_cast<std::size_t>(event)]));
  return items;
}

std::vector<std::string> LogHistories::items_of_line(std::size_t row) const {
  std::vector<std::string> items;
  for (const std::int32_t item : recloom::items_of(*lines_.histories, row))
    items.emplace_back(lines_.item_tokens[item]);
  return items;
}

std::vector<std::string> LogHistories::items_of_user(const std::string& user) const {
  for (std::size_t row = lines_.size(); row-- > 0;)
    if (lines_.user_tokens[lines_.users[row]] == user) return items_of_line(row);
  const UserId id = vocabulary_.user(user);
  if (id != 0) return items_of(id);
  throw DataError(fmt::format("{}: has no user '{}'{}", file_, printable(user),
                              did_you_mean(user, vocabulary_.users())));
}

double LogHistories::share() const noexcept {
  if (lines_.histories)
    return static_cast<double>(line_) /
           static_cast<double>(std::max<std::size_t>(1, lines_.size()));
  const std::size_t n_users = vocabulary_.users().size();
  return n_users < 2 ? 1 : static_cast<double>(user_) / static_cast<double>(n_users - 1);
}

QueryHistory parse_sequence(std::string_view line, const std::string& place) {
  QueryHistory history;
  if (!is_utf8(line))
    throw DataError(fmt::format("{}: the line is not valid UTF-8: {}", place, printable(line)));
  history.user = std::string(next_word(line));
  for (std::string_view item = next_word(line); !item.empty(); item = next_word(line))
    history.items.emplace_back(item);
  if (!history.items.empty()) return history;
  throw DataError(fmt::format("{}: user '{}' has no items; a line is \"user item item ...\"", place,
                              printable(history.user)));
}

bool is_line_by_line(const RunConfig& config, const RunContext& run) {
  const DataOptions fresh;
  const DataOptions& data = config.data;
  if (config.source.files.size() > 1 || is_pipe(config.source.file)) return false;
  if (has_other_parts(other_parts(config.source))) return false;
  if (data.duplicates != Duplicates::keep || data.encoding != fresh.encoding) return false;
  if (data.user_interval != fresh.user_interval || data.item_interval != fresh.item_interval)
    return false;
  if (!data.value_intervals.empty() || data.session_gap > 0) return false;
  return log_format(config.source.file, data, run) == FileFormat::sequences &&
         has_a_line_each(config.source.file, kMostHashes, run);
}

bool has_a_line_each(const std::string& file, std::size_t most_lines, const RunContext& run) {
  for (std::uint64_t parts = 1, part = 0; part < parts; ++part) {
    Lines lines = look_through(file, most_lines, parts, part, run);
    while (lines == Lines::too_many) {
      parts *= 4;
      part = 0;
      lines = look_through(file, most_lines, parts, part, run);
    }
    if (lines == Lines::repeated) return false;
  }
  return true;
}

}  // namespace recloom
