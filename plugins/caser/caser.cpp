// Caser (Tang & Wang, WSDM 2018). The defaults are RecBole's form; every difference between it, the
// authors' program and the paper is a switch here or a key of train.*; presets put them together.
#include <algorithm>
#include <string>
#include <vector>

#include "recloom/plugin/plugin.hpp"

using namespace recloom;

class Caser final : public NetworkRecommender {
 public:
  enum class OutputLayer { automatic, yes, no };
  struct Options {
    int embedding_size = 64, nv = 4, nh = 8;
    std::vector<int> heights;
    bool user = true;
    double dropout_prob = 0.4, reg_weight = 1e-4;
    nn::Activation conv_activation = nn::Activation::relu, fc1_activation = nn::Activation::relu;
    nn::Padding padding = nn::Padding::right;
    nn::PaddingRow padding_row = nn::PaddingRow::frozen;
    bool tied = true, output_relu = true;
    OutputLayer output_layer = OutputLayer::automatic;

    void describe(ParamSchema& s) {
      constexpr std::pair<std::string_view, nn::Activation> activations[] = {
          {"identity", nn::Activation::identity},
          {"relu", nn::Activation::relu},
          {"tanh", nn::Activation::tanh},
          {"sigmoid", nn::Activation::sigmoid}};
      s.integer("embedding_size", embedding_size, {1, 4096}, "size d of item and user vectors");
      s.integer("nv", nv, {0, 4096}, "vertical filters; 0 leaves part v out");
      s.integer("nh", nh, {0, 4096}, "horizontal filters of each height; 0 leaves part h out");
      s.integers("heights", heights, {1, 65536},
                 "heights of the horizontal filters, from 1 to data.max_length; []: all of them");
      s.flag("user", user, "whether there are user vectors, part p");
      s.real("dropout_prob", dropout_prob, {0, 0.999}, "dropout before fc1");
      s.real("reg_weight", reg_weight, {0, 1e3}, "weight of the norms of tables and weights");
      s.choice("conv_activation", conv_activation, activations,
               "phi_c, of the horizontal filters before their maximum over time");
      s.choice("fc1_activation", fc1_activation, activations, "phi_a, behind fc1");
      s.choice("padding", padding, {{"left", nn::Padding::left}, {"right", nn::Padding::right}},
               "side of short histories that is padded");
      s.choice("padding_row", padding_row,
               {{"frozen", nn::PaddingRow::frozen}, {"trained", nn::PaddingRow::trained}},
               "whether the item vector of padding learns where it is looked up");
      s.choice("output", tied, {{"tied", true}, {"untied", false}},
               "score with the input item table, or with an own one and a bias");
      s.choice(
          "output_layer", output_layer,
          {{"auto", OutputLayer::automatic}, {"yes", OutputLayer::yes}, {"no", OutputLayer::no}},
          "whether a layer fc2 makes a vector of size d of z and user; auto: if tied. Without "
          "it they are scored side by side (untied), or their sum is (tied)");
      s.flag("output_relu", output_relu, "ReLU behind fc2");
      s.suggest("data.max_length", 10);
    }
  };

  Caser(const Options& options, const Catalogue& c) : NetworkRecommender(c), o(options) {
    check_options(c);
    const int d = o.embedding_size, L = c.max_length;
    const nn::Init table = nn::normal(1.0 / d);
    if (o.user) user_embedding = nn::Embedding(at("user_embedding"), c.n_users, d, table);
    item_embedding = nn::Embedding(at("item_embedding"), c.n_items, d, table, o.padding_row);
    if (o.nv > 0) conv_v = nn::TimeMix(at("conv_v"), L, o.nv);
    for (const int h : o.heights) conv_h.emplace_back(at("conv_h", h - 1), d, o.nh, h);
    const int parts = o.nv * d + o.nh * static_cast<int>(o.heights.size());
    if (parts > 0) fc1 = nn::Linear(at("fc1"), parts, d);
    const int width = (parts > 0 ? d : 0) + (o.user ? d : 0);  // of z and user, side by side
    if (has_layer()) fc2 = nn::Linear(at("fc2"), width, d);
    if (o.tied) return;
    const int columns = has_layer() ? d : width;
    output_embedding =
        nn::Embedding(at("output_embedding"), c.n_items, columns, nn::normal(1.0 / columns));
    output_bias = parameter("output_bias", {c.n_items}, nn::zeros());
  }

  nn::Var forward(const nn::Inputs& in) const override {
    const nn::Var e = item_embedding(in.history(o.padding).ids());  // [L, d]
    nn::Var vertical, horizontal, z, user;
    if (conv_v.weight) vertical = flatten(conv_v(e)).named("vertical");  // [nv d]
    if (!conv_h.empty())                                                 // [nh heights]
      horizontal = conv_max_over_time(conv_h, e, o.conv_activation).named("horizontal");
    if (fc1.weight) {
      const nn::Var filters = dropout(concat(vertical, horizontal), o.dropout_prob);
      z = activate(fc1(filters), o.fc1_activation).named("fc1");  // [d]
    }
    if (o.user) user = user_embedding(in.user());  // [d]
    if (!has_layer()) return o.tied && z && user ? z + user : concat(z, user);
    const nn::Var x = fc2(concat(z, user));
    return o.output_relu ? relu(x) : x;
  }
  nn::ItemHead item_head() const override {
    if (o.tied) return {.tables = {item_embedding.weight}, .padding_row = o.padding_row};
    return {.tables = {output_embedding.weight}, .bias = output_bias, .padding_row = o.padding_row};
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
  bool has_layer() const {
    return o.output_layer == OutputLayer::automatic ? o.tied : o.output_layer == OutputLayer::yes;
  }
  /// Fills in and sorts the heights.
  void check_options(const Catalogue& c) {
    const int L = c.max_length;
    if (o.nh == 0) o.heights.clear();
    if (o.nh > 0 && o.heights.empty())
      for (int h = 1; h <= L; ++h) o.heights.push_back(h);
    std::ranges::sort(o.heights);
    o.heights.erase(std::ranges::unique(o.heights).begin(), o.heights.end());
    if (!o.heights.empty() && o.heights.back() > L)
      throw ConfigError("caser: model.params.heights has " + std::to_string(o.heights.back()) +
                        ", more than the " + std::to_string(L) +
                        " items of a history (legal: 1 to data.max_length, or raise that)");
    if (o.nv == 0 && o.nh == 0 && !o.user)
      throw ConfigError("caser: nv and nh are both 0, and user is false: nothing is left");
    double filters = 0;  // numbers in all horizontal filters
    for (const int h : o.heights) filters += 1.0 * o.nh * o.embedding_size * h;
    if (filters > 1e9)
      throw ConfigError("caser: the horizontal filters of all heights would have " +
                        std::to_string(filters / 1e9) +
                        " * 10^9 numbers, more than 10^9: lower data.max_length, nh or "
                        "embedding_size, or name fewer heights");
  }

  Options o;
  nn::Embedding user_embedding, item_embedding, output_embedding;
  nn::TimeMix conv_v;
  std::vector<nn::TimeConv> conv_h;
  nn::Linear fc1, fc2;
  nn::Parameter output_bias;
};

RECLOOM_PLUGIN(Caser, "caser", "1.1.0", "Convolutional sequence embedding")
