#include "core/parallel.hpp"

#include <gtest/gtest.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include <tbb/global_control.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "recloom/core/run_context.hpp"

namespace recloom {
namespace {

class WorkersTest : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, WorkersTest, ::testing::Values(1, 2, 4));

TEST_P(WorkersTest, VisitsEachIndexOnce) {
  Workers workers(GetParam());
  EXPECT_EQ(workers.threads(), GetParam());
  for (const std::size_t count : {0, 1, 2, 3, 1000}) {
    std::vector<std::atomic<int>> visits(count);
    workers.parallel_for(count, [&](std::size_t index) { ++visits[index]; });
    for (const auto& visit : visits) EXPECT_EQ(visit, 1);
  }
}

TEST_P(WorkersTest, Nests) {
  Workers workers(GetParam());
  std::vector<std::atomic<int>> visits(20 * 30);
  workers.parallel_for(20, [&](std::size_t outer) {
    workers.parallel_for(30, [&](std::size_t inner) { ++visits[outer * 30 + inner]; });
  });
  for (const auto& visit : visits) EXPECT_EQ(visit, 1);
}

// Bodies use memory of their thread; an inner loop that let the thread start another outer body
// would find it in use.
TEST_P(WorkersTest, StartsNoOtherBodyWhileOneWaits) {
  Workers workers(GetParam());
  std::atomic<int> overlaps = 0;
  workers.parallel_for(64, [&](std::size_t) {
    static thread_local int depth = 0;
    if (++depth > 1) ++overlaps;
    workers.parallel_for(16, [](std::size_t) {});
    --depth;
  });
  EXPECT_EQ(overlaps, 0);
}

TEST_P(WorkersTest, RethrowsTheExceptionOfTheSmallestIndex) {
  Workers workers(GetParam());
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::string caught;
    try {
      workers.parallel_for(200, [](std::size_t index) {
        if (index % 50 == 17) throw std::runtime_error(std::to_string(index));
      });
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    ASSERT_EQ(caught, "17");
  }
}

// TBB complains on standard error when it cannot give the threads that an arena asks for.
TEST_P(WorkersTest, IsSilent) {
  ::testing::internal::CaptureStderr();
  Workers(GetParam()).parallel_for(100, [](std::size_t) {});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_P(WorkersTest, LeavesTbbAsItWas) {
  constexpr auto kLimit = tbb::global_control::max_allowed_parallelism;
  const std::size_t before = tbb::global_control::active_value(kLimit);
  Workers workers(GetParam());
  workers.parallel_for(100, [](std::size_t) {});
  EXPECT_EQ(tbb::global_control::active_value(kLimit), before);
}

#ifdef _OPENMP
TEST_P(WorkersTest, KeepsOpenMpOnOneThreadAndRestoresIt) {
  Workers workers(GetParam());
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  std::atomic<int> others = 0;
  for (const std::size_t count : {1, 100})
    workers.parallel_for(count, [&](std::size_t) {
      if (omp_get_max_threads() != 1) ++others;
      workers.parallel_for(2, [&](std::size_t) {
        if (omp_get_max_threads() != 1) ++others;
      });
    });
  EXPECT_EQ(others, 0);
  EXPECT_EQ(omp_get_max_threads(), 3);
  EXPECT_THROW(workers.parallel_for(1, [](std::size_t) { throw std::runtime_error("x"); }),
               std::runtime_error);
  EXPECT_EQ(omp_get_max_threads(), 3);
  omp_set_num_threads(before);
}
#endif

TEST(RunContext, LendsRandomnessByPurpose) {
  const RunContext run(5, 1), same(5, 2), other(6, 1);
  EXPECT_EQ(run.seed(), 5U);
  EXPECT_EQ(run.rng("split").key(), same.rng("split").key());
  EXPECT_NE(run.rng("split").key(), run.rng("shuffle").key());
  EXPECT_NE(run.rng("split").key(), other.rng("split").key());
}

TEST(RunContext, TakesAsManyThreadsAsThereAre) { EXPECT_GE(RunContext(1, 0).threads(), 1); }

TEST(RunContext, RemembersAStopRequest) {
  RunContext run;
  EXPECT_FALSE(run.stop_requested());
  run.request_stop();
  EXPECT_TRUE(run.stop_requested());
}

TEST(RunContext, RunsLoopsOnItsThreads) {
  const RunContext run(1, 2);
  std::vector<int> squares(50);
  run.parallel_for(50, [&](std::size_t n) { squares[n] = static_cast<int>(n * n); });
  EXPECT_EQ(std::accumulate(squares.begin(), squares.end(), 0), 40425);
}

}  // namespace
}  // namespace recloom
