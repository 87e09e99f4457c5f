#include "data/column_roles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "data/cells.hpp"
#include "data/time_format.hpp"
#include "data/time_text.hpp"
#include "recloom/data/options.hpp"

namespace recloom {
namespace {

template <std::size_t N>
bool is_id_of(std::string_view word, const std::array<std::string_view, N>& things) {
  constexpr std::array<std::string_view, 8> kEndings = {"",    "s",  "id",    "ids",
                                                        "idx", "no", "index", "name"};
  const std::string name = bare_name(word);
  return std::any_of(things.begin(), things.end(), [&](std::string_view thing) {
    return name.starts_with(thing) &&
           std::find(kEndings.begin(), kEndings.end(), name.substr(thing.size())) != kEndings.end();
  });
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), bare_name(word)) != names.end();
}

/// What all cells of a column have in common.
struct ColumnLook {
  bool date = false, unix_time = false, coordinate = false, rating = false, constant = false,
       clock = false, distinct = false, empty = false, index = false, ascending = false,
       label = false;  ///< One word without digits in many rows.
  std::string prefix;  ///< The letters before the digits of all cells, "user" of "user17".
  bool is_measure() const { return date || coordinate || clock || empty || index || label; }
};

/// What stands before the first digit.
std::string_view letters_of(std::string_view cell) {
  return cell.substr(0, cell.find_first_of("0123456789"));
}

/// Numbers of many rows, none of which is smaller than the one before it: the rows are in order of
/// them.
bool ascend(const Words& cells) {
  constexpr std::size_t kEnough = 8;
  double before = -INFINITY, value = 0;
  for (const std::string_view cell : cells) {
    if (!parse_number(trim(cell), value) || value < before) return false;
    before = value;
  }
  return cells.size() >= kEnough && cells.front() != cells.back();
}

/// Dates that need a pattern: "3/7/2014".
bool are_odd_dates(const Words& cells) {
  if (kind_of(cells[0]) != CellKind::word || letters_of(cells[0]).size() == cells[0].size())
    return false;
  DecimalTime time;
  for (const std::string& pattern : TimeFormat::fitting(cells[0])) {
    TimeFormat format(pattern);
    const auto reads = [&](std::string_view cell) {
      return format.read(cell, time) == TimeText::read;
    };
    if (std::all_of(cells.begin(), cells.end(), reads)) return true;
  }
  return false;
}

ColumnLook look_of(const std::vector<Words>& rows, std::size_t at) {
  Words cells;
  for (const Words& row : rows)
    if (at < row.size() && !is_missing_word(trim(row[at]))) cells.push_back(row[at]);
  const auto all = [&](auto is) { return std::all_of(cells.begin(), cells.end(), is); };
  ColumnLook look;
  look.empty = cells.empty();
  if (look.empty) return look;
  look.date = all([](std::string_view cell) { return kind_of(cell) == CellKind::date; }) ||
              (at > 0 && all(is_day_number));
  look.unix_time = all([](std::string_view cell) { return kind_of(cell) == CellKind::unix_time; });
  look.coordinate = are_coordinates(cells);
  look.rating = all(is_rating);
  look.clock = all(is_clock);
  look.distinct = cells.size() > 1 &&
                  std::set<std::string_view>(cells.begin(), cells.end()).size() == cells.size();
  look.constant = all([&](std::string_view cell) { return cell == cells.front(); });
  constexpr std::size_t kMany = 8;
  look.label = look.constant && cells.size() >= kMany && letters_of(cells[0]) == cells[0];
  look.ascending = at > 0 && ascend(cells);
  if (!look.date && at > 0) look.date = are_odd_dates(cells);
  const std::string_view letters = letters_of(cells[0]);
  if (letters.size() < cells[0].size() &&
      all([&](std::string_view cell) { return letters_of(cell) == letters; }))
    look.prefix = letters;
  return look;
}

/// Which column holds what.
struct Roles {
  std::size_t user = 0, item = 0;
  std::optional<std::size_t> time, clock;  // The time of day beside a date.
};

class RoleFinder {
 public:
  RoleFinder(const std::vector<Words>& rows, bool has_header) : header_(rows[0]) {
    std::vector<Words> body(rows.begin() + (has_header ? 1 : 0), rows.end());
    if (body.empty()) body = rows;
    for (std::size_t at = 0; at < header_.size(); ++at) looks_.push_back(look_of(body, at));
    const std::string first = has_header ? bare_name(header_[0]) : "";
    const bool unnamed = first.empty() || first.starts_with("unnamed") || first == "index";
    if (header_.size() > 2 && counts_rows(body))
      looks_[0].index = has_header ? unnamed : has_prefix(1, names_user, "u");
    if (!has_header) header_.clear();
  }

  const std::vector<ColumnLook>& looks() const { return looks_; }

  Roles find() {
    Roles roles;
    roles.time = named(names_time);
    if (!roles.time) roles.time = first([&](std::size_t at) { return looks_[at].date; });
    // The last: times come after ids of ten digits.
    for (std::size_t at = looks_.size(); !roles.time && at-- > 1;)
      if (looks_[at].unix_time) roles.time = at;
    if (!roles.time && begins_with_time()) roles.time = 0;
    if (!roles.time) roles.time = only_ascending();
    if (roles.time && *roles.time + 1 < looks_.size() && looks_[*roles.time].date &&
        looks_[*roles.time + 1].clock)
      roles.clock = *roles.time + 1;
    if (roles.time) taken_.insert(*roles.time);
    auto user = named(names_user), item = named(names_item);
    if (header_.empty() && !user) user = prefixed(names_user, "u");
    if (header_.empty() && !item) item = prefixed(names_item, "i");
    if (item) taken_.insert(*item);
    roles.user = user ? *user : next_user();
    taken_.insert(roles.user);
    roles.item = item ? *item : next_item();
    return roles;
  }

 private:
  template <class Is>
  std::optional<std::size_t> first(Is is) const {
    for (std::size_t at = 0; at < looks_.size(); ++at)
      if (!taken_.contains(at) && is(at)) return at;
    return std::nullopt;
  }
  std::optional<std::size_t> named(bool (*names)(std::string_view)) const {
    return first([&](std::size_t at) { return at < header_.size() && names(header_[at]); });
  }
  /// Whether the first column holds times, not users of ten digits who rate items.
  bool begins_with_time() const {
    return looks_.size() > 2 && looks_[0].unix_time &&
           (looks_[0].distinct || !looks_.back().rating);
  }
  /// Whether all cells of a column begin with such a name, as those of "user17" do.
  bool has_prefix(std::size_t at, bool (*names)(std::string_view), std::string_view letter) const {
    const std::string& prefix = looks_[at].prefix;
    return !prefix.empty() && (names(prefix) || bare_name(prefix) == letter);
  }
  std::optional<std::size_t> prefixed(bool (*names)(std::string_view),
                                      std::string_view letter) const {
    return first(
        [&](std::size_t at) { return !looks_[at].is_measure() && has_prefix(at, names, letter); });
  }
  /// Of tables with a user and an item before it, the one column in whose order the rows are.
  std::optional<std::size_t> only_ascending() const {
    const auto is = [](const ColumnLook& look) { return look.ascending && !look.rating; };
    if (looks_.size() < 3 || std::count_if(looks_.begin(), looks_.end(), is) != 1)
      return std::nullopt;
    const auto at = std::find_if(looks_.begin(), looks_.end(), is) - looks_.begin();
    return at < 2 ? std::nullopt : std::optional(static_cast<std::size_t>(at));
  }
  /// Whether the first column numbers the rows, from 0 or 1 on.
  static bool counts_rows(const std::vector<Words>& rows) {
    constexpr std::size_t kEnough = 3;
    const std::size_t from = !rows[0].empty() && trim(rows[0][0]) == "1" ? 1 : 0;
    for (std::size_t row = 0; row < rows.size(); ++row)
      if (rows[row].empty() || trim(rows[row][0]) != std::to_string(from + row)) return false;
    return rows.size() >= kEnough;
  }
  /// The first column that is left and may hold ids.
  std::size_t next_user() const {
    return first([&](std::size_t at) { return !looks_[at].is_measure(); }).value_or(0);
  }
  /// The same, but not the ratings or the category 0 of all rows if there is anything else.
  std::size_t next_item() const {
    const auto found = first([&](std::size_t at) {
      return !looks_[at].is_measure() && !looks_[at].rating && !looks_[at].constant;
    });
    return found ? *found : next_user();
  }

  Words header_;
  std::vector<ColumnLook> looks_;
  std::set<std::size_t> taken_;
};

/// Names by position: "user_id", "item_id", "rating", "timestamp", "column_5".
std::vector<std::string> made_names(const Roles& roles, const std::vector<ColumnLook>& looks) {
  const DataOptions options;
  std::vector<std::string> names;
  bool rated = false, latitude = false, longitude = false;
  const auto take = [](bool& taken) { return !std::exchange(taken, true); };
  for (std::size_t at = 0; at < looks.size(); ++at) {
    const ColumnLook& look = looks[at];
    std::string name = fmt::format("column_{}", at + 1);
    if (at == roles.user) {
      name = options.user_column;
    } else if (at == roles.item) {
      name = options.item_column;
    } else if (roles.time && at == *roles.time) {
      name = options.time_column;
    } else if (look.coordinate && take(latitude)) {
      name = "latitude";
    } else if (look.coordinate && take(longitude)) {
      name = "longitude";
    } else if (look.rating && at > roles.item && take(rated)) {
      name = "rating";
    }
    names.push_back(std::move(name));
  }
  return names;
}

/// Return the pattern that reads the dates of all rows, else one that reads the first which needs
/// one; "" if none is needed, or none is known.
std::string pattern_of(const Words& dates) {
  DecimalTime time;
  const auto odd = std::find_if(dates.begin(), dates.end(), [&](std::string_view date) {
    const CellKind kind = kind_of(date);
    const bool text = kind == CellKind::date || kind == CellKind::word;
    return text && !is_missing_word(trim(date)) && read_date(date, time) != TimeText::read;
  });
  if (odd == dates.end()) return "";
  const std::vector<std::string> patterns = TimeFormat::fitting(*odd);
  for (const std::string& pattern : patterns) {
    TimeFormat format(pattern);
    const bool reads_all = std::all_of(dates.begin(), dates.end(), [&](std::string_view date) {
      return is_missing_word(trim(date)) || format.read(date, time) == TimeText::read;
    });
    if (reads_all) return pattern;
  }
  return patterns.empty() ? "" : patterns[0];
}

/// What else must be said of times: how dates are written, in which unit numbers are.
std::string settings_of_times(const Words& cells) {
  if (const std::string pattern = pattern_of(cells); !pattern.empty())
    return " " + set_option("data.time_format", pattern);
  if (std::all_of(cells.begin(), cells.end(), is_day_number))
    return " " + set_option("data.time_format", std::string("%Y%m%d"));
  const std::string_view cell = cells[0];
  double value = 0;
  if (kind_of(cell) != CellKind::unix_time || !parse_number(trim(cell), value)) return "";
  constexpr double kMilliseconds = 1e11, kMicroseconds = 1e14, kNanoseconds = 1e17;
  if (value < kMilliseconds) return "";
  const char* unit = value < kMicroseconds  ? "milliseconds"
                     : value < kNanoseconds ? "microseconds"
                                            : "nanoseconds";
  return " " + set_option("data.time_unit", std::string(unit));
}

}  // namespace

bool names_user(std::string_view name) {
  constexpr std::array<std::string_view, 13> kUsers = {
      "user",   "uid",     "customer", "client", "session", "reviewer", "visitor",
      "member", "account", "buyer",    "person", "people",  "shopper"};
  return is_id_of(name, kUsers);
}

bool names_item(std::string_view name) {
  constexpr std::array<std::string_view, 24> kItems = {
      "item",  "iid",      "product", "movie", "book", "song",     "track", "artist",
      "asin",  "isbn",     "sku",     "video", "news", "business", "poi",   "article",
      "venue", "location", "film",    "thing", "game", "app",      "hotel", "recipe"};
  return is_id_of(name, kItems) || is_one_of(name, std::array<std::string_view, 1>{"parentasin"});
}

bool names_time(std::string_view name) {
  constexpr std::array<std::string_view, 17> kTimes = {
      "time",      "date",      "day",        "ts",        "when",
      "datetime",  "timestamp", "timestamps", "unixtime",  "unixreviewtime",
      "eventtime", "eventdate", "utctime",    "createdat", "created",
      "dateadded", "tdat"};
  return is_one_of(name, kTimes);
}

bool names_rating(std::string_view name) {
  constexpr std::array<std::string_view, 6> kRatings = {"rating", "ratings", "score",
                                                        "stars",  "overall", "event"};
  return is_one_of(name, kRatings);
}

std::string roles_as_settings(const std::vector<Words>& rows, const std::string& separator,
                              bool has_header) {
  RoleFinder finder(rows, has_header);
  const Roles roles = finder.find();
  std::string settings = set_option("data.format", std::string("csv"));
  const auto add = [&](const char* key, const std::string& value) {
    settings += " " + set_option(key, value);
  };
  if (has_header) {
    const auto name = [&](std::size_t at) { return std::string(trim(rows[0][at])); };
    add("data.user_column", name(roles.user));
    add("data.item_column", name(roles.item));
    if (roles.clock) {
      add("data.time_column", name(*roles.time) + "+" + name(*roles.clock));
    } else if (roles.time) {
      add("data.time_column", name(*roles.time));
    }
  } else {
    const std::vector<std::string> names = made_names(roles, finder.looks());
    settings += " " + set_option("data.columns", names);
    if (roles.clock) add("data.time_column", names[*roles.time] + "+" + names[*roles.clock]);
  }
  add("data.separator", separator);
  if (!roles.time) add("data.time_column", "none");
  std::vector<std::string> times;
  for (std::size_t row = has_header && rows.size() > 1 ? 1 : 0; row < rows.size(); ++row) {
    const auto cell = [&](std::size_t at) {
      return at < rows[row].size() ? std::string(trim(rows[row][at])) : "";
    };
    if (roles.time && *roles.time < rows[row].size())
      times.push_back(cell(*roles.time) + (roles.clock ? " " + cell(*roles.clock) : ""));
  }
  if (!times.empty()) settings += settings_of_times({times.begin(), times.end()});
  return settings;
}

}  // namespace recloom
