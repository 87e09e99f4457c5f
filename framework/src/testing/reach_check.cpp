// What ops promise with Op::reach, tried out: a false promise would let rows share what they must
// not.
#include "testing/reach_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "nn/graph_impl.hpp"
#include "testing/subject.hpp"

namespace recloom::conformance {
namespace {

/// Rounding of sums that are grouped otherwise.
constexpr float kRounding = 1e-5F;

std::size_t size_of(const nn::Shape& shape) {
  std::size_t size = 1;
  for (int axis = 0; axis < shape.rank; ++axis)
    size *= static_cast<std::size_t>(shape.extent[axis]);
  return size;
}

/// One node's op with operands of its own, for one row.
class Trial {
 public:
  Trial(const nn::Node& node, int length) : node_(node), length_(static_cast<std::size_t>(length)) {
    Rng rng = Rng(1).fork("reach").fork(node.name);
    for (const nn::Operand& operand : node.operands) {
      if (operand.ids) {
        ids_.emplace_back(size_of(operand.ids.shape()));
        for (std::int32_t& id : ids_.back())
          id = static_cast<std::int32_t>(1 + rng.below(length - 1));
        continue;
      }
      const nn::Shape shape = operand.var ? operand.var.shape() : operand.parameter.shape();
      shapes_.push_back(shape);
      inputs_.emplace_back(size_of(shape));
      for (float& value : inputs_.back()) value = static_cast<float>(0.5 + rng.uniform());
    }
  }

  /// @return what is wrong with the promise for operand `index`, "" if nothing is.
  std::string problem(std::size_t index) {
    const nn::Reach reach = node_.op()->reach(index, shapes_);
    if (reach == nn::Reach::unknown) return "";
    std::vector<float>& input = inputs_[place_of(index)];
    const std::vector<float> before = run();
    const std::size_t columns = input.size() / length_, out_columns = before.size() / length_;
    for (std::size_t t = 0; t < length_; ++t) {
      const std::vector<float> kept = input;
      for (std::size_t c = 0; c < columns; ++c) input[t * columns + c] += 1;
      const std::vector<float> after = run();
      input = kept;
      for (std::size_t e = 0; e < after.size(); ++e) {
        const std::size_t at = e / out_columns;
        const bool may = reach == nn::Reach::past ? at >= t : at == t;
        const float slack = kRounding * std::max(1.0F, std::abs(before[e]));
        if (may || std::abs(after[e] - before[e]) <= slack) continue;
        return "op '" + node_.name +
               "' says Reach::" + (reach == nn::Reach::past ? "past" : "same") + " of operand " +
               std::to_string(index) + ", but position " + std::to_string(at) +
               " of its output depends on position " + std::to_string(t);
      }
    }
    return "";
  }

 private:
  /// Var and Parameter operands come in one list.
  std::size_t place_of(std::size_t index) const {
    std::size_t place = 0;
    for (std::size_t o = 0; o < index; ++o) place += node_.operands[o].ids ? 0 : 1;
    return place;
  }

  std::vector<float> run() {
    const std::vector<std::span<const float>> inputs(inputs_.begin(), inputs_.end());
    const std::vector<std::span<const std::int32_t>> ids(ids_.begin(), ids_.end());
    const std::int64_t row_id = 0;
    std::vector<float> output(size_of(node_.shape)), saved(node_.op()->saved_size(shapes_));
    nn::OpForward c;
    c.rows = 1;
    c.inputs = inputs;
    c.ids = ids;
    c.row_ids = {&row_id, 1};
    c.output = output;
    c.saved = saved;
    node_.op()->forward(c);
    return output;
  }

  const nn::Node& node_;
  const std::size_t length_;
  std::vector<nn::Shape> shapes_;
  std::vector<std::vector<float>> inputs_;
  std::vector<std::vector<std::int32_t>> ids_;
};

bool runs_over_time(const nn::Shape& shape, int length) {
  return shape.rank > 0 && shape.extent[0] == length;
}

}  // namespace

Finding check_reach(Subject& subject) {
  const auto* network = dynamic_cast<const NetworkRecommender*>(&subject.model());
  if (network == nullptr) return skip("the model is no network");
  const int length = network->catalogue().max_length;
  nn::Graph graph({.catalogue = network->catalogue()});
  network->forward(nn::Inputs(&graph));
  int n_promises = 0;
  for (const nn::Node& node : graph.nodes()) {
    if (node.op() == nullptr || !runs_over_time(node.shape, length)) continue;
    Trial trial(node, length);
    for (std::size_t o = 0; o < node.operands.size(); ++o) {
      const nn::Operand& operand = node.operands[o];
      if (!operand.var || !runs_over_time(operand.var.shape(), length)) continue;
      if (const std::string problem = trial.problem(o); !problem.empty()) return fail(problem);
      ++n_promises;
    }
  }
  return n_promises == 0 ? skip("no op runs over positions")
                         : pass(std::to_string(n_promises) + " operands that run over positions");
}

}  // namespace recloom::conformance
