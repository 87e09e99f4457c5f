#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "nn/step/train_step.hpp"
#include "nn/toy_network.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

constexpr Catalogue kCatalogue{8, 30, 5};

/// Scores by tables, bias, similarity and scale as a test wants; the query is a sum of lookups, so
/// that a naive loop knows it.
struct Scorer {
  ToyNetwork network;
  Embedding users, inputs;
  std::vector<Embedding> tables;
  Parameter bias;

  explicit Scorer(const Catalogue& c, const std::vector<int>& widths, Similarity similarity,
                  float scale, bool with_bias)
      : network(c) {
    int q = 0;
    for (const int width : widths) q += width;
    users = Embedding(network.at("users"), c.n_users, q, zeros());
    inputs = Embedding(network.at("inputs"), c.n_items, q, zeros());
    for (std::size_t t = 0; t < widths.size(); ++t)
      tables.emplace_back(network.at("table", static_cast<int>(t)), c.n_items, widths[t], zeros());
    if (with_bias) bias = network.parameter("bias", {c.n_items}, zeros());
    fill_all(network, -1, 1);
    for (const Embedding& table : tables) network.head.tables.push_back(table.weight);
    network.head.bias = bias;
    network.head.similarity = similarity;
    network.head.scale = scale;
    network.on_forward = [this](const Inputs& in) {
      return users(in.user()) + sum_over_time(inputs(in.history(Padding::left).ids()));
    };
    network.ready();
  }

  std::vector<float> all(const Batch& rows) const {
    std::vector<float> scores(rows.size() * network.n_items());
    network.full_sort_predict(rows, {scores, network.n_items()});
    return scores;
  }

  std::vector<double> query(const Row& row) const {
    const auto q = static_cast<std::size_t>(users.weight.shape().last());
    std::vector<double> result(q, 0);
    for (std::size_t e = 0; e < q; ++e) {
      const auto vectors = users.weight.values();
      if (row.user == 0) {  // unknown: the mean of all real users
        for (std::size_t u = 1; u < network.n_users(); ++u)
          result[e] += vectors[u * q + e] / static_cast<double>(network.n_users() - 1);
      } else {
        result[e] = vectors[static_cast<std::size_t>(row.user) * q + e];
      }
      const int pads = network.max_length() - static_cast<int>(row.history.size());
      for (const ItemId item : row.history)
        result[e] += inputs.weight.values()[static_cast<std::size_t>(item) * q + e];
      result[e] += pads * static_cast<double>(inputs.weight.values()[e]);
    }
    return result;
  }

  double naive(const Row& row, std::size_t item) const {
    const std::vector<double> q = query(row);
    double product = 0, query_squares = 0, item_squares = 0, distance = 0;
    std::size_t at = 0;
    for (const Embedding& table : tables) {
      const auto width = static_cast<std::size_t>(table.weight.shape().last());
      for (std::size_t e = 0; e < width; ++e, ++at) {
        const double x = table.weight.values()[item * width + e];
        product += q[at] * x;
        query_squares += q[at] * q[at];
        item_squares += x * x;
        distance += (q[at] - x) * (q[at] - x);
      }
    }
    double score = product;
    if (network.head.similarity == Similarity::cosine)
      score = product / std::sqrt(query_squares * item_squares);
    if (network.head.similarity == Similarity::negative_euclidean) score = -std::sqrt(distance);
    return network.head.scale * score + (bias ? bias.values()[item] : 0);
  }
};

TEST(Scoring, HeadsAgainstNaiveLoops) {
  const ToyRows rows = random_rows(kCatalogue, 40);
  for (const Similarity similarity :
       {Similarity::dot, Similarity::cosine, Similarity::negative_euclidean})
    for (const std::vector<int>& widths : {std::vector<int>{7}, {5, 3}, {4, 1, 2, 3}})
      for (const float scale : {1.0F, 4.0F})
        for (const bool bias : {false, true}) {
          const Scorer s(kCatalogue, widths, similarity, scale, bias);
          const std::vector<float> scores = s.all(rows.batch());
          for (std::size_t r = 0; r < rows.size(); ++r)
            for (std::size_t item = 1; item < s.network.n_items(); ++item)
              ASSERT_NEAR(scores[r * s.network.n_items() + item], s.naive(rows.batch()[r], item),
                          5e-5)
                  << "row " << r << " item " << item;
        }
}

TEST(Scoring, PredictIsColumnsOfFullSortPredict) {
  const ToyRows rows = random_rows(kCatalogue, 37);
  for (const Similarity similarity :
       {Similarity::dot, Similarity::cosine, Similarity::negative_euclidean}) {
    const Scorer s(kCatalogue, {6, 4}, similarity, 2, true);
    const std::vector<float> all = s.all(rows.batch());
    std::vector<ItemId> items;
    Rng rng(3);
    for (std::size_t e = 0; e < 11 * rows.size(); ++e)
      items.push_back(static_cast<ItemId>(1 + rng.below(kCatalogue.n_items - 1)));
    std::vector<float> picked(items.size());
    s.network.predict(rows.batch(), {items, 11}, {picked, 11});
    for (std::size_t e = 0; e < items.size(); ++e)
      ASSERT_NEAR(picked[e], all[e / 11 * s.network.n_items() + static_cast<std::size_t>(items[e])],
                  2e-5);
  }
}

TEST(Scoring, LogitsOfTheModelItself) {
  ToyNetwork network(kCatalogue);
  const Embedding users(network.at("users"), kCatalogue.n_users, kCatalogue.n_items, zeros());
  fill_all(network, -1, 1);
  network.on_forward = [&](const Inputs& in) { return users(in.user()); };
  network.ready();
  EXPECT_EQ(network.factorised(), nullptr);
  ToyRows rows(kCatalogue.max_length);
  for (int r = 0; r < 300; ++r) rows.add(static_cast<UserId>(1 + r % 7), {1}, 1);
  std::vector<float> all(rows.size() * network.n_items()), one(rows.size());
  network.full_sort_predict(rows.batch(), {all, network.n_items()});
  const std::vector<ItemId> items(rows.size(), 17);
  network.predict(rows.batch(), {items, 1}, {one, 1});
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const float expected = users.weight.values()[(1 + r % 7) * network.n_items() + 17];
    EXPECT_EQ(all[r * network.n_items() + 17], expected);
    EXPECT_EQ(one[r], expected);
  }
}

TEST(Scoring, RowsAloneAndTogetherAgree) {
  const Scorer s(kCatalogue, {8}, Similarity::dot, 1, false);
  const ToyRows rows = random_rows(kCatalogue, 601);
  const Batch all = rows.batch();
  const std::vector<float> together = s.all(all);
  for (const std::size_t size : {1U, 3U, 255U, 257U})
    for (std::size_t first = 0; first + size <= all.size();
         first += std::max<std::size_t>(size, 41)) {
      const std::vector<float> part = s.all(all.rows(first, size));
      for (std::size_t e = 0; e < part.size(); ++e)
        ASSERT_NEAR(part[e], together[first * s.network.n_items() + e], 1e-5);
    }
  EXPECT_TRUE(s.all(all.rows(0, 0)).empty());
}

TEST(Scoring, ManyThreadsGetTheBitsOfOne) {
  const Scorer s(kCatalogue, {5, 3}, Similarity::cosine, 2, true);
  const ToyRows rows = random_rows(kCatalogue, 300);
  const Batch all = rows.batch();
  constexpr std::size_t kThreads = 8;
  const auto piece = [&](std::size_t t) {  // of sizes 1, 12, 23, ...
    return all.rows(t * 20, 1 + t * 11);
  };
  std::vector<std::vector<float>> serial, parallel(kThreads);
  for (std::size_t t = 0; t < kThreads; ++t) serial.push_back(s.all(piece(t)));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int again = 0; again < 20; ++again) parallel[t] = s.all(piece(t));
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < kThreads; ++t) EXPECT_EQ(parallel[t], serial[t]) << t;
}

TEST(Scoring, UnknownUserIsTheMeanOfAllUsersAndFollowsUpdates) {
  constexpr Catalogue small{4, 3, 2};
  ToyNetwork network(small);
  const Embedding users(network.at("users"), small.n_users, 2, zeros()),
      items(network.at("items"), small.n_items, 2, zeros());
  users.weight.assign(std::vector<float>{100, 100, 1, 2, 3, 4, 5, 9});  // mean of 1..3: (3, 5)
  items.weight.assign(std::vector<float>{0, 0, 1, 0, 0, 1});
  network.head = {{items.weight}};
  network.on_forward = [&](const Inputs& in) { return users(in.user()); };
  network.ready();
  EXPECT_TRUE(network.traits().uses_users);
  ToyRows rows(small.max_length);
  rows.add(0, {1}, 1);
  rows.add(2, {1}, 1);
  const auto scores = [&] {
    std::vector<float> all(2 * 3);
    network.full_sort_predict(rows.batch(), {all, 3});
    return all;
  };
  EXPECT_EQ(scores(), (std::vector<float>{0, 3, 5, 0, 3, 4}));
  users.weight.assign(std::vector<float>{0, 0, 0, 0, 0, 0, 6, -3});
  EXPECT_EQ(scores(), (std::vector<float>{0, 2, -1, 0, 0, 0}));

  StepOptions options;  // and updates by the optimizer: a mean of what is there now
  options.batch_size = 2;
  TrainStep step(network, options);
  RunContext run(1, 1);
  step.run(rows.batch(), {}, 0.5, run);
  const auto u = users.weight.values(), e = items.weight.values();
  const float x = (u[2] + u[4] + u[6]) / 3, y = (u[3] + u[5] + u[7]) / 3;
  EXPECT_NEAR(scores()[1], x * e[2] + y * e[3], 1e-6);
}

TEST(Scoring, TrainingLooksUpUserZeroAsItStands) {
  // Only scoring has a surrogate: a training row of user 0 uses (and may train) row 0.
  constexpr Catalogue small{3, 3, 2};
  ToyNetwork network(small);
  const Embedding users(network.at("users"), small.n_users, 1, zeros());
  users.weight.assign(std::vector<float>{7, 1, 2});
  network.on_loss = [&](const Inputs& in) { return mean(users(in.user())); };
  ToyRows rows(small.max_length);
  rows.add(0, {1}, 1);
  StepOptions options;
  options.batch_size = 1;
  RunContext run(1, 1);
  EXPECT_EQ(TrainStep(network, options).compute_gradients(rows.batch(), {}, run).loss, 7);
}

TEST(Scoring, EmptyHistoryAndTwoItems) {
  constexpr Catalogue two{3, 2, 4};  // the padding and one item
  const Scorer s(two, {3}, Similarity::dot, 1, true);
  ToyRows rows(two.max_length);
  rows.add(1, {}, 1);
  rows.add(0, {}, 1);
  rows.add(2, {1, 1, 1, 1, 1, 1}, 1);
  const std::vector<float> scores = s.all(rows.batch());
  for (std::size_t r = 0; r < rows.size(); ++r)
    EXPECT_NEAR(scores[2 * r + 1], s.naive(rows.batch()[r], 1), 1e-5);
}

TEST(Scoring, HeadsThatDoNotFitAreRefused) {
  const auto refused = [](const char* text, const std::function<void(ToyNetwork&)>& change) {
    ToyNetwork network(kCatalogue);
    const Embedding users(network.at("users"), kCatalogue.n_users, 4, zeros());
    network.on_forward = [&](const Inputs& in) { return users(in.user()); };
    change(network);
    try {
      network.ready();
      ADD_FAILURE() << "no error, expected: " << text;
    } catch (const ModelError& e) {
      EXPECT_STREQ(e.what(), text);
    }
  };
  refused("item head: at most 4 tables side by side", [](ToyNetwork& n) {
    for (int t = 0; t < 5; ++t)
      n.head.tables.push_back(n.at("t", t).parameter("w", {kCatalogue.n_items, 1}, zeros()));
  });
  refused("item head: table 'w' has shape [29, 4], it needs one row for each of 30 items",
          [](ToyNetwork& n) {
            n.head = {{n.parameter("w", {29, 4}, zeros())}};
          });
  refused("item head: bias 'b' has shape [31], it needs one number for each of 30 items",
          [](ToyNetwork& n) {
            n.head = {.tables = {n.parameter("w", {30, 4}, zeros())},
                      .bias = n.parameter("b", {31}, zeros())};
          });
  refused("item head: forward() gives 4 numbers, the item vectors have 5 columns",
          [](ToyNetwork& n) {
            n.head = {{n.parameter("w", {30, 5}, zeros())}};
          });
  refused("item head: forward() gives 4 numbers, the item vectors have 30 columns",
          [](ToyNetwork&) {});
}

TEST(Scoring, HistoriesLongerThanTheModelsAreRefused) {
  const Scorer s(kCatalogue, {3}, Similarity::dot, 1, false);
  const ToyRows rows = random_rows({kCatalogue.n_users, kCatalogue.n_items, 60}, 5);
  EXPECT_THROW(s.all(rows.batch()), InternalError);
}

}  // namespace
}  // namespace recloom::nn
