// What a plugin says of itself and of its parameters.
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "recloom/nn/network_recommender.hpp"
#include "testing/subject.hpp"
#include "testing/text.hpp"

namespace recloom::conformance {
namespace {

std::string setting_text(const std::string& name, const Value& value) {
  return name + " = " + to_text(value);
}

bool equal(const ParamInfo& a, const ParamInfo& b) {
  return a.name == b.name && a.type == b.type && a.default_value == b.default_value &&
         a.range.low == b.range.low && a.range.high == b.range.high && a.choices == b.choices &&
         a.doc == b.doc && a.source == b.source && a.test_values == b.test_values;
}

/// Why a value that the plugin itself names is not legal; "" if it is.
std::string why_illegal(Subject& subject, const std::string& name, const Value& value) {
  try {
    subject.plugins().resolve(subject.info().name, {{name, value}});
    return "";
  } catch (const Error& error) {
    return one_line(error.what());
  }
}

Finding check_declaration(Subject& subject) {
  const std::vector<ParamInfo>& first = subject.declared();
  const std::vector<ParamInfo> second = subject.plugins().describe(subject.info().name);
  if (!std::ranges::equal(first, second, equal))
    return fail("describe() declared other parameters when it was called a second time");
  if (subject.plugins().suggested(subject.info().name).values() !=
      subject.plugins().suggested(subject.info().name).values())
    return fail("describe() suggested other settings when it was called a second time");
  if (subject.info().version.empty() || subject.info().summary.empty())
    return fail("RECLOOM_PLUGIN has an empty version or summary");
  for (const ParamInfo& parameter : first) {
    if (parameter.doc.empty()) return fail("parameter '" + parameter.name + "' has no doc");
    for (const Value& value : parameter.test_values)
      if (const std::string why = why_illegal(subject, parameter.name, value); !why.empty())
        return fail("test value " + setting_text(parameter.name, value) + " is not legal: " + why);
  }
  return pass(std::to_string(first.size()) + " parameters");
}

Finding check_unknown_parameter(Subject& subject) {
  const std::string name = "no_such_parameter";
  try {
    subject.construct({{name, std::int64_t{1}}});
  } catch (const ConfigError& error) {
    if (std::string_view(error.what()).find(name) != std::string_view::npos) return pass();
    return fail("the ConfigError does not name the parameter '" + name +
                "': " + one_line(error.what()));
  }
  return fail("parameter '" + name + "' was taken without a word");
}

Finding check_defaults(Subject& subject) {
  subject.construct({});
  return pass();
}

// ---- Bounds -------------------------------------------------------------------------------------

/// Numbers that a model holds.
double size_of(const SequentialRecommender& model) {
  double numbers = 0;
  if (const auto* network = dynamic_cast<const NetworkRecommender*>(&model))
    for (std::size_t p = 0; p < network->parameters().size(); ++p)
      numbers += static_cast<double>(network->parameters()[p].values().size());
  for (const auto& buffer : model.buffers())
    std::visit([&](const auto* values) { numbers += static_cast<double>(values->size()); },
               buffer.values);
  return numbers;
}

/// What a model with an integer set to `value` will hold, from three smaller ones: exact for sizes
/// that are a polynomial of degree two. Nothing if they cannot be made.
std::optional<double> predicted_size(Subject& subject, const ParamInfo& parameter, double value) {
  const auto* standard = std::get_if<std::int64_t>(&parameter.default_value);
  if (subject.info().kind != "model" || standard == nullptr || *standard < 1) return std::nullopt;
  const double x = static_cast<double>(*standard);
  if (value < 8 * x) return std::nullopt;
  double sizes[3];
  try {
    for (int n = 0; n < 3; ++n)
      sizes[n] = size_of(*subject.plugins().create(
          subject.info().name, subject.with({{parameter.name, (n + 1) * *standard}}),
          Subject::catalogue()));
  } catch (const Error&) {
    return std::nullopt;
  }
  const double slope = sizes[1] - sizes[0], curve = sizes[2] - 2 * sizes[1] + sizes[0];
  const double steps = value / x - 1;
  return sizes[0] + slope * steps + curve * steps * (steps - 1) / 2;
}

/// The values to try: each finite bound of numbers, each choice, both flags.
std::vector<Value> extreme_values(const ParamInfo& parameter) {
  std::vector<Value> values;
  if (parameter.type == "flag") return {true, false};
  for (const std::string& choice : parameter.choices) values.emplace_back(choice);
  for (const double bound : {parameter.range.low, parameter.range.high}) {
    if (!std::isfinite(bound)) continue;
    const auto whole = static_cast<std::int64_t>(bound);
    if (parameter.type == "integer") values.emplace_back(whole);
    if (parameter.type == "real") values.emplace_back(bound);
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&parameter.default_value))
      values.emplace_back(std::vector<std::int64_t>(list->size(), whole));
    if (const auto* list = std::get_if<std::vector<double>>(&parameter.default_value))
      values.emplace_back(std::vector<double>(list->size(), bound));
  }
  return values;
}

/// Counts what became of the values.
struct Tally {
  int constructed = 0, refused = 0;
  std::string not_tried;

  std::string text() const {
    std::string text = std::to_string(constructed) + " values constructed";
    if (refused > 0) text += ", " + std::to_string(refused) + " refused by name";
    return text + not_tried;
  }
};

/// @return what is wrong, "" if nothing is.
std::string try_value(Subject& subject, const ParamInfo& parameter, const Value& value,
                      Tally& tally) {
  constexpr double kMostNumbers = 1e8;  // 400 MB as floats.
  const std::string setting = setting_text(parameter.name, value);
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    const auto size = predicted_size(subject, parameter, static_cast<double>(*number));
    if (size.value_or(0) > kMostNumbers) {
      tally.not_tried += "; not tried: " + setting + ", " +
                         std::to_string(static_cast<long long>(*size * 4e-6)) + " MB";
      return "";
    }
  }
  try {
    subject.construct({{parameter.name, value}});
    ++tally.constructed;
  } catch (const ConfigError& error) {
    const std::string text = one_line(error.what());
    if (text.find(parameter.name) == std::string::npos)
      return setting + " is refused by a ConfigError that does not name it: " + text;
    ++tally.refused;
  } catch (const ModelError& error) {
    // Only what is out of memory arrives as one.
    if (std::string_view(error.what()).find("memory") == std::string_view::npos)
      return setting + ": " + one_line(error.what());
    tally.not_tried += "; " + setting + " needs more memory than there is";
  } catch (...) {
    return setting + ": " + current_problem();
  }
  return "";
}

Finding check_bounds(Subject& subject) {
  Tally tally;
  for (const ParamInfo& parameter : subject.declared())
    for (const Value& value : extreme_values(parameter))
      if (const std::string problem = try_value(subject, parameter, value, tally); !problem.empty())
        return fail(problem);
  if (tally.constructed + tally.refused == 0 && tally.not_tried.empty())
    return skip("no parameter has a bound, a choice or a flag");
  return pass(tally.text());
}

constexpr Check kChecks[] = {
    {"declaration", kAll,
     "describe() says the same every time, every parameter has a doc, test values are legal",
     "Options::describe() and its test_values(); the version and summary of RECLOOM_PLUGIN",
     check_declaration},
    {"unknown-parameter", kAll, "a parameter that was not declared is refused by name",
     "a describe() that declares names it takes from outside", check_unknown_parameter},
    {"defaults", kAll, "it can be made with every parameter at its default",
     "the constructor, and the default values in Options", check_defaults},
    {"bounds", kAll,
     "it can be made with each parameter at each bound, choice and flag, the others at their "
     "defaults; what does not go together is a ConfigError that names the parameter",
     "the range in describe(), or a check in the constructor that throws ConfigError",
     check_bounds},
};

}  // namespace

std::span<const Check> declaration_checks() { return kChecks; }

}  // namespace recloom::conformance
