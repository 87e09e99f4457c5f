#include "host/run_folder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <set>

#include "host/other_processes.hpp"
#include "recloom/core/error.hpp"
#include "recloom/recloom.hpp"
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
  EXPECT_THROW(RunFolder(base.file(std::string(300, 'x')), "x", false, false), IoError);
  fs::create_symlink("nowhere", base.path() / "link");
  EXPECT_THROW(RunFolder(base.file("link"), "x", false, false), IoError);
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
  base.write("run/.checkpoint.safetensors.recloom-4711-3.tmp", "half");
  base.write("run/.notes.tmp", "mine");
  RunFolder(base.file("run"), "x", true, false).create("seed = 1\n");
  EXPECT_FALSE(fs::exists(base.path() / "run/.checkpoint.safetensors.recloom-4711-3.tmp"));
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

using testing::OtherProcesses;

std::string refusal(const std::string& path, bool resume, bool replace) {
  try {
    RunFolder folder(path, "x", resume, replace);
    folder.create("seed = 2\n");
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

TEST(RunFolder, IsRefusedWhileAnotherHoldsIt) {
  const testing::TemporaryFolder base;
  RunFolder folder(base.file("run"), "x", false, false);
  folder.create("seed = 1\n");
  base.write("run/checkpoint.safetensors", "something");
  for (const auto& [resume, replace] : {std::pair{false, false}, {true, false}, {false, true}})
    EXPECT_THAT(refusal(base.file("run"), resume, replace),
                ::testing::AllOf(
                    ::testing::HasSubstr("in use by process " + std::to_string(getpid()) + " on "),
                    ::testing::HasSubstr("--run-dir")));
  EXPECT_EQ(testing::read_text(folder.config()), "seed = 1\n");
}

TEST(RunFolder, LeavesNoLockBehind) {
  const testing::TemporaryFolder base;
  for (const bool resume : {false, true}) {
    RunFolder folder(base.file("run"), "x", resume, false);
    folder.create("seed = 1\n");
    base.write("run/checkpoint.safetensors", "something");
    EXPECT_TRUE(fs::exists(base.path() / "run/.lock"));
  }
  EXPECT_FALSE(fs::exists(base.path() / "run/.lock"));
}

TEST(RunFolder, TouchesNothingOfOthersToFindOut) {
  const testing::TemporaryFolder base;
  base.write("photos/holiday.jpg", "...");
  const auto before = fs::last_write_time(base.path() / "photos");
  EXPECT_NE(refusal(base.file("photos"), true, false), "");
  EXPECT_EQ(fs::last_write_time(base.path() / "photos"), before);
}

TEST(RunFolder, IsFreeOnceItsHolderIsKilled) {
  const testing::TemporaryFolder base;
  OtherProcesses others(1, [&](int, const auto& report) {
    RunFolder folder(base.file("run"), "x", false, false);
    folder.create("seed = 1\n");
    report("holds");
    pause();
  });
  EXPECT_THAT(others.reports(1), ::testing::ElementsAre("holds"));
  EXPECT_THAT(refusal(base.file("run"), true, false),
              ::testing::HasSubstr("process " + std::to_string(others.process(0))));
  others.kill_all();
  EXPECT_THAT(refusal(base.file("run"), false, false), ::testing::HasSubstr("--resume"));
  EXPECT_EQ(refusal(base.file("run"), true, false), "");
}

TEST(RunFolder, WithNothingButLeftoversCountsAsEmpty) {
  for (const bool resume : {false, true}) {
    const testing::TemporaryFolder base;
    base.write("run/.config.toml.recloom-4711-1.tmp", "seed");
    base.write("run/.lock", "process 4711 on elsewhere\n");
    RunFolder folder(base.file("run"), "x", resume, false);
    EXPECT_FALSE(folder.continues());
    folder.create("seed = 1\n");
    EXPECT_TRUE(fs::exists(folder.config()));
    EXPECT_FALSE(fs::exists(base.path() / "run/.config.toml.recloom-4711-1.tmp"));
  }
}

TEST(RunFolder, IsWonByOneOfManyThatMakeItAtOnce) {
  constexpr int kProcesses = 5;
  for (int round = 0; round < 5; ++round) {
    const testing::TemporaryFolder base;
    OtherProcesses others(kProcesses, [&](int index, const auto& report) {
      RunFolder folder(base.file("a/run"), "x", false, false);
      try {
        folder.create(std::to_string(index));
      } catch (const IoError& error) {
        return report(error.what());
      }
      report("won");
      pause();
    });
    std::vector<std::string> said = others.reports(kProcesses);
    EXPECT_EQ(std::erase(said, "won"), 1);
    EXPECT_THAT(said, ::testing::Each(::testing::HasSubstr("in use by process")));
  }
}

// Each fails as soon as it has the folder, and cleans up while others reach for it.
TEST(RunFolder, IsHeldByOneAtATimeAlsoWhileHoldersCleanUp) {
  constexpr int kProcesses = 6, kAttempts = 20;
  const testing::TemporaryFolder base;
  OtherProcesses others(kProcesses, [&](int, const auto& report) {
    for (int attempt = 0; attempt < kAttempts; ++attempt) try {
        RunFolder folder(base.file("a/run"), "x", false, false);
        folder.create("seed = 1\n");
        const int alone = open(base.file("alone").c_str(), O_CREAT | O_EXCL, 0600);
        if (alone < 0) return report("not alone");
        close(alone);
        unlink(base.file("alone").c_str());
      } catch (const IoError& error) {
        const std::string text = error.what();
        if (text.find("in use by") == text.npos && text.find("holds a run already") == text.npos)
          return report(text);
      }
    report("never two");
  });
  EXPECT_THAT(others.reports(kProcesses), ::testing::Each("never two"));
  // Who finds the empty folder of one that is about to remove it did not make it, and leaves it.
  EXPECT_TRUE(!fs::exists(base.path() / "a/run") || fs::is_empty(base.path() / "a/run"));
}

TEST(RunFolder, WithoutANameIsAnotherForEveryProcess) {
  constexpr int kProcesses = 12;
  const testing::TemporaryFolder base;
  OtherProcesses others(kProcesses, [&](int, const auto& report) {
    fs::current_path(base.path());
    RunFolder folder("", "model-" + std::string(300, 'x'), false, false);
    folder.create("seed = 1\n");
    report(folder.path());
    pause();
  });
  const std::vector<std::string> paths = others.reports(kProcesses);
  EXPECT_EQ(std::set<std::string>(paths.begin(), paths.end()).size(), paths.size());
  for (const std::string& path : paths) EXPECT_TRUE(fs::exists(base.path() / path / "config.toml"));
}

TEST(RunFolder, CutsTheNameOfANewFolderBetweenCharacters) {
  const testing::TemporaryFolder base;
  OtherProcesses others(1, [&](int, const auto& report) {
    fs::current_path(base.path());
    std::string name = "x";
    while (name.size() < 300) name += "é";
    RunFolder folder("", name, false, false);
    folder.create("seed = 1\n");
    report(folder.path());
  });
  const std::string path = others.reports(1).front();
  EXPECT_TRUE(path.ends_with("é")) << path;
}

TEST(HeldFolder, IsMadeHeldAndRemovedAgain) {
  const testing::TemporaryFolder base;
  {
    const HeldFolder held(base.file("a/compare"));
    EXPECT_THROW(HeldFolder(base.file("a/compare")), IoError);
    EXPECT_NE(refusal(base.file("a/compare"), false, false), "");
  }
  EXPECT_TRUE(fs::is_empty(base.path()));
  base.write("file", "");
  EXPECT_THROW(HeldFolder(base.file("file")), IoError);
  EXPECT_EQ(testing::read_text(base.path() / "file"), "");
}

}  // namespace
}  // namespace recloom
