#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                           std::vector<double>, std::vector<std::string>>;

/// Name -> value, as written by a user (partial) or as resolved through a ParamSchema (every
/// default filled). Names of nested tables are dotted: "train.learning_rate".
class RECLOOM_API Params {
 public:
  Params() = default;
  Params(std::initializer_list<std::pair<const std::string, Value>> values) : values_(values) {}
  void set(std::string name, Value value) {
    values_.insert_or_assign(std::move(name), std::move(value));
  }
  const Value* find(std::string_view name) const;
  bool empty() const noexcept { return values_.empty(); }
  const std::map<std::string, Value, std::less<>>& values() const noexcept { return values_; }
  /// Take every value of `other`, which wins where both have a name.
  void merge(const Params& other);
  /// Return the values whose names start with `prefix` + ".", without it.
  Params below(std::string_view prefix) const;
  /// Take every value of `other` under `prefix` + ".".
  void merge_below(std::string_view prefix, const Params& other);

 private:
  std::map<std::string, Value, std::less<>> values_;
};

/// Return the value as TOML text: true, 3, 0.001, "text", [1, 2].
RECLOOM_API std::string to_text(const Value& value);

}  // namespace recloom
