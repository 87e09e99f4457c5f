#include "host/paths.hpp"

#include <system_error>

#include "plugin/library_folder.hpp"

namespace recloom {
namespace fs = std::filesystem;

fs::path share_folder(const std::string& name) {
  // lib/librecloom.so, or lib/<architecture>/librecloom.so as distributions have it.
  fs::path prefix = library_folder();
  for (int up = 0; up < 2; ++up) {
    prefix = prefix.parent_path();
    std::error_code none;
    const fs::path folder = prefix / "share/recloom" / name;
    if (fs::is_directory(folder, none)) return folder;
  }
  return {};
}

}  // namespace recloom
