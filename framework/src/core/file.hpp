#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Write a file so that a kill at any instant leaves the old file or the new one: temporary file in
/// the same folder, fsync, rename, fsync of the folder.
/// @param write called with a function that appends bytes.
/// @throws IoError naming the file and the reason (no space, read-only, no such folder); the
/// temporary file is removed.
RECLOOM_API void write_file_atomically(
    const std::string& file,
    const std::function<void(const std::function<void(std::string_view)>& append)>& write);
RECLOOM_API void write_file_atomically(const std::string& file, std::string_view bytes);
/// @throws IoError naming the file and the reason.
RECLOOM_API std::string read_file(const std::string& file);
/// Make a folder and those above it. @throws IoError.
RECLOOM_API void make_folders(const std::string& folder);

/// A file mapped read-only into memory. @throws IoError.
class RECLOOM_API MappedFile {
 public:
  explicit MappedFile(const std::string& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const noexcept { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace recloom
