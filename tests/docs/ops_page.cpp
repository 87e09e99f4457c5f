#include "docs/ops_page.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <span>
#include <variant>
#include <vector>

#include "nn/graph/graph.hpp"
#include "recloom/nn/network_recommender.hpp"

namespace recloom::testing {
namespace {

using namespace nn;

/// Extents that shapes are made of.
struct Sizes {
  int L, d, out, hidden, filters, h, N, M, items;
};
/// Of which every sum and product in a shape is another number.
constexpr Sizes kDistinct{
    .L = 31, .d = 6, .out = 17, .hidden = 9, .filters = 10, .h = 4, .N = 7, .M = 3, .items = 1009};
constexpr Sizes kTypical{.L = 50,
                         .d = 64,
                         .out = 64,
                         .hidden = 64,
                         .filters = 16,
                         .h = 3,
                         .N = 100,
                         .M = 4,
                         .items = 10000};

/// The words for the numbers of kDistinct.
std::string word(int extent) {
  const Sizes& s = kDistinct;
  const std::map<int, std::string> words = {{s.L, "L"},
                                            {s.d, "d"},
                                            {s.out, "out"},
                                            {s.hidden, "hidden"},
                                            {3 * s.hidden, "3 hidden"},
                                            {s.filters, "filters"},
                                            {2 * s.filters, "all filters"},
                                            {s.h, "h"},
                                            {s.h + 1, "h'"},
                                            {s.L - s.h + 1, "L - h + 1"},
                                            {s.N, "N"},
                                            {s.M, "M"},
                                            {s.items, "items"},
                                            {s.L * s.d, "L d"},
                                            {s.d + s.out, "d + out"},
                                            {2, "2"},
                                            {1, "1"}};
  const auto found = words.find(extent);
  return found == words.end() ? "?" + std::to_string(extent) : found->second;
}

std::string words(const Shape& shape) {
  std::string text = "[";
  for (int axis = 0; axis < shape.rank; ++axis)
    text += (axis > 0 ? ", " : "") + word(shape.extent[axis]);
  return text + "]";
}

/// A graph with operands of all kinds.
struct World {
  explicit World(const Sizes& sizes)
      : s(sizes),
        graph({.catalogue = {.n_users = 5, .n_items = sizes.items, .max_length = sizes.L},
               .training = true,
               .loss = "BPR",
               .n_negatives = sizes.N}),
        in(&graph) {
    table = parameter({s.items, s.d});
    Embedding items, users;
    items.weight = table;
    users.weight = parameter({5, s.d});
    x = items(in.history().ids());
    y = items(in.history().ids());
    v = users(in.user());
    head = {.tables = {table}};
    positive = in.score(v, head, in.targets());
    negative = in.score(v, head, in.negatives());
    picks = in.derive("picks", s.M, [](const Derivation&, std::span<std::int32_t>) {});
    wide = linear(v, parameter({s.out, s.d}));
  }
  Parameter parameter(const Shape& shape) {
    return parameters.add("p" + std::to_string(parameters.size()), shape, zeros(), Trained::yes);
  }

  Sizes s;
  Parameters parameters;
  Graph graph;
  Inputs in;
  Parameter table;
  Var x, y, v, wide, positive, negative;
  Ids picks;
  ItemHead head;
};

struct Entry {
  std::string call;
  std::function<Var(World&)> record;
};

TimeConv conv_of(World& w, int height) {
  TimeConv conv;
  conv.weight = w.parameter({w.s.filters, 1, height, w.s.d});
  conv.bias = w.parameter({w.s.filters});
  return conv;
}

Var value(const Loss& loss) { return loss.terms().front().value; }

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      {"x + y, x - y", [](World& w) { return w.x + w.y; }},
      {"x * y", [](World& w) { return w.x * w.y; }},
      {"x + v, x * v", [](World& w) { return w.x * w.v; }},
      {"x + p, x * p", [](World& w) { return w.x * w.parameter({w.s.d}); }},
      {"x + number, number * x", [](World& w) { return 0.5 * w.x; }},
      {"power(x, e)", [](World& w) { return power(w.x, 0.5); }},
      {"relu(x)", [](World& w) { return relu(w.x); }},
      {"tanh(x), sigmoid(x), exp(x), log(x)", [](World& w) { return tanh(w.x); }},
      {"activate(x, gelu), activate(x, swish)",
       [](World& w) { return activate(w.x, Activation::gelu); }},
      {"dropout(x, p)", [](World& w) { return dropout(w.x, 0.5); }},
      {"detach(x)", [](World& w) { return detach(w.x); }},
      {"linear(x, weight, bias)",
       [](World& w) {
         return linear(w.x, w.parameter({w.s.out, w.s.d}), w.parameter({w.s.out}));
       }},
      {"layer_norm(x, gain, bias, epsilon)",
       [](World& w) { return layer_norm(w.x, w.parameter({w.s.d}), w.parameter({w.s.d}), 1e-12); }},
      {"softmax(x)", [](World& w) { return softmax(w.x); }},
      {"concat(v, u)", [](World& w) { return concat(w.v, w.wide); }},
      {"flatten(x)", [](World& w) { return flatten(w.x); }},
      {"column(v)", [](World& w) { return column(w.v); }},
      {"slice(x, first, 2)", [](World& w) { return slice(w.x, 1, 2); }},
      {"pick(v, ids)", [](World& w) { return pick(w.v, w.picks); }},
      {"sum(x); dot(x, y) is sum(x * y)", [](World& w) { return sum(w.x); }},
      {"sum_over_time(x)", [](World& w) { return sum_over_time(w.x); }},
      {"max_over_time(x)", [](World& w) { return max_over_time(w.x); }},
      {"select(x, ids), take(x, t), History::last(x)",
       [](World& w) { return select(w.x, w.picks); }},
      {"History::mask()", [](World& w) { return w.in.history().mask(); }},
      {"History::length()", [](World& w) { return w.in.history().length(); }},
      {"gru(x, weight_ih, weight_hh, bias_ih, bias_hh)",
       [](World& w) {
         const int gates = 3 * w.s.hidden;
         return gru(w.x, w.parameter({gates, w.s.d}), w.parameter({gates, w.s.hidden}),
                    w.parameter({gates}), w.parameter({gates}));
       }},
      {"attention(query, key, value, heads, mask, p)",
       [](World& w) { return attention(w.x, w.y, w.y, 2, {.keys = w.in.history().ids()}, 0.5); }},
      {"attention(..., {.causal = true}, p)",
       [](World& w) {
         return attention(w.x, w.y, w.y, 2, {.keys = w.in.history().ids(), .causal = true}, 0.5);
       }},
      {"TimeConv()(x)", [](World& w) { return conv_of(w, w.s.h)(w.x); }},
      {"conv_max_over_time({conv, conv'}, x, f)",
       [](World& w) {
         const TimeConv convs[] = {conv_of(w, w.s.h), conv_of(w, w.s.h + 1)};
         return conv_max_over_time(convs, w.x, Activation::relu);
       }},
      {"TimeMix()(x)",
       [](World& w) {
         TimeMix mix;
         mix.weight = w.parameter({w.s.filters, 1, w.s.L, 1});
         mix.bias = w.parameter({w.s.filters});
         return mix(w.x);
       }},
      {"Embedding()(ids)",
       [](World& w) {
         Embedding table;
         table.weight = w.table;
         return table(w.in.history().ids());
       }},
      {"Inputs::score(query, head, ids)",
       [](World& w) { return w.in.score(w.v, w.head, w.in.negatives()); }},
      {"bpr_loss(positive, negative)",
       [](World& w) { return value(bpr_loss(w.positive, w.negative)); }},
      {"bce_loss(positive, negative), balanced_bce_loss(...), gbce_loss(..., beta)",
       [](World& w) { return value(bce_loss(w.positive, w.negative)); }},
      {"sampled_softmax_loss(positive, negative, target, sampled)",
       [](World& w) {
         return value(
             sampled_softmax_loss(w.positive, w.negative, w.in.targets(), w.in.negatives()));
       }},
  };
  return all;
}

/// What an op gets in a trial: every number another one.
struct Trial {
  explicit Trial(const Node& node) : shapes(node.operand_shapes()) {
    int n = 0;
    for (const Shape& shape : shapes.inputs) {
      numbers.emplace_back(count(shape));
      for (float& x : numbers.back()) x = 0.5F + 0.37F * std::sin(static_cast<float>(++n));
      diffs.emplace_back(count(shape), 0.0F);
    }
    for (const Shape& shape : shapes.ids) {
      ids.emplace_back(count(shape));
      std::iota(ids.back().begin(), ids.back().end(), 1);
    }
    const Op& op = *node.op();
    output.resize(count(node.shape));
    saved.resize(op.saved_size(shapes.view()));
    const std::vector<std::span<const float>> in(numbers.begin(), numbers.end());
    const std::vector<std::span<const std::int32_t>> ints(ids.begin(), ids.end());
    const std::vector<std::span<float>> to(diffs.begin(), diffs.end());
    const std::vector<char> first_write(in.size());
    const std::int64_t row = 1;
    OpForward forward;
    OpBackward backward;
    for (OpContext* c : {static_cast<OpContext*>(&forward), static_cast<OpContext*>(&backward)}) {
      c->rows = 1;
      c->inputs = in;
      c->ids = ints;
      c->shapes = shapes.view();
      c->output_shape = node.shape;
      c->row_ids = {&row, 1};
      c->training = true;
    }
    forward.output = output;
    forward.saved = saved;
    op.forward(forward);
    std::vector<float> diff(output.size());
    for (std::size_t e = 0; e < diff.size(); ++e)
      diff[e] = 1.0F + 0.5F * std::cos(static_cast<float>(e));
    backward.output = output;
    backward.saved = saved;
    backward.diff_output = diff;
    backward.diff_inputs = to;
    backward.first_write = first_write;
    op.backward(backward);
  }
  bool has_gradient(std::size_t input) const {
    return std::ranges::any_of(diffs[input], [](float x) { return x != 0; });
  }

  OperandShapes shapes;
  std::vector<std::vector<float>> numbers, diffs;
  std::vector<std::vector<std::int32_t>> ids;
  std::vector<float> output, saved;
};

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text.empty() ? "-" : text;
}

std::string shapes_of(const Node& node) {
  std::vector<std::string> parts;
  for (const Operand& operand : node.operands)
    parts.push_back((operand.ids ? "ids " : "") + words(operand.shape()));
  if (const auto* lookup = std::get_if<Lookup>(&node.work))
    parts.push_back(words(lookup->table.shape()));
  if (const auto* scores = std::get_if<RowScores>(&node.work))
    parts.push_back(words(scores->table.shape()));
  return joined(parts, ", ") + " -> " + words(node.shape);
}

/// Which operands get a gradient, counted from 1, without the ids.
std::string gradients_of(const Node& node) {
  if (std::holds_alternative<Lookup>(node.work)) return "rows of the table";
  if (std::holds_alternative<RowScores>(node.work)) return "1 and rows of the table";
  if (node.is_view()) return "1";
  const Trial trial(node);
  std::vector<std::string> parts;
  for (std::size_t input = 0; input < trial.diffs.size(); ++input)
    if (trial.has_gradient(input)) parts.push_back(std::to_string(input + 1));
  return joined(parts, ", ");
}

std::string reach_of(const Node& node, int length) {
  if (node.op() == nullptr) return "-";
  const OperandShapes shapes = node.operand_shapes();
  std::vector<std::string> parts;
  for (std::size_t o = 0; o < node.operands.size(); ++o) {
    const Shape shape = node.operands[o].shape();
    if (node.operands[o].parameter || shape.rank == 0 || shape.extent[0] != length) continue;
    const Reach reach = node.op()->reach(o, shapes.view());
    parts.push_back(reach == Reach::same ? "t" : reach == Reach::past ? "0..t" : "all");
  }
  if (std::ranges::all_of(parts, [&](const std::string& part) { return part == parts.front(); }))
    parts.resize(std::min<std::size_t>(parts.size(), 1));
  return joined(parts, ", ");
}

std::string number(double n) {
  if (n == 0) return "-";
  if (n < 10'000) return std::to_string(static_cast<long>(n));
  if (n < 10'000'000) return std::to_string(static_cast<long>(n / 1000 + 0.5)) + " k";
  return std::to_string(static_cast<long>(n / 1e6 + 0.5)) + " M";
}

std::string line(const Entry& entry) {
  World distinct(kDistinct), typical(kTypical);
  const Node& node = distinct.graph.node(entry.record(distinct).node());
  const Node& sized = typical.graph.node(entry.record(typical).node());
  double flops = 0, kept = 0;
  if (const Op* op = sized.op()) {
    const OperandShapes shapes = sized.operand_shapes();
    flops = op->flops(shapes.view());
    kept = static_cast<double>(op->saved_size(shapes.view()));
  }
  if (std::holds_alternative<RowScores>(sized.work))
    flops = 2.0 * kTypical.d * static_cast<double>(count(sized.shape));
  return "| `" + entry.call + "` | " + shapes_of(node) + " | " + gradients_of(node) + " | " +
         reach_of(node, kDistinct.L) + " | " + number(flops) + " | " + number(kept) + " |\n";
}

}  // namespace

std::string ops_page() {
  std::string page = R"(# Operations

What a network can be made of. This page is made from the code, by a test that records every operation (`tests/docs/ops_page.cpp`;
do not edit it here). Declarations and formulas are in `recloom/nn/ops.hpp`, `losses.hpp`, `modules.hpp` and `inputs.hpp`.

* **Shapes** leave the row axis out. L is `data.max_length` (or as many positions as a shard's histories need), x and y
  are [L, d], v and u have no time, p is a parameter.
* **Gradient**: the operands that get one, counted from 1 without ids. Row 0 of a table gets none unless it is asked for.
* **Looks at**: what the output at position t depends on (`Op::reach`): `t` alone, `0..t`, or `all` positions. Networks
  of `t` and `0..t` up to `History::last` can be trained on sequences and compute short histories on fewer positions;
  an operation of `t` behind which only the last position is wanted is computed there alone.
* **Cost** is multiplications and additions of a row, forward (backward takes twice as many), and **kept** the numbers of
  a row that wait for backward, with L = 50, d = out = hidden = 64, 16 filters of heights 3 and 4, N = 100, two heads;
  `-` is too little to count, or none.

| operation | shapes | gradient | looks at | cost | kept |
|---|---|---|---|---|---|
)";
  for (const Entry& entry : entries()) page += line(entry);
  return page + R"(
`train.loss = "CE"` is computed against all items at once, outside of the graph of a row. Penalties (`norm`, `sum_abs`,
`sum_squares`, `emb_loss`, `reg_loss`) and `mean` are terms of the loss, not operations. An operation of your own is one
class: `recloom/nn/op.hpp`, and step 4 of [writing a plugin](writing_a_plugin.md).
)";
}

}  // namespace recloom::testing
