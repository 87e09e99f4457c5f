// walk3: beside the recurrent network, a memory of the whole history that fades at learned rates,
// as an op of our own; and a loss of our own.
#include <cmath>
#include <cstddef>
#include <memory>

#include "recloom/plugin/plugin.hpp"

using namespace recloom;

/// y[t] = a y[t-1] + x[t] with a = sigmoid(rate), one rate for each column. x [L, d], rate [d].
class Fade final : public nn::Op {
 public:
  std::string_view name() const noexcept override { return "fade"; }

  nn::Shape output_shape(const nn::OpShapes& shapes) const override {
    const auto in = shapes.inputs;
    if (in.size() != 2 || in[0].rank != 2 || in[1].rank != 1 || in[1].last() != in[0].last())
      throw ModelError("fade: wants x [L, d] and rate [d]");
    return in[0];
  }

  // Position t looks at nothing behind t. Without this, train.batching = "sequences" is refused.
  nn::Reach reach(std::size_t operand, const nn::OpShapes&) const override {
    return operand == 0 ? nn::Reach::past : nn::Reach::unknown;
  }

  // All rows of a shard at once, [rows, L, d]; no state, no allocation, no threads. Of short
  // histories, L may be less than data.max_length.
  void forward(const nn::OpForward& c) const override {
    const std::size_t d = c.inputs[1].size(), length = count(c.shapes.inputs[0]) / d;
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < length; ++t)
        for (std::size_t j = 0; j < d; ++j) {
          const std::size_t at = (r * length + t) * d + j;
          const float before = t == 0 ? 0.0F : share(c.inputs[1][j]) * c.output[at - d];
          c.output[at] = before + c.inputs[0][at];
        }
  }

  // Adds to the gradients of the operands; an empty one is not wanted.
  void backward(const nn::OpBackward& c) const override {
    const std::size_t d = c.inputs[1].size(), length = count(c.shapes.inputs[0]) / d;
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t j = 0; j < d; ++j) {
        const float a = share(c.inputs[1][j]);
        float g = 0;  // the gradient of y[t]
        for (std::size_t t = length; t-- > 0;) {
          const std::size_t at = (r * length + t) * d + j;
          g = c.diff_output[at] + a * g;
          if (!c.diff_inputs[0].empty()) c.diff_inputs[0][at] += g;
          if (!c.diff_inputs[1].empty() && t > 0)
            c.diff_inputs[1][j] += g * c.output[at - d] * a * (1 - a);
        }
      }
  }

 private:
  static float share(float rate) { return 1.0F / (1.0F + std::exp(-rate)); }
};

class Walk3 final : public NetworkRecommender {
 public:
  struct Options {
    int embedding_size = 64, hidden_size = 64;
    double dropout_prob = 0.2, reg_weight = 1e-4;

    void describe(ParamSchema& s) {
      s.integer("embedding_size", embedding_size, {1, 4096}, "size of item vectors");
      s.integer("hidden_size", hidden_size, {1, 4096}, "size of the state")
          .test_values({std::int64_t{8}});
      s.real("dropout_prob", dropout_prob, {0, 0.999}, "dropout on item vectors");
      s.real("reg_weight", reg_weight, {0, 1000}, "weight of the norms of both matrices");
    }
  };

  Walk3(const Options& options, const Catalogue& c) : NetworkRecommender(c), o(options) {
    item_embedding =
        nn::Embedding(at("item_embedding"), c.n_items, o.embedding_size, nn::xavier_normal());
    gru = nn::Gru(at("gru"), o.embedding_size, o.hidden_size);
    dense = nn::Linear(at("dense"), o.hidden_size, o.embedding_size);
    rate = parameter("rate", {o.embedding_size}, nn::zeros());
    memory = nn::Linear(at("memory"), o.embedding_size, o.embedding_size);
  }

  nn::Var forward(const nn::Inputs& in) const override {
    const nn::History history = in.history();
    const nn::Var items = dropout(item_embedding(history.ids()), o.dropout_prob);  // [L, d]
    const nn::Var faded = call(std::make_shared<Fade>(), items, rate);             // [L, d]
    return history.last(dense(gru(items)) + memory(faded));                        // [d]
  }

  nn::ItemHead item_head() const override { return {.tables = {item_embedding.weight}}; }

  // What train.loss says, and a penalty.
  nn::Loss calculate_loss(const nn::Inputs& in) const override {
    return NetworkRecommender::calculate_loss(in) +
           o.reg_weight * nn::reg_loss(dense.weight, memory.weight);
  }

 private:
  const Options o;
  nn::Embedding item_embedding;
  nn::Gru gru;
  nn::Linear dense, memory;
  nn::Parameter rate;
};

RECLOOM_PLUGIN(Walk3, "walk3", "0.3.0", "Recurrent network and a fading memory")
