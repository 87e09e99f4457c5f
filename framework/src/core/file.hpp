#pragma once
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "core/descriptor.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// Write a file so that a kill at any instant leaves the old file or the new one: temporary file in
/// the same folder, fsync, rename, fsync of the folder. A file that is replaced keeps its mode and,
/// where that is permitted, its owner; a symbolic link stays, and what it points to is replaced.
/// Pipes and devices are written to.
/// @param write called with a function that appends bytes.
/// @throws IoError naming the file and the reason (no space, too large, read-only, no such folder);
/// the temporary file is removed.
RECLOOM_API void write_file_atomically(
    const std::string& file,
    const std::function<void(const std::function<void(std::string_view)>& append)>& write);
RECLOOM_API void write_file_atomically(const std::string& file, std::string_view bytes);
/// The same for a file whose first bytes are known last: `write` begins with others in their place,
/// and `head`, called behind it, gives as many. @throws IoError also for a pipe or device.
RECLOOM_API void write_file_atomically(
    const std::string& file,
    const std::function<void(const std::function<void(std::string_view)>& append)>& write,
    const std::function<std::string()>& head);
/// Return whether a file is written to rather than replaced: a pipe, a device, or what standard
/// output is (/dev/stdout). No head can be written to it.
RECLOOM_API bool is_written_through(const std::string& file);
/// Return whether `name` is a temporary file that a killed write_file_atomically() of `file` left
/// in its folder. Both without folder.
RECLOOM_API bool is_leftover_of(std::string_view name, std::string_view file);

/// A regular file that is read, not mapped: what was checked in memory stays as it was, and a file
/// that is cut short meanwhile is an error rather than a signal. Thread safety: one reader.
class RECLOOM_API InputFile {
 public:
  /// @throws IoError missing, or anything but a regular file; never waits for a pipe.
  explicit InputFile(const std::string& file);
  const std::string& name() const noexcept { return name_; }
  std::uint64_t size() const noexcept { return size_; }
  /// Fill `into` with the bytes from `from` on. @throws IoError also if the file ends before.
  void read(std::uint64_t from, std::span<char> into) const;
  /// Read as many of them as there are. @return how many.
  std::size_t read_some(std::uint64_t from, std::span<char> into) const;
  /// @throws IoError if the file has been written to since it was opened.
  void require_unchanged() const;

 private:
  std::string name_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
  std::timespec written_{};
};

/// Read a regular file whole. @param limit more bytes are refused.
/// @throws IoError naming the file and the reason.
RECLOOM_API std::string read_file(const std::string& file,
                                  std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace recloom
