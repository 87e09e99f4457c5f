// Trainings that are interrupted anywhere, again and again: they end with the bytes of one that is
// left alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "cli/kill_harness.hpp"

namespace recloom::testing {
namespace {

constexpr int kShares = 8, kPoints = 50;

long number(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtol(text, nullptr, 10) : otherwise;
}

/// Points are dealt to trainings, trainings to the tests, which run side by side.
class Kill : public ::testing::TestWithParam<int> {
 protected:
  static void TearDownTestSuite() { std::cout << kill_tally().text(); }

  void interrupt_anywhere(const Baseline& baseline, long point) {
    std::seed_seq seeds{seed, point};
    std::mt19937_64 random(seeds);
    std::vector<Interruption> interruptions;
    for (const auto drawn = random(); interruptions.size() < 1 + drawn % 3;)
      interruptions.push_back(baseline.draw(random, !interruptions.empty()));
    std::string text = baseline.training().text();
    for (const Interruption& one : interruptions) text += ", " + one.text();
    SCOPED_TRACE(text + "; again: RECLOOM_KILL_SEED=" + std::to_string(seed) +
                 " RECLOOM_KILL_POINT=" + std::to_string(point) + " test_runs");
    InterruptedRun run(baseline);
    for (const Interruption& one : interruptions)
      if (!run.done() && !stuck()) run.interrupt(one);
    if (!stuck()) run.finish(1 + static_cast<int>(random() % 2));
    ++kill_tally().points;
  }

  const long seed = number("RECLOOM_KILL_SEED", 1);
  const long points = number("RECLOOM_KILL_POINTS", kPoints);
  const long only = number("RECLOOM_KILL_POINT", -1);
};

TEST_P(Kill, LeavesWhatEndsWithTheSameBytes) {
  const std::vector<Training> trainings = all_trainings();
  const auto count = static_cast<long>(trainings.size());
  for (long index = GetParam(); index < count; index += kShares) {
    if (only >= 0 && only % count != index) continue;
    const Baseline baseline(trainings[static_cast<std::size_t>(index)]);
    if (only >= 0) interrupt_anywhere(baseline, only);
    for (long point = index; only < 0 && point < points; point += count)
      interrupt_anywhere(baseline, point);
  }
}

INSTANTIATE_TEST_SUITE_P(Share, Kill, ::testing::Range(0, kShares));

}  // namespace
}  // namespace recloom::testing
