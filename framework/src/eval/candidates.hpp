#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/random.hpp"
#include "recloom/core/types.hpp"
#include "recloom/eval/options.hpp"

namespace recloom {

/// Draws what the targets of a row are ranked against. Immutable after construction, safe to share
/// between threads.
class RECLOOM_API CandidateSampler {
 public:
  /// @param counts [n_items], what popularity draws by: weight counts^alpha, and 0 for a count of
  /// 0.
  /// @throws ConfigError popularity without any count.
  CandidateSampler(const CandidateSpec& spec, bool with_replacement, double alpha,
                   std::span<const std::int64_t> counts, int n_items, Rng rng);

  /// What one thread needs to draw; cleared between rows.
  class Workspace {
   public:
    explicit Workspace(int n_items) : taken_(static_cast<std::size_t>(n_items), 0) {}

   private:
    friend class CandidateSampler;
    std::vector<std::uint8_t> taken_;  ///< Per item: free, excluded or drawn.
    std::size_t free_ = 0;             ///< Items that may be drawn for the row.
    std::vector<ItemId> pool_;
    std::vector<std::pair<double, ItemId>> races_;
  };

  /// Draw a row's candidates, ascending. Without replacement: `count` different items, or all there
  /// are. With replacement: `count` draws, repeats counting once; those behind the last new item,
  /// which change nothing, are not made.
  /// @param row_id keys the draws. @param excluded items that are never drawn, in any order.
  void draw(std::int64_t row_id, std::span<const ItemId> excluded, Workspace& work,
            std::vector<ItemId>& candidates) const;

 private:
  void draw_uniform(Rng& rng, Workspace& work, std::vector<ItemId>& candidates) const;
  void draw_popular(Rng& rng, Workspace& work, std::vector<ItemId>& candidates) const;
  void draw_from_pool(Rng& rng, Workspace& work, std::vector<ItemId>& candidates) const;
  /// Take an item if it may be taken. @return whether this counts as a draw.
  bool take(ItemId item, Workspace& work, std::vector<ItemId>& candidates) const;
  void race(Rng& rng, Workspace& work, std::vector<ItemId>& candidates) const;
  ItemId popular_item(Rng& rng) const;
  /// Tell whether an item can ever be drawn.
  bool drawable(ItemId item) const {
    return item > 0 && (weights_.empty() || weights_[static_cast<std::size_t>(item)] > 0);
  }

  CandidateSpec spec_;
  bool with_replacement_;
  int n_items_;
  std::size_t n_drawable_;
  Rng rng_;
  std::vector<double> weights_;     ///< popularity: [n_items]
  std::vector<double> cumulative_;  ///< popularity: running sum of the weights, [n_items]
};

}  // namespace recloom
