#include "train/training_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// A history and its targets, as positions among a user's events.
struct Window {
  std::int32_t history, first, n_targets;
  auto operator<=>(const Window&) const = default;
};

/// Rows of one user with c events, the first of them at `begin`.
std::vector<Batch::Entry> rows_of(std::int32_t c, std::int64_t begin = 0, UserId user = 1) {
  std::vector<Batch::Entry> rows;
  for (std::int32_t at = 1; at < c; ++at) rows.push_back({begin, at, 1, user});
  return rows;
}

Batch batch_of(const std::vector<Batch::Entry>& rows) {
  static const std::vector<ItemId> events(10000, 1);
  return {events, rows, 5};
}

std::vector<Window> windows_of(std::int32_t c, const RowShape& shape) {
  std::vector<Window> windows;
  for (const Batch::Entry& row : training_rows(batch_of(rows_of(c)), shape))
    windows.push_back(
        {std::min(row.history_length, shape.max_length), row.history_length, row.n_targets});
  std::ranges::sort(windows);
  return windows;
}

/// By the authors' rule: windows of L + T from the newest backwards; one of short users, with
/// padding in front.
std::vector<Window> authors_windows(std::int32_t c, std::int32_t L, std::int32_t T) {
  std::vector<Window> windows;
  for (std::int32_t end = c; end >= L + T; --end) windows.push_back({L, end - T, T});
  if (c < L + T) windows.push_back({std::max(0, c - T), std::max(0, c - T), std::min(c, T)});
  std::ranges::sort(windows);
  return windows;
}

TEST(TrainingRows, AreTheAuthorsWindows) {
  for (const std::int32_t L : {1, 3, 5})
    for (const std::int32_t T : {1, 2, 3})
      for (std::int32_t c = 2; c < 15; ++c) {
        SCOPED_TRACE(::testing::Message() << "L " << L << " T " << T << " c " << c);
        EXPECT_EQ(windows_of(c, {TrainRows::windows, T, L}), authors_windows(c, L, T));
      }
}

TEST(TrainingRows, OfPrefixesNeedTargetsOnly) {
  EXPECT_EQ(windows_of(6, {TrainRows::prefix, 2, 3}),
            (std::vector<Window>{{1, 1, 2}, {2, 2, 2}, {3, 3, 2}, {3, 4, 2}}));
  EXPECT_EQ(windows_of(3, {TrainRows::prefix, 3, 3}), (std::vector<Window>{{0, 0, 3}}));
  EXPECT_EQ(windows_of(2, {TrainRows::prefix, 3, 3}), (std::vector<Window>{{0, 0, 2}}));
  EXPECT_EQ(windows_of(4, {TrainRows::prefix, 1, 2}),
            (std::vector<Window>{{1, 1, 1}, {2, 2, 1}, {2, 3, 1}}));
}

TEST(TrainingRows, KeepTheirOrderAndTheirUsers) {
  // Rows in the order of time, two users mixed; a gap in the first user's targets.
  const std::vector<Batch::Entry> rows = {{0, 1, 1, 1},  {10, 1, 1, 2}, {0, 2, 1, 1},
                                          {10, 2, 1, 2}, {0, 4, 1, 1},  {10, 3, 1, 2}};
  EXPECT_THROW(training_rows(batch_of(rows), {TrainRows::prefix, 2, 5}), ConfigError)
      << "a user's training rows are those of its first events";
  std::vector<Batch::Entry> whole = rows;
  whole[4].history_length = 3;
  const auto made = training_rows(batch_of(whole), {TrainRows::prefix, 2, 5});
  ASSERT_EQ(made.size(), 4U);
  const std::pair<std::int64_t, std::int32_t> expected[] = {{0, 1}, {10, 1}, {0, 2}, {10, 2}};
  for (std::size_t row = 0; row < made.size(); ++row) {
    EXPECT_EQ(made[row].begin, expected[row].first);
    EXPECT_EQ(made[row].history_length, expected[row].second);
    EXPECT_EQ(made[row].n_targets, 2);
  }
}

TEST(TrainingRows, ThatBringHistoriesHaveOneTarget) {
  const std::vector<Batch::Entry> lines = {{0, 3, 1, 1}, {4, 2, 1, 1}};
  try {
    training_rows(batch_of(lines), {TrainRows::prefix, 2, 5});
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("train.n_targets = 2"));
  }
}

}  // namespace
}  // namespace recloom
