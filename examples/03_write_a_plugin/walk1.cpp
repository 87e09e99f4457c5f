// walk1: scores an item by the dot product of its vector with the mean of the history's vectors.
#include "recloom/plugin/plugin.hpp"

using namespace recloom;

class Walk1 final : public NetworkRecommender {
 public:
  // Every parameter with its default, legal range and meaning: `recloom plugins describe walk1`.
  struct Options {
    int embedding_size = 64;
    double dropout_prob = 0.2;

    void describe(ParamSchema& s) {
      s.integer("embedding_size", embedding_size, {1, 4096}, "size of item vectors");
      s.real("dropout_prob", dropout_prob, {0, 0.999}, "dropout on the mean");
    }
  };

  // Trained parameters are made here, once.
  Walk1(const Options& options, const Catalogue& c) : NetworkRecommender(c), o(options) {
    item_embedding =
        nn::Embedding(at("item_embedding"), c.n_items, o.embedding_size, nn::xavier_normal());
  }

  // The query of one row. Recorded once and run for many rows at a time: a Var has a shape but no
  // values. L is data.max_length, shorter histories are padded with item 0.
  nn::Var forward(const nn::Inputs& in) const override {
    const nn::History history = in.history();
    const nn::Var items = history.mask() * item_embedding(history.ids());       // [L, d]
    const nn::Var mean = sum_over_time(items) * power(history.length(), -1.0);  // [d]
    return dropout(mean, o.dropout_prob);
  }

  // What the query is scored against; the loss (train.loss) follows from it.
  nn::ItemHead item_head() const override { return {.tables = {item_embedding.weight}}; }

 private:
  const Options o;
  nn::Embedding item_embedding;
};

RECLOOM_PLUGIN(Walk1, "walk1", "0.1.0", "Mean of the history's item vectors")
