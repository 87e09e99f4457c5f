#include <fmt/format.h>

#include <optional>

#include "core/text.hpp"
#include "host/folder_lock.hpp"
#include "host/made_folders.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

struct HeldFolder::Impl {
  MadeFolders made;
  std::optional<FolderLock> lock;

  explicit Impl(const std::string& folder) {
    constexpr int kAttempts = 100;  // Its last holder may remove it between our two calls.
    for (int attempt = 0; attempt < kAttempts && !lock; ++attempt) {
      made.make(folder);
      lock = FolderLock::take(folder);
    }
    if (!lock) throw IoError(fmt::format("cannot make folder {}", printable(folder, 400)));
  }
  ~Impl() {
    lock.reset();
    made.remove_empty();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
};

HeldFolder::HeldFolder(const std::string& folder) : impl_(std::make_unique<Impl>(folder)) {}
HeldFolder::~HeldFolder() = default;

}  // namespace recloom
