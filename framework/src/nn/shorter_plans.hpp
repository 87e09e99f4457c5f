#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "nn/plan.hpp"
#include "nn/recording.hpp"
#include "recloom/core/export.hpp"
#include "recloom/data/batch.hpp"

namespace recloom::nn {

/// Plans of one network for histories that are shorter than L. Where position t depends on
/// items 0..t alone (causality.hpp) and everything is taken at the last item, a row's short history
/// gives the same numbers in a plan that just holds it, for less work. The recordings agree node by
/// node, so all that is known of a node but its size holds for every plan.
class RECLOOM_API ShorterPlans {
 public:
  /// @param record the same, recorded for histories of at most so many items.
  /// There are none where the proof fails, where an op of the model's own runs over positions (it
  /// may have been made for L), or where the network cannot be recorded so.
  ShorterPlans(const Recording& full,
               const std::function<std::unique_ptr<Recording>(int length)>& record);

  bool empty() const { return recordings_.empty(); }
  /// Return the smallest plan that holds what the model sees of every row.
  const Plan& plan_for(const Batch& rows) const;

 private:
  const Plan& full_;
  std::vector<std::unique_ptr<Recording>> recordings_;  // By rising length.
};

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
