#include "data/filters.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "data/events.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using Pairs = std::vector<std::pair<int, int>>;

RawLog log_of(const Pairs& pairs) {
  RawLog log;
  for (const auto& [user, item] : pairs) {
    log.users.push_back(log.user_tokens.insert(std::to_string(user)));
    log.items.push_back(log.item_tokens.insert(std::to_string(item)));
  }
  return log;
}

Pairs pairs_of(const RawLog& log) {
  Pairs pairs;
  for (std::size_t row = 0; row < log.size(); ++row) {
    pairs.emplace_back(std::stoi(std::string(log.user_tokens[log.users[row]])),
                       std::stoi(std::string(log.item_tokens[log.items[row]])));
  }
  return pairs;
}

Pairs random_pairs(unsigned seed, int n_users, int n_items, int n_rows) {
  std::mt19937 random(seed);
  Pairs pairs;
  for (int row = 0; row < n_rows; ++row) {
    const auto user = static_cast<int>(random() % static_cast<unsigned>(n_users));
    pairs.emplace_back(user, static_cast<int>(random() % static_cast<unsigned>(n_items)));
  }
  return pairs;
}

/// The k-core by its definition: rounds over maps.
Pairs naive_core(Pairs pairs, int low_user, int high_user, int low_item) {
  for (;;) {
    std::map<int, int> users, items;
    for (const auto& [user, item] : pairs) ++users[user], ++items[item];
    Pairs kept;
    for (const auto& pair : pairs) {
      const int of_user = users[pair.first], of_item = items[pair.second];
      if (of_user >= low_user && of_user <= high_user && of_item >= low_item) kept.push_back(pair);
    }
    if (kept.size() == pairs.size()) return kept;
    pairs = kept;
  }
}

TEST(Filters, CoreEqualsItsDefinition) {
  std::size_t left = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Pairs pairs = random_pairs(seed, 30, 25, 300);
    RawLog log = log_of(pairs);
    keep_by_counts(log, Intervals("[6,14]", "users"), Intervals("[7,inf)", "items"), RunContext());
    EXPECT_EQ(pairs_of(log), naive_core(pairs, 6, 14, 7)) << "seed " << seed;
    left += log.size();
  }
  EXPECT_GT(left, 0u);
}

TEST(Filters, CoreOfAChainTakesNoRoundOverAllRows) {
  // Users and items in turn, each with two neighbours: one falls after the other, from one end. A
  // round over all rows for each would take minutes.
  constexpr int kLength = 300000;
  Pairs pairs;
  for (int link = 0; link < kLength; ++link) {
    pairs.push_back({link, link});
    pairs.push_back({link, link + 1});
  }
  const Pairs ring = {{-1, -1}, {-1, -2}, {-2, -2}, {-2, -1}};
  pairs.insert(pairs.end(), ring.begin(), ring.end());
  RawLog log = log_of(pairs);
  keep_by_counts(log, Intervals("[2,inf)", "users"), Intervals("[2,inf)", "items"), RunContext());
  EXPECT_EQ(pairs_of(log), ring);
}

TEST(Filters, DuplicatesKeepTheFirstOrLastInTime) {
  const Pairs pairs = {{1, 7}, {1, 8}, {1, 7}, {2, 7}, {1, 7}};
  for (const bool first : {true, false}) {
    RawLog log = log_of(pairs);
    for (const std::int64_t time : {30, 20, 10, 10, 30}) log.times.push_back(time);
    keep_distinct(log, first ? Duplicates::first : Duplicates::last, RunContext());
    // In time order; of the two at 30, the later line is the last.
    EXPECT_EQ(pairs_of(log),
              first ? (Pairs{{1, 7}, {2, 7}, {1, 8}}) : (Pairs{{2, 7}, {1, 8}, {1, 7}}));
  }
}

TEST(Filters, EndWhenAskedTo) {
  RunContext run(1, 1);
  run.request_stop();
  const auto interrupted = [&](const auto& filter) {
    RawLog log = log_of({{1, 7}, {2, 7}, {1, 8}, {1, 7}});
    for (const std::int64_t time : {4, 3, 2, 1}) log.times.push_back(time);
    for (const std::uint8_t passes : {1, 0, 1, 1}) log.passes.push_back(passes);
    log.user_table = SideTable{{0}, {}};
    EXPECT_THROW(filter(log), Interrupted);
  };
  interrupted([&](RawLog& log) { keep_distinct(log, Duplicates::first, run); });
  interrupted([&](RawLog& log) { keep_distinct(log, Duplicates::last, run); });
  interrupted([&](RawLog& log) { keep_passing(log, run); });
  interrupted([&](RawLog& log) { keep_known(log, run); });
  interrupted([&](RawLog& log) {
    keep_by_counts(log, Intervals("[2,inf)", "users"), Intervals("[2,inf)", "items"), run);
  });
  interrupted([&](RawLog& log) { assign_ids(log, run); });
  interrupted([&](RawLog& log) { make_events(log, 3, run); });
}

TEST(Filters, PruneSideTablesByTheLowerBound) {
  // Item 5 has no events; item 6 has too many.
  for (const bool needs_events : {true, false}) {
    RawLog log = log_of({{1, 6}, {2, 6}, {3, 6}, {1, 7}});
    log.item_table = SideTable{
        {log.item_tokens.insert("5"), log.item_tokens.insert("6"), log.item_tokens.insert("7")},
        {"five", "six", "seven"}};
    keep_by_counts(log, Intervals("[0,inf)", "users"),
                   Intervals(needs_events ? "[1,2]" : "[0,2]", "items"), RunContext());
    EXPECT_EQ(pairs_of(log), (Pairs{{1, 7}}));
    EXPECT_EQ(log.item_table->names, needs_events ? (std::vector<std::string>{"seven"})
                                                  : (std::vector<std::string>{"five", "seven"}));
  }
}

}  // namespace
}  // namespace recloom
