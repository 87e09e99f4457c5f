#include "data/table_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "config/set_option.hpp"
#include "core/text.hpp"
#include "data/column_roles.hpp"
#include "data/first_lines.hpp"
#include "data/plain_cells.hpp"
#include "data/table_guess.hpp"

namespace recloom {
namespace {

std::vector<std::string> names_of(const TableHeader& header) {
  std::vector<std::string> names;
  for (const Column& column : header.columns) names.push_back(column.name);
  return names;
}

/// Return why `used` of a header's names are values, so that it is a first row; "" if they are
/// none, or the numbers that columns without names are given by pandas and R.
std::string sign_of_values(const TableHeader& header, const std::vector<std::string>& used) {
  const std::vector<std::string> names = names_of(header);
  const Words all(names.begin(), names.end());
  if (header.is_given || used.empty() || counts_up(all, 0) || counts_up(all, 1)) return "";
  return sign_of_no_header({Words(used.begin(), used.end())}, false);
}

/// What to do about a file without header line.
std::string remedy_without_header(const TableHeader& header) {
  if (header.is_side_table) return "a table of users or items needs a header line";
  const std::vector<std::string> names = names_of(header);
  return "for a file without header line name its columns, " +
         roles_as_settings({Words(names.begin(), names.end())}, header.separator, false);
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& names) {
  for (const std::string& other : names) {
    if (bare_name(other) == bare_name(name)) return other;
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
    return text +
           fmt::format("; that is one cell, {} parts it", set_option("data.separator", separator));
  }
  if (const std::string sign = sign_of_values(header, names); !sign.empty()) {
    return text + fmt::format("; {}: {}", sign, remedy_without_header(header));
  }
  std::string near = nearest_name(name, names);
  if (near.empty()) near = usual_name(key, names);
  if (!near.empty()) {
    text += fmt::format(", did you mean '{}'? {} takes it", printable(near), set_option(key, near));
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
  if (sign_of_values(header, used).empty()) return "";
  return fmt::format("{}: the columns named {} look like values of a first row; {}", where,
                     printable(fmt::format("{}", fmt::join(used, ", "))),
                     remedy_without_header(header));
}

}  // namespace recloom
