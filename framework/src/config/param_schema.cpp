#include "recloom/config/param_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

bool contains(const Range& range, double value) {
  return std::isfinite(value) && value >= range.low && value <= range.high;
}

std::string in_range(const Range& range) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  const bool low = range.low > -kLargest, high = range.high < kLargest;
  if (range.low == std::numeric_limits<double>::min())
    return high ? fmt::format(" above 0 and at most {}", range.high) : " above 0";
  if (low && high) return fmt::format(" from {} to {}", range.low, range.high);
  if (low) return fmt::format(" of at least {}", range.low);
  if (high) return fmt::format(" of at most {}", range.high);
  return "";
}

std::optional<int> to_int(std::int64_t value) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    return std::nullopt;
  return static_cast<int>(value);
}

std::optional<int> as_integer(const Value& value, const Range& legal) {
  const auto* held = std::get_if<std::int64_t>(&value);
  if (!held || !contains(legal, static_cast<double>(*held))) return std::nullopt;
  return to_int(*held);
}

std::optional<double> as_real(const Value& value, const Range& legal) {
  double number = std::numeric_limits<double>::quiet_NaN();
  if (const auto* real = std::get_if<double>(&value)) number = *real;
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    number = static_cast<double>(*integer);
  return contains(legal, number) ? std::optional(number) : std::nullopt;
}

bool is_empty_list(const Value& value) {
  return std::visit(
      [](const auto& held) {
        if constexpr (requires { held.push_back(held.front()); } &&
                      !std::is_same_v<std::decay_t<decltype(held)>, std::string>)
          return held.empty();
        return false;
      },
      value);
}

/// A list whose elements all pass, or nothing. An empty list has no element type.
template <class Element, class Convert>
std::optional<std::vector<Element>> as_list(const Value& value, Convert convert) {
  std::vector<Element> list;
  const auto take_all = [&](const auto& held) {
    for (const auto& element : held) {
      const auto converted = convert(Value(element));
      if (!converted) return false;
      list.push_back(*converted);
    }
    return true;
  };
  bool good = is_empty_list(value);
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value))
    good = take_all(*integers);
  if (const auto* reals = std::get_if<std::vector<double>>(&value)) good = take_all(*reals);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) good = take_all(*texts);
  return good ? std::optional(std::move(list)) : std::nullopt;
}

bool is_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !name.empty() && is_letter(name[0]) && std::ranges::all_of(name, [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
  });
}

/// The default is a declaration's own: not within its range, nobody could write it down.
void require_default(std::string_view name, double value, const Range& legal) {
  if (!contains(legal, value))
    throw ModelError(fmt::format("parameter '{}': its default {} is not in its own range, {} to {}",
                                 name, value, legal.low, legal.high));
}

std::string joined(std::span<const std::string> words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

struct ParamSchema::Impl {
  Params values;
  std::string prefix;
  std::vector<ParamInfo> declared;
  Params suggested, resolved;

  ParamInfo& declare(std::string_view name, const char* type, Value default_value,
                     std::string_view doc) {
    const auto same = [&](const ParamInfo& info) { return info.name == name; };
    if (!is_name(name))
      throw ModelError(fmt::format("parameter '{}': a name is a letter, then letters, digits and _",
                                   printable(name)));
    if (std::any_of(declared.begin(), declared.end(), same))
      throw ModelError(fmt::format("parameter '{}{}' is declared twice", prefix, name));
    ParamInfo info;
    info.name = name;
    info.type = type;
    info.default_value = std::move(default_value);
    info.doc = doc;
    declared.push_back(std::move(info));
    resolved.set(std::string(name), declared.back().default_value);
    return declared.back();
  }

  [[noreturn]] void refuse(std::string_view name, const Value& value,
                           std::string_view legal) const {
    throw ConfigError(
        fmt::format("{}{} = {}: must be {}", prefix, name, printable(to_text(value), 80), legal));
  }
  /// Return what a list of numbers must be, and how a single one would be one.
  std::string legal_list(std::string_view name, std::string_view legal) const {
    const Value* given = values.find(name);
    const bool number = given && (std::holds_alternative<std::int64_t>(*given) ||
                                  std::holds_alternative<double>(*given));
    return number ? fmt::format("{}, as in [{}]", legal, to_text(*given)) : std::string(legal);
  }

  /// Assign what the user gave, if anything. `convert` turns a Value into an optional T.
  template <class T, class Convert, class Store>
  void assign(std::string_view name, T& target, Convert convert, Store store,
              const std::string& legal) {
    const Value* given = values.find(name);
    if (!given) return;
    auto converted = convert(*given);
    if (!converted) refuse(name, *given, legal);
    target = std::move(*converted);
    resolved.set(std::string(name), store(target));
  }
};

ParamSchema::ParamSchema() : impl_(std::make_unique<Impl>()) {}
ParamSchema::ParamSchema(const Params& values, std::string_view prefix) : ParamSchema() {
  impl_->values = values;
  impl_->prefix = prefix;
}
ParamSchema::~ParamSchema() = default;

ParamSchema& ParamSchema::integer(std::string_view name, int& value, Range legal,
                                  std::string_view doc) {
  require_default(name, value, legal);
  impl_->declare(name, "integer", std::int64_t{value}, doc).range = legal;
  impl_->assign(
      name, value, [&](const Value& given) { return as_integer(given, legal); },
      [](int stored) { return Value(std::int64_t{stored}); }, "an integer" + in_range(legal));
  return *this;
}

ParamSchema& ParamSchema::real(std::string_view name, double& value, Range legal,
                               std::string_view doc) {
  require_default(name, value, legal);
  impl_->declare(name, "real", value, doc).range = legal;
  impl_->assign(
      name, value, [&](const Value& given) { return as_real(given, legal); },
      [](double stored) { return Value(stored); }, "a number" + in_range(legal));
  return *this;
}

ParamSchema& ParamSchema::flag(std::string_view name, bool& value, std::string_view doc) {
  impl_->declare(name, "flag", value, doc);
  impl_->assign(
      name, value,
      [](const Value& given) {
        const bool* held = std::get_if<bool>(&given);
        return held ? std::optional(*held) : std::nullopt;
      },
      [](bool stored) { return Value(stored); }, "true or false");
  return *this;
}

ParamSchema& ParamSchema::text(std::string_view name, std::string& value, std::string_view doc) {
  impl_->declare(name, "text", value, doc);
  impl_->assign(
      name, value,
      [](const Value& given) {
        const auto* held = std::get_if<std::string>(&given);
        return held ? std::optional(*held) : std::nullopt;
      },
      [](const std::string& stored) { return Value(stored); }, "text in quotation marks");
  return *this;
}

ParamSchema& ParamSchema::integers(std::string_view name, std::vector<int>& value, Range legal,
                                   std::string_view doc) {
  const auto wide = [](const std::vector<int>& list) {
    return Value(std::vector<std::int64_t>(list.begin(), list.end()));
  };
  impl_->declare(name, "integers", wide(value), doc).range = legal;
  impl_->assign(
      name, value,
      [&](const Value& given) {
        return as_list<int>(given, [&](const Value& one) { return as_integer(one, legal); });
      },
      wide, impl_->legal_list(name, "a list of integers" + in_range(legal)));
  return *this;
}

ParamSchema& ParamSchema::reals(std::string_view name, std::vector<double>& value, Range legal,
                                std::string_view doc) {
  impl_->declare(name, "reals", value, doc).range = legal;
  impl_->assign(
      name, value,
      [&](const Value& given) {
        return as_list<double>(given, [&](const Value& one) { return as_real(one, legal); });
      },
      [](const std::vector<double>& stored) { return Value(stored); },
      impl_->legal_list(name, "a list of numbers" + in_range(legal)));
  return *this;
}

ParamSchema& ParamSchema::texts(std::string_view name, std::vector<std::string>& value,
                                std::string_view doc) {
  impl_->declare(name, "texts", value, doc);
  impl_->assign(
      name, value,
      [](const Value& given) {
        // Numbers are texts too: [10, 20] as they are.
        const auto as_text = [](const Value& one) -> std::optional<std::string> {
          if (const auto* held = std::get_if<std::string>(&one)) return *held;
          const bool number =
              std::holds_alternative<std::int64_t>(one) || std::holds_alternative<double>(one);
          return number ? std::optional(to_text(one)) : std::nullopt;
        };
        if (auto one = as_text(given)) return std::optional(std::vector{std::move(*one)});
        return as_list<std::string>(given, as_text);
      },
      [](const std::vector<std::string>& stored) { return Value(stored); },
      "a text or a list of texts, in quotation marks");
  return *this;
}

std::size_t ParamSchema::choice_index(std::string_view name,
                                      std::span<const std::string_view> legal, std::size_t index,
                                      std::string_view doc) {
  const std::vector<std::string> words(legal.begin(), legal.end());
  impl_->declare(name, "choice", words[index], doc).choices = words;
  const Value* given = impl_->values.find(name);
  if (!given) return index;
  const auto* word = std::get_if<std::string>(given);
  const auto found = word ? std::find(words.begin(), words.end(), *word) : words.end();
  if (found == words.end())
    impl_->refuse(
        name, *given,
        fmt::format("one of {}{}", joined(words), word ? did_you_mean(*word, words) : ""));
  impl_->resolved.set(std::string(name), *word);
  return static_cast<std::size_t>(found - words.begin());
}

ParamSchema& ParamSchema::suggest(std::string_view host_key, Value value) {
  impl_->suggested.set(std::string(host_key), std::move(value));
  return *this;
}

ParamSchema& ParamSchema::source(std::string_view citation) {
  if (impl_->declared.empty()) throw InternalError("a source without a parameter before it");
  impl_->declared.back().source = citation;
  return *this;
}

ParamSchema& ParamSchema::test_values(std::vector<Value> values) {
  if (impl_->declared.empty()) throw InternalError("test values without a parameter before them");
  impl_->declared.back().test_values = std::move(values);
  return *this;
}

void ParamSchema::finish() const {
  std::vector<std::string> names;
  for (const ParamInfo& info : impl_->declared) names.push_back(impl_->prefix + info.name);
  for (const auto& [name, value] : impl_->values.values()) {
    if (impl_->resolved.find(name)) continue;
    const std::string full = impl_->prefix + name;
    std::string hint = did_you_mean(full, names);
    if (hint.empty()) hint = names.empty() ? ", there is none" : ", legal are " + joined(names);
    throw ConfigError(fmt::format("unknown key '{}'{}", printable(full, 100), hint));
  }
}

const std::vector<ParamInfo>& ParamSchema::declared() const noexcept { return impl_->declared; }
const Params& ParamSchema::suggested() const noexcept { return impl_->suggested; }
const Params& ParamSchema::resolved() const noexcept { return impl_->resolved; }

}  // namespace recloom
