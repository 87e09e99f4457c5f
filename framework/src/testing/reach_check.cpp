// What ops promise with Op::reach, tried out: a false promise would let rows share what they must
// not, and positions be left out that are needed.
#include "testing/reach_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/graph/graph.hpp"
#include "nn/passes/last_position.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "testing/subject.hpp"

namespace recloom::conformance {
namespace {

/// Rounding of sums that are grouped otherwise.
constexpr float kRounding = 1e-5F;

bool agree(float a, float b) { return std::abs(a - b) <= kRounding * std::max(1.0F, std::abs(a)); }

/// One operand of a trial, for one row.
struct Values {
  nn::Shape shape;
  std::vector<float> numbers;
  std::vector<std::int32_t> ids;  ///< In place of numbers.
};

/// One node's op with operands of its own, for one row.
class Trial {
 public:
  Trial(const nn::Node& node, int length) : node_(node), length_(static_cast<std::size_t>(length)) {
    Rng rng = Rng(1).fork("reach").fork(node.name);
    for (const nn::Operand& operand : node.operands) {
      Values& own = operands_.emplace_back();
      own.shape = operand.shape();
      if (operand.ids)
        for (std::size_t e = 0; e < nn::count(own.shape); ++e)
          own.ids.push_back(static_cast<std::int32_t>(1 + rng.below(length - 1)));
      else
        for (std::size_t e = 0; e < nn::count(own.shape); ++e)
          own.numbers.push_back(static_cast<float>(0.5 + rng.uniform()));
    }
  }

  nn::Reach reach(std::size_t operand) const {
    const nn::OperandShapes shapes = node_.operand_shapes();
    return node_.op()->reach(operand, shapes.view());
  }

  /// @return what is wrong with the promise for operand `index`, "" if nothing is.
  std::string problem(std::size_t index) {
    const nn::Reach said = reach(index);
    if (said == nn::Reach::unknown) return "";
    const std::vector<float> before = run(operands_);
    const std::size_t out_columns = before.size() / length_;
    for (std::size_t t = 0; t < length_; ++t) {
      std::vector<Values> changed = operands_;
      change(changed[index], t);
      const std::vector<float> after = run(changed);
      for (std::size_t e = 0; e < after.size(); ++e) {
        const std::size_t at = e / out_columns;
        const bool may = said == nn::Reach::past ? at >= t : at == t;
        if (may || agree(before[e], after[e])) continue;
        return "op '" + node_.name +
               "' says Reach::" + (said == nn::Reach::past ? "past" : "same") + " of operand " +
               std::to_string(index) + ", but position " + std::to_string(at) +
               " of its output depends on position " + std::to_string(t);
      }
    }
    return "";
  }

  /// An op that keeps to each position is given one alone. @param alone by operand, whether it
  /// comes at that position. @return what is wrong, "" if nothing is.
  std::string problem_at_one_position(const std::vector<bool>& alone) {
    const std::vector<float> whole = run(operands_);
    const std::size_t out_columns = whole.size() / length_;
    for (std::size_t t = 0; t < length_; ++t) {
      std::vector<Values> cut = operands_;
      for (std::size_t o = 0; o < cut.size(); ++o) {
        if (!alone[o]) continue;
        const std::size_t columns = cut[o].numbers.size() / length_;
        cut[o].shape.extent[0] = 1;
        cut[o].numbers.assign(
            operands_[o].numbers.begin() + static_cast<std::ptrdiff_t>(t * columns),
            operands_[o].numbers.begin() + static_cast<std::ptrdiff_t>((t + 1) * columns));
      }
      const std::vector<float> got = run(cut, static_cast<std::int32_t>(t));
      for (std::size_t e = 0; e < out_columns; ++e)
        if (got.size() != out_columns || !agree(whole[t * out_columns + e], got[e]))
          return "op '" + node_.name + "' says Reach::same, but given position " +
                 std::to_string(t) +
                 " alone it computes something else than there among all: what depends on the "
                 "place itself asks OpContext::position()";
    }
    return "";
  }

  /// An op that looks at no later position is given the first ones alone. @return what is wrong, ""
  /// if nothing is.
  /// @param runs by operand, whether it runs over positions.
  std::string problem_with_fewer_positions(const std::vector<bool>& runs) {
    const std::vector<float> whole = run(operands_);
    const std::size_t out_columns = whole.size() / length_, fewer = (length_ + 1) / 2;
    std::vector<Values> cut = operands_;
    for (std::size_t o = 0; o < cut.size(); ++o) {
      Values& own = cut[o];
      if (!runs[o]) continue;
      own.shape.extent[0] = static_cast<std::int32_t>(fewer);
      own.numbers.resize(own.numbers.size() / length_ * fewer);
      own.ids.resize(own.ids.size() / length_ * fewer);
    }
    std::vector<float> got;
    try {
      got = run(cut);
    } catch (const ModelError&) {
      return "";  // It is then computed for all positions.
    }
    if (got.size() != fewer * out_columns) return "";  // As well.
    for (std::size_t e = 0; e < got.size(); ++e)
      if (!agree(whole[e], got[e]))
        return "op '" + node_.name + "' promises a reach, but of " + std::to_string(fewer) +
               " positions it computes something else than the first of what it computes of " +
               std::to_string(length_) + ": it may not depend on how many there are";
    return "";
  }

 private:
  /// Other numbers, or the pad in place of an item, at position t.
  void change(Values& operand, std::size_t t) const {
    const std::size_t columns = operand.numbers.size() / length_;
    for (std::size_t c = 0; c < columns; ++c) operand.numbers[t * columns + c] += 1;
    if (!operand.ids.empty()) operand.ids[t] = 0;
  }

  /// @param position the only one that is computed; none: all.
  std::vector<float> run(const std::vector<Values>& operands,
                         std::optional<std::int32_t> position = {}) const {
    nn::OperandShapes shapes;
    std::vector<std::span<const float>> inputs;
    std::vector<std::span<const std::int32_t>> ids;
    for (std::size_t o = 0; o < operands.size(); ++o) {
      const bool is_ids = static_cast<bool>(node_.operands[o].ids);
      (is_ids ? shapes.ids : shapes.inputs).push_back(operands[o].shape);
      if (is_ids)
        ids.emplace_back(operands[o].ids);
      else
        inputs.emplace_back(operands[o].numbers);
    }
    const std::int64_t row_id = 0;
    nn::OpForward c;
    c.rows = 1;
    c.inputs = inputs;
    c.ids = ids;
    c.shapes = shapes.view();
    c.output_shape = node_.op()->output_shape(c.shapes);
    c.row_ids = {&row_id, 1};
    if (position) c.positions = {&*position, 1};
    std::vector<float> output(nn::count(c.output_shape)), saved(node_.op()->saved_size(c.shapes));
    c.output = output;
    c.saved = saved;
    node_.op()->forward(c);
    return output;
  }

  const nn::Node& node_;
  const std::size_t length_;
  std::vector<Values> operands_;
};

}  // namespace

Finding check_reach(Subject& subject) {
  const auto* network = dynamic_cast<const NetworkRecommender*>(&subject.model());
  if (network == nullptr) return skip("the model is no network");
  const int length = network->catalogue().max_length;
  nn::Graph graph({.catalogue = network->catalogue()});
  network->forward(nn::Inputs(&graph));
  const nn::ByNode<bool> over_positions = nn::nodes_over_positions(graph);
  int n_promises = 0;
  for (const nn::NodeId id : graph.ids()) {
    const nn::Node& node = graph.node(id);
    if (node.op() == nullptr || !over_positions[id]) continue;
    Trial trial(node, length);
    const int n_before = n_promises;
    bool keeps_to_past = true;
    std::vector<bool> runs;
    for (std::size_t o = 0; o < node.operands.size(); ++o) {
      const nn::Operand& operand = node.operands[o];
      runs.push_back(!operand.parameter && over_positions[operand.node()]);
      if (!runs.back()) continue;
      keeps_to_past = keeps_to_past && trial.reach(o) != nn::Reach::unknown;
      if (const std::string problem = trial.problem(o); !problem.empty()) return fail(problem);
      ++n_promises;
    }
    if (keeps_to_past && n_promises > n_before)
      if (const std::string problem = trial.problem_with_fewer_positions(runs); !problem.empty())
        return fail(problem);
    const std::vector<bool> alone = nn::operands_at_last(graph, id, over_positions);
    if (alone.empty()) continue;
    if (const std::string problem = trial.problem_at_one_position(alone); !problem.empty())
      return fail(problem);
  }
  return n_promises == 0 ? skip("no op runs over positions")
                         : pass(std::to_string(n_promises) + " operands that run over positions");
}

}  // namespace recloom::conformance
