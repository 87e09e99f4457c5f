#include "data/stream_write.hpp"

#include <gtest/gtest.h>

#include "data/stream.hpp"
#include "recloom/core/error.hpp"
#include "recloom/core/random.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using namespace testing;

std::string unpacked(const std::string& file, std::size_t size) {
  const RunContext run;
  const auto stream = open_stream(file, run);
  std::string text(size + 1, '\0');
  text.resize(stream->read(text));
  return text;
}

/// Text that packs well, and text that does not.
std::string text_of(std::size_t size, std::uint64_t values) {
  Rng rng(3);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(rng.below(static_cast<std::int64_t>(values)));
  return text;
}

TEST(StreamWrite, IsReadBackFromPiecesOfAnySize) {
  const TemporaryFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20})
    for (const int values : {3, 256})
      for (const std::size_t piece : {std::size_t{1000}, std::size_t{1} << 19})
        for (const char* name : {"x.csv", "x.csv.gz", "x.csv.zst"}) {
          const std::string text = text_of(size, static_cast<std::uint64_t>(values));
          write_packed_atomically(folder.file(name), [&](const auto& append) {
            for (std::size_t at = 0; at < size; at += piece)
              append(std::string_view(text).substr(at, piece));
          });
          EXPECT_EQ(unpacked(folder.file(name), size), text) << name << " " << size;
        }
}

TEST(StreamWrite, LeavesTheOldFileWhereWritingFails) {
  const TemporaryFolder folder;
  for (const char* name : {"x.gz", "x.zst"}) {
    folder.write(name, "old");
    EXPECT_THROW(write_packed_atomically(folder.file(name),
                                         [](const auto& append) {
                                           append("new");
                                           throw DataError("stop");
                                         }),
                 DataError);
    EXPECT_EQ(std::filesystem::file_size(folder.file(name)), 3U);
  }
}

}  // namespace
}  // namespace recloom
