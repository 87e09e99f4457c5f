#include "nn/ops/head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "kernels/vector.hpp"
#include "nn/graph/graph.hpp"
#include "nn/graph/parameter_data.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {

Var lookup(Parameter table, Ids ids, bool trains_row_0) {
  ids.shape();  // there are some
  Graph& graph = *ids.graph();
  return graph.add("lookup", Lookup{table, trains_row_0, ids.node() == graph.user_node}, {ids});
}

void require_fitting(const ItemHead& head, std::size_t n_items) {
  for (auto table = head.tables.begin(); table != head.tables.end(); ++table) {
    if (!*table) throw ModelError("item head: a table is empty, it was never made");
    if (table->data()->rows() != n_items)
      throw ModelError(
          fmt::format("item head: table '{}' has shape {}, it needs one row for each of {} items",
                      table->name(), to_text(table->shape()), n_items));
    if (std::any_of(head.tables.begin(), table,
                    [&](const Parameter& other) { return other.data() == table->data(); }))
      throw ModelError(fmt::format("item head: table '{}' stands in it twice", table->name()));
  }
  if (head.bias && count(head.bias.shape()) != n_items)
    throw ModelError(
        fmt::format("item head: bias '{}' has shape {}, it needs one number for each of {} items",
                    head.bias.name(), to_text(head.bias.shape()), n_items));
}

namespace {

void require_fitting(const ItemHead& head, Var query) {
  std::size_t width = 0;
  for (const Parameter& table : head.tables) width += table.data()->columns();
  if (count(query.shape()) != width)
    throw ModelError(
        fmt::format("item head: the query has shape {}, the item vectors have {} columns",
                    to_text(query.shape()), width));
  if (head.similarity != Similarity::dot)
    throw ModelError("item head: losses are there for the dot product only");
}

/// Softmax cross-entropy of logits [n_items] that the model itself computes, mean over the targets
/// [T]. Saved: d loss / d logits.
class LogitsCrossEntropy final : public Op {
 public:
  std::string_view name() const noexcept override { return "cross_entropy"; }
  Shape output_shape(const OpShapes&) const override { return {1}; }
  std::size_t saved_size(const OpShapes& shapes) const override { return count(shapes.inputs[0]); }
  void forward(const OpForward& c) const override {
    const std::size_t n = count(c.shapes.inputs[0]), n_targets = count(c.shapes.ids[0]);
    std::ranges::copy(c.inputs[0], c.saved.begin());
    for (std::size_t r = 0; r < c.rows; ++r) {
      const std::span<const std::int32_t> targets = c.ids[0].subspan(r * n_targets, n_targets);
      const std::span<const float> logits = c.inputs[0].subspan(r * n, n);
      const std::span<float> slope = c.saved.subspan(r * n, n);
      const auto first = static_cast<std::size_t>(targets.front());
      c.output[r] = kernels::cross_entropy_row(n, first, 1.0F, slope.data());
      // From the first target to the mean of all: the normaliser is the same.
      const float share = 1 / static_cast<float>(n_targets);
      for (const std::int32_t target : targets.subspan(1)) {
        const auto item = static_cast<std::size_t>(target);
        c.output[r] += share * (logits[first] - logits[item]);
        slope[first] += share;
        slope[item] -= share;
      }
    }
  }
  void backward(const OpBackward& c) const override {
    if (c.diff_inputs[0].empty()) return;
    const std::size_t n = count(c.shapes.inputs[0]);
    for (std::size_t r = 0; r < c.rows; ++r)
      kernels::axpy(n, c.diff_output[r], c.saved.data() + r * n, c.diff_inputs[0].data() + r * n);
  }
};

}  // namespace

Var softmax_cross_entropy(Var query, const ItemHead& head, Ids targets) {
  require_fitting(head, query);
  return query.graph()->add("cross_entropy", SoftmaxHead{head}, {query, targets});
}
Var logits_cross_entropy(Var logits, Ids targets) {
  return call(std::make_shared<LogitsCrossEntropy>(), logits, targets);
}

Var score_items(Var query, const ItemHead& head, Ids items) {
  require_fitting(head, query);
  items.shape();  // there are some
  Var score;
  int first = 0;
  const bool trains_row_0 = head.padding_row == PaddingRow::trained;
  for (const Parameter& table : head.tables) {
    const int width = to_extent(table.data()->columns());
    const Var part = head.tables.size() == 1 ? query : slice(query, first, width);
    const Var s = query.graph()->add("row_scores", RowScores{table, trains_row_0}, {part, items});
    score = score ? score + s : s;
    first += width;
  }
  if (head.scale != 1) score = head.scale * score;
  if (head.bias) score = score + flatten(lookup(head.bias, items, trains_row_0));
  return score;
}

}  // namespace recloom::nn
