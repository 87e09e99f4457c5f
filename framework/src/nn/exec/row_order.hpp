#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/data/batch.hpp"

namespace recloom::nn {

/// Whether a row's history is that of the row before it and one item more, both to be seen whole:
/// then the row before can share its past.
RECLOOM_API bool extends_row_before(const Batch& rows, std::size_t row);

/// The longest history of some rows, as far as the model sees it.
int longest_history(const Batch& rows);

/// Rows by falling length of their histories, so that rows of about one length meet in a shard.
class RECLOOM_API LengthOrder {
 public:
  /// @param keep_together rows that can share a past stay one behind the other, and stand where the
  /// longest of them belongs.
  /// @return the same rows in order; valid until the next call.
  Batch sort(const Batch& rows, bool keep_together);
  /// Return where the sorted rows stood.
  std::span<const std::size_t> places() const { return order_; }

 private:
  struct Group {
    std::size_t first, count;
    int length;
  };
  std::vector<Group> groups_;
  std::vector<std::size_t> begins_;
  std::vector<std::size_t> order_;
  std::vector<Batch::Entry> entries_;
  std::vector<ItemId> negatives_;
};

}  // namespace recloom::nn
