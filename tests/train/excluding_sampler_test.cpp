#include "train/excluding_sampler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr int kItems = 12;  // 1..11

/// User 1 has items 2, 3 (twice) and 7 in training, user 2 all but 5, user 3 none.
struct World {
  std::vector<ItemId> events = {2, 3, 3, 7, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11};
  std::vector<std::int64_t> begins = {0, 0, 4, 14}, ends = {0, 4, 14, 14};
  Catalogue catalogue{4, kItems, 5};
  UserItems items{TrainingData(catalogue, Batch(events, {}, 5), events, begins, ends)};
  std::vector<std::int64_t> counts{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

  ExcludingSampler sampler(NegativeSampler& inner, bool exclude, bool distinct) const {
    ExcludingSampler made(inner, exclude ? &items : nullptr, distinct,
                          [](UserId user) { return "u" + std::to_string(user); });
    made.prepare({catalogue, counts});
    return made;
  }
  Row row(UserId user) const {
    return {.user = user,
            .id = 3,
            .history = {},
            .targets = std::span(events).subspan(1, 1),
            .negatives = {}};
  }
};

/// How often each item is drawn in 20,000 rows of `n` negatives.
std::vector<double> shares(const NegativeSampler& sampler, const Row& row, std::size_t n) {
  std::vector<double> drawn(kItems);
  std::vector<ItemId> negatives(n);
  constexpr int kRows = 20000;
  for (std::uint64_t at = 0; at < kRows; ++at) {
    sampler.sample(row, Rng(1).fork("row", at), negatives);
    for (const ItemId item : negatives)
      drawn[static_cast<std::size_t>(item)] += 1.0 / (kRows * static_cast<double>(n));
  }
  return drawn;
}

TEST(ExcludingSampler, KnowsWhatUsersHave) {
  const World world;
  EXPECT_EQ(world.items.count(1), 3);
  EXPECT_EQ(world.items.count(3), 0);
  EXPECT_TRUE(world.items.contains(1, 3));
  EXPECT_FALSE(world.items.contains(1, 4));
  EXPECT_FALSE(world.items.contains(3, 2));
}

TEST(ExcludingSampler, DrawsWhatIsLeftAsBefore) {
  const World world;
  const std::set<std::size_t> own = {2, 3, 7};
  const auto uniform = make_uniform_sampler(), popular = make_popularity_sampler(1);
  const std::vector<double> even = shares(world.sampler(*uniform, true, false), world.row(1), 3);
  const std::vector<double> weighed = shares(world.sampler(*popular, true, false), world.row(1), 3);
  double total = 0;
  for (std::size_t item = 1; item < kItems; ++item)
    if (!own.contains(item)) total += static_cast<double>(world.counts[item]);
  for (std::size_t item = 0; item < kItems; ++item) {
    const bool possible = item > 0 && !own.contains(item);
    const double share = possible ? static_cast<double>(world.counts[item]) / total : 0;
    // Four deviations of 60,000 draws.
    EXPECT_NEAR(even[item], possible ? 1.0 / 8 : 0, 4 * std::sqrt(0.125 * 0.875 / 60000)) << item;
    EXPECT_NEAR(weighed[item], share, 4 * std::sqrt(share * (1 - share) / 60000)) << item;
  }
}

TEST(ExcludingSampler, DrawsNoItemTwice) {
  const World world;
  const auto uniform = make_uniform_sampler();
  const ExcludingSampler sampler = world.sampler(*uniform, true, true);
  std::vector<ItemId> negatives(8);  // All that user 1 does not have.
  for (std::uint64_t at = 0; at < 200; ++at) {
    sampler.sample(world.row(1), Rng(2).fork("row", at), negatives);
    EXPECT_THAT(negatives, ::testing::UnorderedElementsAre(1, 4, 5, 6, 8, 9, 10, 11));
  }
  // Of three, every order of every choice is as likely: each item at each place.
  std::vector<ItemId> three(3);
  std::vector<double> first(kItems);
  for (std::uint64_t at = 0; at < 20000; ++at) {
    sampler.sample(world.row(1), Rng(3).fork("row", at), three);
    EXPECT_EQ(std::set(three.begin(), three.end()).size(), 3U);
    first[static_cast<std::size_t>(three[2])] += 1.0 / 20000;
  }
  for (const std::size_t item : {1U, 4U, 11U})
    EXPECT_NEAR(first[item], 1.0 / 8, 4 * std::sqrt(0.125 * 0.875 / 20000)) << item;
}

TEST(ExcludingSampler, ChangesNothingWhereNothingIsUnwanted) {
  const World world;
  const auto uniform = make_uniform_sampler();
  const ExcludingSampler sampler = world.sampler(*uniform, true, false);
  std::vector<ItemId> with(5), without(5);
  for (std::uint64_t at = 0; at < 50; ++at) {
    sampler.sample(world.row(3), Rng(4).fork("row", at), with);
    uniform->sample(world.row(3), Rng(4).fork("row", at), without);
    EXPECT_EQ(with, without);
  }
}

TEST(ExcludingSampler, SaysForWhomThereIsNothing) {
  const World world;
  const auto uniform = make_uniform_sampler();
  std::vector<ItemId> two(2), one(1);
  world.sampler(*uniform, true, true).sample(world.row(2), Rng(1), one);
  EXPECT_EQ(one[0], 5);
  try {
    world.sampler(*uniform, true, true).sample(world.row(2), Rng(1), two);
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_THAT(
        error.what(),
        ::testing::HasSubstr(
            "2 different negatives are not to be found for user 'u2', which has 10 of 11 items"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--set train.negatives_exclude=target"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--set train.distinct_negatives=false"));
  }
  std::vector<ItemId> eleven(11);  // The row's target is none of them.
  try {
    world.sampler(*uniform, false, true).sample(world.row(3), Rng(1), eleven);
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(),
                 "11 different negatives of a row are not to be found: 1 of 11 items are its "
                 "targets, and train.sampler draws too few others; --set train.n_negatives to less "
                 "or --set train.distinct_negatives=false");
  }
}

}  // namespace
}  // namespace recloom
