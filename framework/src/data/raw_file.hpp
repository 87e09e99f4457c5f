#pragma once
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/descriptor.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom {

/// What stands for standard input where a file is asked for.
inline constexpr std::string_view kStandardInput = "-";
/// Return a file's name as messages show it.
RECLOOM_API std::string shown_name(const std::string& file);

/// A file as it is stored, with a buffer, so that the first bytes can be looked at. A pipe may keep
/// silent for as long as it likes: a stop request is seen all the same.
class RECLOOM_API RawFile {
 public:
  /// @param run must outlive the file.
  /// @throws IoError no such file, a folder, a socket, no permission.
  RawFile(const std::string& file, const RunContext& run);
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  /// The file's name as messages show it.
  const std::string& name() const noexcept { return name_; }
  /// How many bytes there are: in a regular file from the begin on, else as far as they are read.
  std::int64_t size() const noexcept;
  /// Bytes that are buffered; reads more if there are fewer than `least`, as far as the file has
  /// them. Empty at the end of the file.
  /// @throws IoError; DataError a regular file changed while it was read; Interrupted.
  std::string_view peek(std::size_t least = 1);
  void consume(std::size_t count) noexcept { begin_ += count; }
  /// Fill `into` as far as there are bytes: fewer than its size only at the end of the file.
  std::size_t read(std::span<char> into);

 private:
  std::size_t read_some(char* into, std::size_t size);
  void wait_for_bytes() const;
  void check_unchanged() const;

  std::string name_;
  const RunContext& run_;
  Descriptor descriptor_;
  struct stat status_ {};  // When it was opened.
  std::int64_t n_read_ = 0;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace recloom
