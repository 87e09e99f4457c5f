#include "kernels/self_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kernels/isa.hpp"

namespace recloom::kernels {
namespace {

TEST(SelfTest, PassesOnEveryLevel) {
  for (const Isa level : supported_isas()) {
    const ScopedIsa use(level);
    const auto results = self_test();
    EXPECT_EQ(results.size(), 9u);
    for (const SelfTestResult& r : results)
      EXPECT_TRUE(r.ok) << r.name << ": " << r.detail << " on " << isa_name(level);
  }
}

TEST(KernelVersions, AreFilled) {
  const KernelVersions versions = kernel_versions();
  EXPECT_THAT(versions.onednn, ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_EQ(versions.onednn[0], versions.onednn_headers[0]);
  EXPECT_FALSE(versions.onednn_runtime.empty());
  EXPECT_FALSE(versions.onednn_isa.empty());
  EXPECT_EQ(versions.isa, isa_name(isa()));
}

}  // namespace
}  // namespace recloom::kernels
