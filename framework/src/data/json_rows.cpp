#include "data/json_rows.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "core/text.hpp"
#include "core/utf8.hpp"
#include "data/python_literal.hpp"

namespace recloom {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kBlanks = " \t\r";

std::string_view without_blanks(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

/// Cut the next line off a text.
std::string_view take_line(std::string_view& text) noexcept {
  const auto* end = static_cast<const char*>(std::memchr(text.data(), '\n', text.size()));
  const std::string_view line =
      text.substr(0, end == nullptr ? text.size() : static_cast<std::size_t>(end - text.data()));
  text.remove_prefix(line.size() + (end == nullptr ? 0 : 1));
  return line;
}

/// A number as JSON writes it.
bool is_json_number(std::string_view text) noexcept {
  const auto digits = [&] {
    const std::size_t n = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(n);
    return n;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

std::string message_of(simdjson::error_code code) {
  switch (code) {
    case simdjson::UNCLOSED_STRING:
      return "a string is not closed";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "the line ends within an object";
    case simdjson::UTF8_ERROR:
      return "a string that is not valid UTF-8";
    case simdjson::UNESCAPED_CHARS:
      return "a control character in a string; JSON writes \\t, \\n, \\u0001";
    case simdjson::STRING_ERROR:
      return "a string with an escape that JSON does not have, or half of a character";
    case simdjson::MEMALLOC:
      return "too long a line for the memory there is";
    default:
      return "this is no JSON";
  }
}

/// What stands under a key.
struct Value {
  enum class Kind { missing, text, object, array };
  Kind kind = Kind::missing;
  std::string_view text;
  std::string_view first_key;  ///< Of an object.
  std::size_t depth = 0;  ///< How many objects lie around it: one wins over others under its name.
};

/// Reads one line after the other. Errors are texts: only the caller knows the line's number.
class LineReader {
 public:
  /// Call visit(key, value) for each key of a line's object.
  /// @param text where the line stands: what follows it may be read.
  template <class Visit>
  bool read(std::string_view line, std::string_view text, const Visit& visit) {
    error_.clear();
    std::string_view json = line;
    if (is_python_literal(line)) {
      const std::string problem = python_to_json(line, rewritten_);
      if (!problem.empty()) return fail(problem);
      json = rewritten_;
    } else if (!line.starts_with('{')) {
      return fail(fmt::format("expected an object, {{\"key\": value, ...}}, found '{}'",
                              printable(line, 20)));
    }
    ondemand::document document;
    if (!begin(json, text, document)) return false;
    ondemand::object object;
    if (const auto code = document.get_object().get(object)) return fail(message_of(code));
    if (!visit_keys(object, visit)) return false;
    const char* rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS) {
      return fail("more than one object; each takes a line of its own");
    }
    return true;
  }
  template <class Visit>
  bool visit_keys(ondemand::object& object, const Visit& visit) {
    for (simdjson::simdjson_result<ondemand::field> result : object) {
      ondemand::field field;
      if (const auto code = std::move(result).get(field)) return fail(message_of(code));
      std::string_view key;
      if (!key_of(field, key)) return false;
      if (!visit(key, field.value())) return false;
    }
    return true;
  }
  /// Take a value that is no object or array; of those only the kind.
  bool take(ondemand::value& value, Value& taken) {
    const std::string_view token = without_end(value.raw_json_token());
    taken.text = {};
    taken.kind = Value::Kind::text;
    switch (token.empty() ? '\0' : token[0]) {
      case '{':
        taken.kind = Value::Kind::object;
        return true;
      case '[':
        taken.kind = Value::Kind::array;
        return true;
      case '"':
        return take_string(value, token, taken);
      default:
        return take_word(token, taken);
    }
  }
  bool fail(std::string error) {
    error_ = std::move(error);
    return false;
  }
  std::string& error() { return error_; }

 private:
  /// The parser looks at some bytes behind a line, which must be there.
  bool begin(std::string_view json, std::string_view text, ondemand::document& document) {
    const auto behind = static_cast<std::size_t>(text.data() + text.size() - json.data());
    const bool inside = json.data() != rewritten_.data();
    const char* data = json.data();
    if (!inside || behind < json.size() + simdjson::SIMDJSON_PADDING) {
      padded_.resize(json.size() + simdjson::SIMDJSON_PADDING);
      std::copy(json.begin(), json.end(), padded_.begin());
      data = padded_.data();
    }
    end_ = data + json.size();
    const auto code =
        parser_.iterate(data, json.size(), json.size() + simdjson::SIMDJSON_PADDING).get(document);
    return code == simdjson::SUCCESS || fail(message_of(code));
  }
  bool key_of(ondemand::field& field, std::string_view& key) {
    const char* const raw = field.key().raw();
    const auto left = static_cast<std::size_t>(end_ - raw);
    std::size_t size = 0;
    while (size < left && raw[size] != '"' && raw[size] != '\\') ++size;
    if (size == left) return fail(message_of(simdjson::UNCLOSED_STRING));
    key = {raw, size};
    if (raw[size] == '"') return true;
    const auto code = field.unescaped_key().get(key);
    return code == simdjson::SUCCESS || fail(message_of(code));
  }
  static std::string_view without_end(std::string_view token) noexcept {
    return token.substr(0, token.find_last_not_of(kBlanks) + 1);
  }
  bool take_string(ondemand::value& value, std::string_view token, Value& taken) {
    if (token.size() < 2 || token.back() != '"') return fail(message_of(simdjson::TAPE_ERROR));
    taken.text = token.substr(1, token.size() - 2);
    if (taken.text.find('\\') == std::string_view::npos) return true;
    if (const auto code = value.get_string().get(taken.text)) return fail(message_of(code));
    if (taken.text.find('\0') != std::string_view::npos) {
      return fail("a string with \\u0000, which no token may hold");
    }
    // Half of a character can pass as an escape.
    return is_utf8(taken.text) || fail(message_of(simdjson::STRING_ERROR));
  }
  bool take_word(std::string_view token, Value& taken) {
    // Python's json writes NaN, which JSON does not have.
    if (token == "null" || token == "NaN") {
      taken.kind = Value::Kind::missing;
      return true;
    }
    if (token != "true" && token != "false" && !is_json_number(token)) {
      return fail(fmt::format("this is no JSON: '{}'", printable(token)));
    }
    taken.text = token;
    return true;
  }

  ondemand::parser parser_;
  std::string rewritten_;      // JSON of a line of Python.
  std::vector<char> padded_;   // A line that lies too near to the end of its text.
  const char* end_ = nullptr;  // Of the line.
  std::string error_;
};

std::string how_to_convert(std::string_view file, std::string_view filter) {
  const bool gzip = file.ends_with(".gz"), zstd = file.ends_with(".zst");
  const std::string_view stem = file.substr(0, file.size() - (gzip ? 3 : zstd ? 4 : 0));
  const std::string unpack =
      gzip || zstd ? fmt::format("{} {} | ", gzip ? "zcat" : "zstdcat", file) : std::string();
  return fmt::format("{}jq -c {} {}> {}.lines.jsonl writes one object a line", unpack, filter,
                     unpack.empty() ? fmt::format("{} ", file) : "", stem);
}

}  // namespace

struct JsonRows::Impl {
  /// A column that is still looked for, and what is left of its path.
  struct Wanted {
    std::size_t column;
    std::string_view path;
  };

  const std::vector<JsonColumn>& columns;
  std::string_view text, rest;
  LineReader reader;
  std::vector<Wanted> wanted;
  std::vector<Value> values;
  std::vector<std::string_view> cells;
  std::int64_t n_lines = 0;

  Impl(const std::vector<JsonColumn>& names, std::string_view lines)
      : columns(names), text(lines), rest(lines), values(names.size()), cells(names.size()) {
    for (std::size_t column = 0; column < names.size(); ++column) {
      if (names[column].used) wanted.push_back({column, names[column].name});
    }
  }

  /// Look at one key of an object `depth` objects deep.
  bool visit(std::string_view key, ondemand::value value, const std::vector<Wanted>& open,
             std::size_t depth) {
    std::vector<Wanted> inner;
    const Wanted* here = nullptr;  // Names are distinct, and so is what is left of them.
    for (const Wanted& want : open) {
      if (want.path.size() < key.size()) continue;
      const bool is_key = want.path.size() == key.size();
      if ((!is_key && want.path[key.size()] != '.') || !want.path.starts_with(key)) continue;
      if (is_key) {
        here = &want;
      } else {
        inner.push_back({want.column, want.path.substr(key.size() + 1)});
      }
    }
    if (here == nullptr && inner.empty()) return true;
    Value taken;
    taken.depth = depth;
    if (!reader.take(value, taken)) return false;
    if (taken.kind == Value::Kind::object && !look_inside(value, inner, depth, taken)) return false;
    if (here != nullptr && wins(taken, values[here->column])) values[here->column] = taken;
    return true;
  }
  /// Of several values the one with the fewest objects around it counts, then the last.
  static bool wins(const Value& value, const Value& before) {
    return before.depth == 0 || value.depth <= before.depth;
  }
  bool look_inside(ondemand::value& value, const std::vector<Wanted>& inner, std::size_t depth,
                   Value& taken) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return reader.fail("this is no JSON");
    return reader.visit_keys(object, [&](std::string_view key, ondemand::value field) {
      if (taken.first_key.empty()) taken.first_key = key;
      return visit(key, field, inner, depth + 1);
    });
  }
  bool read(std::string_view line) {
    values.assign(values.size(), Value());
    const bool read = reader.read(line, text, [&](std::string_view key, ondemand::value value) {
      return visit(key, value, wanted, 1);
    });
    return read && take_cells();
  }
  bool take_cells() {
    for (const Wanted& want : wanted) {
      const Value& value = values[want.column];
      if (value.kind == Value::Kind::array) {
        return reader.fail(
            fmt::format("'{}' is an array; a column holds one value a line", printable(want.path)));
      }
      if (value.kind == Value::Kind::object) {
        return reader.fail(
            fmt::format("'{0}' is an object; what lies in it is named by its path, "
                        "'{0}.{1}'",
                        printable(want.path), printable(value.first_key)));
      }
      cells[want.column] = value.text;
    }
    return true;
  }
};

JsonRows::JsonRows(const std::vector<JsonColumn>& columns, std::string_view text)
    : impl_(std::make_unique<Impl>(columns, text)) {}

JsonRows::~JsonRows() = default;

bool JsonRows::next() {
  while (!impl_->rest.empty()) {
    const std::string_view line = without_blanks(take_line(impl_->rest));
    ++impl_->n_lines;
    if (!line.empty()) return impl_->read(line);
  }
  return false;
}

const std::vector<std::string_view>& JsonRows::cells() const noexcept { return impl_->cells; }
std::int64_t JsonRows::n_lines() const noexcept { return impl_->n_lines; }
const std::string& JsonRows::error() const noexcept { return impl_->reader.error(); }

namespace {

/// Collects the paths of keys.
class KeyCollector {
 public:
  explicit KeyCollector(JsonKeys& keys) : keys_(keys) {}

  bool read(std::string_view line, std::string_view text) {
    path_.clear();
    return reader_.read(line, text, [&](std::string_view key, ondemand::value value) {
      return visit(key, value, 1);
    });
  }
  const std::string& error() { return reader_.error(); }
  /// Are there so many paths that no more are collected?
  bool is_full() const { return keys_.paths.size() == kMostPaths || n_bytes_ > kMostBytes; }

 private:
  /// No column lies deeper; the recursion must end.
  static constexpr int kDeepest = 32;
  /// More than any table has. A line of many keys in an object of a long name would fill the
  /// memory.
  static constexpr std::size_t kMostPaths = 10'000, kMostBytes = std::size_t{1} << 20;
  static constexpr std::size_t kLongestPath = 256;

  bool visit(std::string_view key, ondemand::value value, int depth) {
    Value taken;
    if (!reader_.take(value, taken)) return false;
    const std::size_t before = path_.size();
    if (is_full() || before + 1 + key.size() > kLongestPath) return true;
    if (depth > 1) path_ += '.';
    path_ += key;
    const bool good = taken.kind == Value::Kind::object && depth < kDeepest
                          ? look_inside(value, depth)
                          : add(taken.kind);
    path_.resize(before);
    return good;
  }
  bool look_inside(ondemand::value& value, int depth) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return reader_.fail("this is no JSON");
    return reader_.visit_keys(object, [&](std::string_view key, ondemand::value field) {
      return visit(key, field, depth + 1);
    });
  }
  bool add(Value::Kind kind) {
    const auto [place, is_new] = index_.emplace(path_, keys_.paths.size());
    if (is_new) {
      keys_.paths.push_back(path_);
      keys_.are_lists.push_back(false);
      n_bytes_ += path_.size();
    }
    if (kind == Value::Kind::array) keys_.are_lists[place->second] = true;
    return true;
  }

  JsonKeys& keys_;
  LineReader reader_;
  std::string path_;         // Of the object that is looked into.
  std::size_t n_bytes_ = 0;  // Of all paths.
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

JsonKeys json_keys(std::string_view text, std::string_view file) {
  JsonKeys keys;
  KeyCollector collector(keys);
  std::string_view rest = text;
  bool first = true;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = without_blanks(take_line(rest));
    if (line.empty()) continue;
    if (first) keys.line = number;
    if (!collector.read(line, text)) {
      if (!first) break;
      keys.error = collector.error();
      if (line[0] == '[') {
        keys.error = "the file is a JSON array; " + how_to_convert(file, "'.[]'");
      } else if (line[0] == '{' && line.back() != '}') {
        keys.error += "; if it goes on over several lines, " + how_to_convert(file, ".");
      }
      break;
    }
    first = false;
    if (collector.is_full()) break;
  }
  return keys;
}

}  // namespace recloom
