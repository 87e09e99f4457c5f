#include "recloom/data/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/events.hpp"
#include "data/filters.hpp"
#include "data/given_split.hpp"
#include "data/line_histories.hpp"
#include "data/load.hpp"
#include "data/raw_file.hpp"
#include "data/split.hpp"
#include "data/stop_check.hpp"
#include "data/time_cell.hpp"
#include "data/time_key.hpp"
#include "data/time_text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {

struct Dataset::Impl {
  std::string name;
  ReadSummary summary;
  Catalogue catalogue;
  Vocabulary vocabulary;
  std::vector<ItemId> events;
  std::vector<std::int64_t> offsets;
  SplitRows rows;
  std::vector<std::int64_t> target_counts, all_target_counts;
  TimeSummary times;
  std::string hash;

  Batch batch(const std::vector<Batch::Entry>& entries) const {
    return {events, entries, catalogue.max_length};
  }
};

namespace {

/// First and last time, before precision is given up.
/// @param unit decimals of whole numbers in the file's unit.
void note_range(const RawLog& log, int unit, TimeSummary& summary) {
  summary.known = log.has_times();
  bool any = false;
  std::int64_t least = 0, most = 0;
  for (const std::int64_t time : log.times) {
    if (time == kMissingTime) continue;
    least = any ? std::min(least, time) : time;
    most = any ? std::max(most, time) : time;
    any = true;
  }
  const auto value = [&](std::int64_t key) {
    if (log.time_scale.real) return real_time_of_key(key);
    const auto one = static_cast<long double>(power_of_ten(log.time_scale.decimals - unit));
    return static_cast<double>(static_cast<long double>(key) / one);
  };
  if (any) {
    summary.first = value(least);
    summary.last = value(most);
  }
}

double share_of_ties(const Events& events, const RunContext& run) {
  std::size_t tied = 0;
  StopCheck stop(run);
  for (std::size_t user = 0; user + 1 < events.offsets.size(); ++user) {
    const auto begin = static_cast<std::size_t>(events.offsets[user]);
    const auto end = static_cast<std::size_t>(events.offsets[user + 1]);
    stop.step();
    for (std::size_t at = begin; at < end; ++at) {
      const bool before = at > begin && events.times[at] == events.times[at - 1];
      const bool after = at + 1 < end && events.times[at] == events.times[at + 1];
      if (before || after) ++tied;
    }
  }
  return static_cast<double>(tied) / static_cast<double>(events.items.size());
}

void count_targets(std::span<const ItemId> events, std::span<const Batch::Entry> rows,
                   std::vector<std::int64_t>& counts, const RunContext& run) {
  for_each_row(rows.size(), run, [&](std::size_t at) {
    const Batch::Entry& row = rows[at];
    const auto first = static_cast<std::size_t>(row.begin + row.history_length);
    for (const ItemId item : events.subspan(first, static_cast<std::size_t>(row.n_targets))) {
      ++counts[static_cast<std::size_t>(item)];
    }
  });
}

/// "data.user_interval = [5,inf), data.value_intervals = ..."; a side table's rows are a filter
/// too.
std::string filters_in_use(const DataOptions& data, const RawLog& log) {
  const DataOptions none;
  std::vector<std::string> filters;
  const auto add = [&](const char* key, const std::string& value) {
    filters.push_back(fmt::format("data.{} = {}", key, value));
  };
  if (data.user_interval != none.user_interval) add("user_interval", data.user_interval);
  if (data.item_interval != none.item_interval) add("item_interval", data.item_interval);
  for (const std::string& interval : data.value_intervals) add("value_intervals", interval);
  if (data.filter_by_side_tables && (log.user_table || log.item_table))
    add("filter_by_side_tables", "true");
  return fmt::format("{}", fmt::join(filters, ", "));
}

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string hash_of(const Vocabulary& vocabulary, const std::vector<ItemId>& events,
                    const std::vector<std::int64_t>& offsets, const SplitRows& rows,
                    bool own_histories, bool together, const RunContext& run) {
  Hasher hasher;
  for (const std::vector<std::string>* tokens : {&vocabulary.users(), &vocabulary.items()}) {
    std::string text;
    for_each_row(tokens->size(), run, [&](std::size_t id) {
      const std::size_t begin = text.size();
      text.append((*tokens)[id]);
      // A line end is the mark between tokens; one of a quoted token is a byte that no text has.
      std::replace(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), '\n', '\xFF');
      text.push_back('\n');
    });
    hasher.update(text);
    hasher.update(std::string_view("\0", 1));
  }
  hasher.update(bytes_of(events));
  hasher.update(bytes_of(offsets));
  for (const std::vector<Batch::Entry>* part : {&rows.train, &rows.valid, &rows.test}) {
    std::vector<std::int64_t> positions = {static_cast<std::int64_t>(part->size())};
    positions.reserve(part->size() + 1);
    for_each_row(part->size(), run, [&](std::size_t at) {
      positions.push_back((*part)[at].begin + (*part)[at].history_length);
    });
    hasher.update(bytes_of(positions));
    if (together) {  // Else a row asks for one event.
      positions.clear();
      for_each_row(part->size(), run,
                   [&](std::size_t at) { positions.push_back((*part)[at].n_targets); });
      hasher.update(bytes_of(positions));
    }
    if (!own_histories) continue;  // A row begins where its user does.
    positions.clear();
    for_each_row(part->size(), run,
                 [&](std::size_t at) { positions.push_back((*part)[at].begin); });
    hasher.update(bytes_of(positions));
  }
  return hex(hasher.value());
}

RawLog load_for_split(const std::vector<std::string>& files, const DataOptions& data,
                      const SplitOptions& split, RunContext& run) {
  if (split.mode == SplitMode::given) return load_given_split(files, data, split, run);
  LogUse use;
  use.histories = split.mode == SplitMode::test;
  RawLog log = load_log(files, data, run, use);
  if (log.histories) {
    std::uint8_t* parts = log.parts.extend(log.size());
    std::fill(parts, parts + log.size(), code_of(LogPart::test));
  }
  return log;
}

/// SET.train.inter is a file of the set SET.
std::string name_of_log(const std::string& path, const SplitOptions& split) {
  constexpr std::string_view kPart = ".train";
  std::string name = log_name(path);
  const bool is_part = split.mode == SplitMode::given && name.ends_with(kPart);
  if (is_part && name.size() > kPart.size()) name.resize(name.size() - kPart.size());
  return name;
}

void expand_lines(RawLog& log, int max_events, const std::string& shown, const RunContext& run) {
  const std::size_t n_empty = expand_histories(log, max_events, run);
  if (n_empty == 0) return;
  run.warning(
      fmt::format("{}: {} with an empty history give no row, since there is nothing to "
                  "rank by",
                  shown, n_empty == 1 ? "1 line" : fmt::format("{} lines", n_empty)));
}

/// Say for people when the events of a log were.
std::string range_text(const Events& events, bool dates, const TimeSummary& times) {
  if (!dates) return fmt::format("from {} to {}", times.first, times.last);
  const auto [first, last] = std::minmax_element(events.times.begin(), events.times.end());
  return fmt::format("from {} to {}", format_time(*first, events.time_scale),
                     format_time(*last, events.time_scale));
}

/// @param range of the events' times. @throws DataError there is nothing to train on, or nothing to
/// test of a log that is all test.
void require_rows(const SplitRows& rows, const SplitOptions& split, const std::string& range,
                  const std::string& shown, const RunContext& run) {
  constexpr std::string_view kTwo = "a user needs two events to give one";
  if (split.mode == SplitMode::test) {
    if (rows.test.empty()) throw DataError(fmt::format("{}: there are no rows; {}", shown, kTwo));
    return;
  }
  const bool any = !rows.train.empty() || !rows.valid.empty() || !rows.test.empty();
  const bool at_times =
      split.mode == SplitMode::temporal && !(split.times.empty() && split.last_days.empty());
  if (rows.train.empty() && !(any && at_times))
    throw DataError(fmt::format("{}: there are no training rows; {}", shown, kTwo));
  if (!at_times) return;
  const auto lacks = [&](std::string_view part) {
    return fmt::format("{}: split.{} leaves no {} rows; the times of the log go {}", shown,
                       split.times.empty() ? "last_days" : "times", part, range);
  };
  if (rows.train.empty()) throw DataError(lacks("training"));
  const bool validates = split.times.empty() ? split.last_days.size() == 2 && split.last_days[0] > 0
                                             : split.times.size() == 2;
  if (rows.valid.empty() && validates) run.warning(lacks("validation"));
  if (rows.test.empty()) run.warning(lacks("test"));
}

}  // namespace

Dataset Dataset::open(const std::string& path, const DataOptions& data, const SplitOptions& split,
                      RunContext& run) {
  return open(std::vector<std::string>{path}, data, split, run);
}

Dataset Dataset::open(const std::vector<std::string>& files, const DataOptions& data,
                      const SplitOptions& split, RunContext& run) {
  if (files.empty()) throw ConfigError("no log given: the list of its files is empty");
  data.validate();
  split.validate();
  auto impl = std::make_shared<Impl>();
  impl->name = name_of_log(files[0], split);
  const std::string shown = shown_name(files[0]);
  RawLog log = load_for_split(files, data, split, run);
  impl->summary = std::move(log.summary);
  filter_log(log, data, run);
  if (log.size() == 0) {
    throw DataError(
        fmt::format("{}: its filters leave no interactions: {}", shown, filters_in_use(data, log)));
  }
  note_range(log, decimals_of(data.time_unit), impl->times);
  finish_times(log, data);
  const bool own_histories = log.histories.has_value(), dates = log.time_kinds.dates;
  if (own_histories) expand_lines(log, data.max_events, shown, run);
  impl->vocabulary = assign_ids(log, run);
  impl->catalogue = {static_cast<int>(impl->vocabulary.users().size()),
                     static_cast<int>(impl->vocabulary.items().size()), data.max_length};
  Events events = make_events(log, impl->vocabulary.users().size(), run);
  events.own_histories = own_histories;
  check_lengths(events.offsets, impl->vocabulary);
  impl->rows = split_rows(events, impl->vocabulary.users(), data, split, run);
  require_rows(impl->rows, split, range_text(events, dates, impl->times), shown, run);
  impl->times.tied = impl->times.known && !own_histories ? share_of_ties(events, run) : 0;
  impl->events = std::move(events.items);
  impl->offsets = std::move(events.offsets);
  const auto n_items = impl->vocabulary.items().size();
  impl->target_counts.assign(n_items, 0);
  count_targets(impl->events, impl->rows.train, impl->target_counts, run);
  impl->all_target_counts = impl->target_counts;
  count_targets(impl->events, impl->rows.valid, impl->all_target_counts, run);
  count_targets(impl->events, impl->rows.test, impl->all_target_counts, run);
  impl->hash = hash_of(impl->vocabulary, impl->events, impl->offsets, impl->rows, own_histories,
                       split.targets == SplitTargets::together, run);
  Dataset dataset;
  dataset.impl_ = std::move(impl);
  return dataset;
}

const ReadSummary& Dataset::read_summary() const noexcept { return impl_->summary; }
const std::string& Dataset::name() const noexcept { return impl_->name; }
const Catalogue& Dataset::catalogue() const noexcept { return impl_->catalogue; }
const Vocabulary& Dataset::vocabulary() const noexcept { return impl_->vocabulary; }
std::int64_t Dataset::n_interactions() const noexcept {
  return static_cast<std::int64_t>(impl_->events.size());
}
std::span<const ItemId> Dataset::events() const noexcept { return impl_->events; }
std::span<const std::int64_t> Dataset::offsets() const noexcept { return impl_->offsets; }
TrainingData Dataset::train() const {
  return {impl_->catalogue, train_rows(), impl_->events,
          std::span(impl_->offsets).first(impl_->offsets.size() - 1), impl_->rows.train_ends};
}
Batch Dataset::train_rows() const { return impl_->batch(impl_->rows.train); }
Batch Dataset::valid() const { return impl_->batch(impl_->rows.valid); }
Batch Dataset::test() const { return impl_->batch(impl_->rows.test); }
std::span<const std::int64_t> Dataset::target_counts() const noexcept {
  return impl_->target_counts;
}
std::span<const std::int64_t> Dataset::all_target_counts() const noexcept {
  return impl_->all_target_counts;
}
const TimeSummary& Dataset::times() const noexcept { return impl_->times; }
const std::string& Dataset::hash() const noexcept { return impl_->hash; }

}  // namespace recloom
