#include "core/json.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr int kMostNested = 32;
constexpr std::size_t kMostKeys = 16384;

/// Watches a document while it is parsed: what is nested too deep would overrun the stack of
/// whoever walks over it, and of two values of one name only one would be seen.
class Watch {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    if (depth > kMostNested)
      throw IoError(fmt::format("values are nested deeper than {} times", kMostNested));
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_.pop_back();
    if (event == Json::parse_event_t::key) add(parsed.get_ref<const std::string&>());
    return true;
  }

 private:
  void add(const std::string& key) {
    if (!keys_.back().insert(key).second)
      throw IoError(fmt::format("the key '{}' comes twice", printable(key)));
    if (keys_.back().size() > kMostKeys)
      throw IoError(fmt::format("an object has more than {} keys", kMostKeys));
  }

  std::vector<std::set<std::string>> keys_;  ///< Of the objects that are open.
};

}  // namespace

Json parse_json(std::string_view text) {
  Watch watch;
  try {
    return Json::parse(text, [&](int depth, Json::parse_event_t event, const Json& parsed) {
      return watch(depth, event, parsed);
    });
  } catch (const Json::parse_error& error) {
    throw IoError(fmt::format("it is no JSON (byte {})", error.byte));
  } catch (const Json::exception&) {
    throw IoError("it is no JSON (a number that is too large)");
  }
}

std::string dump_json(const Json& json, std::optional<int> indent) {
  return json.dump(indent.value_or(-1), ' ', false, Json::error_handler_t::replace);
}

JsonObject::JsonObject(const Json& json, std::string name) : json_(json), name_(std::move(name)) {
  if (json.is_object()) return;
  throw IoError(fmt::format("{} is no object", name_.empty() ? "the document" : printable(name_)));
}

const Json& JsonObject::field(std::string_view key) const {
  const auto found = json_.find(key);
  if (found == json_.end()) throw IoError(fmt::format("{} is missing", path(key)));
  return *found;
}

double JsonObject::number(std::string_view key) const {
  const Json& value = field(key);
  if (!value.is_number()) refuse(key, "a number");
  return value.get<double>();
}

bool JsonObject::flag(std::string_view key) const {
  const Json& value = field(key);
  if (!value.is_boolean()) refuse(key, "true or false");
  return value.get<bool>();
}

std::string JsonObject::text(std::string_view key) const {
  const Json& value = field(key);
  if (!value.is_string()) refuse(key, "a text");
  return value.get<std::string>();
}

JsonObject JsonObject::object(std::string_view key) const {
  return JsonObject(field(key), path(key));
}

const Json& JsonObject::array(std::string_view key) const {
  const Json& value = field(key);
  if (!value.is_array()) refuse(key, "a list");
  return value;
}

void JsonObject::refuse(std::string_view key, std::string_view legal) const {
  throw IoError(
      fmt::format("{} = {}: must be {}", path(key), printable(dump_json(field(key))), legal));
}

std::string JsonObject::range_text(const std::string& low, const std::string& high) {
  return fmt::format("an integer from {} to {}", low, high);
}

std::string JsonObject::path(std::string_view key) const {
  return name_.empty() ? printable(key) : fmt::format("{}.{}", printable(name_), printable(key));
}

}  // namespace recloom
