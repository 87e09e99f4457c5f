// Shares of rows against exact arithmetic.
#include "data/split.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/log_text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

using testing::open_log;

/// Shares as people write them: whole numbers, tenths, hundredths, thousandths.
constexpr double kUnits[] = {1, 10, 100, 1000, 3};

TEST(Split, SharesAreThoseOfExactArithmetic) {
  for (std::int64_t a = 0; a <= 20; ++a) {
    for (std::int64_t b = a == 0 ? 1 : 0; b <= 20; ++b) {
      for (std::int64_t n = 0; n < 200; ++n) {
        for (const std::int64_t rows : {n, 1000000007 * n, (std::int64_t{1} << 40) + n}) {
          for (const double unit : kUnits) {
            const double part = static_cast<double>(a) / unit;
            const double rest = static_cast<double>(b) / unit;
            ASSERT_EQ(share_of(rows, part, part + rest), rows * a / (a + b))
                << rows << " x " << part << " / (" << part << " + " << rest << ")";
          }
        }
      }
    }
  }
}

TEST(Split, RatioCountsAreThoseOfExactArithmetic) {
  for (std::int64_t a = 1; a <= 100; a += a < 20 ? 1 : 7) {
    for (std::int64_t b = 0; b <= 30; ++b) {
      for (std::int64_t c = 0; c <= 30; ++c) {
        const std::int64_t sum = a + b + c;
        for (const std::int64_t n : {0, 1, 2, 3, 10, 29, 50, 100, 199, 1000, 12345678}) {
          std::int64_t valid = n * b / sum, test = n * c / sum;
          std::int64_t train = n - valid - test;
          if (train > 1 && c > 0 && test == 0) ++test, --train;
          if (train > 1 && b > 0 && valid == 0) ++valid, --train;
          for (const double unit : kUnits) {
            const std::vector<double> ratios = {static_cast<double>(a) / unit,
                                                static_cast<double>(b) / unit,
                                                static_cast<double>(c) / unit};
            const std::array<std::int64_t, 3> expected = {train, valid, test};
            ASSERT_EQ(ratio_counts(ratios, n), expected)
                << n << " rows, " << a << ' ' << b << ' ' << c << " / " << unit;
          }
        }
      }
    }
  }
}

/// Ten users with five rows each, at the same five times.
std::string even_log() {
  std::string text(testing::kHeader);
  for (int user = 0; user < 10; ++user)
    for (int time = 0; time < 6; ++time)
      text += "u" + std::to_string(user) + "\ti" + std::to_string((user + time) % 7) + "\t" +
              std::to_string(time) + "\n";
  return text;
}

std::vector<std::size_t> temporal(const std::vector<double>& ratios) {
  SplitOptions split;
  split.mode = SplitMode::temporal;
  split.ratios = ratios;
  const Dataset dataset = open_log(even_log(), {}, split);
  return {dataset.train_rows().size(), dataset.valid().size(), dataset.test().size()};
}

TEST(Split, TemporalSharesMeanWhatTheySay) {
  // 80 % of the row times lie up to the fourth of five; 3/4 of four rows are three.
  const std::vector<std::size_t> expected = {30, 10, 10};
  for (const std::vector<double>& ratios :
       {std::vector<double>{0.6, 0.2, 0.2}, {6, 2, 2}, {60, 20, 20}, {3, 1, 1}, {0.3, 0.1, 0.1}})
    EXPECT_EQ(temporal(ratios), expected) << ratios[0];
  // Without validation, all early rows train.
  EXPECT_EQ(temporal({0.6, 0, 0.2}), (std::vector<std::size_t>{40, 0, 10}));
  EXPECT_EQ(temporal({1, 0, 0}), (std::vector<std::size_t>{50, 0, 0}));
  // Hardly anything is early: what lies at the first time is.
  EXPECT_EQ(temporal({1e-20, 0, 1}), (std::vector<std::size_t>{10, 0, 40}));
}

TEST(Split, EndsWhenAskedTo) {
  Events events;
  constexpr std::int64_t kUsers = 100000;
  events.offsets.push_back(0);
  for (std::int64_t user = 0; user <= kUsers; ++user) events.offsets.push_back(2 * user);
  events.items.assign(2 * kUsers, 1);
  for (std::int64_t event = 0; event < 2 * kUsers; ++event) events.times.push_back(event);
  events.has_times = true;
  const std::vector<std::string> tokens(kUsers + 1, "u");
  SplitOptions split;
  for (const SplitMode mode : {SplitMode::leave_one_out, SplitMode::ratio, SplitMode::temporal,
                               SplitMode::users, SplitMode::test}) {
    for (const RatioGroup group : {RatioGroup::user, RatioGroup::all}) {
      split.mode = mode;
      split.group = group;
      RunContext run(1, 1);
      EXPECT_EQ(split_rows(events, tokens, {}, split, run).train_ends.size(), kUsers + 1U);
      run.request_stop();
      EXPECT_THROW(split_rows(events, tokens, {}, split, run), Interrupted);
    }
  }
}

}  // namespace
}  // namespace recloom
