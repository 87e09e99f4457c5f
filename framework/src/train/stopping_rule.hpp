#pragma once
#include <string>

#include "recloom/core/export.hpp"

namespace recloom {

/// When an evaluation counts as an improvement, and after how many that are none training ends.
struct RECLOOM_API StoppingRule {
  std::string metric = "ndcg@10";  ///< Key; decides how RecBole rounds.
  bool higher_is_better = true;
  /// RecBole's rule (trainer/utils.py, early_stopping): both values are rounded to four decimals as
  /// RecBole does, and a tie is an improvement. Otherwise only a value that is strictly better, to
  /// the last bit, is one.
  bool rounded = false;
  int patience = 10;

  /// Return whether `value` improves on `best`. NaN never does.
  bool improves(double value, double best) const;
  /// Return whether `failures` evaluations in a row without improvement are too many: more than
  /// `patience`, as RecBole counts its stopping_step.
  bool exhausted(int failures) const noexcept { return failures > patience; }
};

}  // namespace recloom
