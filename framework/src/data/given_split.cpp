#include "data/given_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/text.hpp"
#include "data/block_times.hpp"
#include "data/line_histories.hpp"
#include "data/load.hpp"
#include "data/stop_check.hpp"
#include "data/table_syntax.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

void mark(RawLog& log, std::size_t count, LogPart part) {
  std::uint8_t* parts = log.parts.extend(count);
  std::fill(parts, parts + count, code_of(part));
}

/// Give the tokens of one log codes in another. @return those, by the codes in the first.
std::vector<std::int32_t> add_tokens(const TokenTable& from, TokenTable& to,
                                     const RunContext& run) {
  std::vector<std::int32_t> codes(from.size());
  for_each_row(from.size(), run, [&](std::size_t code) {
    codes[code] = to.insert(from[static_cast<std::int32_t>(code)]);
  });
  if (to.size() > ReadLimits::kMostTokens) {
    throw DataError(fmt::format("the files of the split have more than {} users or items",
                                ReadLimits::kMostTokens));
  }
  return codes;
}

void append_codes(GrowingArray<std::int32_t>& to, const GrowingArray<std::int32_t>& from,
                  const std::vector<std::int32_t>& codes) {
  std::int32_t* added = to.extend(from.size());
  for (std::size_t row = 0; row < from.size(); ++row) {
    added[row] = codes[static_cast<std::size_t>(from[row])];
  }
}

template <class T>
void append(GrowingArray<T>& to, const GrowingArray<T>& from) {
  std::copy(from.begin(), from.end(), to.extend(from.size()));
}

/// Give the times of two logs one scale.
void join_scales(RawLog& log, RawLog& next, const std::string& name) {
  log.time_kinds.add(next.time_kinds);
  if (log.time_kinds.clash()) {
    throw DataError(name +
                    ": dates and numbers that are no Unix seconds do not go together in the "
                    "files of a split (data.time_unit says what numbers count)");
  }
  const int decimals = std::max(log.time_scale.decimals, next.time_scale.decimals);
  for (RawLog* one : {&log, &next}) {
    const int more = decimals - one->time_scale.decimals;
    if (more > 0 && !rescale_times({one->times.data(), one->times.size()}, more)) {
      throw DataError(fmt::format(
          "{}: with the {} decimals of its times and those of the other files of the split, times "
          "do not fit into 64 bits",
          name, decimals));
    }
    one->time_scale.decimals = decimals;
  }
}

/// Append the rows of a further part.
/// @param name of the part's file, as messages show it.
void join(RawLog& log, RawLog& next, LogPart part, const std::string& name, const RunContext& run) {
  const std::vector<std::int32_t> users = add_tokens(next.user_tokens, log.user_tokens, run);
  const std::vector<std::int32_t> items = add_tokens(next.item_tokens, log.item_tokens, run);
  join_scales(log, next, name);
  append_codes(log.users, next.users, users);
  append_codes(log.items, next.items, items);
  append(log.times, next.times);
  append(log.passes, next.passes);
  if (log.histories) append_histories(*log.histories, *next.histories, items);
  mark(log, next.size(), part);
}

/// A part is described by the same settings as the log, and judged by the same side tables.
DataOptions options_of_parts(const DataOptions& data, const RawLog& log) {
  DataOptions options = data;
  const auto same = [](const std::string& file) {
    return file.empty() ? std::string("none") : fs::absolute(file).string();
  };
  options.user_file = same(log.user_file);
  options.item_file = same(log.item_file);
  return options;
}

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

}  // namespace

RawLog load_given_split(const std::vector<std::string>& files, const DataOptions& data,
                        const SplitOptions& split, const RunContext& run) {
  const LogUse use = {.histories = true, .given_part = true};
  const std::string& file = files[0];
  RawLog log = load_log(files, data, run, use);
  if (split.valid_file.empty() && split.test_file.empty() && !log.histories) {
    throw ConfigError(
        "split.mode = \"given\" needs split.valid_file or split.test_file, or lines that bring "
        "their histories in a column " +
        printable(data.item_column) + "_list (--set split.test_file=FILE)");
  }
  mark(log, log.size(), LogPart::train);
  const DataOptions options = options_of_parts(data, log);
  std::string before;
  const auto add = [&](const std::string& name, std::string_view key, LogPart part) {
    if (name.empty()) return;
    const std::string found = find_part(file, name, key);
    for (const std::string& one : files)
      refuse_same_file(one, found, fmt::format("split.{} is the log itself", key));
    if (!log.histories && !before.empty())
      refuse_same_file(before, found, "split.valid_file and split.test_file are one file");
    before = found;
    RawLog next = load_log({found}, options, run, use);
    const auto must_agree = [&](bool here, bool there, std::string_view what) {
      if (here == there) return;
      throw DataError(fmt::format("{}: has {} {}, but {} has{}", printable(found, 400),
                                  here ? "no" : "a", what, printable(file, 400),
                                  here ? " one" : " none"));
    };
    must_agree(log.histories.has_value(), next.histories.has_value(), "column of histories");
    must_agree(log.has_times(), next.has_times(), "column of times");
    join(log, next, part, printable(found, 400), run);
  };
  add(split.valid_file, "valid_file", LogPart::valid);
  add(split.test_file, "test_file", LogPart::test);
  log.release_slots();
  return log;
}

}  // namespace recloom
