// Caser (Tang & Wang, WSDM 2018) in RecBole's form, with left padding and the paper's untied output
// as switches.
#include <string>
#include <vector>

#include "recloom/plugin/plugin.hpp"

using namespace recloom;

class Caser final : public NetworkRecommender {
 public:
  struct Options {
    int embedding_size = 64, nv = 4, nh = 8;
    double dropout_prob = 0.4, reg_weight = 1e-4;
    nn::Padding padding = nn::Padding::right;
    bool tied = true, output_relu = true;

    void describe(ParamSchema& s) {
      s.integer("embedding_size", embedding_size, {1, 4096}, "size d of item and user vectors");
      s.integer("nv", nv, {0, 4096}, "vertical filters; 0 leaves the branch out");
      s.integer("nh", nh, {0, 4096},
                "horizontal filters of each height 1..L; 0 leaves the branch out");
      s.real("dropout_prob", dropout_prob, {0, 0.999}, "dropout before fc1");
      s.real("reg_weight", reg_weight, {0, 1e3}, "weight of the norms of tables and weights");
      s.choice("padding", padding, {{"left", nn::Padding::left}, {"right", nn::Padding::right}},
               "side of short histories that is padded");
      s.choice("output", tied, {{"tied", true}, {"untied", false}},
               "score with the input item table, or with an own one of width 2d and a bias");
      s.flag("output_relu", output_relu, "ReLU on fc2 (tied output only)");
      s.suggest("data.max_length", 10);
    }
  };

  Caser(const Options& options, const Catalogue& c) : NetworkRecommender(c), o(options) {
    if (o.nv == 0 && o.nh == 0)
      throw ConfigError("caser: nv and nh are both 0, no convolution is left");
    const int d = o.embedding_size, L = c.max_length;
    const double filters = 0.5 * o.nh * d * L * (L + 1.0);  // numbers in all horizontal filters
    if (filters > 1e9)
      throw ConfigError(
          "caser: the horizontal filters of all heights 1..L would have " +
          std::to_string(filters / 1e9) +
          " * 10^9 numbers, more than 10^9: lower data.max_length, nh or embedding_size");
    const nn::Init table = nn::normal(1.0 / d);
    user_embedding = nn::Embedding(at("user_embedding"), c.n_users, d, table);
    item_embedding = nn::Embedding(at("item_embedding"), c.n_items, d, table);
    if (o.nv > 0) conv_v = nn::TimeMix(at("conv_v"), L, o.nv);
    for (int h = 1; h <= L && o.nh > 0; ++h) conv_h.emplace_back(at("conv_h", h - 1), d, o.nh, h);
    fc1 = nn::Linear(at("fc1"), o.nv * d + o.nh * L, d);
    if (o.tied) {
      fc2 = nn::Linear(at("fc2"), 2 * d, d);
    } else {
      output_embedding =
          nn::Embedding(at("output_embedding"), c.n_items, 2 * d, nn::normal(0.5 / d));
      output_bias = parameter("output_bias", {c.n_items}, nn::zeros());
    }
  }

  nn::Var forward(const nn::Inputs& in) const override {
    const nn::Var e = item_embedding(in.history(o.padding).ids());  // [L, d]
    nn::Var vertical, horizontal;
    if (o.nv > 0) vertical = flatten(conv_v(e)).named("vertical");  // [nv d]
    if (o.nh > 0)
      horizontal =
          conv_max_over_time(conv_h, e, nn::Activation::relu).named("horizontal");  // [nh L]
    const nn::Var filters = dropout(concat(vertical, horizontal), o.dropout_prob);
    const nn::Var z = relu(fc1(filters)).named("fc1");       // [d]
    const nn::Var x = concat(z, user_embedding(in.user()));  // [2d]
    if (!o.tied) return x;
    return o.output_relu ? relu(fc2(x)) : fc2(x);
  }
  nn::ItemHead item_head() const override {
    if (o.tied) return {.tables = {item_embedding.weight}};
    return {.tables = {output_embedding.weight}, .bias = output_bias};
  }
  nn::Loss calculate_loss(const nn::Inputs& in) const override {
    const nn::Loss reg = reg_loss(user_embedding.weight, item_embedding.weight, conv_v.weight,
                                  fc1.weight, fc2.weight, output_embedding.weight);
    return NetworkRecommender::calculate_loss(in) + o.reg_weight * (reg + reg_loss_conv_h());
  }
  nn::Loss reg_loss_conv_h() const {
    nn::Loss loss;
    for (const nn::TimeConv& conv : conv_h) loss += norm(conv.weight);
    return loss;
  }

 private:
  const Options o;
  nn::Embedding user_embedding, item_embedding, output_embedding;
  nn::TimeMix conv_v;
  std::vector<nn::TimeConv> conv_h;
  nn::Linear fc1, fc2;
  nn::Parameter output_bias;
};

RECLOOM_PLUGIN(Caser, "caser", "1.0.0", "Convolutional sequence embedding")
