#pragma once
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/data/batch.hpp"
#include "recloom/train/options.hpp"

namespace recloom {

struct RowShape {
  TrainRows rows = TrainRows::prefix;
  int n_targets = 1;   ///< T
  int max_length = 0;  ///< L of windows.
};

/// Turn rows of one target each into rows of T: the targets of a user's n-th row are its own and
/// those of the T - 1 rows behind it, so a row without so many behind it falls away; of windows,
/// also a row that sees fewer than L items. A user of c events has c - T rows, or c - L - T + 1
/// windows. Of users for whom none is left, the newest is made: of the last T events (of all, where
/// there are fewer), with what came before them as history.
/// Source: graytowne/caser_pytorch, interactions.py (to_sequence).
/// @param rows of one target each. @return in their order.
/// @throws ConfigError rows bring histories of their own: they have one target each.
RECLOOM_API std::vector<Batch::Entry> training_rows(const Batch& rows, const RowShape& shape);

}  // namespace recloom
