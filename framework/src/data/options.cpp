#include "recloom/data/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include "core/text.hpp"
#include "data/encoding.hpp"
#include "data/interval.hpp"
#include "data/time_format.hpp"
#include "recloom/core/error.hpp"

namespace recloom {

namespace {

constexpr double kMaxInt = std::numeric_limits<int>::max();

/// How the log is written.
void describe_log(DataOptions& data, ParamSchema& schema) {
  schema
      .integer("max_length", data.max_length, {1, kMaxInt},
               "L: how many of the latest items of a history a model sees")
      .choice(
          "format", data.format,
          {{"automatic", FileFormat::automatic},
           {"atomic", FileFormat::atomic},
           {"csv", FileFormat::csv},
           {"sequences", FileFormat::sequences},
           {"json", FileFormat::json}},
          "how the log is written: atomic = header of name:type cells (RecBole's .inter), csv = "
          "header of names, or names given by data.columns, sequences = lines of \"user item item "
          "...\", oldest first, json = an object a line, whose keys are columns "
          "(\"review.user.id\" for nested ones); automatic = csv with data.columns, else "
          "by suffix, else by the first lines, which are no sequences with data.separator")
      .text(
          "separator", data.separator,
          "the text between cells, of one character or more: \",\", \"::\", \"\\t\" (tab, also "
          "written as a backslash and a t), \"blanks\" (columns that are lined up: runs of blanks "
          "and tabs, those at the ends of a line aside); empty = tab in an atomic file, in a csv "
          "file what its first lines show")
      .texts(
          "columns", data.columns,
          "names by position of the columns of a file without header line, for example [user_id, "
          "item_id, _, timestamp] (_ = not used); empty = the file has a header line. Of the log "
          "alone, not of side tables")
      .text("encoding", data.encoding,
            "how log and side tables are encoded: utf-8, latin-1, windows-1252, utf-16 or another "
            "name that `iconv -l` lists")
      .text("user_column", data.user_column, "column of user tokens")
      .text("item_column", data.item_column, "column of item tokens");
}

/// How times are written.
void describe_time_column(DataOptions& data, ParamSchema& schema) {
  schema
      .text(
          "time_column", data.time_column,
          "column of times: numbers or ISO 8601 dates (2014-04-07T10:51:09.277Z; UTC if they do "
          "not say), compared exactly; see time_format and time_unit. A date and its time of day "
          "in "
          "two columns are day+hour. none or empty = the log has no times, its events are in file "
          "order")
      .text("time_format", data.time_format,
            "how times are written, as strptime has it: \"%d.%m.%Y %H:%M\", \"%m/%d/%Y %I:%M:%S "
            "%p\", \"%a %b %d %H:%M:%S %z %Y\"; %S takes a fraction too. Empty = numbers and ISO "
            "8601")
      .choice(
          "time_unit", data.time_unit,
          {{"seconds", TimeUnit::seconds},
           {"milliseconds", TimeUnit::milliseconds},
           {"microseconds", TimeUnit::microseconds},
           {"nanoseconds", TimeUnit::nanoseconds}},
          "what numbers in the time column count: matters where they stand beside dates, and for "
          "settings that are seconds or dates");
}

/// Tables beside the log, limits, cells.
void describe_tables(DataOptions& data, ParamSchema& schema) {
  constexpr double kMaxGib = 1e9;  // In bytes, a 64-bit integer.
  schema
      .text(
          "name_column", data.name_column,
          "column of the item file that holds names for people; empty = the first whose name ends "
          "with name, title or description, in any case")
      .text(
          "user_file", data.user_file,
          "table of users; empty = the .user file beside an atomic log, if there is one; none = no "
          "table")
      .text(
          "item_file", data.item_file,
          "table of items; empty = the .item file beside an atomic log, if there is one; none = no "
          "table. Items that only it knows are candidates too")
      .integer("max_events", data.max_events, {0, kMaxInt},
               "how many rows a log may have before it is refused, so that a small archive cannot "
               "fill the memory; 0 = any number. Reading takes about 50 bytes a row")
      .real("max_text_gib", data.max_text_gib, {0, kMaxGib},
            "how many GiB of text a log may have once unpacked; 0 = 64, but of an archive no more "
            "than 1 or 100 times its own size, whichever is more")
      .flag("raw_cells", data.raw_cells,
            "take cells as they are: quotes are part of them, only an empty cell is missing, short "
            "lines are errors. Else pandas' rules hold, as in RecBole: cells in double quotes may "
            "hold separators, line breaks and doubled quotes, and words such as NA or null are "
            "missing "
            "cells even among tokens");
}

/// What becomes of times and rows that were read.
void describe_filters(DataOptions& data, ParamSchema& schema) {
  schema
      .choice("time_precision", data.time_precision,
              {{"exact", TimePrecision::exact}, {"float32", TimePrecision::float32}},
              "exact = as written; float32 = rounded to single precision as RecBole does, by which "
              "Unix seconds lose up to two minutes of their order")
      .flag("normalize_time", data.normalize_time,
            "scale times to 0..1 before they are rounded to float32, as RecBole's normalize_all "
            "does; without effect on exact times")
      .choice(
          "missing_time", data.missing_time,
          {{"error", MissingTime::error}, {"mean", MissingTime::mean}, {"drop", MissingTime::drop}},
          "what happens to a row without time: error = the log is refused, mean = it gets the "
          "mean of all known times, drop = it is left out")
      .choice(
          "duplicates", data.duplicates,
          {{"keep", Duplicates::keep}, {"first", Duplicates::first}, {"last", Duplicates::last}},
          "which of a user's events with the same item stay; first and last also number users "
          "and items in time order, as RecBole's rm_dup_inter does")
      .texts("value_intervals", data.value_intervals,
             "rows to keep, by a column's value: \"rating [3,inf)\" for numbers (unions: "
             "\"rating [1,2];[4,5]\"), \"action in view,buy\" for tokens; all must hold")
      .flag("filter_by_side_tables", data.filter_by_side_tables,
            "drop events whose user or item is not in the user or item file")
      .text("user_interval", data.user_interval,
            "how many events a user must have, for example [5,inf); with item_interval repeated "
            "until all remaining users and items conform (k-core)")
      .text("item_interval", data.item_interval,
            "how many events an item must have, see user_interval")
      .real(
          "session_gap", data.session_gap, {0, std::numeric_limits<double>::infinity()},
          "so many seconds without an event end a session, and each session becomes a user of its "
          "own, USER#1, USER#2 and so on in time order; 0 = users stay whole. Sessions are cut "
          "from "
          "the events that value_intervals and side tables leave; duplicates, user_interval and "
          "every split then take a session for a user");
}

/// Columns of data.columns that nobody asks for.
bool is_unused(const std::string& name) { return name.empty() || name == "_"; }

void check_used_columns(const DataOptions& data) {
  const std::pair<std::string_view, const std::string*> columns[] = {
      {"user_column", &data.user_column},
      {"item_column", &data.item_column},
      {"time_column", &data.time_column}};
  for (const auto& [key, name] : columns) {
    if (name->empty() && key != "time_column") {
      throw ConfigError(fmt::format("data.{} is empty; it must name a column", key));
    }
    for (const auto& [other_key, other_name] : columns) {
      if (key < other_key && *name == *other_name) {
        throw ConfigError(fmt::format("data.{} and data.{} name the same column '{}'", key,
                                      other_key, printable(*name)));
      }
    }
  }
}

void check_columns(const DataOptions& data) {
  check_used_columns(data);
  if (data.columns.empty()) return;
  if (data.format != FileFormat::automatic && data.format != FileFormat::csv) {
    throw ConfigError(
        "data.columns names the columns of a csv file without header line; data.format must be csv "
        "or automatic");
  }
  for (auto name = data.columns.begin(); name != data.columns.end(); ++name) {
    if (!is_unused(*name) && std::find(data.columns.begin(), name, *name) != name) {
      throw ConfigError(
          fmt::format("data.columns names '{}' twice (_ stands for a column that is not "
                      "used)",
                      printable(*name)));
    }
  }
}

}  // namespace

void DataOptions::describe(ParamSchema& schema) {
  describe_log(*this, schema);
  describe_time_column(*this, schema);
  describe_tables(*this, schema);
  describe_filters(*this, schema);
}

void DataOptions::validate() const {
  if (max_length < 1) {
    throw ConfigError(fmt::format("data.max_length = {}: must be at least 1", max_length));
  }
  if (separator.find_first_of("\"\n\r") != std::string::npos ||
      separator.find('\0') != std::string::npos) {
    throw ConfigError(fmt::format(
        "data.separator = '{}': must be a text without quote or line end; empty = automatic",
        printable(separator)));
  }
  check_encoding(encoding);
  check_columns(*this);
  if (!std::isfinite(session_gap) || session_gap < 0) {
    throw ConfigError(fmt::format("data.session_gap = {}: must be a number of at least 0 (seconds)",
                                  session_gap));
  }
  const std::string problem = time_format.empty() ? "" : TimeFormat::problem_of(time_format);
  if (!problem.empty()) {
    throw ConfigError(fmt::format(
        "data.time_format = \"{}\": {}; for example --set 'data.time_format=%d.%m.%Y %H:%M'",
        printable(time_format), problem));
  }
  for (const std::string& filter : value_intervals) parse_value_filter(filter);
  const Intervals users(user_interval, "data.user_interval");
  const Intervals items(item_interval, "data.item_interval");
}

void SplitOptions::describe(ParamSchema& schema) {
  constexpr double kAny = std::numeric_limits<double>::infinity();
  schema
      .choice("mode", mode,
              {{"leave_one_out", SplitMode::leave_one_out},
               {"ratio", SplitMode::ratio},
               {"temporal", SplitMode::temporal},
               {"none", SplitMode::none},
               {"given", SplitMode::given},
               {"users", SplitMode::users},
               {"test", SplitMode::test}},
              "leave_one_out = each user's last event is for test, the one before for validation; "
              "ratio = shares of the rows in time order; temporal = validation and test are what "
              "comes after points in time (times, last_days or ratios); given = the log trains, "
              "valid_file and test_file hold the rest; users = some users are held out whole "
              "(ratios, users_seed, targets); none = all rows train; test = all rows are for test, "
              "for recloom evaluate on new users or sessions")
      .choice("held_out", held_out,
              {{"valid_and_test", HeldOut::valid_and_test},
               {"valid_only", HeldOut::valid_only},
               {"test_only", HeldOut::test_only}},
              "leave_one_out: which parts get an event of each user; a user keeps at least one "
              "training row, so test comes before validation")
      .reals("ratios", ratios, {0, kAny},
             "ratio, temporal: shares of train, valid and test; users: shares of the users with at "
             "least two events; they need not sum to 1")
      .choice("group", group, {{"user", RatioGroup::user}, {"all", RatioGroup::all}},
              "ratio: cut each user's rows, or all rows in time order")
      .choice("ratios_of", ratios_of, {{"rows", RatiosOf::rows}, {"events", RatiosOf::events}},
              "ratio, group = user: what ratios are shares of. rows = every event but the first, "
              "and held-out parts are rounded down, to one at least where it can be spared (as "
              "RecBole); events = each part ends behind the first ceil(share n) of a user's n "
              "events (as the files of caser_pytorch)")
      .texts("times", times,
             "temporal, in place of ratios: times where validation and test begin, [10, 20] in the "
             "unit of the log or [\"2011-06-01\", \"2011-09-01\"]; what is earlier trains. One "
             "time: test begins, and there is no validation")
      .reals("last_days", last_days, {0, kAny},
             "temporal, in place of ratios: how many days validation and test take, counted back "
             "from the last event, [7, 7]; what is earlier trains. One number: test alone")
      .text("valid_file", valid_file,
            "given: file of the validation part, looked for beside the log, then as it is named; "
            "empty = none")
      .text("test_file", test_file, "given: file of the test part, see valid_file")
      .choice("targets", targets,
              {{"all", SplitTargets::all},
               {"last", SplitTargets::last},
               {"together", SplitTargets::together}},
              "what a validation or test row asks for. all = one held-out event, after all events "
              "before it; last = the same for the last event of a held-out user alone (users, "
              "test); together = all of a user's events of the part at once, after what precedes "
              "the part, so that a row is a user (as in papers of 2018; not for users, "
              "test and lines with histories). Training rows are the same in all cases")
      .integer("users_seed", users_seed, {0, std::numeric_limits<int>::max()},
               "users: another seed holds out other users; whether one is depends on it and on the "
               "users' tokens, not on the order of the log");
}

void SplitOptions::validate() const {
  if (targets == SplitTargets::together && (mode == SplitMode::users || mode == SplitMode::test)) {
    throw ConfigError(fmt::format(
        "split.targets = \"together\" asks for what follows a user's training events, and "
        "split.mode = \"{}\" leaves its users none; legal are all and last (--set "
        "split.targets=all)",
        mode == SplitMode::users ? "users" : "test"));
  }
  const bool by_time = mode == SplitMode::temporal && !(times.empty() && last_days.empty());
  if (by_time) {
    if (!times.empty() && !last_days.empty()) {
      throw ConfigError(
          "split.times and split.last_days exclude each other (--set split.last_days=[] keeps the "
          "times)");
    }
    if (times.size() > 2 || last_days.size() > 2) {
      throw ConfigError(fmt::format(
          "split.{} has {} values; legal are two, for validation and test, or one, for test alone",
          times.empty() ? "last_days" : "times", times.size() + last_days.size()));
    }
    if (!last_days.empty() && last_days.back() <= 0) {
      throw ConfigError(fmt::format(
          "split.last_days: [{}]; the last number, of test, must be above 0, for example [7, 7]",
          fmt::join(last_days, ", ")));
    }
    return;
  }
  if (mode != SplitMode::ratio && mode != SplitMode::temporal && mode != SplitMode::users) return;
  const bool legal = ratios.size() == 3 && ratios[0] > 0 && ratios[1] >= 0 && ratios[2] >= 0 &&
                     std::isfinite(std::accumulate(ratios.begin(), ratios.end(), 0.0));
  if (legal) return;
  throw ConfigError(fmt::format(
      "split.ratios: [{}]; legal are three shares (train, valid, test), train above 0, for example "
      "[0.8, 0.1, 0.1]",
      fmt::join(ratios, ", ")));
}

}  // namespace recloom
