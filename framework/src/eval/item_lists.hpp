#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"

namespace recloom {

/// Tell whether an item is one of a catalogue, padding not counted.
inline bool is_real(ItemId item, int n_items) { return item > 0 && item < n_items; }

/// Lists of items, one per row of a block, in one array.
class RECLOOM_API ItemLists {
 public:
  void clear() {
    items_.clear();
    ends_.clear();
  }
  std::vector<ItemId>& open() { return items_; }  ///< Append a row's items here, then close().
  void close() { ends_.push_back(items_.size()); }
  std::size_t size() const { return ends_.size(); }
  std::size_t begin_of(std::size_t row) const { return row == 0 ? 0 : ends_[row - 1]; }
  std::span<const ItemId> operator[](std::size_t row) const {
    return std::span(items_).subspan(begin_of(row), ends_[row] - begin_of(row));
  }
  std::span<const ItemId> all() const { return items_; }
  /// Sort what was appended since the last close() and drop repeats and what is no real item.
  void close_as_set(int n_items);

 private:
  std::vector<ItemId> items_;
  std::vector<std::size_t> ends_;
};

}  // namespace recloom
