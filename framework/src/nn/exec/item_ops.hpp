#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/exec/batch_items.hpp"
#include "nn/exec/item_op.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom::nn {

/// All ops of a plan that can be computed from the distinct items of a batch. If that is done for
/// everything that reads a lookup, its rows are not copied at all.
class RECLOOM_API ItemOps {
 public:
  /// A lookup of histories and what reads it.
  struct Source {
    NodeId lookup;
    bool read_by_others;  ///< By a node that has no ItemOp, or by the host.
    BatchItems items;
    std::vector<std::unique_ptr<ItemOp>> ops;
    std::vector<ItemOp*> ran;  ///< Those of `ops` that the last forward() computed.
    bool all_ran() const { return ran.size() == ops.size(); }
  };

  explicit ItemOps(const Plan& plan);
  /// Compute those nodes that counts make worth while, and supply() them to the shards.
  void forward(Shards shards, const RunContext& context);
  /// After the shards' backward.
  void backward(Shards shards, const RunContext& context);
  std::span<const Source> sources() const { return sources_; }
  std::vector<NodeId> nodes() const;  ///< Of all ops.
  /// Return the nodes that GraphSettings::convolution is about.
  std::vector<NodeId> convolutions() const;
  /// Say which of them cannot be computed from items; "": all can. Not where their way is another.
  std::string obstacle_to_taps() const;

 private:
  void add_source(const Plan& plan, NodeId lookup);

  const Plan& plan_;
  std::vector<Source> sources_;
};

}  // namespace recloom::nn
