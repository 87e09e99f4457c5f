// For whom `recommend` answers: logs, lists of histories, names of any kind.
#include <fstream>

#include "cli/recommend_program.hpp"
#include "data/archives.hpp"

namespace recloom::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kConfig = 2, kData = 3;

/// Lines "user item" of a list, without scores.
std::vector<std::string> pairs_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> pairs;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::size_t user = line.find('\t'), item = line.find('\t', user + 1);
    pairs.push_back(line.substr(0, item));
  }
  return pairs;
}

/// "user item score", with three digits.
std::vector<std::string> scored(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> rows;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream cells(line);
    std::string user, item, rank;
    double score = 0;
    cells >> user >> item >> rank >> score;
    rows.push_back(user + " " + item + " " + std::to_string(score).substr(0, 5));
  }
  return rows;
}

class Inputs : public ProgramTest {
 protected:
  void train(const std::string& log, const std::string& text,
             std::vector<std::string> more = {"--model", "markov"}) {
    folder.write(log, text);
    more.insert(more.begin(), {"train", log, "--set", "split.mode=none", "--run-dir", "run"});
    const ProgramResult trained = recloom(more);
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  ProgramResult recommend(std::vector<std::string> arguments) {
    return recommend_by("run", std::move(arguments));
  }
  ProgramResult recommend_by(const std::string& model, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"recommend", model});
    return recloom(std::move(arguments));
  }
  std::vector<std::string> firsts(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-k", "1"});
    const ProgramResult result = recommend(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return pairs_of(result.out);
  }
  void refuses(std::vector<std::string> arguments, int code,
               const std::vector<std::string>& named) {
    const ProgramResult result = recommend(std::move(arguments));
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_EQ(lines_of(result.err), 1) << result.err;
    for (const std::string& text : named) EXPECT_THAT(result.err, HasSubstr(text));
  }
};

// Item counts as targets: a2 b2 c2 d3 e3. After d comes e three times: (3 + 3/12) / (3 + 1).
constexpr const char* kCircle = "u1 a b c d\nu2 b c d e\nu3 c d e a\nu4 d e a b\n";

TEST_F(Inputs, LinesOfALogBeginWithTheUser) {
  train("log.txt", kCircle);
  const ProgramResult result = recommend({"--input", "log.txt", "-k", "1"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("log.txt: lines are read as \"user item item ...\""));
  EXPECT_THAT(scored(result.out),
              ElementsAre("u1 e 0.812", "u2 a 0.722", "u3 b 0.722", "u4 c 0.722"));
}

// Users are items, too: nothing would be unknown.
TEST_F(Inputs, AUserIsNoItemThoughOneIsCalledSo) {
  const std::string log = "1 10 11 12\n10 11 12 13\n11 12 13 10\n12 13 10 11\n13 10 11 1\n";
  train("log.txt", log);
  std::string tabs = log;
  for (std::size_t line = 0; line != std::string::npos && line < tabs.size();
       line = tabs.find('\n', line) + 1)
    tabs[tabs.find(' ', line)] = '\t';
  folder.write("h.tsv", tabs);
  const ProgramResult lines = recommend({"--input", "log.txt", "-k", "3"});
  const ProgramResult histories = recommend({"--input", "h.tsv", "-k", "3"});
  EXPECT_EQ(lines.out, histories.out);
  EXPECT_EQ(histories.err, "");
  EXPECT_THAT(pairs_of(lines.out)[0], HasSubstr("1\t"));
  EXPECT_EQ(lines_of(lines.out), 16);
  folder.write("log.csv", "user_id,item_id,timestamp\n1,10,1\n1,11,2\n1,12,3\n");
  EXPECT_EQ(scored(recommend({"--input", "log.csv", "-k", "1"}).out)[0], scored(histories.out)[0]);
}

TEST_F(Inputs, EveryFormatOfTrainGivesTheSame) {
  train("log.txt", kCircle);
  const auto wanted = ElementsAre("u1\te", "u2\ta", "u3\tb", "u4\tc");
  const std::string rows[] = {"u1", "u2", "u3", "u4"}, items[] = {"abcd", "bcde", "cdea", "deab"};
  std::string csv = "user_id,item_id,timestamp\n",
              atomic = "user_id:token\titem_id:token\ttimestamp:float\n";
  for (int event = 3; event >= 0; --event)  // Times count, not places.
    for (int user = 0; user < 4; ++user) {
      const std::string time = std::to_string(event);
      csv += rows[user] + "," + items[user][event] + "," + time + "\n";
      atomic += rows[user] + "\t" + items[user][event] + "\t" + time + "\n";
    }
  folder.write("log.csv", csv);
  folder.write("log.inter", atomic);
  folder.write("log.zst", zstd_text(kCircle));
  folder.write("rows.dat", csv.substr(csv.find('\n') + 1));
  for (const char* file : {"log.txt", "log.csv", "log.inter", "log.zst"})
    EXPECT_THAT(firsts({"--input", file}), wanted) << file;
  std::string renamed = csv;
  renamed.replace(0, csv.find('\n'), "who;what;when");
  std::ranges::replace(renamed, ',', ';');
  folder.write("shop.csv", renamed);
  EXPECT_THAT(firsts({"--input", "shop.csv", "--set", "data.user_column=who", "--set",
                      "data.item_column=what", "--set", "data.time_column=when"}),
              wanted);
  folder.write("how.toml",
               "[data]\nuser_column = \"who\"\nitem_column = \"what\"\ntime_column = \"when\"\n"
               "max_length = 3\n[train]\nepochs = 3\n");
  EXPECT_THAT(firsts({"--input", "shop.csv", "--config", "how.toml"}), wanted);
  refuses({"--input", "shop.csv"}, kData, {"user_id", "who"});
  refuses({"--input", "shop.csv", "--set", "train.epochs=3"}, kConfig, {"train.epochs"});
}

TEST_F(Inputs, AModelRemembersHowItsLogWasRead) {
  train("log.csv", "who,what,when\nu,a,1\nu,b,2\nu,c,3\nv,b,1\nv,c,2\nv,a,3\n",
        {"--model", "markov", "--set", "data.user_column=who", "--set", "data.item_column=what",
         "--set", "data.time_column=when"});
  folder.write("new.csv", "who,what,when\nn,b,2\nn,a,1\n");
  EXPECT_THAT(firsts({"--input", "new.csv"}), ElementsAre("n\tc"));
}

TEST_F(Inputs, NewCustomersNeedNotPassTheFiltersOfTheTraining) {
  train("log.txt", kCircle,
        {"--model", "markov", "--set", "data.user_interval=[3,inf)", "--set",
         "data.item_interval=[2,inf)"});
  folder.write("new.csv", "user_id,item_id,timestamp\nn,d,1\n");
  EXPECT_THAT(firsts({"--input", "new.csv"}), ElementsAre("n\te"));
  refuses({"--input", "new.csv", "--set", "data.user_interval=[3,inf)"}, kData, {"filtering"});
}

// The file may be the one that the model was trained with.
TEST_F(Inputs, AConfigFileSaysHowALogIsReadAndNotWhoIsInIt) {
  folder.write("items.csv", "item_id,name\na,A\nb,B\nc,C\n");
  train("log.csv",
        "user_id,item_id,timestamp\nu,a,1\nu,b,2\nu,c,3\nu,a,9000\nv,b,1\nv,c,2\nv,a,3\n",
        {"--model", "markov", "--set", "data.user_interval=[2,inf)", "--set",
         "data.session_gap=600", "--set", "data.item_file=items.csv"});
  folder.write("new/log.csv",
               "user_id,item_id,timestamp\nnew,a,1\nlong,a,1\nlong,b,2\nlong,c,9000\n");
  const std::vector<std::string> input = {"--input",         "new/log.csv", "--config",
                                          "run/config.toml", "-k",          "1"};
  const ProgramResult read = recommend(input);
  ASSERT_EQ(read.exit_code, 0) << read.err;
  EXPECT_THAT(pairs_of(read.out), ElementsAre("new\tb", "long\ta"));
  // Who asks for them gets them.
  std::vector<std::string> asked = input;
  asked.insert(asked.end(),
               {"--set", "data.user_interval=[2,inf)", "--set", "data.session_gap=600"});
  EXPECT_THAT(pairs_of(recommend(asked).out), ElementsAre("long#1\tc"));

  folder.write("my.yaml", "USER_ID_FIELD: who\n");
  const ProgramResult yaml = recommend({"--input", "new/log.csv", "--config", "my.yaml"});
  EXPECT_EQ(yaml.exit_code, kConfig);
  EXPECT_THAT(yaml.err, HasSubstr("USER_ID_FIELD is data.user_column"));
}

TEST_F(Inputs, ADataSetThatNotesItsHashIsChecked) {
  train("log.csv", "user_id,item_id,timestamp\nu,a,1\nu,b,2\nu,c,3\n");
  folder.write("set/log.csv", "user_id,item_id,timestamp\nu,a,1\n");
  folder.write("set/dataset.toml", "file = \"log.csv\"\nxxh3 = \"0123456789abcdef\"\n");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--input", "set"}, {"--user", "u", "--log", "set"}}) {
    const ProgramResult result = recommend(arguments);
    EXPECT_EQ(result.exit_code, kData);
    EXPECT_THAT(result.err, HasSubstr("but should be 0123456789abcdef"));
  }
}

TEST_F(Inputs, AUserOfSeveralLinesGetsOneList) {
  train("log.txt", kCircle);
  folder.write("twice.txt", "x a b\ny b c d\nx c d\n");
  EXPECT_THAT(firsts({"--input", "twice.txt"}), ElementsAre("x\te", "y\te"));
}

TEST_F(Inputs, AUsersOwnHistoryComesOutOfALog) {
  train("log.txt", kCircle);
  const ProgramResult own = recommend({"--user", "u2", "--log", "log.txt", "-k", "1"});
  EXPECT_THAT(own.out, HasSubstr("history: b | c | d | e"));
  refuses({"--user", "u1"}, kConfig, {"--user u1", "a history is needed", "--log FILE", "--empty"});
  refuses({"--user", "u9", "--log", "log.txt"}, kData, {"log.txt", "'u9'", "did you mean"});
  refuses({"--log", "log.txt"}, kConfig, {"--user"});
  EXPECT_EQ(recommend({"--user", "u1", "--empty"}).exit_code, 0);
  EXPECT_EQ(recommend({"--history", ""}).exit_code, 0);
}

TEST_F(Inputs, AnEmptyHistoryIsAnsweredOnlyIfAskedFor) {
  train("log.txt", kCircle);
  refuses({"--history", "zz"}, kData, {"(zz)", "--empty"});
  refuses({"--history", "a,b,c,d"}, kData, {"(a,b,c,d); items are parted by blanks", "--item"});
  EXPECT_EQ(recommend({"--history", "zz", "--empty"}).exit_code, 0);
  folder.write("h.tsv", "n\tzz\nm\td\no\t\n");
  const ProgramResult result = recommend({"--input", "h.tsv", "-k", "1"});
  EXPECT_THAT(pairs_of(result.out), ElementsAre("m\te"));
  EXPECT_THAT(result.err, HasSubstr("2 histories without an item that the model knows"));
  EXPECT_EQ(firsts({"--input", "h.tsv", "--empty"}).size(), 3U);
}

constexpr const char* kMusic =
    "user_id\titem_id\ttimestamp\n"
    "Ann B\tDeep Dish\t0\nAnn B\tSigur Rós\t1\nAnn B\ta,b\t2\nAnn B\t日本語 の 曲\t3\n"
    "Ö/ß\tDeep Dish\t1\nÖ/ß\tSigur Rós\t2\nÖ/ß\ta,b\t3\nÖ/ß\t日本語 の 曲\t4\n";

TEST_F(Inputs, NamesMayHoldBlanksAndCommas) {
  train("log.tsv", kMusic);
  const auto first = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-k", "1", "--json"});
    const ProgramResult result = recommend(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Json::parse(result.out)["items"][0]["item"].get<std::string>();
  };
  EXPECT_EQ(first({"--history", "Deep Dish"}), "Sigur Rós");
  EXPECT_EQ(first({"--item", "Deep Dish", "--item", "Sigur Rós"}), "a,b");
  EXPECT_EQ(first({"--item", "Deep Dish", "--item", "a,b"}), "日本語 の 曲");
  EXPECT_EQ(first({"--history", "a,b"}), "日本語 の 曲");
  EXPECT_NE(first({"--history", "Deep Dish", "--block", "Sigur Rós"}), "Sigur Rós");
  EXPECT_EQ(first({"--history", "a,b", "--block", "日本語 の 曲,Deep Dish", "--block", "a,b"}),
            "Sigur Rós");
  EXPECT_EQ(first({"--history", "a,b", "--allow", "a,b"}), "a,b");
  folder.write("list.txt", "Deep Dish\na,b\n");
  EXPECT_EQ(first({"--item", "Deep Dish", "--allow-file", "list.txt"}), "a,b");
  EXPECT_EQ(first({"--item", "Deep Dish", "--allow", "list.txt"}), "a,b");
  folder.write("h.tsv", "Ann B\tDeep Dish\tSigur Rós\nx y\ta,b\n");
  EXPECT_THAT(firsts({"--input", "h.tsv"}), ElementsAre("Ann B\ta,b", "x y\t日本語 の 曲"));
}

TEST_F(Inputs, ANameThatIsAlsoSeveralItemsIsNotGuessed) {
  train("log.tsv",
        "user_id\titem_id\ttimestamp\nu\ta\t1\nu\tb\t2\nu\ta b\t3\nv\ta b\t1\nv\ta\t2\nv\tb\t3\n");
  refuses({"--history", "a b"}, kData, {"'a b' is an item", "--item"});
  EXPECT_EQ(recommend({"--item", "a b"}).exit_code, 0);
  EXPECT_EQ(recommend({"--item", "a", "--item", "b"}).exit_code, 0);
  folder.write("h.tsv", "u\ta b\n");
  refuses({"--input", "h.tsv"}, kData, {"h.tsv:1", "JSON"});
  folder.write("h.tsv", "u\ta b\t\n");
  EXPECT_EQ(recommend({"--input", "h.tsv"}).exit_code, 0);
}

TEST_F(Inputs, SeveralHistoriesGetAListEach) {
  train("log.txt", kCircle);
  const ProgramResult two = recommend({"--history", "a b c d", "--history", "d e", "-k", "1"});
  EXPECT_THAT(two.out, HasSubstr("history: a | b | c | d"));
  EXPECT_THAT(two.out, HasSubstr("history: d | e"));
  refuses({"--history", "a", "--item", "b"}, kConfig, {"--item"});
  refuses({"--history", "a", "--history", "b", "--user", "u1"}, kConfig, {"--input"});
}

TEST_F(Inputs, WhatCanBeTwoThingsIsRefusedWithTheFlagThatDecides) {
  train("log.txt", "u1 1 2 3 4\nu2 2 3 4 5\nu3 3 4 5 1\nu4 4 5 1 2\n");
  // A row an event, without header: the last column is no item.
  folder.write("u.data", "196\t1\t3\t881250949\n186\t2\t3\t891717742\n");
  refuses({"--input", "u.data"}, kConfig, {"u.data", "--input-format log", "histories"});
  folder.write("pairs.tsv", "u1\t1\nu1\t2\nu2\t3\n");
  refuses({"--input", "pairs.tsv"}, kConfig, {"--input-format"});
  folder.write("words.txt", "1\n2\n");
  refuses({"--input", "words.txt"}, kConfig, {"single words", "--input-format histories"});
  EXPECT_THAT(firsts({"--input", "words.txt", "--input-format", "histories"}),
              ElementsAre("\t2", "\t3"));
  EXPECT_EQ(firsts({"--input", "pairs.tsv", "--input-format", "histories"}).size(), 3U);
  folder.write("lists.txt", "1 2\n2 3\n");
  EXPECT_THAT(firsts({"--input", "lists.txt", "--input-format", "histories"}),
              ElementsAre("\t3", "\t4"));
  refuses({"--input", "words.txt", "--input-format", "tsv"}, kConfig, {"auto, histories, log"});
  refuses({"--history", "1", "--set", "data.separator=;"}, kConfig, {"--input or --log"});
}

TEST_F(Inputs, TableWithoutItsColumnsIsNoHistoryOfUnknownItems) {
  train("log.txt", kCircle);
  folder.write("h.csv", "u1,a,b,c,d\nu2,b,c,d,e\n");
  refuses({"--input", "h.csv"}, kData, {"h.csv:1", "user_id"});
}

TEST_F(Inputs, APartOfTheLogWithoutAColumnNamesTheRemedy) {
  train("log.csv", "user_id,item_id,timestamp,rating\nu,a,1,5\nu,b,2,5\nv,a,1,5\nv,b,2,5\n",
        {"--model", "markov", "--set", "data.value_intervals=[\"rating [3,inf)\"]"});
  folder.write("new.csv", "user_id,item_id,timestamp\nn,a,1\n");
  refuses({"--input", "new.csv"}, kConfig, {"rating", "--set 'data.value_intervals=[]'"});
  EXPECT_THAT(firsts({"--input", "new.csv", "--set", "data.value_intervals=[]"}),
              ElementsAre("n\tb"));
}

TEST_F(Inputs, VectorsOfHistoriesAreARowEach) {
  train("log.txt", kCircle, {"--model", "gru4rec", "--epochs", "1"});
  folder.write("h.tsv", "u\ta b\nv\tzz\nw\tc\n");
  const Json all = json_of({"export", "run", "--queries", "all.npy", "--input", "h.tsv"});
  EXPECT_EQ(all["queries"]["shape"][0], 3);
  const auto size = static_cast<std::size_t>(all["queries"]["shape"][1]) * sizeof(float);
  const std::string bytes = read_text(folder.path() / "all.npy");
  ASSERT_EQ(bytes.size(), 128 + 3 * size);
  EXPECT_THAT(bytes.substr(0, 128), HasSubstr("'shape': (3, "));
  EXPECT_EQ(recloom({"export", "run", "--queries", "own.npy", "--user", "u4", "--log", "log.txt"})
                .exit_code,
            0);
  EXPECT_EQ(read_text(folder.path() / "own.npy").size(), 128 + size);
}

// What is validated and tested on came after what is trained on: the next item follows on all.
TEST_F(Inputs, HistoriesOfASplitLogHaveAllItsParts) {
  train("log.txt", kCircle);
  const std::string header = "user_id:token\titem_id:token\ttimestamp:float\n";
  folder.write("shop/shop.train.inter", header + "u1\ta\t1\nu2\tb\t1\n");
  folder.write("shop/shop.valid.inter", header + "u1\tb\t2\n");
  folder.write("shop/shop.test.inter", header + "u1\tc\t3\nu3\td\t1\n");
  const auto wanted = ElementsAre("u1\td", "u2\tc", "u3\te");
  EXPECT_THAT(firsts({"--input", "shop"}), wanted);
  fs::create_directory(folder.path() / "toml");
  folder.write("toml/train.txt", "u1 a\nu2 b\n");
  folder.write("toml/test.txt", "u1 b c\nu3 d\n");
  folder.write("toml/dataset.toml",
               "file = \"train.txt\"\n[split]\nmode = \"given\"\ntest_file = \"test.txt\"\n");
  EXPECT_THAT(firsts({"--input", "toml"}), wanted);
  EXPECT_THAT(recommend({"--user", "u1", "--log", "shop", "-k", "1"}).out, HasSubstr("d"));
}

// A target's rank is its place in the list for the same history.
TEST_F(Inputs, ListsRankAsEvaluationDoes) {
  const std::string log = folder.write("toy.inter", toy_log(12, 9, 7));
  for (const char* model : {"pop", "markov", "gru4rec", "caser"}) {
    ASSERT_EQ(recloom({"train", log, "--model", model, "--epochs", "2", "--run-dir", model, "--set",
                       "split.held_out=test_only", "--set", "train.eval_every=0"})
                  .exit_code,
              0);
    ASSERT_EQ(recloom({"evaluate", model, log, "--rows", "rows.tsv"}).exit_code, 0);
    std::string histories, questions;
    for (int user = 0; user < 12; ++user) {
      std::string items, texts;
      for (int event = 0; event < 6; ++event) {
        const std::string item = toy_token('i', (user + event) % 9);
        items.append(item).append(" ");
        texts.append(event ? ", \"" : "\"").append(item).append("\"");
      }
      const std::string name = toy_token('u', user);
      histories.append(name).append("\t").append(items).append("\n");
      questions.append("{\"user\": \"").append(name).append("\", \"items\": [").append(texts);
      questions.append("], \"candidates\": [\"i7\", \"i2\", \"i5\", \"i0\"]}\n");
    }
    folder.write("h.tsv", histories);
    folder.write("h.jsonl", questions);
    ASSERT_EQ(recloom({"recommend", model, "--input", "h.tsv", "-k", "100", "--output", "top.tsv"})
                  .exit_code,
              0);
    const std::string top = read_text(folder.path() / "top.tsv");
    std::istringstream rows(read_text(folder.path() / "rows.tsv"));
    std::string line;
    std::getline(rows, line);
    for (int row = 0; std::getline(rows, line); ++row) {
      std::istringstream cells(line);
      std::string user, target;
      double rank = 0;
      cells >> user >> target >> rank;
      EXPECT_THAT(top, HasSubstr(user + "\t" + target + "\t" +
                                 std::to_string(static_cast<int>(rank)) + "\t"))
          << model;
    }
    // The order of candidates is theirs in the whole list.
    std::vector<std::string> among, alone;
    for (const std::string& pair : pairs_of(top))
      for (const char* item : {"\ti7", "\ti2", "\ti5", "\ti0"})
        if (pair.ends_with(item)) among.push_back(pair);
    std::istringstream answers(recommend_by(model, {"--input", "h.jsonl", "-k", "100"}).out);
    while (std::getline(answers, line)) {
      const Json answer = Json::parse(line);
      for (const Json& item : answer["items"])
        alone.push_back(answer["user"].get<std::string>() + "\t" + item["item"].get<std::string>());
    }
    EXPECT_EQ(alone, among) << model;
  }
}

TEST_F(Inputs, LinesThatBringTheirHistoriesAreAnswered) {
  train("log.txt", "u1 a b c\nu2 a b d\nu3 c d a\n");
  folder.write("lines.inter",
               "user_id:token\titem_id_list:token_seq\titem_id:token\nu1\ta\td\nu9\t[a, c]\tb\n"
               "u9\ta b\tb\n");
  const std::vector<std::string> format = {"--set", "data.time_column=none"};
  const ProgramResult all = recommend({"--input", "lines.inter", "-k", "1", format[0], format[1]});
  EXPECT_EQ(all.exit_code, 0) << all.err;
  EXPECT_THAT(pairs_of(all.out), ElementsAre("u1\tb", "u9\td", "u9\td"));
  EXPECT_THAT(all.err, HasSubstr("lines bring their histories"));
  const ProgramResult one =
      recommend({"--user", "u9", "--log", "lines.inter", "-k", "1", format[0], format[1]});
  EXPECT_THAT(one.out, HasSubstr("history: a | b"));
}

TEST_F(Inputs, ErrorsShowNoLineAsAWhole) {
  train("log.txt", "u1 a b c\nu2 a b d\n");
  std::string wide = "i0";
  for (int item = 1; item < 50000; ++item) wide += ",i" + std::to_string(item);
  folder.write("wide.txt", wide + "\n" + wide + ",j\n");
  EXPECT_LT(recommend({"--history", wide.substr(0, 60000)}).err.size(), 500U);
  EXPECT_LT(recommend({"--input", "wide.txt"}).err.size(), 700U);
  EXPECT_LT(recommend({"--input", "wide.txt", "--input-format", "histories"}).err.size(), 700U);
  EXPECT_LT(recommend({"--input", "wide.txt", "--input-format", "histories", "--unknown", "refuse"})
                .err.size(),
            700U);
  folder.write("latin.tsv", "u1\ta \xE9\n");
  const ProgramResult latin = recommend({"--input", "latin.tsv", "--input-format", "histories"});
  EXPECT_EQ(latin.exit_code, kData);
  EXPECT_THAT(latin.err, HasSubstr("latin.tsv:1: the line is not valid UTF-8"));
}

}  // namespace
}  // namespace recloom::testing
