#include "kernels/rank.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/isa.hpp"
#include "recloom/core/random.hpp"

namespace recloom::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Every instruction set that this machine has.
class RankKernels : public ::testing::TestWithParam<Isa> {
 protected:
  ScopedIsa isa_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Isa, RankKernels, ::testing::ValuesIn(supported_isas()),
                         [](const auto& level) { return isa_name(level.param); });

/// Few different values, both zeros and -inf among them.
std::vector<float> tied_scores(std::size_t n, std::uint64_t key) {
  const float values[] = {-kInfinity, -1.5F, -0.0F, 0.0F, 2.0F, 3.0F, kInfinity};
  Rng rng(key);
  std::vector<float> scores(n);
  for (float& score : scores) score = values[rng.below(7)];
  return scores;
}

TEST_P(RankKernels, CountAsTheDefinitionSays) {
  for (std::size_t n = 0; n < 70; ++n) {
    const std::vector<float> scores = tied_scores(n, n);
    for (const float reference : {-kInfinity, -1.5F, 0.0F, 2.5F, kInfinity}) {
      ScoreCounts wanted;
      for (const float score : scores) {
        wanted.above += score > reference;
        wanted.equal += score == reference;
        wanted.candidates += score > -kInfinity;
      }
      const ScoreCounts found = count_scores(n, scores.data(), reference);
      EXPECT_EQ(found.above, wanted.above) << n << " scores, " << reference;
      EXPECT_EQ(found.equal, wanted.equal) << n << " scores, " << reference;
      EXPECT_EQ(found.candidates, wanted.candidates) << n << " scores, " << reference;
      EXPECT_FALSE(found.nan);
    }
  }
}

TEST_P(RankKernels, CountSeesNanAnywhere) {
  for (std::size_t place = 0; place < 37; ++place) {
    std::vector<float> scores(37, 1.0F);
    scores[place] = kNan;
    const ScoreCounts found = count_scores(scores.size(), scores.data(), 0.5F);
    EXPECT_TRUE(found.nan) << place;
    EXPECT_EQ(found.above, 36) << place;
  }
}

TEST_P(RankKernels, CollectKeepsWhatIsAboveInOrder) {
  for (std::size_t n = 0; n < 70; ++n) {
    std::vector<float> scores = tied_scores(n, 100 + n);
    if (n > 20) scores[n / 2] = kNan;
    std::vector<float> kept(n + kCollectSlack + 1);
    std::vector<std::int32_t> ids(kept.size());
    const Collected found =
        collect_above(n, scores.data(), 0.0F, 1000, kept.size(), kept.data(), ids.data());
    ASSERT_EQ(found.scanned, n);
    std::size_t next = 0;
    for (std::size_t place = 0; place < n; ++place) {
      if (scores[place] <= 0.0F) continue;
      ASSERT_LT(next, found.kept);
      EXPECT_EQ(ids[next], 1000 + static_cast<std::int32_t>(place));
      EXPECT_EQ(std::memcmp(&kept[next], &scores[place], sizeof(float)), 0);
      ++next;
    }
    EXPECT_EQ(next, found.kept);
  }
}

TEST_P(RankKernels, CollectStopsWhenThereIsNoRoomAndGoesOn) {
  const std::vector<float> scores(200, 1.0F);
  std::vector<float> kept(kCollectSlack + 5);
  std::vector<std::int32_t> ids(kept.size());
  std::size_t at = 0, calls = 0;
  while (at < scores.size()) {
    const Collected found =
        collect_above(scores.size() - at, scores.data() + at, 0.0F, static_cast<std::int32_t>(at),
                      kept.size(), kept.data(), ids.data());
    ASSERT_GT(found.scanned, 0U);
    ASSERT_EQ(found.kept, found.scanned);
    for (std::size_t place = 0; place < found.kept; ++place)
      ASSERT_EQ(ids[place], static_cast<std::int32_t>(at + place));
    at += found.scanned;
    ++calls;
  }
  EXPECT_GT(calls, 1U);
}

TEST_P(RankKernels, GroupMaximaAreTheLargestOfEach) {
  const std::vector<float> scores = tied_scores(5 * kMaximaGroup + 7, 4);
  std::vector<float> maxima(6, 99.0F);
  group_maxima(scores.size(), scores.data(), maxima.data());
  for (std::size_t group = 0; group < 5; ++group) {
    const auto first = scores.begin() + static_cast<std::ptrdiff_t>(group * kMaximaGroup);
    EXPECT_EQ(maxima[group], *std::max_element(first, first + kMaximaGroup));
  }
  EXPECT_EQ(maxima[5], 99.0F);
}

TEST_P(RankKernels, FinishAsTheFormulasSay) {
  constexpr std::size_t kN = 37;
  Rng rng(5);
  std::vector<float> dots(kN), bias(kN), norms(kN);
  for (std::size_t at = 0; at < kN; ++at) {
    dots[at] = static_cast<float>(rng.normal());
    bias[at] = static_cast<float>(rng.normal());
    norms[at] = static_cast<float>(rng.uniform() + 0.1);
  }
  for (const float* b :
       {static_cast<const float*>(nullptr), static_cast<const float*>(bias.data())}) {
    std::vector<float> dot = dots, cosine = dots, euclidean = dots;
    finish_dot(kN, 0.7F, b, dot.data());
    finish_cosine(kN, 0.7F, norms.data(), b, cosine.data());
    finish_negative_euclidean(kN, 0.7F, 1.3F, norms.data(), b, euclidean.data());
    for (std::size_t at = 0; at < kN; ++at) {
      const double s = dots[at], n = norms[at], add = b != nullptr ? b[at] : 0.0;
      constexpr double kScale = 0.7F;
      EXPECT_NEAR(dot[at], kScale * s + add, 1e-6);
      EXPECT_NEAR(cosine[at], kScale * s * n + add, 1e-6);
      EXPECT_NEAR(euclidean[at], add - kScale * std::sqrt(std::max(0.0, 1.3F + n - 2 * s)), 1e-5);
    }
  }
}

TEST_P(RankKernels, FinishGivesEqualOperandsEqualBitsWhereverTheyStand) {
  constexpr std::size_t kN = 43;
  const std::vector<float> bias(kN, 0.1234567F), norms(kN, 0.7654321F);
  std::vector<float> dot(kN, 0.3456789F), cosine = dot, euclidean = dot;
  finish_dot(kN, 1.2345678F, bias.data(), dot.data());
  finish_cosine(kN, 1.2345678F, norms.data(), bias.data(), cosine.data());
  finish_negative_euclidean(kN, 1.2345678F, 0.9876543F, norms.data(), bias.data(),
                            euclidean.data());
  for (std::size_t at = 0; at < kN; ++at) {
    EXPECT_EQ(dot[at], dot[0]);
    EXPECT_EQ(cosine[at], cosine[0]);
    EXPECT_EQ(euclidean[at], euclidean[0]);
  }
}

TEST_P(RankKernels, FinishKeepsNan) {
  const std::vector<float> norms(3, 1.0F);
  std::vector<float> scores(3, kNan);
  finish_negative_euclidean(3, 1, 1, norms.data(), nullptr, scores.data());
  for (const float score : scores) EXPECT_TRUE(std::isnan(score));
}

}  // namespace
}  // namespace recloom::kernels
