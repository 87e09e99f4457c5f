#pragma once
#include <cstddef>
#include <string>

#include "recloom/recloom.hpp"

namespace recloom::cli {

/// Reads a text file or standard input line by line.
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
  const std::string& name() const noexcept { return name_; }  ///< For people.
  std::string place() const;                                  ///< "histories.tsv:3"

 private:
  bool fill();

  const RunContext& run_;
  std::string name_;
  int descriptor_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t lines_ = 0;
};

}  // namespace recloom::cli
