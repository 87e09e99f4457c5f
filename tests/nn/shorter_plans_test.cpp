// Plans for short histories against the one plan for all.
#include "nn/passes/shorter_plans.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "nn/exec/row_order.hpp"
#include "nn/own_ops.hpp"
#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr Catalogue kCatalogue{5, 40, 16};

/// An own op that cannot be computed for fewer positions, so that there is one plan only.
OwnOp::Settings for_all_positions(OwnOp::Settings settings) {
  settings.made_for = kCatalogue.max_length;
  settings.otherwise = OwnOp::Otherwise::throws;
  return settings;
}

/// Item and position vectors, an author's own op, a recurrent layer, what belongs to the row behind
/// it.
struct Network {
  explicit Network(const OwnOp::Settings& settings = {}) : own(std::make_shared<OwnOp>(settings)) {
    network.parameters().initialise(3);
    network.head = {.tables = {items.weight}};
    network.on_forward = [this](const Inputs& in) {
      ++recordings;
      const History history = in.history();
      // Numbers made of L: those of the full recording count.
      const double share = 1.0 / history.ids().shape().extent[0];
      const Var x = (items(history.ids()) + positions(history.positions())) * history.mask();
      const Var h = dropout(gru(call(own, dropout(x, 0.2), rate) + share), 0.3);
      const Var last = history.last(softmax(out(h))) * power(history.length(), -0.5);
      return (4 * share) * (concat(last, users(in.user())) * scale);
    };
  }

  ToyNetwork network{kCatalogue};
  Embedding items{network.at("items"), kCatalogue.n_items, 6, normal(0.5), PaddingRow::trained},
      positions{network.at("positions"), kCatalogue.max_length, 6, normal(0.5),
                PaddingRow::trained},
      users{network.at("users"), kCatalogue.n_users, 2, normal(0.5)};
  Gru gru{network.at("gru"), 6, 5, {.layers = 2}};
  Linear out{network.at("out"), 5, 4};
  Parameter rate = network.parameter("rate", {1}, ones());
  Parameter scale = network.parameter("scale", {6}, ones());
  std::shared_ptr<OwnOp> own;
  int recordings = 0;
};

/// What an own op may be, and still be computed for any number of positions.
const OwnOp::Settings kOwnOps[] = {{}, {.by_place = 0.1F}, {.reach = Reach::past, .before = 0.5F}};

/// Rows over the same events: histories of any length, some one behind the other.
struct Rows {
  std::vector<ItemId> events, negatives;
  std::vector<Batch::Entry> entries;

  Rows() {
    Rng rng = Rng(2).fork("events");
    for (int event = 0; event < 400; ++event)
      events.push_back(static_cast<ItemId>(1 + rng.below(kCatalogue.n_items - 1)));
    for (std::int64_t begin = 0; begin < 360; begin += 30) {
      const auto user = static_cast<UserId>(begin / 30 % kCatalogue.n_users);
      const auto first = static_cast<std::int32_t>(rng.below(4));
      const auto last = first + static_cast<std::int32_t>(rng.below(20));
      for (std::int32_t k = first; k <= last; ++k) entries.push_back({begin, k, 1, user});
    }
    for (std::size_t e = 0; e < 2 * entries.size(); ++e)
      negatives.push_back(static_cast<ItemId>(1 + rng.below(kCatalogue.n_items - 1)));
  }
  Batch batch() const { return {events, entries, kCatalogue.max_length, negatives}; }
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
  for (const OwnOp::Settings& settings : kOwnOps) {
    Network several(settings), one(for_all_positions(settings));
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
}

std::vector<float> queries(const Network& network, const Batch& rows, int threads) {
  const Factorised& form = *network.network.factorised();
  const auto q = static_cast<std::size_t>(form.query_size());
  std::vector<float> found(rows.size() * q);
  if (threads == 0)
    form.encode(rows, {found, q});
  else
    form.encode_all(rows, {found, q}, RunContext(1, threads));
  return found;
}

TEST(ShorterPlans, ScoreAsTheFullPlanDoes) {
  const Rows rows;
  const std::size_t n = rows.entries.size();
  for (const OwnOp::Settings& settings : kOwnOps) {
    Network several(settings), one(for_all_positions(settings));
    several.network.ready();
    one.network.ready();
    const std::vector<float> expected = queries(one, rows.batch(), 1);
    for (const int threads : {0, 1, 2}) {
      const std::vector<float> got = queries(several, rows.batch(), threads);
      for (std::size_t e = 0; e < got.size(); ++e) ASSERT_NEAR(got[e], expected[e], 1e-6) << e;
    }
    const std::size_t q = expected.size() / n;
    for (std::size_t row = 0; row < n; ++row) {
      const std::vector<float> alone = queries(several, rows.batch().rows(row, 1), 0);
      for (std::size_t e = 0; e < q; ++e) ASSERT_NEAR(alone[e], expected[row * q + e], 1e-6) << row;
    }
  }
}

TEST(ShorterPlans, GiveAnOwnOpFewerPositions) {
  const auto vectors = [](const OwnOp::Settings& settings, std::size_t items) {
    Network network(settings);
    network.network.ready();
    ToyRows rows(kCatalogue.max_length);
    rows.add(1, std::vector<ItemId>(items, 3), 2);
    queries(network, rows.batch(), 0);
    return network.own->vectors.load();
  };
  for (const OwnOp::Settings& settings : kOwnOps) {
    EXPECT_EQ(vectors(settings, 1), 2U);
    EXPECT_EQ(vectors(settings, 5), 6U);
    EXPECT_EQ(vectors(settings, 16), 16U);
    EXPECT_EQ(vectors(for_all_positions(settings), 1), 16U);
  }
}

TEST(ShorterPlans, NeedNoRecordingOfTheirOwn) {
  Network network;
  network.network.ready();
  EXPECT_EQ(network.recordings, 1);
  const TrainStep first(network.network, {}), second(network.network, {});
  EXPECT_EQ(network.recordings, 3);
}

/// The loss's recording, and its plans.
struct Plans {
  explicit Plans(const ToyNetwork& network)
      : full({.catalogue = network.catalogue(), .training = true},
             [&](const Inputs& in) { return network.calculate_loss(in); }),
        shorter(full) {}
  Recording full;
  ShorterPlans shorter;
};

TEST(ShorterPlans, JustHoldTheRows) {
  const Network network;
  const Plans plans(network.network);
  EXPECT_FALSE(plans.shorter.empty());
  EXPECT_EQ(plans.shorter.obstacle(), "");
  for (const auto& [items, length] :
       {std::pair{0, 2}, {1, 2}, {2, 2}, {3, 4}, {8, 8}, {13, 14}, {15, 16}, {16, 16}})
    EXPECT_EQ(plans.shorter.plan_for(items).length(), length) << items;
}

/// Why a network has no shorter plans; "": it has some.
std::string obstacle(const std::function<Var(const Network&, const Inputs&)>& forward,
                     const OwnOp::Settings& settings = {}) {
  Network network(settings);
  network.network.on_forward = [&](const Inputs& in) { return forward(network, in); };
  const Plans plans(network.network);
  EXPECT_EQ(plans.shorter.empty(), !plans.shorter.obstacle().empty());
  EXPECT_EQ(plans.shorter.plan_for(1).length() == kCatalogue.max_length, plans.shorter.empty());
  return plans.shorter.obstacle();
}

Var with_own_op(const Network& n, const Inputs& in) {
  const History history = in.history();
  const Var h = n.gru(call(n.own, n.items(history.ids()), n.rate).named("mine"));
  return history.last(concat(h, slice(h, 0, 1)));
}

TEST(ShorterPlans, AreNotMadeWhereTheProofFails) {
  EXPECT_EQ(obstacle([](auto& n, auto& in) { return max_over_time(n.items(in.history().ids())); }),
            "nothing is taken at the last item of a history");
  EXPECT_EQ(obstacle([](auto& n, auto& in) {
              const History history = in.history();
              const Var x = n.items(history.ids());
              return history.last(x) + max_over_time(x);
            }),
            "op 'max_over_time' may look at any position, not at the past alone");
  EXPECT_EQ(obstacle([](auto& n, auto& in) {
              const History history = in.history(Padding::left);
              return history.last(n.items(history.ids()));
            }),
            "histories are padded left");
  EXPECT_EQ(obstacle(with_own_op, {.reach = Reach::unknown}),
            "op 'mine' may look at any position, not at the past alone");
}

TEST(ShorterPlans, AreNotMadeWhereAnOpCannotRunShorter) {
  EXPECT_EQ(obstacle(with_own_op, for_all_positions({})), "own: wants all positions");
  EXPECT_THAT(obstacle(with_own_op, {.made_for = kCatalogue.max_length,
                                     .otherwise = OwnOp::Otherwise::throws_a_number}),
              HasSubstr("no std::exception for 2 positions"));
  EXPECT_THAT(obstacle(with_own_op, {.made_for = kCatalogue.max_length,
                                     .otherwise = OwnOp::Otherwise::another_shape}),
              AllOf(HasSubstr("op 'mine'"), HasSubstr("[16, 6]")));
  EXPECT_THAT(obstacle([](auto& n, auto& in) {
                const History history = in.history();
                return history.last(n.items(history.ids()) * n.positions.weight);
              }),
              HasSubstr("multiply: shapes [2, 6] and [16, 6]"));
}

TEST(ShorterPlans, TakeWhatTheFullRecordingMadeOfItsLength) {
  EXPECT_EQ(obstacle([](auto& n, auto& in) {
              const History history = in.history();
              if (history.ids().shape().extent[0] < 5) throw ModelError("at least five positions");
              return history.last(n.items(history.ids()));
            }),
            "");
  EXPECT_EQ(obstacle([](auto& n, auto& in) {
              const History history = in.history();
              const Var x = n.items(history.ids());
              return history.last(history.ids().shape().extent[0] > 5 ? x : 2.0 * x);
            }),
            "");
}

/// y = how many ids are 0, ids [L]: nothing of it says that it looks at each pad.
class Pads final : public Op {
 public:
  std::string_view name() const noexcept override { return "pads"; }
  Shape output_shape(const OpShapes&) const override { return {1}; }
  void forward(const OpForward& c) const override {
    const std::size_t length = c.ids[0].size() / c.rows;
    for (std::size_t r = 0; r < c.rows; ++r) {
      const auto row = c.ids[0].subspan(r * length, length);
      c.output[r] = static_cast<float>(std::ranges::count(row, 0));
    }
  }
  void backward(const OpBackward&) const override {}
};

// What is fixed or belongs to the row may look at all positions, and then wants all.
TEST(ShorterPlans, AreNotMadeWhereSomethingBehindTheProofWantsAllPositions) {
  const auto beside = [](const std::function<Var(const Network&, const Inputs&)>& other) {
    return obstacle([&](auto& n, auto& in) {
      const History history = in.history();
      return history.last(n.items(history.ids())) + other(n, in);
    });
  };
  const auto places = [](auto& n, auto& in) { return n.positions(in.history().positions()); };
  EXPECT_EQ(beside([](auto&, auto& in) { return power(in.history().length(), -0.5); }), "");
  EXPECT_THAT(beside([](auto&, auto& in) {
                return call(std::make_shared<Pads>(), in.history().ids()).named("mine");
              }),
              HasSubstr("'mine'"));
  EXPECT_THAT(beside([&](auto& n, auto& in) { return sum_over_time(places(n, in)); }),
              HasSubstr("'sum_over_time'"));
  EXPECT_THAT(beside([&](auto& n, auto& in) { return take(places(n, in), -1).named("end"); }),
              HasSubstr("'end'"));
  EXPECT_THAT(beside([&](auto& n, auto& in) {
                const History history = in.history();
                const Var query = n.items(history.last_item());
                return sum(in.score(query, n.network.head, history.ids()));
              }),
              HasSubstr("'sum'"));
}

TEST(ShorterPlans, AreNotMadeWhereTheLossLooksAtEachPosition) {
  Network network;
  network.network.on_loss = [&](const Inputs& in) {
    return in.loss(network.network.forward(in), network.network.head) +
           emb_loss(network.positions(in.history().positions()).named("places"));
  };
  EXPECT_THAT(Plans(network.network).shorter.obstacle(), HasSubstr("'places'"));
}

TEST(LengthOrder, PutsLongHistoriesFirst) {
  const std::vector<ItemId> events(200, 1);
  const std::vector<Batch::Entry> entries{{0, 2, 1, 1},  {0, 3, 1, 1},   {0, 4, 1, 1},
                                          {50, 3, 1, 2}, {50, 30, 1, 2}, {90, 0, 1, 3}};
  const std::vector<ItemId> negatives{10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 61};
  const Batch rows(events, entries, 16, negatives);
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
