#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

/// Skip the test unless large tests are asked for and this many GiB are free.
#define RECLOOM_REQUIRE_LARGE(gib)                                                        \
  if (const std::string reason = ::recloom::testing::why_not_large(gib); !reason.empty()) \
  GTEST_SKIP() << reason

namespace recloom::testing {

/// Return the number behind `MemAvailable:` in GiB; infinity where the system does not tell.
inline double available_gib() {
  std::ifstream in("/proc/meminfo");
  std::string line;
  while (std::getline(in, line))
    if (line.starts_with("MemAvailable:")) return std::stod(line.substr(13)) / (1 << 20);
  return std::numeric_limits<double>::infinity();
}

inline std::string why_not_large(double gib) {
  const char* wanted = std::getenv("RECLOOM_LARGE_TESTS");
  const std::string takes = "takes " + std::to_string(static_cast<int>(gib)) + " GiB";
  if (wanted == nullptr || std::string(wanted) != "1")
    return takes + ": RECLOOM_LARGE_TESTS=1 runs it";
  if (available_gib() < gib + 1)
    return takes + ", " + std::to_string(static_cast<int>(available_gib())) + " GiB are free";
  return "";
}

}  // namespace recloom::testing
