#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/descriptor.hpp"
#include "data/stream.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom {

/// Reads a text file (plain, .gz or .zst), a pipe or standard input line by line.
class LineReader {
 public:
  /// @param file "-" is standard input. @param run asked to stop, next() throws Interrupted.
  /// @throws IoError
  LineReader(const std::string& file, const RunContext& run);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// Take the next line, without its end (LF or CRLF) and without a byte order mark.
  /// @return false at the end. @throws IoError it cannot be read; DataError a line of more than
  /// 64 MiB, or with a NUL byte.
  bool next(std::string& line);
  /// Whether next() returns without waiting for a pipe.
  bool ready();
  const std::string& name() const noexcept { return name_; }  ///< For people.
  std::string place() const;                                  ///< "histories.tsv:3"
  double share() const noexcept;  ///< Of a plain file that is read; -1: unknown.

 private:
  void fill();
  void check_length(std::size_t length) const;
  std::size_t read_descriptor(char* into);

  const RunContext& run_;
  std::string name_;
  std::unique_ptr<ByteStream> stream_;  ///< Of a regular file; null: a pipe.
  int descriptor_ = -1;                 ///< Of a pipe.
  std::string buffer_;
  std::size_t at_ = 0;  ///< What is before was taken.
  bool ended_ = false;
  std::size_t lines_ = 0;
  std::int64_t taken_ = 0, size_ = 0;  ///< Bytes; size 0: unknown.
};

/// Whether a name stands for something that may keep its reader waiting.
bool is_pipe(const std::string& file);

}  // namespace recloom
