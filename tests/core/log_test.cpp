#include "recloom/core/log.hpp"

#include <gtest/gtest.h>

namespace recloom {
namespace {

// Standard error is a file here, so no bar may reach it.
TEST(Log, WritesPlainLines) {
  ::testing::internal::CaptureStderr();
  log(LogLevel::info, "epoch 1: {loss} 3.2");
  show_progress("50 %");
  log(LogLevel::warning, "item 'x' is unknown");
  show_progress("");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "epoch 1: {loss} 3.2\nwarning: item 'x' is unknown\n");
}

// Names and tokens of files reach messages; what a terminal obeys must not come with them.
TEST(Log, PassesNoControlCharactersOn) {
  ::testing::internal::CaptureStderr();
  log(LogLevel::info, "a\x1b[2Jb\rc\nd");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "a\\x1b[2Jb\\rc\\nd\n");
}

}  // namespace
}  // namespace recloom
