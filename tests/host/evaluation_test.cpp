// Models on other data than theirs: what is known, how it is read, who is who.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "host/known_rows.hpp"
#include "host/toy_log.hpp"
#include "recloom/recloom.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Settings = std::vector<ConfigRequest::Setting>;

class Evaluation : public ::testing::Test {
 protected:
  Dataset open(const std::string& data, const Settings& settings = {}) {
    ConfigRequest request;
    request.data = data;
    request.settings = settings;
    return open_dataset(resolve_data_config(request), run);
  }
  /// Train on a log and return what a model file would keep of it.
  Recommender trained(const std::string& data, const Settings& settings) {
    ConfigRequest request;
    request.data = data;
    request.model = "markov";
    request.settings = settings;
    const RunConfig config = resolve_config(request, plugins);
    const Dataset dataset = open_dataset(config, run);
    Recommender model = Recommender::create(config, dataset, plugins);
    model.train(dataset, run);
    model.save(folder.file("model.safetensors"));
    return Recommender::load(folder.file("model.safetensors"), plugins);
  }
  EvaluationData read_for(const Recommender& model, const std::string& data,
                          const Settings& settings = {}) {
    return open_evaluation(model.config(), {data}, "", settings, plugins, run);
  }
  /// The toy log as a csv file.
  static std::string csv() {
    std::string text = testing::toy_log();
    text.replace(0, text.find('\n'), "user_id\titem_id\ttimestamp");
    std::ranges::replace(text, '\t', ',');
    return text;
  }

  testing::TemporaryFolder folder;
  PluginRegistry plugins;
  RunContext run;
  std::string said_;  ///< On standard error.
};

std::vector<std::string> tokens_of(std::span<const ItemId> items, const Vocabulary& vocabulary) {
  std::vector<std::string> tokens;
  for (const ItemId item : items)
    tokens.push_back(vocabulary.items()[static_cast<std::size_t>(item)]);
  return tokens;
}

TEST_F(Evaluation, RowsInOtherIdsHoldWhatIsKnownAndNoMoreMemory) {
  // One user of many events, a third of them unknown, and some others.
  std::string text = "user_id:token\titem_id:token\ttimestamp:float\n";
  for (int event = 0; event < 3000; ++event)
    text += "long\ti" + std::to_string(event * event % 97) + "\t" + std::to_string(event) + "\n";
  for (int event = 0; event < 12; ++event)
    text += "short\ti" + std::to_string(7 * event) + "\t" + std::to_string(event) + "\n";
  const Dataset data =
      open(folder.write("log.inter", text),
           {{"--set", "split.mode=ratio"}, {"--set", "split.ratios=[0.4,0.1,0.5]"}});
  std::vector<std::string> items = {"[PAD]"};
  for (int item = 96; item >= 0; --item)
    if (item % 3 != 0) items.push_back("i" + std::to_string(item));
  const Vocabulary vocabulary({"[PAD]", "short"}, items, {});
  const KnownRows known = translate_rows(data, data.test(), vocabulary);
  EXPECT_LE(known.events.size(), data.events().size());
  const Batch rows = data.test(), translated(known.events, known.entries, Batch::kWholeHistory);
  ASSERT_EQ(translated.size(), rows.size());
  ASSERT_GT(rows.size(), 1000U);
  std::int64_t skipped = 0, strangers = 0;
  const auto known_of = [&](std::span<const ItemId> some) {
    std::vector<std::string> tokens = tokens_of(some, data.vocabulary());
    std::erase_if(tokens, [&](const std::string& token) { return vocabulary.item(token) == 0; });
    return tokens;
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto history = known_of(rows.whole_history(row)), targets = known_of(rows[row].targets);
    ASSERT_EQ(tokens_of(translated.whole_history(row), vocabulary), history) << row;
    ASSERT_EQ(tokens_of(translated[row].targets, vocabulary), targets) << row;
    ASSERT_EQ(known.lost_targets[row] + static_cast<int>(targets.size()), 1) << row;
    skipped += static_cast<std::int64_t>(rows.whole_history(row).size() - history.size());
    strangers += translated[row].user == 0;
  }
  EXPECT_EQ(known.unknown_history_items, skipped);
  EXPECT_EQ(known.unknown_users, strangers);
}

TEST_F(Evaluation, LinesKeepTheirHistoriesInOtherIds) {
  const std::string header = "user_id:token\titem_id_list:token_seq\titem_id:token\n";
  folder.write("one/one.train.inter", header + "u\ta b c\td\nu\tb\ta\nv\tc d\te\n");
  folder.write("one/one.test.inter", header + "u\ta d\tb\nu\tc\ta\n");
  folder.write("two/two.train.inter", header + "w\ta\tb\n");
  folder.write("two/two.test.inter", header + "u\tx a\tb\nu\tx\ta\nu\ty c\tx\nv\tc x d\te\n");
  const Recommender model = trained((folder.path() / "one").string(), {});
  // The other set has its own names of files, and no validation.
  const EvaluationData other = read_for(model, (folder.path() / "two").string());
  EXPECT_EQ(other.config.split.test_file, "two.test.inter");
  EXPECT_EQ(other.dataset.valid().size(), 0U);
  const Batch rows = other.dataset.test();
  const KnownRows known = translate_rows(other.dataset, rows, model.vocabulary());
  const Batch translated(known.events, known.entries, Batch::kWholeHistory);
  std::vector<std::string> texts;
  for (std::size_t row = 0; row < translated.size(); ++row) {
    std::string text(model.vocabulary().user_token(translated[row].user));
    for (const auto& items : {translated.whole_history(row), translated[row].targets}) {
      text += ":";
      for (const ItemId item : items) text += model.vocabulary().item_token(item);
    }
    texts.push_back(text);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"u:a:b", "u::a", "u:c:", "v:cd:e"}));
  const Recommender plain = trained(folder.write("toy.inter", testing::toy_log()), {});
  ::testing::internal::CaptureStderr();
  read_for(plain, (folder.path() / "two").string(), {{"--set", "split.mode=test"}});
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("two: only its training file is read"));
  const EvaluationReport report =
      model.evaluate(other.dataset, Part::test, other.config.eval, run, folder.file("rows.tsv"));
  EXPECT_EQ(report.result.rows, 4);
  EXPECT_EQ(report.unknown_history_items, 4);
  EXPECT_EQ(report.result.unknown_targets, 1);
}

TEST_F(Evaluation, NamesRowsByTheirOwnTokens) {
  const Recommender model = trained(folder.write("toy.inter", testing::toy_log()), {});
  const Dataset other = open(folder.write("foreign.inter",
                                          "user_id:token\titem_id:token\ttimestamp:float\n"
                                          "u1\ti0\t1\nu1\ti2\t3\nu1\ti3\t4\n"
                                          "new\ti1\t1\nnew\ti2\t2\nnew\tback\\slash\t4\n"));
  model.evaluate(other, Part::test, model.config().eval, run, folder.file("rows.tsv"));
  std::istringstream lines(testing::read_text(folder.file("rows.tsv")));
  std::vector<std::string> starts;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::string user, target, rank;
    cells >> user >> target >> rank;
    starts.push_back(user + " " + target + " " + rank);
  }
  EXPECT_THAT(starts, ::testing::UnorderedElementsAre("user target rank", "u1 i3 1",
                                                      "new back\\\\slash inf"));
}

TEST_F(Evaluation, ReadsTheDataOfTheTrainingAsItWasRead) {
  const std::string dat = folder.write("log.dat", csv());
  const std::string odd = folder.write("odd.inter", csv());
  const std::string bars = folder.write("bars.csv",
                                        "user_id|item_id|timestamp\na,b|x|1\na,b|y|2\n"
                                        "a,b|z|3\na,b|x|4\nc|z|1\nc|y|2\nc|x|3\n");
  folder.write("things.csv", "item_id,name\ni0,a\ni1,b\ni2,c\ni3,d\ni4,e\n");
  const std::pair<std::string, Settings> cases[] = {
      {dat, {{"--set", "data.format=csv"}}},
      {odd, {{"--set", "data.format=csv"}}},
      {bars, {{"--set", "data.separator=|"}}},
      {dat, {{"--set", "data.format=csv"}, {"--set", "data.item_file=things.csv"}}},
      {odd,
       {{"--set", "data.format=csv"},
        {"--set", "data.item_file=things.csv"},
        {"--set", "data.name_column=name"}}}};
  for (const auto& [log, settings] : cases) {
    const Recommender model = trained(log, settings);
    EXPECT_EQ(read_for(model, log).dataset.hash(), model.dataset_hash()) << log;
  }
}

TEST_F(Evaluation, ReadsOtherDataWithoutWhatIsNotThere) {
  folder.write("shop/things.csv", "item_id,name\ni0,a\ni1,b\ni2,c\n");
  const std::string log = folder.write("shop/log.csv", csv());
  const Recommender model = trained(log, {{"--set", "data.item_file=things.csv"}});
  const std::string other = folder.write("other.csv", csv());
  ::testing::internal::CaptureStderr();
  const EvaluationData data = read_for(model, other);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("data.item_file = \"things.csv\""));
  EXPECT_EQ(std::ranges::count(said, '\n'), 1);
  EXPECT_EQ(data.config.data.item_file, "");
  EXPECT_EQ(data.dataset.catalogue().n_items, 7);
  // What a person writes is not left out.
  EXPECT_THROW(read_for(model, other, {{"--set", "data.item_file=nowhere.csv"}}), IoError);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(read_for(model, log).dataset.hash(), model.dataset_hash());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

/// What is said where a log is read that the filters of the training are not laid on.
TEST_F(Evaluation, LeavesTheCoreOfTheTrainingOffOtherLogs) {
  const std::string old = folder.write("old.inter", testing::toy_log(12, 6, 6));
  const Settings core = {{"--set", "data.user_interval=\"[5,inf)\""},
                         {"--set", "data.item_interval=\"[5,inf)\""}};
  const Recommender model = trained(old, core);
  // Four users of 3, 4, 5 and 6 events: with users of five and more there are two.
  std::string text = "user_id:token\titem_id:token\ttimestamp:float\n";
  for (int user = 0; user < 4; ++user)
    for (int event = 0; event < 3 + user; ++event)
      text += "n" + std::to_string(user) + "\ti" + std::to_string(event) + "\t" +
              std::to_string(event) + "\n";
  const std::string fresh = folder.write("fresh.inter", text);
  const auto read = [&](const std::string& data, const Settings& settings = {}) {
    ::testing::internal::CaptureStderr();
    const EvaluationData found = open_evaluation(model, {data}, "", settings, plugins, run);
    said_ = ::testing::internal::GetCapturedStderr();
    return found;
  };
  EXPECT_EQ(read(fresh).dataset.n_interactions(), 18);
  EXPECT_THAT(said_, HasSubstr("data.user_interval = \"[5,inf)\" and data.item_interval = "
                               "\"[5,inf)\" would leave out 4 of 4 users and 18 of 18 events"));
  EXPECT_EQ(std::ranges::count(said_, '\n'), 1);
  // One that is asked for stays, the other is off.
  EXPECT_EQ(read(fresh, {core[0]}).dataset.n_interactions(), 11);
  EXPECT_THAT(said_, HasSubstr("whose data.item_interval = \"[5,inf)\" would leave out"));
  EXPECT_THROW(open_evaluation(model, {fresh}, "", core, plugins, run), DataError);
  // The remedy that is named does what it says.
  const Settings users = {{"--set", "data.item_interval=\"[0,inf)\""}};
  EXPECT_EQ(read(fresh, users).dataset.n_interactions(), 18);
  EXPECT_THAT(said_, HasSubstr("would leave out 2 of 4 users and 7 of 18 events"));
  EXPECT_THAT(said_, HasSubstr("(--set 'data.user_interval=\"[5,inf)\"' does)"));
  // What reading says of a log is said once.
  const std::string gaps = folder.write("gaps.csv", csv() + ",i1,9\n");
  read(gaps);
  EXPECT_EQ(std::ranges::count(said_, '\n'), 2) << said_;
  // The log of the training is read as it was, under any split.
  EXPECT_EQ(read(old).dataset.hash(), model.dataset_hash());
  EXPECT_EQ(said_, "");
  EXPECT_EQ(read(old, {{"--set", "split.mode=temporal"}}).config.data.user_interval, "[5,inf)");
  EXPECT_EQ(said_, "");
  // A folder's own dataset.toml asks too.
  folder.write("shop/log.inter", text);
  folder.write("shop/dataset.toml", "file = \"log.inter\"\n[data]\nuser_interval = \"[4,inf)\"\n");
  EXPECT_EQ(read(folder.file("shop")).config.data.user_interval, "[4,inf)");
  EXPECT_EQ(read(folder.file("shop")).config.data.item_interval, "[0,inf)");
}

TEST_F(Evaluation, ReadsOtherDataByItsNameIfItIsWrittenOtherwise) {
  const Recommender model = trained(folder.write("log.dat", csv()), {{"--set", "data.format=csv"}});
  const std::string other = folder.write("toy.inter", testing::toy_log());
  ::testing::internal::CaptureStderr();
  const EvaluationData data = read_for(model, other);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("toy.inter"));
  EXPECT_EQ(data.dataset.n_interactions(), 48);
  EXPECT_THROW(read_for(model, other, {{"--set", "data.format=csv"}}), Error);
  // Whatever says how the training's log was written is left out then.
  const Recommender dated =
      trained(folder.write("dated.csv",
                           "user_id|item_id|timestamp\nu|a|01.02.2020\nu|b|02.02.2020\n"
                           "u|c|03.02.2020\nu|d|04.02.2020\n"),
              {{"--set", "data.separator=|"},
               {"--set", "data.encoding=latin-1"},
               {"--set", "data.time_format=%d.%m.%Y"}});
  const std::string lines =
      folder.write("other.jsonl",
                   "{\"user_id\":\"u\",\"item_id\":\"caf\u00e9\",\"timestamp\":1}\n"
                   "{\"user_id\":\"u\",\"item_id\":\"b\",\"timestamp\":2}\n");
  for (const std::string& log : {other, lines}) {
    const RunConfig used = read_for(dated, log, {{"--set", "split.mode=test"}}).config;
    EXPECT_EQ(used.data.time_format, "") << log;
    EXPECT_EQ(used.data.encoding, "utf-8") << log;
  }
  // A name that says nothing must not end in a guess.
  EXPECT_THROW(read_for(model, folder.write("toy.dat", testing::toy_log())), Error);
}

}  // namespace
}  // namespace recloom
