// Files that are small but hold much, files that never end, files that change.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "data/archives.hpp"
#include "data/checksum.hpp"
#include "data/events.hpp"
#include "data/log_text.hpp"
#include "data/stream.hpp"
#include "data/table.hpp"
#include "recloom/core/error.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::error_of_log;
using testing::kHeader;
using testing::TemporaryFolder;

/// Return the message of the error that reading all of a stream gives.
template <class ErrorType>
std::string error_of_stream(const std::string& file, std::int64_t max_bytes = 0) {
  const RunContext run;
  std::string buffer(1 << 20, ' ');
  try {
    const auto stream = open_stream(file, run, max_bytes);
    while (stream->read(buffer) > 0) continue;
  } catch (const ErrorType& error) {
    const std::string message = error.what();
    return message.substr(message.rfind('/') + 1);
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(Limits, ASmallArchiveDoesNotUnpackToAnySize) {
  const TemporaryFolder folder;
  const std::string bomb =
      folder.write("bomb.zst", testing::zstd_frame({{'a', std::size_t{3} << 29}}));
  EXPECT_EQ(error_of_stream<DataError>(bomb),
            "bomb.zst: 49161 bytes unpack to more than 1 GiB, which no usual log does; "
            "data.max_text_gib = 8 allows more");
  EXPECT_EQ(
      error_of_stream<DataError>(bomb, 1 << 20),
      "bomb.zst: the text has more than 0.0009766 GiB (1048576 bytes); data.max_text_gib sets "
      "another limit");
}

TEST(Limits, AnArchiveDoesNotAskForAnyMemory) {
  const TemporaryFolder folder;
  // 2^27 is what `zstd --long` uses.
  const RunContext run;
  std::string text(100, ' ');
  const std::string legal = folder.write("a.zst", testing::zstd_frame({{'a', 50}}, 27));
  EXPECT_EQ(open_stream(legal, run)->read(text), 50U);
  EXPECT_EQ(error_of_stream<DataError>(folder.write("b.zst", testing::zstd_frame({{'a', 50}}, 31))),
            "b.zst: zstd archive needs more than 128 MiB of memory to be unpacked; pack it again "
            "without --ultra and with --long=27 at most");
}

TEST(Limits, ALineIsNotOfAnyLength) {
  const TemporaryFolder folder;
  RunContext run;
  const std::string start = std::string(kHeader) + "a\tx\t1\n";
  for (const bool sequences : {false, true}) {
    const std::string name = sequences ? "toy.txt" : "toy.inter";
    const std::string frame = testing::zstd_frame({{'a', std::size_t{70} << 20}});
    const std::string plain = sequences ? "u i i\nu i\n" : start;
    const std::string file = folder.write(name, testing::zstd_text(plain) + frame);
    try {
      Dataset::open(file, {}, {}, run);
      ADD_FAILURE() << "no error";
    } catch (const DataError& error) {
      EXPECT_TRUE(std::string(error.what())
                      .ends_with("/" + name + ": the line that begins at byte " +
                                 std::to_string(plain.size()) +
                                 " is longer than 64 MiB; this is no text file"))
          << error.what();
    }
  }
}

TEST(Limits, RowsAreCounted) {
  DataOptions options;
  options.max_events = 3;
  const std::string text = std::string(kHeader) + "a\tx\t1\na\ty\t2\nb\tx\t3\n";
  EXPECT_EQ(testing::open_log(text, options).n_interactions(), 3);
  EXPECT_EQ(error_of_log<DataError>(text + "b\ty\t3\n", options),
            "toy.inter:5: more than 3 rows up to here; data.max_events allows more (0: any "
            "number), at about 50 bytes of memory a row");
  options.max_events = 0;
  EXPECT_EQ(testing::open_log(text + "b\ty\t3\n", options).n_interactions(), 4);
  options.max_text_gib = 1e-7;  // 108 bytes.
  EXPECT_EQ(error_of_log<DataError>(text + std::string(80, '\n'), options),
            "toy.inter: the text has more than 1.006e-07 GiB (108 bytes); data.max_text_gib sets "
            "another limit");
}

TEST(Limits, TokensAreCounted) {
  const TemporaryFolder folder;
  const RunContext run;
  TableSyntax syntax;
  TableRequest request;
  request.token_columns = {"user_id", "item_id"};
  const std::string text = std::string(kHeader) + "a\tx\t1\nb\tx\t2\na\tx\t3\nc\tx\t4\n";
  const std::string file = folder.write("toy.inter", text);
  syntax.limits.max_tokens = 3;
  EXPECT_EQ(TableReader(file, syntax, run).read(request).tokens[0].size(), 3U);
  syntax.limits.max_tokens = 2;
  try {
    TableReader(file, syntax, run).read(request);
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_EQ(std::string(error.what()),
              file + ":5: more than 2 different users or items up to here");
  }
}

TEST(Limits, AUsersEventsAreCounted) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const Vocabulary words({"[PAD]", "ann", "b\no"}, {"[PAD]", "x"}, {});
  EXPECT_NO_THROW(check_lengths(std::vector<std::int64_t>{0, 0, kMost, 2 * kMost}, words));
  try {
    check_lengths(std::vector<std::int64_t>{0, 0, kMost, 2 * kMost + 1}, words);
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_EQ(std::string(error.what()),
              "user 'b\\no' has 2147483648 events; there may be 2147483647 at most");
  }
}

TEST(Limits, TimesOfMoreThan64BitsAreNotRounded) {
  for (const std::string time :
       {"9223372036854775807", "-9223372036854775809", "+20000000000000000000"})
    EXPECT_EQ(error_of_log<DataError>(std::string(kHeader) + "a\tx\t1\na\ty\t" + time + "\n"),
              "toy.inter:3: 'timestamp' is an integer of more than 64 bits: '" + time +
                  "'; --set data.time_precision=float32 reads it, rounded");
  const std::string text =
      std::string(kHeader) + "a\tx\t9223372036854775806\na\ty\t-9223372036854775808\n";
  EXPECT_EQ(testing::items_of(testing::open_log(text), "a"), "y x");
}

TEST(Limits, AFileMustNotChangeWhileItIsRead) {
  const TemporaryFolder folder;
  const RunContext run;
  const std::string file = folder.write("log.inter", std::string(1 << 20, 'a'));
  for (const bool grows : {true, false}) {
    std::string buffer(1 << 10, ' ');
    const auto stream = open_stream(file, run);
    stream->read(buffer);
    if (grows) {
      std::ofstream(file, std::ios::app) << "more";
    } else {
      ASSERT_EQ(truncate(file.c_str(), 1 << 19), 0);
    }
    try {
      while (stream->read(buffer) > 0) continue;
      ADD_FAILURE() << "no error";
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("log.inter: the file changed while it was read"),
                std::string::npos)
          << error.what();
    }
  }
}

TEST(Limits, ReadsAPipe) {
  const TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const bool packed : {false, true}) {
    std::thread writer([&] {
      std::ofstream file(pipe, std::ios::binary);
      const std::string bytes = packed ? testing::bytes_of_digits(testing::kGzipDigits)
                                       : std::string(testing::kPackedText);
      // Slow at first: what tells an archive comes in several pieces.
      for (std::size_t at = 0; at < bytes.size(); ++at) {
        file << bytes[at] << std::flush;
        if (at < 4) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
    RunContext run;
    const Dataset dataset = Dataset::open(pipe, {}, {}, run);
    writer.join();
    EXPECT_EQ(testing::items_of(dataset, "a"), "x y");
    EXPECT_EQ(dataset.n_interactions(), 4);
  }
}

TEST(Limits, WaitsForNoPipeOnceAStopIsRequested) {
  const TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const bool has_writer : {false, true}) {
    std::atomic<bool> stop = false;
    std::thread other([&] {
      std::ofstream file;
      if (has_writer) {
        file.open(pipe);
        file << kHeader << "a\tx\t1\n" << std::flush;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      stop = true;
      // Kept open until the reader is gone.
      while (stop) std::this_thread::yield();
    });
    RunContext run(1, 2, &stop);
    EXPECT_THROW(Dataset::open(pipe, {}, {}, run), Interrupted);
    stop = false;
    other.join();
  }
}

TEST(Limits, SaysWhatIsNoFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::strcpy(address.sun_path, path.c_str());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(error_of_stream<IoError>(path), "socket': it is a socket");
  close(socket);
  const std::string odd = folder.write("odd\n\x1b[31m.inter", "user_id\n");
  EXPECT_TRUE(error_of_stream<IoError>(odd + "x").starts_with("odd\\n\\x1b[31m.interx'"));
  RunContext run;
  try {
    Dataset::open(odd, {}, {}, run);
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("odd\\n\\x1b[31m.inter:1: header cell"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace recloom
