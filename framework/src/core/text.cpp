#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/utf8.hpp"

namespace recloom {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr std::size_t kLongestWord = 100;  // Nobody misspells longer ones; they are no words.
constexpr std::size_t kMostEdits = 34;     // What tolerated() gives for the longest.
constexpr std::size_t kMany = 1000;

// Edits (insert, delete, replace, swap of neighbours) that lead from a, a word of at most
// kLongestWord bytes, to b, whatever their case: Damerau-Levenshtein in the form of optimal string
// alignment, near the diagonal only. kMany if there are more than `most`.
std::size_t distance(std::string_view a, std::string_view b, std::size_t most) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > most) return kMany;
  constexpr auto kFar = static_cast<std::uint16_t>(kMany);
  std::array<std::array<std::uint16_t, kLongestWord + kMostEdits + 1>, 3> rows;
  for (std::size_t line = 0; line <= a.size(); ++line) {
    auto& row = rows[line % 3];
    const auto &above = rows[(line + 2) % 3], &two_above = rows[(line + 1) % 3];
    std::fill_n(row.begin(), b.size() + 1, kFar);
    const std::size_t last = std::min(b.size(), line + most);
    for (std::size_t column = line > most ? line - most : 0; column <= last; ++column) {
      if (line == 0 || column == 0) {
        row[column] = static_cast<std::uint16_t>(line + column);
        continue;
      }
      const char from = lower(a[line - 1]), to = lower(b[column - 1]);
      int edits = std::min(
          {above[column] + 1, row[column - 1] + 1, above[column - 1] + (from == to ? 0 : 1)});
      if (line > 1 && column > 1 && from == lower(b[column - 2]) && lower(a[line - 2]) == to)
        edits = std::min(edits, two_above[column - 2] + 1);
      row[column] = static_cast<std::uint16_t>(edits);
    }
  }
  const std::size_t edits = rows[a.size() % 3][b.size()];
  return edits <= most ? edits : kMany;
}

// How many edits a misspelling of this length may have: about one in three letters.
std::size_t tolerated(std::size_t length) {
  return length < 2 ? 0 : std::max<std::size_t>(1, (length + 1) / 3);
}

// "train" and "learning_rate" of "train.learning_rate"; a name without a dot has no table.
std::pair<std::string_view, std::string_view> table_and_key(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {{}, name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

// Edits from a word to a candidate, or kMany if the candidate cannot be meant. A long table in
// common must not make two different keys look alike, so key and table are judged apart.
std::size_t edits_between(std::string_view word, std::string_view candidate) {
  const auto [table, key] = table_and_key(word);
  const auto [right_table, right_key] = table_and_key(candidate);
  const std::size_t of_key = distance(key, right_key, tolerated(key.size()));
  if (of_key == kMany) return kMany;
  if (table.empty() || table == right_table) return of_key;  // A table may be left out.
  const std::size_t of_table = distance(table, right_table, tolerated(table.size()));
  if (of_table != kMany) return of_key + of_table;
  return of_key == 0 ? kMany - 1 : kMany;  // The key of another table, if nothing is nearer.
}

// Whether a terminal shows a character as it is: no control character (C0, DEL, C1), no line or
// paragraph separator, nothing that turns the direction of what follows (U+202A-E, U+2066-9).
bool is_visible(std::string_view character) {
  const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(character[n]); };
  if (character.size() == 1) return byte(0) >= 0x20 && byte(0) != 0x7f;
  if (character.size() == 2) return byte(0) != 0xc2 || byte(1) >= 0xa0;
  if (byte(0) != 0xe2) return true;
  const bool separates_or_turns = byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae;
  const bool isolates = byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;
  return !separates_or_turns && !isolates;
}

std::string escaped(char c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  return fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
}

// Takes a character from the start of text and returns it, or its bytes escaped.
std::string visible_start(std::string_view& text) {
  const std::size_t length = utf8_length(text);
  const std::string_view character = text.substr(0, std::max<std::size_t>(1, length));
  text.remove_prefix(character.size());
  if (length > 0 && is_visible(character)) return std::string(character);
  std::string piece;
  for (const char byte : character) piece += escaped(byte);
  return piece;
}

template <class Number>
bool parse_whole(std::string_view text, Number& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  Number parsed{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  value = parsed;
  return true;
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kLongestWord) return "";
  std::string_view best;
  std::size_t fewest = kMany;
  for (const std::string& candidate : candidates) {
    const std::size_t edits = edits_between(word, candidate);
    if (edits < fewest) {
      best = candidate;
      fewest = edits;
    }
  }
  if (!best.empty() || word.size() < 3) return std::string(best);
  for (const std::string& candidate : candidates)  // "dropout" for "dropout_prob"
    if (candidate.starts_with(word)) return candidate;
  return "";
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string guess = nearest(word, candidates);
  return guess.empty() ? "" : fmt::format(", did you mean '{}'?", printable(guess));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool parse_number(std::string_view text, double& value) { return parse_whole(text, value); }
bool parse_number(std::string_view text, std::int64_t& value) { return parse_whole(text, value); }
bool parse_number(std::string_view text, std::uint64_t& value) {
  return !text.starts_with('+') && parse_whole(text, value);
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string shown;
  while (!text.empty()) {
    const std::string piece = visible_start(text);
    if (shown.size() + piece.size() > limit) return shown + "...";
    shown += piece;
  }
  return shown;
}

std::string visible(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) shown += visible_start(text);
  return shown;
}

std::string escaped_cell(std::string_view text) {
  std::string cell;
  cell.reserve(text.size());
  for (const char c : text) {
    if (c == '\\')
      cell += "\\\\";
    else if (c == '\t' || c == '\n' || c == '\r')
      cell += escaped(c);
    else
      cell += c;
  }
  return cell;
}

}  // namespace recloom
