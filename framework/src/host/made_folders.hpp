#pragma once
#include <filesystem>
#include <vector>

namespace recloom {

/// Folders that this process made, so that it removes those again of which nothing came.
class MadeFolders {
 public:
  /// Make a folder, and those above it that are missing. @return false: it was there already.
  /// @throws IoError.
  bool make(const std::filesystem::path& folder);
  /// Treat a folder as one that was made here.
  void adopt(const std::filesystem::path& folder) { made_.push_back(folder); }
  /// Remove what was made and is empty.
  void remove_empty();

 private:
  std::vector<std::filesystem::path> made_;  ///< Outermost first.
};

}  // namespace recloom
