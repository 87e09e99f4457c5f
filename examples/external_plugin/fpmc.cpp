// Factorised personalised Markov chain (Rendle, Freudenthaler and Schmidt-Thieme, WWW 2010):
// score(i) = UI[user] . IU[i] + LI[last item] . IL[i], the form that RecBole's FPMC has.
#include "recloom/plugin/plugin.hpp"

using namespace recloom;

class FPMC final : public NetworkRecommender {
 public:
  struct Options {
    int embedding_size = 64;

    void describe(ParamSchema& s) {
      s.integer("embedding_size", embedding_size, {1, 4096}, "size of the vectors of all tables");
      s.suggest("train.loss", "BPR");
    }
  };

  FPMC(const Options& o, const Catalogue& c) : NetworkRecommender(c) {
    const nn::Init init = nn::xavier_normal();
    UI_emb = nn::Embedding(at("UI_emb"), c.n_users, o.embedding_size, init);
    IU_emb = nn::Embedding(at("IU_emb"), c.n_items, o.embedding_size, init);
    LI_emb = nn::Embedding(at("LI_emb"), c.n_items, o.embedding_size, init);
    IL_emb = nn::Embedding(at("IL_emb"), c.n_items, o.embedding_size, init);
  }

  nn::Var forward(const nn::Inputs& in) const override {
    return concat(UI_emb(in.user()), LI_emb(in.history().last_item()));
  }

  // Two tables side by side: neither is copied.
  nn::ItemHead item_head() const override { return {.tables = {IU_emb.weight, IL_emb.weight}}; }

 private:
  nn::Embedding UI_emb, IU_emb, LI_emb, IL_emb;
};

RECLOOM_PLUGIN(FPMC, "fpmc", "1.0.0", "Matrix factorisation plus a factorised Markov chain")
