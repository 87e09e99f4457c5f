#include "data/given_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/load.hpp"
#include "data/stop_check.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

std::string find_part(const std::string& log, const std::string& file, std::string_view key) {
  std::string found = find_beside(log, file);
  std::error_code none;
  if (fs::exists(found, none)) return found;
  throw IoError(
      fmt::format("split.{} = \"{}\": no such file, neither beside {} nor as it is named (--set "
                  "split.{}=FILE; a log of new users alone is split by --set split.mode=test)",
                  key, printable(file, 400), printable(log, 400), key));
}

/// @throws ConfigError events would come twice: a part is the log itself, or the other part too.
void refuse_same_file(const std::string& a, const std::string& b, std::string_view what) {
  std::error_code none;
  if (!fs::equivalent(a, b, none) || none) return;
  throw ConfigError(fmt::format(
      "{}: {}, so its events would come twice (--set split.mode=test asks for all rows of one log)",
      printable(b, 400), what));
}

std::uint64_t key_of(const RawLog& log, std::size_t row) {
  const std::int64_t event[] = {log.users[row], log.items[row], log.times[row]};
  return hash64({reinterpret_cast<const char*>(event), sizeof event});
}

/// A test file that holds the whole log up to its end asks for what was trained.
void warn_of_repeated_events(const RawLog& log, const std::string& file, const RunContext& run) {
  if (!log.has_times()) return;  // Without times an event may well come again.
  std::vector<std::uint64_t> trained;
  std::int64_t repeated = 0;
  for_each_row(log.size(), run, [&](std::size_t row) {
    if (part_of(log.parts[row]) == LogPart::train) trained.push_back(key_of(log, row));
  });
  std::sort(trained.begin(), trained.end());
  for_each_row(log.size(), run, [&](std::size_t row) {
    const bool asked = part_of(log.parts[row]) != LogPart::train;
    repeated +=
        asked && std::binary_search(trained.begin(), trained.end(), key_of(log, row)) ? 1 : 0;
  });
  if (repeated == 0) return;
  run.warning(fmt::format(
      "{}: {} of the validation and test files' events stand in the training file too, with user, "
      "item and time: they are trained on and asked for again",
      printable(file, 400), repeated));
}

}  // namespace

RawLog load_given_split(const std::vector<std::string>& files, const DataOptions& data,
                        const SplitOptions& split, const RunContext& run) {
  LogUse use = {.histories = true, .given_split = true, .parts = {}};
  const auto add = [&](const std::string& name, std::string_view key, LogPart part) {
    if (name.empty()) return;
    const std::string found = find_part(files[0], name, key);
    for (const std::string& one : files)
      refuse_same_file(one, found, fmt::format("split.{} is the log itself", key));
    use.parts.push_back({found, part});
  };
  add(split.valid_file, "valid_file", LogPart::valid);
  add(split.test_file, "test_file", LogPart::test);
  RawLog log = load_log(files, data, run, use);
  // A line that brings its history may be asked for in both.
  if (log.histories) return log;
  if (use.parts.empty()) {
    throw ConfigError(
        "split.mode = \"given\" needs split.valid_file or split.test_file, or lines that bring "
        "their histories in a column " +
        printable(data.item_column) + "_list (--set split.test_file=FILE)");
  }
  if (use.parts.size() == 2) {
    refuse_same_file(use.parts[0].file, use.parts[1].file,
                     "split.valid_file and split.test_file are one file");
  }
  warn_of_repeated_events(log, files[0], run);
  return log;
}

}  // namespace recloom
