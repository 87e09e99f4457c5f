#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "recloom/recloom.hpp"

namespace recloom::cli {

/// Return parameters as a table: key, type, default, what is legal, meaning and source.
/// @param prefix what stands in front of each name, "model.params." for example.
std::string parameter_table(std::string_view prefix, const std::vector<ParamInfo>& parameters);
/// Return the same as JSON objects.
std::vector<std::string> parameter_json(std::string_view prefix,
                                        const std::vector<ParamInfo>& parameters);

}  // namespace recloom::cli
