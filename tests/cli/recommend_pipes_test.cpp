// `recommend` as a helper of another program, and what it writes.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "cli/recommend_program.hpp"
#include "data/stream.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kConfig = 2, kData = 3;

/// A program that is asked line by line, its standard input open all the while.
class Helper {
 public:
  Helper(const TemporaryFolder& folder, const std::string& arguments)
      : in_(pipe(folder, "in")),
        out_(pipe(folder, "out")),
        program_({"/bin/sh", "-c",
                  (binary_dir() / "bin/recloom").string() + " recommend run --input - " +
                      arguments + " < in > out"},
                 folder.path().string()) {}
  ~Helper() {
    close(in_);
    close(out_);
  }
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  void ask(const std::string& line) {
    EXPECT_EQ(write(in_, (line + "\n").data(), line.size() + 1),
              static_cast<ssize_t>(line.size() + 1));
  }
  /// Wait for a line, as long as the program runs: however slow the machine, the test's limit ends
  /// it.
  std::string answer() {
    while (text_.find('\n') == std::string::npos) {
      const bool runs = program_.runs();
      pollfd waiting{out_, POLLIN, 0};
      if (poll(&waiting, 1, 100) <= 0) {
        if (runs) continue;
        return "no answer";
      }
      char bytes[4096];
      const ssize_t count = read(out_, bytes, sizeof bytes);
      if (count <= 0) return "no answer";
      text_.append(bytes, static_cast<std::size_t>(count));
    }
    const std::string line = text_.substr(0, text_.find('\n'));
    text_.erase(0, line.size() + 1);
    return line;
  }
  Json json() { return Json::parse(answer(), nullptr, false); }

 private:
  static int pipe(const TemporaryFolder& folder, const char* name) {
    EXPECT_EQ(mkfifo(folder.file(name).c_str(), 0600), 0);
    return open(folder.file(name).c_str(), O_RDWR | O_CLOEXEC);
  }
  int in_, out_;
  std::string text_;
  RunningProgram program_;
};

std::vector<std::string> items_of(const Json& answer) {
  std::vector<std::string> items;
  for (const Json& item : answer["items"]) items.push_back(item["item"]);
  return items;
}

TEST_F(Recommend, AnswersALineWhenItComes) {
  Helper helper(folder, "-k 2 --keep-going");
  for (int round = 0; round < 3; ++round) {
    helper.ask(R"({"user": "u1", "items": ["i0", "i1"]})");
    const Json first = helper.json();
    EXPECT_EQ(first["user"], "u1");
    EXPECT_EQ(items_of(first)[0], "i2");
    helper.ask(R"({"items": ["i0", "i1"], "candidates": ["i5", "i4", "i5"]})");
    EXPECT_THAT(items_of(helper.json()), ::testing::UnorderedElementsAre("i4", "i5"));
    helper.ask(R"({"items": ["i3"], "user": null})");
    EXPECT_EQ(items_of(helper.json())[0], "i4");
  }
  for (const auto& [line, error] : std::vector<std::pair<std::string, std::string>>{
           {"what", "standard input:10: it is no JSON"},
           {"[1]", "no JSON object"},
           {R"({"items": "i1"})", "items = \"i1\": must be a list"},
           {R"({"items": [1.5]})", "must be a text or an integer"},
           {R"({"user": "u"})", "items is missing"},
           {R"({"items": ["i1"], "candidats": []})", "did you mean 'candidates'?"},
           {R"({"items": ["i1"], "candidates": []})", "leaves nothing to rank"},
           {R"({"items": ["zz"]})", "the model knows no item of the history (zz)"},
           {R"({"items": []})", "the history is empty"}}) {
    helper.ask(line);
    EXPECT_THAT(helper.json()["error"].get<std::string>(), HasSubstr(error)) << line;
  }
  helper.ask(R"({"items": ["i1", "zz"], "candidates": ["yy"]})");
  const Json unknown = helper.json();
  EXPECT_THAT(items_of(unknown), ::testing::IsEmpty());
  EXPECT_THAT(unknown["unknown"], ElementsAre("zz", "yy"));
}

TEST_F(Recommend, AnswersTabbedLinesWhenTheyCome) {
  Helper helper(folder, "-k 1");
  helper.ask("u1\ti0 i1");
  EXPECT_EQ(helper.answer(), "user\titem\trank\tscore\tname");
  EXPECT_THAT(helper.answer(), HasSubstr("u1\ti2\t1\t"));
  helper.ask("u2\ti3");
  EXPECT_THAT(helper.answer(), HasSubstr("u2\ti4\t1\t"));
}

TEST_F(Recommend, CandidatesHaveTheScoresOfTheFullRanking) {
  folder.write("all.jsonl", "{\"items\": [\"i0\", \"i1\"]}\n{\"items\": [\"i2\"]}\n");
  folder.write("some.jsonl",
               "{\"items\": [\"i0\", \"i1\"], \"candidates\": [\"i4\", \"i2\", \"i0\"]}\n"
               "{\"items\": [\"i2\"], \"candidates\": [\"i5\", \"i3\"]}\n");
  std::istringstream all(recommend({"--input", "all.jsonl"}).out);
  std::istringstream some(recommend({"--input", "some.jsonl"}).out);
  const std::vector<std::vector<std::string>> wanted = {{"i0", "i2", "i4"}, {"i3", "i5"}};
  std::string full, part;
  for (const auto& candidates : wanted) {
    std::getline(all, full);
    std::getline(some, part);
    const Json from = Json::parse(full), listed = Json::parse(part);
    Json expected = Json::array();
    for (const Json& item : from["items"])
      if (std::ranges::find(candidates, item["item"].get<std::string>()) != candidates.end())
        expected.push_back(item);
    EXPECT_EQ(listed["items"], expected);
  }
}

TEST_F(Recommend, AWrongLineEndsItButForKeepGoing) {
  const std::string lines = R"('{"items":["i1"]}\n{"items":3}\n{"items":["i2"]}\n')";
  const ProgramResult ended = shell("--input - -k 1 --json < /dev/null");
  EXPECT_EQ(ended.exit_code, 0);
  const std::string program = (binary_dir() / "bin/recloom").string() + " recommend run ";
  const auto piped = [&](const std::string& arguments) {
    return run_program({"/bin/sh", "-c", "printf " + lines + " | " + program + arguments}, {},
                       folder.path().string());
  };
  const ProgramResult wrong = piped("--input - -k 1");
  EXPECT_EQ(wrong.exit_code, kData);
  EXPECT_EQ(lines_of(wrong.out), 1) << "the first has its answer";
  EXPECT_THAT(wrong.err, HasSubstr("standard input:2: items = 3"));
  const ProgramResult kept = piped("--input - -k 1 --keep-going");
  EXPECT_EQ(kept.exit_code, 0);
  EXPECT_EQ(lines_of(kept.out), 3);
  EXPECT_THAT(kept.err, HasSubstr("1 lines are wrong"));
  EXPECT_EQ(piped("--input - -k 1 --output out.jsonl").exit_code, kData);
  EXPECT_FALSE(fs::exists(folder.path() / "out.jsonl"));
}

TEST_F(Recommend, ALogThatAPipeBringsIsAskedFor) {
  folder.write("log.csv", "user_id,item_id,timestamp\nu,i1,1\n");
  refuses(shell("--input - < log.csv"), kConfig, {"standard input", "--input-format log"});
}

// Nothing in such a line says whether it is a row.
TEST_F(Recommend, ATableThatAPipeBringsIsAskedForWhereTheModelKnowsColumns) {
  const std::string rows = "u1 i0 5 1\nu1 i1 3 2\nu2 i3 4 3\n";
  folder.write("rows.txt", rows);
  fs::remove_all(folder.path() / "run");
  ASSERT_EQ(recloom({"train", "rows.txt", "--model", "markov", "--set", "split.mode=none", "--set",
                     "data.columns=[\"user_id\", \"item_id\", \"rating\", \"timestamp\"]", "--set",
                     "data.separator= ", "--run-dir", "run"})
                .exit_code,
            0);
  refuses(shell("--input - < rows.txt"), kConfig,
          {"standard input", "--input-format log", "--input-format histories"});
  const ProgramResult asked = shell("--input - --input-format log -k 1 < rows.txt");
  EXPECT_EQ(asked.exit_code, 0) << asked.err;
  EXPECT_THAT(asked.out, HasSubstr("\nu1\t"));
  EXPECT_THAT(asked.out, HasSubstr("\nu2\t"));
  EXPECT_EQ(lines_of(asked.out), 3);
}

TEST_F(Recommend, AHeaderInAPipeIsNoHistory) {
  folder.write("rows.txt", "user_id item_id timestamp\nu1 i0 1\n");
  refuses(shell("--input - < rows.txt"), kConfig, {"standard input", "--input-format log"});
}

std::string unpacked(const std::string& file) {
  const RunContext run;
  const auto stream = open_stream(file, run);
  std::string text(1 << 20, '\0');
  text.resize(stream->read(text));
  return text;
}

TEST_F(Recommend, WritesWhatTheEndingSays) {
  folder.write("h.tsv", "u,1\ti0\n\"u\"\ti1\n");
  const auto written = [&](const std::string& file) {
    const ProgramResult result = recommend({"--input", "h.tsv", "-k", "1", "--output", file});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr(file + ": 2 histories in "));
    return unpacked(folder.file(file));
  };
  const std::string csv = written("top.csv"), tsv = written("top.tsv"), json = written("top.jsonl");
  EXPECT_THAT(csv, HasSubstr("user,item,rank,score,name\n\"u,1\",i1,1,"));
  EXPECT_THAT(csv, HasSubstr("\n\"\"\"u\"\"\",i2,1,"));
  EXPECT_THAT(tsv, HasSubstr("\nu,1\ti1\t1\t"));
  EXPECT_EQ(Json::parse(json.substr(0, json.find('\n')))["user"], "u,1");
  for (const char* packing : {".gz", ".zst"}) {
    EXPECT_EQ(written(std::string("top.csv") + packing), csv);
    EXPECT_EQ(written(std::string("top.jsonl") + packing), json);
    EXPECT_NE(read_text(folder.path() / (std::string("top.csv") + packing)), csv);
  }
  for (const char* file : {"top.txt", "top", "top.gz", "top.csv.bz2", "top.parquet"})
    refuses(recommend({"--input", "h.tsv", "--output", file}), kConfig,
            {file, ".csv, .tsv or .jsonl", ".gz or .zst"});
  const Json report = json_of({"recommend", "run", "--input", "h.tsv", "--output", "top.csv"});
  EXPECT_EQ(report["histories"], 2);
}

TEST_F(Recommend, ReadsPackedListsOfHistories) {
  folder.write("h.tsv", "u\ti0\nv\ti1\n");
  ASSERT_EQ(run_program({"/bin/sh", "-c", "gzip -k h.tsv"}, {}, folder.path().string()).exit_code,
            0);
  EXPECT_EQ(recommend({"--input", "h.tsv.gz"}).out, recommend({"--input", "h.tsv"}).out);
}

TEST_F(Recommend, SaysWhatAStopLeft) {
  ASSERT_EQ(mkfifo(folder.file("fifo").c_str(), 0600), 0);
  const int writer = open(folder.file("fifo").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(write(writer, "u1\ti0\n", 6), 6);
  RunningProgram program({(binary_dir() / "bin/recloom").string(), "recommend", "run", "--input",
                          "fifo", "--output", "out.csv.zst"},
                         folder.path().string());
  const auto begun = [&] {
    return std::ranges::any_of(left(), [](const auto& name) { return name.ends_with(".tmp"); });
  };
  while (program.runs() && !begun()) usleep(5000);
  program.signal(SIGINT);
  const ProgramResult stopped = program.result();
  close(writer);
  EXPECT_EQ(stopped.exit_code, 130);
  EXPECT_THAT(stopped.err, HasSubstr(" histories; out.csv.zst was not written"));
  for (const std::string& name : left()) EXPECT_THAT(name, Not(HasSubstr("out.csv")));
}

}  // namespace
}  // namespace recloom::testing
