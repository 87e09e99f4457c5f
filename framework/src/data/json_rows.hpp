#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

/// What a file of JSON lines is searched for: the column's name, which is a key, or the path to one
/// in nested objects ("review.user.id"). A key that is written so itself wins.
struct JsonColumn {
  std::string name;
  bool used = true;  ///< Else it gets no cell.
};

/// Reads lines that are JSON objects, or Python's (which begin with {' or {u'), as rows of cells.
class RECLOOM_API JsonRows {
 public:
  /// @param text lines; it and the columns must outlive the reader.
  JsonRows(const std::vector<JsonColumn>& columns, std::string_view text);
  ~JsonRows();

  /// Move to the next line that is not blank. @return false at the end, or at an error.
  bool next();
  /// One cell per column, until the next call: a string decoded, a number or word as it is written;
  /// empty if it is null or lacks.
  const std::vector<std::string_view>& cells() const noexcept;
  /// How many lines were read, the faulty one included.
  std::int64_t n_lines() const noexcept;
  /// What is wrong with the last line, or "".
  const std::string& error() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The keys that the objects of a text have, as paths, in order of appearance: at most 10,000 of
/// them or 1 MiB, and none of more than 256 bytes.
struct JsonKeys {
  std::vector<std::string> paths;
  std::vector<bool> are_lists;  ///< Per path: is it an array anywhere?
  std::string error;            ///< What is wrong with the first line that is not blank, or "".
  std::int64_t line = 0;        ///< Its number, from 1.
};
/// @param file what a remedy names. @param text lines; what follows a faulty one is not looked at.
RECLOOM_API JsonKeys json_keys(std::string_view text, std::string_view file);

}  // namespace recloom
