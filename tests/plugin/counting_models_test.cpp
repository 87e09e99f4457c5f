// The two plugins that count: against numbers worked out by hand and against a naive recount.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "recloom/core/random.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/plugin/registry.hpp"

namespace recloom {
namespace {

using Sequences = std::vector<std::vector<ItemId>>;

/// All users' events, with a training row for each event after a user's first.
class Log {
 public:
  Log(const Sequences& users, int n_items)
      : catalogue_{.n_users = static_cast<int>(users.size()) + 1,
                   .n_items = n_items,
                   .max_length = 2},
        begins_{0},
        ends_{0} {
    for (std::size_t user = 0; user < users.size(); ++user) {
      const auto begin = static_cast<std::int64_t>(events_.size());
      events_.insert(events_.end(), users[user].begin(), users[user].end());
      for (std::size_t event = 1; event < users[user].size(); ++event)
        rows_.push_back(
            {begin, static_cast<std::int32_t>(event), 1, static_cast<UserId>(user + 1)});
      begins_.push_back(begin);
      ends_.push_back(static_cast<std::int64_t>(events_.size()));
    }
  }
  const Catalogue& catalogue() const { return catalogue_; }
  TrainingData training() const {
    return {catalogue_, Batch(events_, rows_, catalogue_.max_length), events_, begins_, ends_};
  }

 private:
  Catalogue catalogue_;
  std::vector<ItemId> events_;
  std::vector<Batch::Entry> rows_;
  std::vector<std::int64_t> begins_, ends_;
};

Model fitted(const std::string& name, const Log& log, const Params& params = {}) {
  Model model = PluginRegistry().create(name, params, log.catalogue());
  RunContext run(1, 1);
  model->fit(log.training(), run);
  return model;
}

/// Scores after each history, one row each.
std::vector<float> scores(const SequentialRecommender& model, const Sequences& histories) {
  std::vector<ItemId> events;
  std::vector<Batch::Entry> entries;
  for (const auto& history : histories) {
    entries.push_back({static_cast<std::int64_t>(events.size()),
                       static_cast<std::int32_t>(history.size()), 0, 1});
    events.insert(events.end(), history.begin(), history.end());
  }
  std::vector<float> out(histories.size() * model.n_items());
  model.full_sort_predict(Batch(events, entries, 2), {out, model.n_items()});
  return out;
}

using Floats = std::vector<float>;

TEST(Pop, IsTheShareOfTheMostFrequentTarget) {
  const Log log({{1, 2, 3, 2}, {3, 2, 4}}, 6);  // targets: 2 three times, 3 and 4 once
  const Model model = fitted("pop", log);
  const float third = 1.0F / 3.0F;
  EXPECT_EQ(scores(*model, {{}, {2, 3}}), (Floats{0, 0, 1, third, third, 0,  //
                                                  0, 0, 1, third, third, 0}));
  EXPECT_FALSE(model->traits().uses_order);
}

TEST(Pop, IsZeroWithoutRows) {
  EXPECT_EQ(scores(*fitted("pop", Log({{1}}, 3)), {{1}}), (Floats{0, 0, 0}));
}

TEST(Markov, FollowsItsFormula) {
  // Transitions 1>2 twice, 1>3, 2>1; shares: 2 has 2/4, 3 and 1 have 1/4. With m = 2:
  const Log log({{1, 2, 1, 2}, {1, 3}}, 5);
  const Model model = fitted("markov", log, {{"smoothing", 2.0}});
  const Floats found = scores(*model, {{2, 1}, {1, 2}, {1, 3}, {}});
  const Floats wanted = {0, 0.5F / 5, 3.0F / 5, 1.5F / 5, 0,  // after 1: (c + 2 p) / (3 + 2)
                         0, 1.5F / 3, 1.0F / 3, 0.5F / 3, 0,  // after 2: (c + 2 p) / (1 + 2)
                         0, 0.25F,    0.5F,     0.25F,    0,  // nothing followed 3: p
                         0, 0.25F,    0.5F,     0.25F,    0};
  for (std::size_t n = 0; n < wanted.size(); ++n) EXPECT_FLOAT_EQ(found[n], wanted[n]) << n;
}

TEST(Markov, TreatsUnknownItemsAsNoHistory) {
  const Model model = fitted("markov", Log({{1, 2}, {2, 1}}, 3));
  const Floats alone = scores(*model, {{}});
  EXPECT_EQ(scores(*model, {{0}}), alone);
  EXPECT_EQ(scores(*model, {{7}}), alone);
}

TEST(Markov, IsZeroWithoutRows) {
  EXPECT_EQ(scores(*fitted("markov", Log({{1}}, 3)), {{1}}), (Floats{0, 0, 0}));
}

TEST(Markov, AgreesWithANaiveRecount) {
  constexpr int kItems = 12;
  Rng rng(11);
  Sequences users(40);
  for (auto& events : users)
    for (std::int64_t left = 1 + rng.below(9); left > 0; --left)
      events.push_back(static_cast<ItemId>(1 + rng.below(kItems - 1)));
  std::map<std::pair<ItemId, ItemId>, int> pairs;
  std::map<ItemId, int> from, to;
  int rows = 0;
  for (const auto& events : users)
    for (std::size_t n = 1; n < events.size(); ++n, ++rows) {
      ++pairs[{events[n - 1], events[n]}];
      ++from[events[n - 1]];
      ++to[events[n]];
    }
  const double m = 3;
  const Model model = fitted("markov", Log(users, kItems), {{"smoothing", m}});
  for (ItemId last = 1; last < kItems; ++last) {
    const Floats found = scores(*model, {{1, last}});
    for (ItemId item = 1; item < kItems; ++item)
      EXPECT_NEAR(found[static_cast<std::size_t>(item)],
                  (pairs[{last, item}] + m * to[item] / rows) / (from[last] + m), 1e-6)
          << last << " > " << item;
    EXPECT_NEAR(std::accumulate(found.begin(), found.end(), 0.0), 1, 1e-5);
  }
}

TEST(Markov, FitsAnewWhenAskedAgain) {
  const Log log({{1, 2, 1, 2}, {1, 3}}, 5);
  const Model model = fitted("markov", log);
  const Floats once = scores(*model, {{1}});
  RunContext run(1, 1);
  model->fit(log.training(), run);
  EXPECT_EQ(scores(*model, {{1}}), once);
}

// What a host does when it reads a model file: buffers are filled, nothing is fitted.
TEST(CountingModels, LiveInTheirBuffers) {
  const Log log({{1, 2, 1, 2}, {1, 3}}, 5);
  for (const char* name : {"pop", "markov"}) {
    const Model trained = fitted(name, log);
    const Model loaded = PluginRegistry().create(name, {}, log.catalogue());
    ASSERT_EQ(trained->buffers().size(), loaded->buffers().size());
    for (std::size_t n = 0; n < trained->buffers().size(); ++n)
      std::visit(
          [&](auto* values) { *std::get<decltype(values)>(loaded->buffers()[n].values) = *values; },
          trained->buffers()[n].values);
    loaded->after_load();
    EXPECT_EQ(scores(*loaded, {{1}, {2}, {}}), scores(*trained, {{1}, {2}, {}})) << name;
  }
}

}  // namespace
}  // namespace recloom
