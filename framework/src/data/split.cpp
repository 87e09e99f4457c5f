#include "data/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "data/stable_sort.hpp"
#include "data/time_cell.hpp"
#include "data/time_spans.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

RowParts leave_one_out(HeldOut held_out, std::int64_t n_rows) {
  const std::int64_t one = n_rows > 1 ? 1 : 0;
  switch (held_out) {
    case HeldOut::valid_only:
      return {.train = n_rows - one, .valid = one};
    case HeldOut::test_only:
      return {.train = n_rows - one, .test = one};
    case HeldOut::valid_and_test:
      break;
  }
  const std::int64_t two = n_rows > 2 ? 1 : 0;
  return {.train = n_rows - one - two, .valid = two, .test = one};
}

SplitRows split_by_shares_of_time(Splitter& splitter, std::span<const double> ratios) {
  const double early = ratios[0] + ratios[1];
  const std::int64_t last_early = splitter.last_early_time(early, early + ratios[2]);
  return splitter.by_user(
      [&](UserId user, std::int64_t n_rows) {
        const std::int64_t n_early = splitter.rows_until(user, last_early);
        const std::int64_t train = share_of(n_early, ratios[0], early);
        const bool late = splitter.first_time(user) > last_early;
        return RowParts{.train = train,
                        .valid = n_early - train,
                        .test = n_rows - n_early,
                        .first = late ? LogPart::test : LogPart::train};
      },
      Splitter::LoneEvents::left_out);
}

/// The least keys of validation and test.
struct Boundaries {
  std::int64_t valid = 0, test = 0;
};

Boundaries boundaries_from_times(const Events& events, const DataOptions& data,
                                 const std::vector<std::string>& texts) {
  std::vector<std::int64_t> keys;
  keys.reserve(texts.size());
  for (const std::string& text : texts) {
    keys.push_back(first_key_at(parse_time_text(text, data, "split.times"), events.time_scale));
  }
  if (!std::ranges::is_sorted(keys)) {
    throw ConfigError(fmt::format(
        "split.times: ['{}', '{}']: test begins before validation; legal are [validation, test] in "
        "this order, or [test] alone",
        texts[0], texts[1]));
  }
  return {keys.front(), keys.back()};
}

Boundaries boundaries_from_days(const Events& events, const std::vector<double>& days) {
  if (events.times.empty()) return {};
  const std::int64_t last = *std::max_element(events.times.begin(), events.times.end());
  require_seconds(last, events.time_scale, "split.last_days");
  constexpr double kSecondsOfDay = 86400;
  const double test = days.back() * kSecondsOfDay;
  const double valid = days.size() > 1 ? days.front() * kSecondsOfDay : 0;
  return {TimeSpan(valid + test, events.time_scale).first_key_before(last),
          TimeSpan(test, events.time_scale).first_key_before(last)};
}

SplitRows split_by_time(Splitter& splitter, const Events& events, const DataOptions& data,
                        const SplitOptions& options) {
  if (!events.has_times) {
    throw ConfigError(
        "split.mode = \"temporal\" needs times, and the log has none (data.time_column names their "
        "column; --set split.mode=ratio cuts by the order of lines)");
  }
  if (options.times.empty() && options.last_days.empty())
    return split_by_shares_of_time(splitter, options.ratios);
  if (data.normalize_time && data.time_precision == TimePrecision::float32) {
    throw ConfigError(
        "split.times and split.last_days need times as they are, data.normalize_time scales them "
        "(--set data.normalize_time=false)");
  }
  const auto [valid, test] = options.times.empty()
                                 ? boundaries_from_days(events, options.last_days)
                                 : boundaries_from_times(events, data, options.times);
  return splitter.by_user(
      [&, valid = valid, test = test](UserId user, std::int64_t n_rows) {
        const std::int64_t train = splitter.rows_before(user, valid);
        const std::int64_t early = splitter.rows_before(user, test);
        const std::int64_t first = splitter.first_time(user);
        return RowParts{.train = train,
                        .valid = early - train,
                        .test = n_rows - early,
                        .first = first < valid  ? LogPart::train
                                 : first < test ? LogPart::valid
                                                : LogPart::test};
      },
      Splitter::LoneEvents::left_out);
}

/// Whom the split holds out, [n_users]. Which user it is, not when it came, decides.
std::vector<LogPart> draw_users(const Splitter& splitter, std::span<const std::string> tokens,
                                const SplitOptions& options, const RunContext& run) {
  struct Draw {
    std::uint64_t hash;
    UserId user;
  };
  std::vector<Draw> draws;
  splitter.for_each_user([&](UserId user) {
    if (splitter.length(user) < 2) return;
    const std::string& token = tokens[static_cast<std::size_t>(user)];
    draws.push_back({hash64(token, static_cast<std::uint64_t>(options.users_seed)), user});
  });
  sort_stably(
      draws,
      [&](const Draw& a, const Draw& b) {
        if (a.hash != b.hash) return a.hash < b.hash;
        return tokens[static_cast<std::size_t>(a.user)] < tokens[static_cast<std::size_t>(b.user)];
      },
      run);
  const auto counts = ratio_counts(options.ratios, static_cast<std::int64_t>(draws.size()));
  std::vector<LogPart> parts(tokens.size(), LogPart::train);
  const auto test_end = static_cast<std::size_t>(counts[2]);
  const auto valid_end = static_cast<std::size_t>(counts[2] + counts[1]);
  for (std::size_t nth = 0; nth < valid_end; ++nth) {
    parts[static_cast<std::size_t>(draws[nth].user)] =
        nth < test_end ? LogPart::test : LogPart::valid;
  }
  return parts;
}

RowParts split_by_ratio(const SplitOptions& options, std::int64_t n_rows) {
  if (options.ratios_of == RatiosOf::rows) {
    const auto counts = ratio_counts(options.ratios, n_rows);
    return {.train = counts[0], .valid = counts[1], .test = counts[2]};
  }
  const auto counts = event_counts(options.ratios, n_rows + 1);
  return {.train = counts[0] - 1, .valid = counts[1], .test = counts[2]};
}

/// The rows of a user that is held out whole.
RowParts held_out_user(LogPart part, SplitTargets targets, std::int64_t n_rows) {
  const std::int64_t asked = targets == SplitTargets::last ? 1 : n_rows;
  RowParts parts;
  parts.unasked = n_rows - asked;
  (part == LogPart::valid ? parts.valid : parts.test) = asked;
  return parts;
}

SplitRows split_by_users(Splitter& splitter, std::span<const std::string> tokens,
                         const SplitOptions& options, const RunContext& run) {
  const std::vector<LogPart> drawn = draw_users(splitter, tokens, options, run);
  return splitter.by_user(
      [&](UserId user, std::int64_t n_rows) {
        const LogPart part = drawn[static_cast<std::size_t>(user)];
        if (part == LogPart::train) return RowParts{.train = n_rows};
        return held_out_user(part, options.targets, n_rows);
      },
      Splitter::LoneEvents::train);
}

}  // namespace

SplitRows split_rows(const Events& events, std::span<const std::string> user_tokens,
                     const DataOptions& data, const SplitOptions& options, const RunContext& run) {
  Splitter splitter(events, options.targets, run);
  if (events.own_histories) {
    if (options.targets == SplitTargets::together) {
      throw ConfigError(
          "split.targets = \"together\": lines that bring their histories are rows of their own, "
          "with one target each (--set split.targets=all)");
    }
    const bool all = options.mode == SplitMode::given;
    return splitter.as_lines(all ? SplitTargets::all : options.targets);
  }
  switch (options.mode) {
    case SplitMode::leave_one_out:
      return splitter.by_user(
          [&](UserId, std::int64_t n_rows) { return leave_one_out(options.held_out, n_rows); },
          Splitter::LoneEvents::train);
    case SplitMode::ratio: {
      if (options.group == RatioGroup::all) return splitter.by_time(options.ratios);
      return splitter.by_user(
          [&](UserId, std::int64_t n_rows) { return split_by_ratio(options, n_rows); },
          Splitter::LoneEvents::train);
    }
    case SplitMode::temporal:
      return split_by_time(splitter, events, data, options);
    case SplitMode::given:
      return splitter.as_given();
    case SplitMode::users:
      return split_by_users(splitter, user_tokens, options, run);
    case SplitMode::test:
      return splitter.by_user(
          [&](UserId, std::int64_t n_rows) {
            return held_out_user(LogPart::test, options.targets, n_rows);
          },
          Splitter::LoneEvents::left_out);
    case SplitMode::none:
      break;
  }
  return splitter.by_user([](UserId, std::int64_t n_rows) { return RowParts{.train = n_rows}; },
                          Splitter::LoneEvents::train);
}

}  // namespace recloom
