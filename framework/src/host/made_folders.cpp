#include "host/made_folders.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {

// mkdir() itself says whether the folder is new: to look first would let two processes think so.
bool MadeFolders::make(const std::filesystem::path& folder) {
  constexpr int kAttempts = 100;  // Another process may remove an empty folder above it meanwhile.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (mkdir(folder.c_str(), 0777) == 0) {
      made_.push_back(folder);
      return true;
    }
    if (errno == EEXIST) return false;
    const std::filesystem::path above = folder.parent_path();
    if (errno != ENOENT || above.empty() || above == folder) break;
    make(above);
    errno = ENOENT;
  }
  throw IoError(fmt::format("cannot make folder {}: {}", printable(folder.string(), 400),
                            std::generic_category().message(errno)));
}

void MadeFolders::remove_empty() {
  for (; !made_.empty(); made_.pop_back()) rmdir(made_.back().c_str());
}

}  // namespace recloom
