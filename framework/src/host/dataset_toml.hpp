#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "recloom/config/params.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Keys at the top of a dataset.toml, and of a recipe. Tables beside them hold settings.
RECLOOM_API extern const std::vector<std::string> kDatasetKeys;
RECLOOM_API extern const std::vector<std::string> kRecipeKeys;

/// Return a text at the top of a file of TOML, "" if it is not there.
/// @param file as messages show it. @throws ConfigError it is no text.
std::string take_text(const Params& toml, std::string_view key, const std::string& file);
/// Return what the tables data, split and eval hold, dotted.
/// @param keys those that may stand at the top.
/// @throws ConfigError for another key, with the nearest, and for data.max_length.
Params take_settings(const Params& toml, const std::vector<std::string>& keys,
                     const std::string& file);

}  // namespace recloom
