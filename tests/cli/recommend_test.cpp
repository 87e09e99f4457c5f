// What `recommend` does with large, odd and hostile input.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "cli/recommend_program.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kConfig = 2, kData = 3, kIo = 6, kInterrupted = 130;

TEST_F(Recommend, RefusesInputThatCannotBeRead) {
  fs::create_directory(folder.path() / "folder");
  refuses(recommend({"--input", "folder", "--output", "out.tsv"}), kIo, {"folder", "dataset.toml"});
  refuses(shell("--input - < folder"), kIo, {"standard input", "directory"});
  refuses(shell("--input - --output out.tsv <&-"), kIo, {"standard input"});
  refuses(recommend({"--input", "nowhere", "--output", "out.tsv"}), kIo, {"nowhere"});
}

TEST_F(Recommend, RefusesBinaryInput) {
  folder.write("noise", std::string("u\ti0 i1\nu\ti0\0i1\n", 16));
  refuses(recommend({"--input", "noise", "--output", "out.tsv"}), kData, {"noise:2", "binary"});
  refuses(recommend({"--history", "i0", "--block", "noise"}), kData, {"noise:2", "binary"});
}

TEST_F(Recommend, RefusesALineWithoutEnd) {
  refuses(shell("--input /dev/zero"), kData, {"/dev/zero:1", "64 MiB"});
}

TEST_F(Recommend, SaysThatThereAreNoHistories) {
  for (const char* text : {"", "\n\r\n"}) {
    folder.write("none.tsv", text);
    const ProgramResult result = recommend({"--input", "none.tsv"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.out, "user\titem\trank\tscore\tname\n");
    EXPECT_THAT(result.err, HasSubstr("none.tsv: no histories"));
  }
}

TEST_F(Recommend, ReadsWhatWindowsWrites) {
  folder.write("unix.tsv", "u1\ti0 i1\n\nu2\ti2\n");
  folder.write("windows.tsv", "\xef\xbb\xbfu1\ti0 i1\r\n\r\nu2\ti2\r");
  const ProgramResult unix = recommend({"--input", "unix.tsv"});
  EXPECT_EQ(recommend({"--input", "windows.tsv"}).out, unix.out);
  EXPECT_EQ(unix.err, "");
}

TEST_F(Recommend, GivesTheSameInAnyNumberOfPieces) {
  std::string many;
  for (int row = 0; row < 9000; ++row)
    many += "u" + std::to_string(row) + "\ti" + std::to_string(row % 6) + "\n";
  folder.write("many.tsv", many);
  const ProgramResult result = recommend(
      {"--input", "many.tsv", "--output", "top.tsv", "-k", "1", "--block", "strange,stranger,i99"});
  ASSERT_EQ(result.exit_code, 3);  // None of them is known.
  const ProgramResult warned = recommend({"--input", "many.tsv", "--output", "top.tsv", "-k", "1",
                                          "--allow", "i0,i1,i2,i3,i4,i5,strange"});
  ASSERT_EQ(warned.exit_code, 0);
  EXPECT_THAT(warned.err, HasSubstr("1 of 7 items are unknown"));
  EXPECT_EQ(lines_of(warned.err), 1) << warned.err;
  const std::vector<std::string> top = lines("top.tsv");
  ASSERT_EQ(top.size(), 9001U);
  for (int row = 0; row < 9000; ++row)
    ASSERT_TRUE(top[static_cast<std::size_t>(row) + 1].starts_with(
        "u" + std::to_string(row) + "\ti" + std::to_string((row + 1) % 6) + "\t1\t"))
        << top[static_cast<std::size_t>(row) + 1];
}

TEST_F(Recommend, HidesAHistoryOfManyItems) {
  std::string history = "u1\t";
  for (int event = 0; event < 300000; ++event) history += "i" + std::to_string(event % 5) + " ";
  folder.write("long.tsv", history + "\n");
  const ProgramResult result = recommend({"--input", "long.tsv", "--seen", "hide"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("u1\ti5\t1\t"));
  EXPECT_EQ(lines_of(result.out), 2);
}

TEST_F(Recommend, NamesTheLineOfARefusedItem) {
  std::string many;
  for (int row = 0; row < 5000; ++row) many += "i0 i1\n";
  folder.write("many.tsv", many + "i0 i11\n");
  refuses(recommend({"--input", "many.tsv", "--input-format", "histories", "--unknown", "refuse",
                     "--output", "out.tsv"}),
          kData, {"many.tsv:5001", "'i11'"});
}

TEST_F(Recommend, TakesAsManyAsThereAre) {
  for (const char* k : {"6", "2147483647"})
    EXPECT_EQ(lines_of(recommend({"--history", "i0", "-k", k}).out), 8) << k;
  for (const char* k : {"0", "-1", "2147483648", "99999999999999999999999", "1e3", "", "ten"})
    refuses(recommend({"--history", "i0", "-k", k}), kConfig,
            {std::string("k = ") + k, "2147483647"});
}

TEST_F(Recommend, BlocksNothingByAnEmptyListAndAllowsNothing) {
  folder.write("empty.txt", "");
  const std::string all = recommend({"--history", "i0"}).out;
  EXPECT_EQ(recommend({"--history", "i0", "--block", "empty.txt"}).out, all);
  EXPECT_EQ(recommend({"--history", "i0", "--block", ""}).out, all);
  refuses(recommend({"--history", "i0", "--allow", "empty.txt"}), kConfig,
          {"empty.txt", "no item"});
  refuses(recommend({"--history", "i0", "--allow", ""}), kConfig, {"--allow", "no item"});
}

TEST_F(Recommend, TakesNoMisspeltFileForAnItem) {
  for (const char* flag : {"--block", "--allow"})
    for (const char* file : {"sold-uot.txt", "lists/soldout", "./i0"})
      refuses(recommend({"--history", "i0", flag, file}), kData, {flag, file, "no such file"});
  fs::create_directory(folder.path() / "folder");
  refuses(recommend({"--history", "i0", "--block", "folder"}), kIo, {"folder"});
}

TEST_F(Recommend, EscapesCellsAndShowsNothingThatATerminalObeys) {
  std::string log = "user_id,item_id,timestamp\n";
  for (const char* user : {"a", "b"})
    for (int event = 0; event < 4; ++event)
      log += std::string(user) + ",i" + std::to_string(event) + "," + std::to_string(event) + "\n";
  folder.write("log.csv", log);
  folder.write("names.csv",
               "item_id,name\ni0,\"tab\there\"\ni1,\"two\\lines\"\ni2,\"\x1b[31mred\"\ni3,d\n");
  ASSERT_EQ(recloom({"train", "log.csv", "--model", "pop", "--run-dir", "named", "--set",
                     "data.item_file=names.csv"})
                .exit_code,
            0);
  folder.write("in.tsv", "\x1b]0;title\x07\ti0\n");
  ASSERT_EQ(recloom({"recommend", "named", "--input", "in.tsv", "--output", "out.tsv"}).exit_code,
            0);
  std::vector<std::string> names;
  for (const std::string& line : lines("out.tsv")) {
    EXPECT_EQ(std::count(line.begin(), line.end(), '\t'), 4) << line;
    names.push_back(line.substr(line.rfind('\t') + 1));
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("name", "tab\\there", "two\\\\lines",
                                                     "\x1b[31mred", "d"));
  const ProgramResult shown =
      recloom({"recommend", "named", "--history", "i0 i2 \x1b[2J", "--user", "\x1b[0m"});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shown.err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shown.out, HasSubstr("\\x1b[31mred"));
}

TEST_F(Recommend, LeavesNoHalfFileWhenStopped) {
  const std::string fifo = folder.file("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const int writer = open(fifo.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  const std::string text = "u1\ti0\n";
  ASSERT_EQ(write(writer, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  RunningProgram program({(binary_dir() / "bin/recloom").string(), "recommend", "run", "--input",
                          "fifo", "--output", "out.tsv"},
                         folder.path().string());
  const auto temporary = [&] {
    for (const std::string& name : left())
      if (name.ends_with(".tmp")) return true;
    return false;
  };
  while (program.runs() && !temporary()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), kInterrupted);
  close(writer);
  EXPECT_FALSE(temporary());
  EXPECT_FALSE(fs::exists(folder.path() / "out.tsv"));
}

}  // namespace
}  // namespace recloom::testing
