#include "host/run_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

TEST(RunFolder, MakesNothingBeforeItIsCreated) {
  const testing::TemporaryFolder base;
  const std::string path = base.file("a/b/run");
  { const RunFolder folder(path, "x", false, false); }
  EXPECT_TRUE(fs::is_empty(base.path()));
}

TEST(RunFolder, LeavesNothingOfARunThatCameToNothing) {
  const testing::TemporaryFolder base;
  {
    RunFolder folder(base.file("a/b/run"), "x", false, false);
    folder.create("seed = 1\n");
    EXPECT_TRUE(fs::exists(folder.config()));
  }
  EXPECT_TRUE(fs::is_empty(base.path()));
}

TEST(RunFolder, KeepsWhatIsWorthKeeping) {
  const testing::TemporaryFolder base;
  {
    RunFolder folder(base.file("run"), "x", false, false);
    folder.create("seed = 1\n");
    base.write("run/checkpoint.safetensors", "something");
  }
  EXPECT_TRUE(fs::exists(base.path() / "run/config.toml"));
  const RunFolder again(base.file("run"), "x", true, false);
  EXPECT_TRUE(again.continues());
}

TEST(RunFolder, RefusesWhatIsNotItsOwn) {
  const testing::TemporaryFolder base;
  base.write("photos/holiday.jpg", "...");
  for (const bool replace : {false, true})
    EXPECT_THROW(RunFolder(base.file("photos"), "x", false, replace), IoError);
  EXPECT_THROW(RunFolder(base.write("file", ""), "x", false, false), IoError);
  base.write("run/config.toml", "seed = 1\n");
  EXPECT_THROW(RunFolder(base.file("run"), "x", false, false), IoError);
}

TEST(RunFolder, ReplacesOnlyItsOwnFiles) {
  const testing::TemporaryFolder base;
  base.write("run/config.toml", "seed = 1\n");
  base.write("run/model.safetensors", "old");
  base.write("run/notes.txt", "mine");
  {
    RunFolder folder(base.file("run"), "x", false, true);
    EXPECT_TRUE(fs::exists(folder.model()));
    folder.create("seed = 2\n");
    EXPECT_FALSE(fs::exists(folder.model()));
    EXPECT_FALSE(folder.continues());
  }
  EXPECT_EQ(testing::read_text(base.path() / "run/notes.txt"), "mine");
}

TEST(RunFolder, KeepsTheConfigOfARunUntilItsCheckpointAcceptsAnother) {
  const testing::TemporaryFolder base;
  base.write("run/config.toml", "seed = 1\n");
  base.write("run/checkpoint.safetensors", "something");
  RunFolder folder(base.file("run"), "x", true, false);
  folder.create("seed = 2\n");
  EXPECT_EQ(testing::read_text(folder.config()), "seed = 1\n");
  folder.write_config();
  EXPECT_EQ(testing::read_text(folder.config()), "seed = 2\n");
}

TEST(RunFolder, RemovesWhatAKilledProcessLeftHalfWritten) {
  const testing::TemporaryFolder base;
  base.write("run/config.toml", "seed = 1\n");
  base.write("run/checkpoint.safetensors", "something");
  base.write("run/.checkpoint.safetensors.4711-3.tmp", "half");
  base.write("run/.notes.tmp", "mine");
  RunFolder(base.file("run"), "x", true, false).create("seed = 1\n");
  EXPECT_FALSE(fs::exists(base.path() / "run/.checkpoint.safetensors.4711-3.tmp"));
  EXPECT_TRUE(fs::exists(base.path() / "run/.notes.tmp"));
}

TEST(RunFolder, ContinuesOnlyWhereThereIsACheckpoint) {
  const testing::TemporaryFolder base;
  base.write("run/config.toml", "seed = 1\n");
  {
    RunFolder folder(base.file("run"), "x", true, false);
    EXPECT_FALSE(folder.continues());
    folder.create("seed = 1\n");
  }
  EXPECT_TRUE(fs::exists(base.path() / "run/config.toml"));
}

}  // namespace
}  // namespace recloom
