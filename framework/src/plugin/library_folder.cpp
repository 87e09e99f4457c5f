#include "plugin/library_folder.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

namespace recloom {

namespace fs = std::filesystem;

std::string library_folder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&library_folder), &info) == 0 || !info.dli_fname)
    return "";
  std::error_code error;
  const fs::path file = fs::weakly_canonical(info.dli_fname, error);
  return error ? "" : file.parent_path().string();
}

}  // namespace recloom
