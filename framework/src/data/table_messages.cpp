#include "data/table_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "core/text.hpp"
#include "data/cells.hpp"
#include "data/column_roles.hpp"
#include "data/plain_cells.hpp"
#include "data/setting_text.hpp"

namespace recloom {
namespace {

std::vector<std::string> names_of(const TableHeader& header) {
  std::vector<std::string> names;
  for (const Column& column : header.columns) names.push_back(column.name);
  return names;
}

bool is_number(std::string_view text) {
  double value = 0;
  return parse_real(text, value);
}

/// Unix time from 1973 on, or a date.
bool is_time(std::string_view text) {
  constexpr double kEarliest = 1e8;
  double value = 0;
  if (parse_real(text, value)) return value >= kEarliest && text[0] != '0';
  return text.size() >= 10 &&
         std::all_of(text.begin(), text.begin() + 4,
                     [](unsigned char c) { return std::isdigit(c) != 0; }) &&
         (text[4] == '-' || text[4] == '/') && text[7] == text[4];
}

/// pandas numbers columns that have no names.
bool is_position(const std::string& name, const std::vector<std::string>& names) {
  const auto at =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  return name == std::to_string(at) || name == std::to_string(at + 1);
}

/// Does a header look like a row? Names are no times, and no numbers but their own positions.
bool is_row(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return is_time(name) || (is_number(name) && !is_position(name, names));
  });
}

/// Name the cells of a first row as they are likely to be meant.
std::string likely_columns(const std::vector<std::string>& cells) {
  std::vector<std::string> names(cells.size(), "_");
  std::vector<std::string> open = {"user_id", "item_id"};
  std::size_t time = cells.size();
  for (std::size_t at = 0; at < cells.size(); ++at) {
    if (is_time(cells[at]) && (time == cells.size() || is_number(cells[at]))) time = at;
  }
  for (std::size_t at = 0; at < cells.size(); ++at) {
    const bool decimal = is_number(cells[at]) && cells[at].find('.') != std::string::npos;
    if (at == time) {
      names[at] = "timestamp";
    } else if (!open.empty() && !decimal) {
      names[at] = open.front();
      open.erase(open.begin());
    } else if (is_number(cells[at]) &&
               std::find(names.begin(), names.end(), "rating") == names.end()) {
      names[at] = "rating";
    }
  }
  return fmt::format("[{}]", fmt::join(names, ","));
}

/// Small letters and digits: "User_ID" is "userid".
std::string bare(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) letters.push_back(static_cast<char>(std::tolower(byte)));
  }
  return letters;
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& names) {
  for (const std::string& other : names) {
    if (bare(other) == bare(name)) return other;
  }
  return nearest(name, names);
}

/// The column whose name is one of those that such columns mostly have: "movieId" for items.
std::string usual_name(std::string_view key, const std::vector<std::string>& names) {
  bool (*const is_usual)(std::string_view) = key == "data.user_column"   ? names_user
                                             : key == "data.item_column" ? names_item
                                                                         : names_time;
  const auto found = std::find_if(names.begin(), names.end(), is_usual);
  return found == names.end() ? "" : *found;
}

/// Where a header has one cell, but for a separator that is not the one in use.
std::string other_separator(const TableHeader& header) {
  if (header.columns.size() != 1) return "";
  for (const std::string_view separator : kSeparators) {
    if (separator != header.separator &&
        header.columns[0].name.find(separator) != std::string::npos) {
      return std::string(separator);
    }
  }
  return "";
}

}  // namespace

std::string missing_column(const std::string& where, const TableHeader& header,
                           std::string_view name, std::string_view key) {
  const std::vector<std::string> names = names_of(header);
  const std::string list = printable(fmt::format("{}", fmt::join(names, ", ")), 200);
  if (header.format == FileFormat::json) {
    return fmt::format(
        "{}: none of the first lines has the key '{}'; they have {}{}; --set {}=KEY names another",
        where, printable(name), list, did_you_mean(name, names), key);
  }
  std::string text = fmt::format("{}: no column '{}'; {} {}", where, printable(name),
                                 header.is_given ? "data.columns has" : "the header has", list);
  if (const std::string separator = other_separator(header); !separator.empty()) {
    return text + fmt::format("; that is one cell, {} parts it",
                              setting_text("data.separator", separator));
  }
  if (!header.is_given && is_row(names)) {
    return text + fmt::format(
                      "; that looks like a row: for a file without header line name its "
                      "columns, --set 'data.columns={}'",
                      likely_columns(names));
  }
  std::string near = nearest_name(name, names);
  if (near.empty()) near = usual_name(key, names);
  if (!near.empty()) {
    text +=
        fmt::format(", did you mean '{}'? {} takes it", printable(near), setting_text(key, near));
  } else {
    text += fmt::format("; --set {}=NAME names another", key);
  }
  if (key == "data.time_column") {
    text += fmt::format("; --set {}=none takes events in file order", key);
  }
  return text;
}

std::string values_for_names(const std::string& where, const TableHeader& header,
                             const std::vector<std::string>& used) {
  const std::vector<std::string> names = names_of(header);
  const bool time = std::any_of(used.begin(), used.end(), is_time);
  const bool numbers = std::all_of(used.begin(), used.end(), [&](const std::string& name) {
    return is_number(name) && !is_position(name, names);
  });
  if (header.is_given || used.empty() || (!time && !numbers)) return "";
  return fmt::format(
      "{}: the columns named {} look like values of a first row; for a file without "
      "header line name its columns, --set 'data.columns={}'",
      where, printable(fmt::format("{}", fmt::join(used, ", "))), likely_columns(names));
}

}  // namespace recloom
