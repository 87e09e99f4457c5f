// Plans for short histories against the one plan for all.
#include "nn/shorter_plans.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "nn/toy_network.hpp"
#include "nn/train_step.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{5, 40, 16};

/// Item and position vectors, a recurrent layer, what belongs to the row behind it. With an op of
/// its own, which may have been made for L, it has one plan only.
struct Network {
  explicit Network(bool own_op) {
    network.parameters().initialise(3);
    network.head = {.tables = {items.weight}};
    network.on_forward = [this, own_op](const Inputs& in) {
      const History history = in.history();
      Var x = (items(history.ids()) + positions(history.positions())) * history.mask();
      if (own_op) x = call(same, x, rate);
      const Var h = dropout(gru(dropout(x, 0.2)), 0.3);
      const Var last = history.last(softmax(out(h))) * power(history.length(), -0.5);
      // A number made of L, behind the history: that of the full recording counts.
      return (1.0 / history.ids().shape().extent[0]) * (concat(last, users(in.user())) * scale);
    };
  }

  /// y = x; says nothing of L that its operands do not tell, but nobody knows that.
  class Same final : public Op {
   public:
    std::string_view name() const noexcept override { return "same"; }
    Shape output_shape(std::span<const Shape> inputs) const override { return inputs[0]; }
    Reach reach(std::size_t, std::span<const Shape>) const override { return Reach::same; }
    void forward(const OpForward& c) const override {
      std::ranges::copy(c.inputs[0], c.output.begin());
    }
    void backward(const OpBackward& c) const override {
      for (std::size_t e = 0; e < c.output.size(); ++e)
        c.input_gradients[0][e] += c.output_gradient[e];
    }
  };

  ToyNetwork network{kCatalogue};
  Embedding items{network.at("items"), kCatalogue.n_items, 6, normal(0.5), PaddingRow::trained},
      positions{network.at("positions"), kCatalogue.max_length, 6, normal(0.5),
                PaddingRow::trained},
      users{network.at("users"), kCatalogue.n_users, 2, normal(0.5)};
  Gru gru{network.at("gru"), 6, 5, {.layers = 2}};
  Linear out{network.at("out"), 5, 4};
  Parameter rate = network.parameter("rate", {1}, ones(), Trained::no);
  Parameter scale = network.parameter("scale", {6}, ones());
  std::shared_ptr<Same> same = std::make_shared<Same>();
};

/// Rows of a tape: histories of any length, some one behind the other.
struct Rows {
  std::vector<ItemId> tape, negatives;
  std::vector<Batch::Entry> entries;

  Rows() {
    Rng rng = Rng(2).fork("tape");
    for (int event = 0; event < 400; ++event)
      tape.push_back(static_cast<ItemId>(1 + rng.below(kCatalogue.n_items - 1)));
    for (std::int64_t begin = 0; begin < 360; begin += 30) {
      const auto user = static_cast<UserId>(begin / 30 % kCatalogue.n_users);
      const auto first = static_cast<std::int32_t>(rng.below(4));
      const auto last = first + static_cast<std::int32_t>(rng.below(20));
      for (std::int32_t k = first; k <= last; ++k) entries.push_back({begin, k, 1, user});
    }
    for (std::size_t e = 0; e < 2 * entries.size(); ++e)
      negatives.push_back(static_cast<ItemId>(1 + rng.below(kCatalogue.n_items - 1)));
  }
  Batch batch() const { return {tape, entries, kCatalogue.max_length, negatives}; }
};

std::vector<float> results(Network& network, const Rows& rows, const std::string& loss, bool share,
                           int threads) {
  StepOptions options;
  options.loss = loss;
  options.n_negatives = 2;
  options.batch_size = static_cast<int>(rows.entries.size());
  options.shard_rows = 8;
  options.share_past = share;
  TrainStep step(network.network, options);
  RunContext run(1, threads);
  const StepResult result = step.compute_gradients(rows.batch(), {5, 1, 0}, run);
  std::vector<float> all{static_cast<float>(result.loss)};
  for (std::size_t p = 0; p < network.network.parameters().size(); ++p) {
    const auto gradient = step.gradient(network.network.parameters()[p].name());
    all.insert(all.end(), gradient.begin(), gradient.end());
  }
  return all;
}

TEST(ShorterPlans, GiveWhatTheFullPlanGives) {
  const Rows rows;
  Network several(false), one(true);
  for (const char* loss : {"CE", "BPR"})
    for (const bool share : {false, true}) {
      SCOPED_TRACE(std::string(loss) + (share ? " shared" : ""));
      const std::vector<float> expected = results(one, rows, loss, share, 1);
      const std::vector<float> got = results(several, rows, loss, share, 1);
      ASSERT_EQ(got.size(), expected.size());
      for (std::size_t e = 0; e < got.size(); ++e) ASSERT_NEAR(got[e], expected[e], 1e-6) << e;
      for (const int threads : {2, 4})
        EXPECT_EQ(results(several, rows, loss, share, threads), got) << threads;
    }
}

TEST(ShorterPlans, ScoreAsTheFullPlanDoes) {
  const Rows rows;
  Network several(false), one(true);
  several.network.ready();
  one.network.ready();
  const std::size_t n = rows.entries.size();
  const auto queries = [&](const Network& network, int threads) {
    const Factorised& form = *network.network.factorised();
    const auto q = static_cast<std::size_t>(form.query_size());
    std::vector<float> found(n * q);
    if (threads == 0)
      form.encode(rows.batch(), {found, q});
    else
      form.encode_all(rows.batch(), {found, q}, RunContext(1, threads));
    return found;
  };
  const std::vector<float> expected = queries(one, 1);
  for (const int threads : {0, 1, 2}) {
    const std::vector<float> got = queries(several, threads);
    for (std::size_t e = 0; e < got.size(); ++e) ASSERT_NEAR(got[e], expected[e], 1e-6) << e;
  }
  const Factorised& form = *several.network.factorised();
  const auto q = static_cast<std::size_t>(form.query_size());
  for (std::size_t row = 0; row < n; ++row) {
    std::vector<float> alone(q);
    form.encode(rows.batch().rows(row, 1), {alone, q});
    for (std::size_t e = 0; e < q; ++e) ASSERT_NEAR(alone[e], expected[row * q + e], 1e-6) << row;
  }
}

/// A network's loss, recorded for histories of at most `length` items.
std::unique_ptr<Recording> record(const ToyNetwork& network, int length) {
  GraphSettings settings{.catalogue = network.catalogue(), .training = true};
  settings.catalogue.max_length = length;
  return std::make_unique<Recording>(network, settings);
}

struct Plans {
  explicit Plans(const ToyNetwork& network)
      : full(record(network, kCatalogue.max_length)),
        shorter(*full, [&](int length) { return record(network, length); }) {}
  /// The length of the plan for a row of so many items.
  int length_for(std::int32_t items) const {
    const std::vector<ItemId> tape(64, 1);
    const Batch::Entry entry{0, items, 1, 1};
    const Batch row(tape, std::span(&entry, 1), kCatalogue.max_length);
    return shorter.plan_for(row).graph().settings().catalogue.max_length;
  }
  std::unique_ptr<Recording> full;
  ShorterPlans shorter;
};

TEST(ShorterPlans, JustHoldTheRows) {
  const Network network(false);
  const Plans plans(network.network);
  EXPECT_FALSE(plans.shorter.empty());
  for (const auto& [items, length] :
       {std::pair{0, 2}, {1, 2}, {2, 2}, {3, 4}, {8, 8}, {13, 14}, {15, 16}, {16, 16}, {40, 16}})
    EXPECT_EQ(plans.length_for(items), length) << items;
}

TEST(ShorterPlans, AreNotMadeWhereTheyCouldDiffer) {
  const auto without = [](const std::function<Var(const Network&, const Inputs&)>& forward) {
    Network network(false);
    network.network.on_forward = [&](const Inputs& in) { return forward(network, in); };
    return Plans(network.network).shorter.empty();
  };
  EXPECT_TRUE(Plans(Network(true).network).shorter.empty()) << "an op of its own";
  EXPECT_TRUE(without([](auto& n, auto& in) { return max_over_time(n.items(in.history().ids())); }))
      << "not causal";
  EXPECT_TRUE(without([](auto& n, auto& in) {
    const History history = in.history(Padding::left);
    return history.last(n.items(history.ids()));
  })) << "padded left";
  EXPECT_TRUE(without([](auto& n, auto& in) {
    const History history = in.history();
    if (history.ids().shape().extent[0] < 5) throw ModelError("at least five positions");
    return history.last(n.items(history.ids()));
  })) << "cannot be recorded";
  EXPECT_TRUE(without([](auto& n, auto& in) {
    const History history = in.history();
    const Var x = n.items(history.ids());
    return history.last(history.ids().shape().extent[0] > 5 ? x : 2.0 * x);
  })) << "another recording";
  EXPECT_TRUE(without([](auto& n, auto& in) {
    const History history = in.history();
    const Var x = n.items(history.ids());
    const Var h = n.gru((1.0 / x.shape().extent[0]) * x);
    return history.last(concat(h, slice(x, 0, 1)));
  })) << "another constant";
  EXPECT_FALSE(without([](auto& n, auto& in) {
    const History history = in.history();
    return history.last(n.items(history.ids()));
  }));
}

TEST(LengthOrder, PutsLongHistoriesFirst) {
  const std::vector<ItemId> tape(200, 1);
  const std::vector<Batch::Entry> entries{{0, 2, 1, 1},  {0, 3, 1, 1},   {0, 4, 1, 1},
                                          {50, 3, 1, 2}, {50, 30, 1, 2}, {90, 0, 1, 3}};
  const std::vector<ItemId> negatives{10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 61};
  const Batch rows(tape, entries, 16, negatives);
  const auto lengths = [&](bool keep_together) {
    LengthOrder order;
    const Batch sorted = order.sort(rows, keep_together);
    std::vector<int> found;
    for (std::size_t row = 0; row < sorted.size(); ++row) {
      const Batch::Entry& entry = sorted.entries()[row];
      found.push_back(entry.history_length);
      std::size_t before = 0;  // Each row brings its own negatives.
      while (entries[before].begin != entry.begin ||
             entries[before].history_length != entry.history_length)
        ++before;
      EXPECT_EQ(sorted[row].negatives[0], negatives[2 * before]);
      EXPECT_EQ(sorted[row].negatives[1], negatives[2 * before + 1]);
    }
    return found;
  };
  EXPECT_EQ(lengths(false), (std::vector<int>{30, 4, 3, 3, 2, 0}));
  EXPECT_EQ(lengths(true), (std::vector<int>{30, 2, 3, 4, 3, 0}));
}

}  // namespace
}  // namespace recloom::nn
