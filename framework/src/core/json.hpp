#pragma once
// The one door to nlohmann-json. Objects keep the order in which keys were added, so that files are
// the same bytes on every run.
#include <concepts>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "recloom/core/export.hpp"

namespace recloom {

using Json = nlohmann::ordered_json;

/// Parse JSON that a file holds. @throws IoError saying what is wrong: no JSON, a key that comes
/// twice, values nested deeper than 32 times, an object of more than 16384 keys.
RECLOOM_API Json parse_json(std::string_view text);
/// Return JSON text. Bytes of texts that are no UTF-8 are lost: what should keep them is escaped
/// before (core/utf8.hpp). @param indent per level; none: one line.
RECLOOM_API std::string dump_json(const Json& json, std::optional<int> indent = {});

/// An object that a file holds, with fields that must be there. What is missing, of another type or
/// out of range is an IoError that names the field, its value and what is legal.
class RECLOOM_API JsonObject {
 public:
  /// @param json outlives this. @param name what messages call it; "": the document.
  explicit JsonObject(const Json& json, std::string name = "");

  template <std::integral T>
  T integer(std::string_view key, T low = std::numeric_limits<T>::min(),
            T high = std::numeric_limits<T>::max()) const {
    const Json& value = field(key);
    if (value.is_number_unsigned()) {
      const auto number = value.get<std::uint64_t>();
      if (std::cmp_greater_equal(number, low) && std::cmp_less_equal(number, high))
        return static_cast<T>(number);
    } else if (value.is_number_integer()) {
      const auto number = value.get<std::int64_t>();
      if (std::cmp_greater_equal(number, low) && std::cmp_less_equal(number, high))
        return static_cast<T>(number);
    }
    refuse(key, range_text(std::to_string(low), std::to_string(high)));
  }
  double number(std::string_view key) const;  ///< Finite.
  bool flag(std::string_view key) const;
  std::string text(std::string_view key) const;
  JsonObject object(std::string_view key) const;
  const Json& array(std::string_view key) const;
  /// Any value. @throws IoError if there is none.
  const Json& field(std::string_view key) const;

  const Json& json() const noexcept { return json_; }
  /// Throw the error about a field: "epoch = -3: must be <legal>".
  [[noreturn]] void refuse(std::string_view key, std::string_view legal) const;

 private:
  static std::string range_text(const std::string& low, const std::string& high);
  std::string path(std::string_view key) const;

  const Json& json_;
  std::string name_;
};

}  // namespace recloom
