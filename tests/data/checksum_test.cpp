#include "data/checksum.hpp"

#include <gtest/gtest.h>

#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

TEST(Checksum, TellsAChangedFile) {
  const testing::TemporaryFolder folder;
  const RunContext run;
  const std::string file = folder.write("log", "");
  // xxh3-64 of no bytes, from xxHash's own documentation of test values.
  EXPECT_NO_THROW(verify_checksum(file, "2d06800538d394c2", run));
  folder.write("log", "x");
  EXPECT_THROW(verify_checksum(file, "2d06800538d394c2", run), DataError);
  EXPECT_THROW(verify_checksum(file, "2D06800538D394C2", run), ConfigError);
  EXPECT_THROW(verify_checksum(folder.file("nowhere"), "2d06800538d394c2", run), IoError);
}

}  // namespace
}  // namespace recloom
