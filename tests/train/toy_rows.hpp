#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "recloom/data/batch.hpp"

namespace recloom::testing {

/// Rows over few events: every user has `n_events`, and a row for each but the first.
class ToyRows {
 public:
  ToyRows(int n_users, int n_events, int n_items) {
    for (int user = 1; user <= n_users; ++user) {
      const auto begin = static_cast<std::int64_t>(events_.size());
      for (int event = 0; event < n_events; ++event) {
        events_.push_back(1 + (3 * user + event) % (n_items - 1));
        if (event > 0) entries_.push_back({begin, event, 1, user});
      }
    }
  }
  Batch rows() const { return {events_, entries_, 5}; }

 private:
  std::vector<ItemId> events_;
  std::vector<Batch::Entry> entries_;
};

}  // namespace recloom::testing
