#pragma once
#include <filesystem>

namespace recloom {

/// Return <prefix>/share/recloom/datasets, found from where librecloom.so lies; "" if there is
/// none.
std::filesystem::path shipped_datasets_folder();
}  // namespace recloom
