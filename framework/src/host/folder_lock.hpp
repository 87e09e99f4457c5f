#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Holds a folder against every other holder, of this process or another, as long as it lives: by
/// a lock on the file `.lock` in it, whose one line tells those who are refused who holds it. The
/// system drops the lock when a process ends, however it ends; a file that is left behind holds
/// nothing.
class RECLOOM_API FolderLock {
 public:
  static constexpr std::string_view kFile = ".lock";

  /// Take the lock without waiting. @return nullopt if the folder is not there (any more).
  /// @throws IoError held already: by whom, since when, what to do; or a file system that cannot
  /// lock.
  static std::optional<FolderLock> take(const std::string& folder);
  /// @throws IoError held already. Leaves no trace in the folder.
  static void check_free(const std::string& folder);

  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;
  /// Lets go, and removes the file.
  ~FolderLock();

 private:
  FolderLock(int descriptor, std::string file);
  void write_holder() const;

  int descriptor_;  ///< -1: moved from.
  std::string file_;
};

}  // namespace recloom
