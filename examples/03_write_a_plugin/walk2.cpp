// walk2: a gated recurrent network reads the history, its last state is the query.
#include "recloom/plugin/plugin.hpp"

using namespace recloom;

class Walk2 final : public NetworkRecommender {
 public:
  struct Options {
    int embedding_size = 64, hidden_size = 64;
    double dropout_prob = 0.2;

    void describe(ParamSchema& s) {
      s.integer("embedding_size", embedding_size, {1, 4096}, "size of item vectors");
      s.integer("hidden_size", hidden_size, {1, 4096}, "size of the state")
          .test_values({std::int64_t{8}});
      s.real("dropout_prob", dropout_prob, {0, 0.999}, "dropout on item vectors");
    }
  };

  Walk2(const Options& options, const Catalogue& c) : NetworkRecommender(c), o(options) {
    item_embedding =
        nn::Embedding(at("item_embedding"), c.n_items, o.embedding_size, nn::xavier_normal());
    gru = nn::Gru(at("gru"), o.embedding_size, o.hidden_size);
    dense = nn::Linear(at("dense"), o.hidden_size, o.embedding_size);
  }

  nn::Var forward(const nn::Inputs& in) const override {
    const nn::History history = in.history();
    const nn::Var items = dropout(item_embedding(history.ids()), o.dropout_prob);  // [L, d]
    const nn::Var states = gru(items).named("states");                             // [L, hidden]
    return history.last(dense(states));                                            // [d]
  }

  nn::ItemHead item_head() const override { return {.tables = {item_embedding.weight}}; }

 private:
  const Options o;
  nn::Embedding item_embedding;
  nn::Gru gru;
  nn::Linear dense;
};

RECLOOM_PLUGIN(Walk2, "walk2", "0.2.0", "Gated recurrent network over the history")
