#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "eval/item_lists.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/eval/options.hpp"

namespace recloom {

/// Part of a user's events that a row hides: from begin to before end, counted from the first.
struct HistoryWindow {
  std::int32_t begin = 0, end = 0;
  std::int32_t length() const { return end - begin; }
};

/// Which items of their histories rows do not rank. Immutable, shared by threads; the rows must
/// outlive it.
///
/// A user's rows have histories that grow from row to row: a list for each row, made from its
/// history, would cost the square of the user's events. So the items of users with several long
/// rows are listed once, with the places where they stand, and a row asks which of these it hides.
class RECLOOM_API HistoryMask {
 public:
  /// Items of a user's events, once each, ascending.
  struct UserItems {
    std::int64_t begin = 0;            ///< First event of the user.
    std::int32_t length = 0;           ///< Events that were looked at.
    std::vector<ItemId> items;         ///< [items]
    std::vector<std::int32_t> firsts;  ///< [items], where an item stands first.
    std::vector<std::size_t> ends;     ///< [items], where its places end. MaskHistory::input only.
    std::vector<std::int32_t> places;  ///< [events], ascending for each item. The same.
    /// Tell whether an item stands in a window.
    bool holds(std::size_t index, const HistoryWindow& window) const;
  };

  /// @param rows all rows that will be asked for. @param n_items other items are never hidden.
  HistoryMask(const Batch& rows, MaskHistory mask, int n_items, const RunContext& run);

  int n_items() const noexcept { return n_items_; }
  HistoryWindow window(const Batch::Entry& row) const;
  /// Return the list for a row's user; null where the row's own events are to be used.
  const UserItems* find(const Batch::Entry& row) const;

 private:
  void add_users(std::span<const Batch::Entry> rows);
  void list_items(std::span<const ItemId> events, UserItems& user) const;

  MaskHistory mask_;
  int max_length_;
  int n_items_;
  std::vector<UserItems> users_;  ///< By `begin`.
};

/// What a HistoryMask hides from the rows of one block, while their scores pass by; one thread's.
class RECLOOM_API BlockMask {
 public:
  explicit BlockMask(const HistoryMask& mask) : mask_(mask) {}
  /// Begin a block.
  void start(const Batch& rows);
  /// Set the scores of column 0 and of a row's hidden items that lie in a tile to -inf. Tiles of a
  /// row come in ascending order, some may be left out. A target of the row is hidden too.
  void apply(std::size_t row, ItemId first, std::span<float> scores);
  /// Tell whether a row hides an item.
  bool hides(std::size_t row, ItemId item) const;
  /// Append a row's hidden items, ascending.
  void append_to(std::size_t row, std::vector<ItemId>& items) const;

 private:
  struct HiddenItems {
    const HistoryMask::UserItems* user = nullptr;  ///< Null: the row has a list of its own.
    HistoryWindow window;
    std::size_t next = 0;  ///< The first item that no earlier tile held.
  };
  std::span<const ItemId> items_of(std::size_t row) const {
    return rows_[row].user == nullptr ? lists_[row] : std::span(rows_[row].user->items);
  }

  const HistoryMask& mask_;
  ItemLists lists_;
  std::vector<HiddenItems> rows_;
};

}  // namespace recloom
