#pragma once
#include <filesystem>
#include <string>

namespace recloom {

/// Return <prefix>/share/recloom/<name>, found from where librecloom.so lies; "" if there is none.
std::filesystem::path share_folder(const std::string& name);

}  // namespace recloom
