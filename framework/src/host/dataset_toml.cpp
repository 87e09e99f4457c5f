#include "host/dataset_toml.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {

const std::vector<std::string> kDatasetKeys = {"attribution", "file",  "licence", "sha256",
                                               "source",      "title", "url",     "xxh3"};
const std::vector<std::string> kRecipeKeys = {"files", "licence", "title", "url"};

std::string take_text(const Params& toml, std::string_view key, const std::string& file) {
  const Value* value = toml.find(key);
  if (!value) return "";
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  throw ConfigError(fmt::format("{}: {} is {}, not a text", file, key, to_text(*value)));
}

namespace {

/// What else may be meant by a key at the top that belongs nowhere.
std::string hint_for(const std::string& key, const std::vector<std::string>& keys) {
  if (key == "valid_file" || key == "test_file")
    return ": it belongs to the table [split], beside mode = \"given\"";
  return did_you_mean(key, keys);
}

}  // namespace

Params take_settings(const Params& toml, const std::vector<std::string>& keys,
                     const std::string& file) {
  Params settings;
  for (const auto& [key, value] : toml.values()) {
    const std::string table = key.substr(0, key.find('.'));
    if (key == "data.max_length")
      throw ConfigError(file + ": data.max_length belongs to the model, not to a data set");
    if (table != key && (table == "data" || table == "split" || table == "eval")) {
      settings.set(key, value);
    } else if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      throw ConfigError(
          fmt::format("{}: unknown key '{}'{} (it may hold {} and the tables data, split and eval)",
                      file, printable(key), hint_for(key, keys), fmt::join(keys, ", ")));
    }
  }
  return settings;
}

}  // namespace recloom
