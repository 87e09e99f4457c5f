#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "recloom/recloom.hpp"

namespace recloom::cli {
namespace {

/// Characters of UTF-8 text, each taken to be one column wide.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

bool is_number(const std::string& cell) {
  return cell.empty() || cell.find_first_not_of("0123456789.,-+e%() ±") == std::string::npos;
}

}  // namespace

Table::Table(const std::vector<std::string>& heading) {
  lines_.emplace_back();
  for (const std::string& cell : heading) lines_.back().push_back(display_text(cell));
}

void Table::add(const std::vector<std::string>& cells) {
  std::vector<std::string>& line = lines_.emplace_back();
  for (const std::string& cell : cells) line.push_back(display_text(cell));
  line.resize(lines_.front().size());
}

std::string Table::text(std::size_t indent) const {
  const std::size_t columns = lines_.front().size();
  std::vector<std::size_t> widths(columns, 0);
  std::vector<bool> numeric(columns, true);
  for (std::size_t line = 0; line < lines_.size(); ++line)
    for (std::size_t column = 0; column < columns; ++column) {
      const std::string& cell = lines_[line][column];
      widths[column] = std::max(widths[column], width_of(cell));
      if (line > 0 && !is_number(cell)) numeric[column] = false;
    }
  std::string text;
  for (const auto& cells : lines_) {
    std::string line(indent, ' ');
    for (std::size_t column = 0; column < columns; ++column) {
      const std::string gap(widths[column] - width_of(cells[column]), ' ');
      if (column > 0) line += "  ";
      line += numeric[column] && column > 0 ? gap + cells[column] : cells[column] + gap;
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string grouped(std::int64_t number) {
  const std::string digits = fmt::to_string(number < 0 ? -number : number);
  std::string text = number < 0 ? "-" : "";
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % 3 == 0) text += ',';
    text += digits[at];
  }
  return text;
}

std::string metric_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.4f}", value) : "-";
}

}  // namespace recloom::cli
