#include "data/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "data/archives.hpp"
#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::TemporaryFolder;

/// Read a file in pieces of a few bytes.
std::string read_all(const std::string& file, std::size_t piece = 7) {
  const RunContext run;
  const auto stream = open_stream(file, run);
  std::string text, buffer(piece, ' ');
  while (const std::size_t count = stream->read(buffer)) text.append(buffer, 0, count);
  return text;
}

/// Return the message of the error of this type that reading gives, without the folder.
template <class ErrorType>
std::string error_of(const TemporaryFolder& folder, const std::string& name,
                     const std::string& bytes) {
  const std::string file = folder.write(name, bytes);
  try {
    read_all(file);
  } catch (const ErrorType& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with(file + ": ")) << message;
    return message.substr(std::min(message.size(), file.size() + 2));
  }
  ADD_FAILURE() << "no error";
  return "";
}

const std::string kGzip = testing::bytes_of_digits(testing::kGzipDigits);
const std::string kZstd = testing::bytes_of_digits(testing::kZstdDigits);

TEST(Stream, ReadsPlainBytes) {
  const TemporaryFolder folder;
  const std::string bytes("some\0bytes", 10);
  EXPECT_EQ(read_all(folder.write("a", bytes)), bytes);
  EXPECT_EQ(read_all(folder.write("b", "")), "");
}

TEST(Stream, KnowsArchivesByTheirFirstBytes) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "a.inter", "a.gz", "a.zst"}) {
    EXPECT_EQ(read_all(folder.write(name, kGzip)), testing::kPackedText) << name;
    EXPECT_EQ(read_all(folder.write(name, kZstd)), testing::kPackedText) << name;
    EXPECT_EQ(read_all(folder.write(name, kZstd), 1000), testing::kPackedText) << name;
  }
}

TEST(Stream, ReadsArchivesOfSeveralMembers) {
  const TemporaryFolder folder;
  const std::string twice = std::string(testing::kPackedText) + std::string(testing::kPackedText);
  EXPECT_EQ(read_all(folder.write("a.gz", kGzip + kGzip)), twice);
  EXPECT_EQ(read_all(folder.write("a.zst", kZstd + kZstd)), twice);
  // Tapes and some programs fill the last block with zeros.
  EXPECT_EQ(read_all(folder.write("b.gz", kGzip + std::string(100, '\0'))), testing::kPackedText);
}

TEST(Stream, RefusesTruncatedArchivesAtEveryLength) {
  const TemporaryFolder folder;
  for (std::size_t size = 2; size < kGzip.size(); ++size) {
    EXPECT_EQ(error_of<DataError>(folder, "a.gz", kGzip.substr(0, size)),
              "gzip archive is truncated")
        << size;
  }
  for (std::size_t size = 4; size < kZstd.size(); ++size) {
    EXPECT_EQ(error_of<DataError>(folder, "a.zst", kZstd.substr(0, size)),
              "zstd archive is truncated")
        << size;
  }
}

TEST(Stream, RefusesDamagedArchives) {
  const TemporaryFolder folder;
  for (const std::size_t at : {std::size_t{20}, kGzip.size() - 6}) {
    std::string bytes = kGzip;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    EXPECT_TRUE(error_of<DataError>(folder, "a.gz", bytes).starts_with("gzip archive is damaged"));
  }
  for (const std::size_t at : {std::size_t{20}, kZstd.size() - 1}) {
    std::string bytes = kZstd;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    EXPECT_TRUE(error_of<DataError>(folder, "a.zst", bytes).starts_with("zstd archive is damaged"));
  }
  EXPECT_EQ(error_of<DataError>(folder, "b.gz", kGzip + "tail"),
            "gzip archive is damaged (unknown bytes after its end)");
}

TEST(Stream, RefusesFilesThatAreOnlyNamedLikeArchives) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of<DataError>(folder, "a.gz", "user_id:token"),
            "gzip archive is damaged (wrong first bytes)");
  EXPECT_EQ(error_of<DataError>(folder, "a.zst", ""), "zstd archive is empty");
}

TEST(Stream, SaysWhyAFileCannotBeOpened) {
  const TemporaryFolder folder;
  try {
    open_stream(folder.file("nowhere.inter"), RunContext());
    FAIL();
  } catch (const IoError& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot open '" + folder.file("nowhere.inter") + "': No such file or directory");
  }
  EXPECT_THROW(open_stream(folder.path().string(), RunContext()), IoError);
}

}  // namespace
}  // namespace recloom
