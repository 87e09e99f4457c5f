#pragma once
// Data that the suite makes itself: logs in a temporary folder, and rows in memory.
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"

namespace recloom::conformance {

/// What models are made for in the suite: data.max_length.
inline constexpr int kLength = 5;

/// A new empty folder, removed with its contents at the end.
class ScratchFolder {
 public:
  ScratchFolder();  ///< @throws IoError.
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// A log with a pattern: items lie in four circles of three, and after an item always comes the
/// next of its circle. Circles are liked unequally, so popularity knows something; which circle it
/// is tells a model that ignores order more, and order tells all.
std::string planted_log();
/// A log of one item, again and again.
std::string single_item_log();

/// Rows that are written one by one: each has events of its own.
class Rows {
 public:
  explicit Rows(int max_length) : max_length_(max_length) {}
  /// @param target 0: none, as when serving.
  void add(UserId user, std::span<const ItemId> history, ItemId target = 0);
  Batch batch() const { return {events_, entries_, max_length_}; }
  Batch row(std::size_t index) const { return batch().rows(index, 1); }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  std::vector<ItemId> events_;
  std::vector<Batch::Entry> entries_;
  int max_length_;
};

/// Random items, 1 to n_items - 1; a function of `key`.
std::vector<ItemId> random_history(const Catalogue& catalogue, std::size_t length,
                                   std::uint64_t key);
/// Rows with histories of 1, 2, L - 1, L, L + 1 items and others, of known and unknown users: an
/// odd number. Those that the check "histories" is about are not among them.
Rows probe_rows(const Catalogue& catalogue, int max_length);

}  // namespace recloom::conformance
