#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/op_check.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

Values naive_select(const NaiveRow& n, const std::vector<int>& positions) {
  Values y;
  for (const int t : positions)
    for (int e = 0; e < kSize; ++e) y.push_back(n.x()[static_cast<std::size_t>(t * kSize + e)]);
  return y;
}

TEST(TimeOps, SumTakeAndSelect) {
  check({"sum_over_time",
         {},
         [](const Recorder& r) { return sum_over_time(r.x()); },
         [](const NaiveRow& n) {
           Values y(kSize, 0.0);
           for (std::size_t e = 0; e < n.x().size(); ++e) y[e % kSize] += n.x()[e];
           return y;
         }});
  for (const int position : {0, 2, -1, -4})
    check({"take " + std::to_string(position),
           {},
           [=](const Recorder& r) { return take(r.x(), position); },
           [=](const NaiveRow& n) {
             return naive_select(n, {position < 0 ? position + kLength : position});
           }});
  check({"select, one position twice",
         {},
         [](const Recorder& r) {
           return select(r.x(), r.in.derive("where", 3, [](const Derivation& d, auto out) {
             out[0] = 3;
             out[1] = d.row.user;
             out[2] = 3;
           }));
         },
         [](const NaiveRow& n) {
           return naive_select(n, {3, n.row.user, 3});
         }});
}

TEST(TimeOps, MaxTakesTheLargestPosition) {
  // Ties exist (pads, an item twice): they have the same item, which gets the gradient.
  check({"max_over_time",
         {},
         [](const Recorder& r) { return max_over_time(r.x()); },
         [](const NaiveRow& n) {
           const Values x = n.x();
           const std::vector<int> ids = n.history();
           Values y;
           for (std::size_t e = 0; e < kSize; ++e) {
             std::size_t best = 0;
             for (std::size_t t = 1; t < kLength; ++t)
               if (x[t * kSize + e] > x[best * kSize + e]) best = t;
             for (std::size_t t = 0; t < kLength; ++t)
               if (ids[t] != ids[best]) kink_at(x[best * kSize + e] - x[t * kSize + e]);
             y.push_back(x[best * kSize + e]);
           }
           return y;
         }});
}

TEST(TimeOps, MaxLetsNaNThrough) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Parameter items = network.parameter("items", {kItems, 1}, zeros());
  std::vector<float> values(kItems, 1.0F);
  values[2] = std::numeric_limits<float>::quiet_NaN();
  items.assign(values);
  ToyRows rows(kLength);
  rows.add(1, {1, 2, 3}, 3);
  rows.add(1, {1, 3}, 3);
  const auto y = run_forward(network, rows.batch(), [&](const Inputs& in) {
    return max_over_time(Recorder{network, in}.x());
  });
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[1], 1);
}

struct Expected {
  std::vector<int> ids, mask;
  int length, last, last_item;
};

class HistorySides : public ::testing::TestWithParam<Padding> {};

TEST_P(HistorySides, IdsMaskLengthAndLast) {
  const bool left = GetParam() == Padding::left;
  const std::vector<Expected> expected{
      {left ? std::vector<int>{0, 0, 1, 2} : std::vector<int>{1, 2, 0, 0}, {}, 2, left ? 3 : 1, 2},
      {{3, 4, 5, 6}, {}, 4, 3, 6},
      {{0, 0, 0, 0}, {}, 1, left ? 3 : 0, 0},  // empty: one pad
      {left ? std::vector<int>{0, 0, 0, 6} : std::vector<int>{6, 0, 0, 0}, {}, 1, left ? 3 : 0, 6},
      {{2, 1, 5, 3}, {}, 4, 3, 3},  // the last four of five
  };
  ToyNetwork network({kUsers, kItems, kLength});
  const Parameter numbers = network.parameter("numbers", {kItems, 1}, zeros());
  numbers.assign(std::vector<float>{0, 1, 2, 3, 4, 5, 6});  // turns ids into floats
  const Embedding table = [&] {
    Embedding e;
    e.weight = numbers;
    return e;
  }();
  const ToyRows rows = case_rows(0);
  const auto got = run_forward(network, rows.batch(), [&](const Inputs& in) {
    const History h = in.history(GetParam());
    return concat(flatten(table(h.ids())), flatten(h.mask()), h.length(),
                  h.last(table(h.positions())), table(h.last_item()), h.last(table(h.ids())));
  });
  const std::size_t width = 2 * kLength + 4;
  ASSERT_EQ(got.size(), width * expected.size());
  for (std::size_t r = 0; r < expected.size(); ++r) {
    const float* y = got.data() + r * width;
    for (std::size_t t = 0; t < kLength; ++t) {
      EXPECT_EQ(y[t], expected[r].ids[t]) << "row " << r;
      EXPECT_EQ(y[kLength + t], expected[r].ids[t] != 0) << "row " << r;
    }
    EXPECT_EQ(y[2 * kLength], expected[r].length) << "row " << r;
    EXPECT_EQ(y[2 * kLength + 1], expected[r].last) << "row " << r;
    EXPECT_EQ(y[2 * kLength + 2], expected[r].last_item) << "row " << r;
    EXPECT_EQ(y[2 * kLength + 3], expected[r].last_item) << "row " << r;
  }
}
INSTANTIATE_TEST_SUITE_P(Padding, HistorySides, ::testing::Values(Padding::left, Padding::right),
                         [](const auto& side) {
                           return side.param == Padding::left ? "Left" : "Right";
                         });

TEST(TimeOps, GradientsThroughTheHistory) {
  check({"last",
         {},
         [](const Recorder& r) { return r.in.history().last(r.x()); },
         [](const NaiveRow& n) {
           return n.row_of("items", n.row.history.empty() ? 0 : n.row.history.back());
         }});
  check({"mean of the items",
         {},
         [](const Recorder& r) {
           const History h = r.in.history();
           return sum_over_time(r.x() * h.mask()) * power(h.length(), -1);
         },
         [](const NaiveRow& n) {
           Values y(kSize, 0.0);
           const auto length = static_cast<double>(std::max<std::size_t>(1, n.row.history.size()));
           for (const ItemId item : n.row.history)
             for (std::size_t e = 0; e < kSize; ++e) y[e] += n.row_of("items", item)[e] / length;
           return y;
         }});
  check({"position vectors",
         {{"positions", {kLength, kSize}}},
         [](const Recorder& r) {
           Embedding table;
           table.weight = r.p("positions");
           table.padding_row = PaddingRow::trained;
           return r.x() * table(r.in.history().positions());
         },
         [](const NaiveRow& n) {
           Values y = n.x();
           for (std::size_t e = 0; e < y.size(); ++e) y[e] *= n.p("positions")[e];
           return y;
         }});
}

TEST(TimeOps, FrozenPaddingRowGetsNoGradient) {
  ToyNetwork network({kUsers, kItems, kLength});
  Embedding frozen(network.at("frozen"), kItems, 2, ones()),
      trained(network.at("trained"), kItems, 2, ones(), PaddingRow::trained);
  network.on_loss = [&](const Inputs& in) {
    const Ids ids = in.history().ids();
    return mean(sum(sum_over_time(frozen(ids)) + sum_over_time(trained(ids))));
  };
  const auto step = step_over_cases(network);
  // How often an id stands in the five padded histories: pads 2 + 0 + 4 + 3 + 0.
  const std::vector<float> times{9, 2, 2, 2, 1, 2, 2};
  for (std::size_t e = 0; e < 2 * kItems; ++e) {
    EXPECT_FLOAT_EQ(step->gradient("trained.weight")[e], times[e / 2] / 5);
    EXPECT_FLOAT_EQ(step->gradient("frozen.weight")[e], e < 2 ? 0 : times[e / 2] / 5);
  }
}

TEST(TimeOps, DerivedIdsStartAsZerosAndHaveOwnRandomness) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding table(network.at("numbers"), 1000, 1, zeros());
  std::vector<float> numbers(1000);
  for (std::size_t n = 0; n < numbers.size(); ++n) numbers[n] = static_cast<float>(n);
  table.weight.assign(numbers);
  const auto record = [&](const Inputs& in) {
    return flatten(table(in.derive("draw", 3, [](const Derivation& d, auto out) {
      EXPECT_EQ(out[1], 0);
      Rng rng = d.rng;
      out[0] = static_cast<std::int32_t>(rng.below(1000));
      out[2] = d.training ? 1 : 2;
    })));
  };
  const ToyRows rows = random_rows({kUsers, kItems, kLength}, 12);
  const Batch all = rows.batch();
  const auto together = run_forward(network, all, record);
  for (std::size_t r = 0; r < all.size(); ++r) {  // a row's draw is its own, wherever it stands
    const auto alone = run_forward(network, all.rows(r, 1), record);
    EXPECT_EQ(alone[0], together[3 * r]);
    EXPECT_EQ(alone[1], 0);
    EXPECT_EQ(alone[2], 1);
  }
  EXPECT_EQ(run_forward(network, all, record, false)[2], 2);
  EXPECT_NE(together[0], together[3]);
}

TEST(TimeOps, DerivedIdsNeverStandForTheHosts) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding table(network.at("numbers"), kItems, 1, zeros());
  table.weight.assign(std::vector<float>{0, 1, 2, 3, 4, 5, 6});
  const ToyRows rows = case_rows(0);
  const auto y = run_forward(network, rows.batch().rows(1, 1), [&](const Inputs& in) {
    in.derive("history", kLength, [](const Derivation&, auto) {});
    return flatten(table(in.history().ids()));
  });
  EXPECT_EQ(y, (std::vector<float>{3, 4, 5, 6}));
}

TEST(TimeOps, HistoryPaddedOnBothSidesIsRefused) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Embedding table(network.at("items"), kItems, 2, zeros());
  const ToyRows rows = case_rows(0);
  EXPECT_THROW(run_forward(network, rows.batch(),
                           [&](const Inputs& in) {
                             return table(in.history(Padding::left).ids()) +
                                    table(in.history(Padding::right).ids());
                           }),
               ModelError);
}

TEST(TimeOps, ShapesThatDoNotFitAreRefusedByName) {
  ToyNetwork network({kUsers, kItems, kLength});
  network.parameter("items", {kItems, kSize}, zeros());
  network.parameter("users", {kUsers, kSize}, zeros());
  const ToyRows rows = case_rows(0);
  const auto refused = [&](const char* text, const std::function<Var(const Recorder&)>& record) {
    try {
      run_forward(network, rows.batch(), [&](const Inputs& in) { return record({network, in}); });
      ADD_FAILURE() << "no error, expected: " << text;
    } catch (const ModelError& e) {
      EXPECT_STREQ(e.what(), text);
    }
  };
  refused("sum_over_time: shape [3] is not [time, size]",
          [](const Recorder& r) { return sum_over_time(r.v()); });
  refused("max_over_time: shape [3] is not [time, size]",
          [](const Recorder& r) { return max_over_time(r.v()); });
  refused("take: position 4 of a history of 4", [](const Recorder& r) { return take(r.x(), 4); });
  refused("take: position -5 of a history of 4", [](const Recorder& r) { return take(r.x(), -5); });
  refused("derive: size 0 of 'none' is not at least 1", [](const Recorder& r) {
    return select(r.x(), r.in.derive("none", 0, [](const Derivation&, auto) {}));
  });
}

}  // namespace
}  // namespace recloom::nn
