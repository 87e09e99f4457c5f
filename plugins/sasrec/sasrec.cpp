// SASRec (Kang & McAuley 2018), as RecBole's.
#include <string>

#include "recloom/plugin/plugin.hpp"

using namespace recloom;

class SASRec final : public NetworkRecommender {
 public:
  struct Options {
    int n_layers = 2, n_heads = 2, hidden_size = 64, inner_size = 256;
    double hidden_dropout_prob = 0.5, attn_dropout_prob = 0.5, layer_norm_eps = 1e-12,
           initializer_range = 0.02;
    nn::Activation hidden_act = nn::Activation::gelu;
    void describe(ParamSchema& s) {
      s.integer("n_layers", n_layers, {1, 32}, "transformer layers");
      s.integer("n_heads", n_heads, {1, 64}, "attention heads; divides hidden_size");
      s.integer("hidden_size", hidden_size, {1, 4096}, "size of item and position vectors");
      s.integer("inner_size", inner_size, {1, 16384}, "inner size of the feed-forward layer");
      s.real("hidden_dropout_prob", hidden_dropout_prob, {0, 0.999},
             "dropout of embeddings and layers");
      s.real("attn_dropout_prob", attn_dropout_prob, {0, 0.999}, "dropout of attention weights");
      s.choice("hidden_act", hidden_act, nn::kActivations, "activation of the feed-forward layer");
      s.real("layer_norm_eps", layer_norm_eps, {0, 1}, "epsilon of layer normalisation");
      s.real("initializer_range", initializer_range, {0, 10},
             "standard deviation of the start weights");
      s.suggest("train.shard_rows", std::int64_t{32});  // what a shard keeps then fits the caches
    }
  };
  SASRec(const Options& options, const Catalogue& c) : NetworkRecommender(c), o(options) {
    if (o.hidden_size % o.n_heads != 0)
      throw ConfigError("sasrec: n_heads = " + std::to_string(o.n_heads) +
                        " does not divide hidden_size = " + std::to_string(o.hidden_size));
    const nn::Init init = nn::normal(o.initializer_range);
    item_embedding = nn::Embedding(at("item_embedding"), c.n_items, o.hidden_size, init);
    position_embedding = nn::Embedding(at("position_embedding"), c.max_length, o.hidden_size, init,
                                       nn::PaddingRow::trained);
    trm_encoder = nn::TransformerEncoder(at("trm_encoder"), o.hidden_size,
                                         {.layers = o.n_layers,
                                          .heads = o.n_heads,
                                          .inner = o.inner_size,
                                          .dropout = o.hidden_dropout_prob,
                                          .attention_dropout = o.attn_dropout_prob,
                                          .activation = o.hidden_act,
                                          .epsilon = o.layer_norm_eps,
                                          .init = init});
    layer_norm = nn::LayerNorm(at("LayerNorm"), o.hidden_size, o.layer_norm_eps);
  }
  nn::Var forward(const nn::Inputs& in) const override {
    const auto history = in.history();
    const nn::Var x =
        layer_norm(item_embedding(history.ids()) + position_embedding(history.positions()));
    return history.last(
        trm_encoder(dropout(x, o.hidden_dropout_prob), {.keys = history.ids(), .causal = true}));
  }
  nn::ItemHead item_head() const override { return {.tables = {item_embedding.weight}}; }

 private:
  const Options o;
  nn::Embedding item_embedding, position_embedding;
  nn::TransformerEncoder trm_encoder;
  nn::LayerNorm layer_norm;
};

RECLOOM_PLUGIN(SASRec, "sasrec", "1.0.0", "Causal self-attention over the history")
