#include "core/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::TemporaryFolder;

std::size_t entries(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

template <class Call>
std::string io_error(Call call) {
  try {
    call();
  } catch (const IoError& error) {
    return error.what();
  }
  return "nothing was thrown";
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

TEST(MakeFolders, MakesAllOfThem) {
  const TemporaryFolder folder;
  make_folders(folder.file("a/b/c"));
  make_folders(folder.file("a/b/c"));
  EXPECT_TRUE(std::filesystem::is_directory(folder.file("a/b/c")));
  folder.write("file", "");
  EXPECT_EQ(io_error([&] { make_folders(folder.file("file")); }),
            "cannot make folder " + folder.file("file") + ": Not a directory");
  EXPECT_EQ(io_error([&] { make_folders(folder.file("file/below")); }),
            "cannot make folder " + folder.file("file/below") + ": Not a directory");
}

TEST(MappedFile, ShowsTheBytes) {
  const TemporaryFolder folder;
  const MappedFile mapped(folder.write("a", "content"));
  EXPECT_EQ(mapped.bytes(), "content");
  const MappedFile empty(folder.write("b", ""));
  EXPECT_EQ(empty.bytes(), "");
}

TEST(MappedFile, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(io_error([&] { MappedFile mapped(folder.path().string()); }),
            "cannot open " + folder.path().string() + ": Is a directory");
  EXPECT_EQ(io_error([&] { MappedFile mapped("/dev/null"); }),
            "cannot open /dev/null: no regular file");
}

}  // namespace
}  // namespace recloom
