#pragma once
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recloom/config/params.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Closed interval of legal values.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// One declared parameter, for reference pages, completion and the conformance suite.
struct ParamInfo {
  std::string name;
  std::string type;  ///< integer, real, flag, text, choice, integers, reals, texts.
  Value default_value;
  Range range;                       ///< Of integer(s) and real(s).
  std::vector<std::string> choices;  ///< Of choice.
  std::string doc, source;
  std::vector<Value> test_values;  ///< Small legal values that a test may train with.
};

/// Declares parameters and fills them: each call names a member, its legal values and its meaning.
/// The member's initialiser is the default. One pass over an Options struct's describe() serves
/// both uses: without values it records the declarations, with values it assigns them.
class RECLOOM_API ParamSchema {
 public:
  ParamSchema();  ///< Record only.
  /// Record and assign. @param values names as declared. @param prefix what error messages put in
  /// front of a name ("model.params."), so that they read as the user wrote it.
  explicit ParamSchema(const Params& values, std::string_view prefix = "");
  ~ParamSchema();
  ParamSchema(const ParamSchema&) = delete;
  ParamSchema& operator=(const ParamSchema&) = delete;

  /// @throws ConfigError wrong type or out of range: key, value, what is legal. An integer is
  /// accepted where a real is, numbers and a single one where texts are; nothing else is converted.
  ParamSchema& integer(std::string_view name, int& value, Range legal, std::string_view doc);
  ParamSchema& real(std::string_view name, double& value, Range legal, std::string_view doc);
  ParamSchema& flag(std::string_view name, bool& value, std::string_view doc);
  ParamSchema& text(std::string_view name, std::string& value, std::string_view doc);
  ParamSchema& integers(std::string_view name, std::vector<int>& value, Range legal,
                        std::string_view doc);
  ParamSchema& reals(std::string_view name, std::vector<double>& value, Range legal,
                     std::string_view doc);
  ParamSchema& texts(std::string_view name, std::vector<std::string>& value, std::string_view doc);
  /// One of some words, each with its meaning: choice("output", tied, {{"tied", true}, {"untied",
  /// false}}, "...").
  template <class Meaning, std::size_t N>
  ParamSchema& choice(std::string_view name, Meaning& value,
                      const std::pair<std::string_view, Meaning> (&legal)[N],
                      std::string_view doc) {
    std::string_view words[N];
    std::size_t index = 0;
    for (std::size_t n = 0; n < N; ++n) {
      words[n] = legal[n].first;
      if (legal[n].second == value) index = n;
    }
    value = legal[choice_index(name, words, index, doc)].second;
    return *this;
  }
  /// Propose another default for a key of the host, as RecBole's <Model>.yaml does:
  /// suggest("train.loss", "BPR").
  ParamSchema& suggest(std::string_view host_key, Value value);
  /// Name the paper or code that the previous parameter follows.
  ParamSchema& source(std::string_view citation);
  /// Give the previous parameter small values that a test may train with.
  ParamSchema& test_values(std::vector<Value> values);

  /// @throws ConfigError for a value whose name nobody declared, with the nearest declared name.
  void finish() const;
  const std::vector<ParamInfo>& declared() const noexcept;
  const Params& suggested() const noexcept;
  /// Every declared name with the value it has now.
  const Params& resolved() const noexcept;

 private:
  std::size_t choice_index(std::string_view name, std::span<const std::string_view> legal,
                           std::size_t index, std::string_view doc);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
