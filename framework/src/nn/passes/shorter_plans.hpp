#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nn/passes/recording.hpp"
#include "recloom/core/export.hpp"

namespace recloom::nn {

/// Plans of one recording for histories that are shorter than L: the same ops and constants on
/// fewer positions. Where position t depends on items 0..t alone (causality.hpp) and everything is
/// taken at the last item, a row's short history gives the same numbers in a plan that just holds
/// it, for less work.
class RECLOOM_API ShorterPlans {
 public:
  explicit ShorterPlans(const Recording& full);

  bool empty() const { return plans_.empty(); }
  /// Say why there are none, naming the op; "": there are.
  const std::string& obstacle() const { return obstacle_; }
  /// Return the smallest plan for histories of so many items.
  const Plan& plan_for(int n_items) const;

 private:
  std::string add(const Recording& full, int length);

  const Plan& full_;
  std::vector<std::unique_ptr<Plan>> plans_;  // By rising length.
  std::string obstacle_;
};

}  // namespace recloom::nn
