#pragma once
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Does a line begin as Python writes a dictionary: {'key' or {u'key?
RECLOOM_API bool is_python_literal(std::string_view line) noexcept;
/// Rewrite a Python literal of dictionaries, lists, tuples, strings, numbers, None, True and False
/// as JSON. Whether it is well formed in all else shows when the JSON is read.
/// @param json is replaced. @return what is wrong, or "".
RECLOOM_API std::string python_to_json(std::string_view literal, std::string& json);

}  // namespace recloom
