#pragma once
#include <string>
#include <string_view>

namespace recloom {

/// Return a setting as it can be pasted into a shell: --set 'data.separator=;'.
std::string setting_text(std::string_view key, const std::string& value);

}  // namespace recloom
