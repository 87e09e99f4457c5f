#include "core/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "recloom/core/error.hpp"
#include "support/io_error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::io_error;
using testing::TemporaryFolder;

std::size_t entries(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

TEST(WriteFileAtomically, WritesAndReplaces) {
  const TemporaryFolder folder;
  const std::string file = folder.file("a.txt");
  write_file_atomically(file, "first");
  EXPECT_EQ(read_file(file), "first");
  write_file_atomically(file, [](const auto& append) {
    append("sec");
    append(std::string(3 << 20, 'x'));
    append("ond");
  });
  EXPECT_EQ(read_file(file), "sec" + std::string(3 << 20, 'x') + "ond");
  EXPECT_EQ(entries(folder), 1U);
}

TEST(WriteFileAtomically, WritesItsHeadLast) {
  const TemporaryFolder folder;
  const std::string file = folder.file("a");
  int rows = 0;
  const auto write = [&](const auto& append) {
    append("0000 rows\n");
    for (; rows < 1200; ++rows) append("a row that is there\n");
  };
  const auto head = [&] { return std::to_string(rows); };
  write_file_atomically(file, write, head);
  EXPECT_EQ(read_file(file).substr(0, 10), "1200 rows\n");
  EXPECT_EQ(read_file(file).size(), 10U + 1200U * 20U);
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  const Descriptor reader(open(folder.file("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_NE(io_error([&] { write_file_atomically(folder.file("pipe"), write, head); }), "");
}

TEST(WriteFileAtomically, ObeysTheUmask) {
  const TemporaryFolder folder;
  const mode_t before = umask(027);
  write_file_atomically(folder.file("a"), "");
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(folder.file("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenTheWriterThrows) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a.txt", "old");
  EXPECT_THROW(write_file_atomically(file,
                                     [](const auto& append) {
                                       append("half");
                                       throw std::runtime_error("stop");
                                     }),
               std::runtime_error);
  EXPECT_EQ(read_file(file), "old");
  EXPECT_EQ(entries(folder), 1U);
}

TEST(WriteFileAtomically, NamesTheFileAndTheReason) {
  const TemporaryFolder folder;
  const std::string file = folder.file("none/a.txt");
  EXPECT_EQ(io_error([&] { write_file_atomically(file, "x"); }),
            "cannot write " + file + ": No such file or directory");
  EXPECT_EQ(io_error([&] { write_file_atomically(folder.path().string(), "x"); }),
            "cannot write " + folder.path().string() + ": Is a directory");
  EXPECT_EQ(entries(folder), 0U);
}

TEST(WriteFileAtomically, WritesIntoDevicesInsteadOfReplacingThem) {
  write_file_atomically("/dev/null", "x");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(io_error([] { write_file_atomically("/dev/full", "x"); }),
            "cannot write /dev/full: No space left on device");
}

TEST(WriteFileAtomically, TakesTheLongestNames) {
  const TemporaryFolder folder;
  for (const std::size_t length : {std::size_t{100}, std::size_t{101}, std::size_t{255}}) {
    const std::string file = folder.file(std::string(length, 'x'));
    write_file_atomically(file, "a");
    write_file_atomically(file, "b");
    EXPECT_EQ(read_file(file), "b");
  }
  EXPECT_EQ(entries(folder), 3U);
}

TEST(WriteFileAtomically, KeepsTheModeOfWhatItReplaces) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a", "old");
  for (const mode_t mode : {mode_t{0600}, mode_t{0640}, mode_t{0666}, mode_t{0755}}) {
    ASSERT_EQ(chmod(file.c_str(), mode), 0);
    mode_t meanwhile = 07777;
    write_file_atomically(file, [&](const auto& append) {
      append("new");
      for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        if (entry.path() != file) meanwhile = static_cast<mode_t>(entry.status().permissions());
    });
    struct stat status {};
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, mode);
    EXPECT_EQ(meanwhile & ~mode, 0U) << "what others may not read, they may read meanwhile";
  }
}

TEST(WriteFileAtomically, KeepsTheOwnerOfWhatItReplaces) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  const TemporaryFolder folder;
  const std::string file = folder.write("a", "old");
  ASSERT_EQ(chown(file.c_str(), 12345, 54321), 0);
  write_file_atomically(file, "new");
  struct stat status {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 12345U);
  EXPECT_EQ(status.st_gid, 54321U);
}

TEST(WriteFileAtomically, WritesThroughSymbolicLinks) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  folder.write("below/target", "old");
  fs::create_symlink("below/target", folder.file("link"));
  fs::create_symlink("link", folder.file("chain"));
  write_file_atomically(folder.file("chain"), "new");
  EXPECT_TRUE(fs::is_symlink(folder.file("chain")));
  EXPECT_TRUE(fs::is_symlink(folder.file("link")));
  EXPECT_EQ(read_file(folder.file("below/target")), "new");
  fs::create_symlink("below/none", folder.file("dangling"));
  write_file_atomically(folder.file("dangling"), "made");
  EXPECT_TRUE(fs::is_symlink(folder.file("dangling")));
  EXPECT_EQ(read_file(folder.file("below/none")), "made");
  fs::create_symlink("circle", folder.file("circle"));
  EXPECT_EQ(io_error([&] { write_file_atomically(folder.file("circle"), "x"); }),
            "cannot write " + folder.file("circle") + ": Too many levels of symbolic links");
  EXPECT_EQ(entries(folder), 5U);
}

// What was written to it before must stay.
TEST(WriteFileAtomically, AppendsToAFileThatIsStandardOutput) {
  const TemporaryFolder folder;
  const std::string file = folder.write("out", "before ");
  const Descriptor open_file(open(file.c_str(), O_WRONLY | O_APPEND));
  write_file_atomically("/dev/fd/" + std::to_string(open_file.get()), "after");
  EXPECT_EQ(read_file(file), "before after");
}

TEST(WriteFileAtomically, LeavesReadOnlyFilesAlone) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write to every file";
  const TemporaryFolder folder;
  const std::string file = folder.write("a", "old");
  ASSERT_EQ(chmod(file.c_str(), 0444), 0);
  EXPECT_EQ(io_error([&] { write_file_atomically(file, "new"); }),
            "cannot write " + file + ": Permission denied");
  EXPECT_EQ(read_file(file), "old");
}

TEST(WriteFileAtomically, NamesAFileThatMayNotGrow) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a", "old");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = io_error([&] { write_file_atomically(file, std::string(2000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(error, "cannot write " + file + ": File too large");
  EXPECT_EQ(read_file(file), "old");
  EXPECT_EQ(entries(folder), 1U);
}

TEST(Leftover, IsWhatAKilledWriterLeaves) {
  const TemporaryFolder folder;
  for (const std::string& name : {std::string("a.txt"), std::string(200, 'x')}) {
    std::vector<std::string> seen;
    write_file_atomically(folder.file(name), [&](const auto&) {
      for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        seen.push_back(entry.path().filename().string());
    });
    const auto temporary = std::ranges::find_if(
        seen, [&](const std::string& other) { return is_leftover_of(other, name); });
    ASSERT_NE(temporary, seen.end());
    EXPECT_FALSE(is_leftover_of(*temporary, name + "2"));
  }
  for (const char* other : {"a.txt", ".a.txt.tmp", ".a.txt..tmp", ".a.txt.12-3.tmp",
                            ".a.txt.recloom-1.tmp", ".a.txt.recloom-1-.tmp",
                            ".a.txt.recloom-x-1.tmp", ".a.txt.recloom-12-3.tmp2", "a.txt.12-3.tmp"})
    EXPECT_FALSE(is_leftover_of(other, "a.txt")) << other;
  EXPECT_TRUE(is_leftover_of(".a.txt.recloom-12-3.tmp", "a.txt"));
}

TEST(Leftover, IsRemovedByTheNextWriterUnlessItsOwnIsAtWork) {
  const TemporaryFolder folder;
  const std::string file = folder.file("a.txt");
  folder.write(".a.txt.recloom-12-3.tmp", "half");
  folder.write(".b.txt.recloom-12-3.tmp", "of another file");
  folder.write("a.txt.12-3.tmp", "no leftover");
  write_file_atomically(file, [&](const auto& append) {
    append("outer");
    EXPECT_EQ(entries(folder), 3U) << "what a killed writer left is still there";
    write_file_atomically(file, "inner");  // As another process would.
    EXPECT_EQ(entries(folder), 4U) << "the temporary file of a writer at work was removed";
  });
  EXPECT_EQ(read_file(file), "outer");
  EXPECT_EQ(read_file(folder.file(".b.txt.recloom-12-3.tmp")), "of another file");
  EXPECT_EQ(read_file(folder.file("a.txt.12-3.tmp")), "no leftover");
  EXPECT_EQ(entries(folder), 3U);
}

TEST(Leftover, OfManyWritersAtOnceIsNone) {
  const TemporaryFolder folder;
  const std::string file = folder.file("a.txt");
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 4; ++writer)
    writers.emplace_back([&, writer] {
      for (int round = 0; round < 50; ++round)
        write_file_atomically(file, std::string(1000, static_cast<char>('a' + writer)));
    });
  writers.clear();
  const std::string text = read_file(file);
  EXPECT_EQ(text, std::string(1000, text.front()));
  EXPECT_EQ(entries(folder), 1U);
}

TEST(WriteFileAtomically, TakesANameWithoutFolder) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file_atomically("plain", "x");
  std::filesystem::current_path(before);
  EXPECT_EQ(read_file(folder.file("plain")), "x");
}

TEST(ReadFile, NamesTheFileAndTheReason) {
  const TemporaryFolder folder;
  EXPECT_EQ(io_error([&] { read_file(folder.file("none")); }),
            "cannot open " + folder.file("none") + ": No such file or directory");
  EXPECT_EQ(io_error([&] { read_file(folder.path().string()); }),
            "cannot open " + folder.path().string() + ": Is a directory");
  EXPECT_EQ(io_error([&] { read_file("a\nb"); }), "cannot open a\\nb: No such file or directory");
}

TEST(ReadFile, ReadsFilesThatHaveNoSize) { EXPECT_NE(read_file("/proc/self/status"), ""); }

TEST(ReadFile, RefusesMoreThanTheLimit) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a", "12345");
  EXPECT_EQ(read_file(file, 5), "12345");
  EXPECT_EQ(io_error([&] { read_file(file, 4); }),
            "cannot read " + file + ": it has more than 4 bytes");
  EXPECT_EQ(io_error([] { read_file("/proc/self/status", 4); }),
            "cannot read /proc/self/status: it has more than 4 bytes");
}

TEST(InputFile, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(io_error([&] { InputFile input(folder.path().string()); }),
            "cannot open " + folder.path().string() + ": Is a directory");
  EXPECT_EQ(io_error([&] { InputFile input("/dev/null"); }),
            "cannot open /dev/null: no regular file");
  // A pipe that nobody writes to must not be waited for.
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(io_error([&] { InputFile input(pipe); }), "cannot open " + pipe + ": no regular file");
}

TEST(InputFile, NoticesThatItsFileChanges) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a", "0123456789");
  const InputFile input(file);
  std::string bytes(4, ' ');
  input.read(3, bytes);
  EXPECT_EQ(bytes, "3456");
  EXPECT_NO_THROW(input.require_unchanged());
  // Replacing a file by another one leaves what was opened alone.
  write_file_atomically(file, "other");
  EXPECT_NO_THROW(input.require_unchanged());

  const InputFile cut(file);
  std::filesystem::resize_file(file, 2);
  EXPECT_EQ(io_error([&] { cut.read(0, bytes); }),
            "cannot read " + file + ": it became shorter while it was read");
  EXPECT_EQ(io_error([&] { cut.require_unchanged(); }),
            "cannot read " + file + ": it changed while it was read");
  const InputFile touched(file);
  std::filesystem::last_write_time(
      file, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(io_error([&] { touched.require_unchanged(); }),
            "cannot read " + file + ": it changed while it was read");
}

}  // namespace
}  // namespace recloom
