#pragma once
#include <string>

#include "recloom/core/export.hpp"

namespace recloom {

/// Lock a whole file against every other opening of it, of this process or another, without
/// waiting. The system drops the lock when the last copy of this descriptor is closed, however a
/// process ends. Network file systems know it too. @param descriptor open for writing.
/// @return 0, EAGAIN where somebody else holds it, or why the file system cannot lock.
RECLOOM_API int lock_file(int descriptor) noexcept;
/// Return whether somebody else holds that lock.
RECLOOM_API bool is_locked(int descriptor) noexcept;
/// Return whether a name still stands for an open file: another holder may have removed or replaced
/// it before we had the lock.
RECLOOM_API bool is_named(int descriptor, const std::string& file) noexcept;

}  // namespace recloom
