// Which rows of an evaluation a model was trained on, against what the two splits say.
#include "host/trained_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/json.hpp"
#include "host/toy_log.hpp"
#include "recloom/recloom.hpp"
#include "support/loose_safetensors.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using Settings = std::vector<ConfigRequest::Setting>;

Settings set(std::initializer_list<const char*> texts) {
  Settings settings;
  for (const char* text : texts) settings.push_back({"--set", text});
  return settings;
}

/// Users of 3 to 11 events whose times overlap, so that splits by time cut them at many places.
std::string uneven_log(int users = 40) {
  std::string text = "user_id:token\titem_id:token\ttimestamp:float\n";
  for (int user = 0; user < users; ++user)
    for (int event = 0; event < 3 + user % 9; ++event)
      text += testing::toy_token('u', user) + "\t" +
              testing::toy_token('i', (user * 7 + event * event) % 23) + "\t" +
              std::to_string(user * 13 % 50 + event * 10) + "\n";
  return text;
}

class TrainedRowsTest : public ::testing::Test {
 protected:
  RunConfig configure(const std::string& data, const Settings& settings) {
    ConfigRequest request;
    request.data = data;
    request.model = "markov";
    request.settings = settings;
    return resolve_config(request, plugins);
  }
  Recommender trained(const std::string& data, const Settings& settings) {
    const RunConfig config = configure(data, settings);
    const Dataset dataset = open_dataset(config, run);
    Recommender model = Recommender::create(config, dataset, plugins);
    model.train(dataset, run);
    model.save(file);
    return Recommender::load(file, plugins);
  }
  EvaluationReport evaluated(const Recommender& model, const std::string& data,
                             const Settings& settings = {}, Part part = Part::test) {
    const EvaluationData read = open_evaluation(model, {data}, "", settings, plugins, run);
    used = read.config;
    return model.evaluate(read.dataset, part, read.config.eval, run);
  }
  /// Rows of a part whose place in their user's events trained under another split of the log.
  std::int64_t common_rows(const std::string& data, const Settings& training, Settings evaluation,
                           Part part) {
    evaluation.insert(evaluation.begin(), training.begin(), training.end());
    const Dataset a = open_dataset(configure(data, training), run);
    const Dataset b = open_dataset(configure(data, evaluation), run);
    std::map<std::pair<UserId, std::int32_t>, bool> trains;
    for (const auto& row : a.train_rows().entries()) trains[{row.user, row.history_length}] = true;
    std::int64_t common = 0;
    for (const auto& row : (part == Part::test ? b.test() : b.valid()).entries())
      common += trains.contains({row.user, row.history_length});
    return common;
  }

  testing::TemporaryFolder folder;
  std::string log = folder.write("log.inter", uneven_log());
  std::string file = folder.file("m.safetensors");
  PluginRegistry plugins;
  RunContext run;
  RunConfig used;
};

TEST_F(TrainedRowsTest, AreCountedUnderOtherSplits) {
  const Settings leave_one_out;
  const Settings temporal = set({"split.mode=temporal"}), none = set({"split.mode=none"});
  const Settings ratio = set({"split.mode=ratio", "split.ratios=[0.5,0.2,0.3]"});
  const Settings by_time = set({"split.mode=ratio", "split.group=all"});
  const Settings test_only = set({"split.held_out=test_only"});
  const Settings both = set({"split.mode=leave_one_out", "split.held_out=valid_and_test"});
  const struct {
    Settings training, evaluation;
    Part part;
  } cases[] = {{leave_one_out, temporal, Part::test}, {leave_one_out, ratio, Part::test},
               {leave_one_out, by_time, Part::test},  {leave_one_out, temporal, Part::valid},
               {temporal, both, Part::test},          {by_time, both, Part::test},
               {ratio, by_time, Part::valid},         {none, both, Part::test},
               {test_only, both, Part::valid},        {test_only, both, Part::test}};
  std::int64_t all = 0;
  for (const auto& [training, evaluation, part] : cases) {
    const Recommender model = trained(log, training);
    const EvaluationReport report = evaluated(model, log, evaluation, part);
    const std::int64_t expected = common_rows(log, training, evaluation, part);
    EXPECT_EQ(report.trained_rows, expected);
    EXPECT_EQ(report.uncertain_rows, 0);
    EXPECT_TRUE(report.knows_trained_rows);
    EXPECT_EQ(report.protocol_hash(used) == used.protocol_hash(), expected == 0);
    EXPECT_TRUE(
        model.is_training_log(open_evaluation(model, {log}, "", evaluation, plugins, run).dataset));
    all += expected;
  }
  EXPECT_GT(all, 100);
}

TEST_F(TrainedRowsTest, AreNoneUnderTheProtocolOfTheTraining) {
  for (const Settings& settings :
       {Settings{}, set({"split.mode=temporal"}), set({"split.mode=ratio", "split.group=all"}),
        set({"data.user_interval=\"[5,inf)\"", "data.item_interval=\"[3,inf)\""})}) {
    const EvaluationReport report = evaluated(trained(log, settings), log);
    EXPECT_EQ(report.trained_rows + report.uncertain_rows, 0);
    EXPECT_EQ(report.protocol_hash(used), used.protocol_hash());
  }
}

TEST_F(TrainedRowsTest, OfALogThatGrew) {
  const Recommender model = trained(log, set({"split.mode=none"}));
  std::string more = uneven_log();
  for (int user = 0; user < 40; ++user)
    more += testing::toy_token('u', user) + "\ti3\t9000\n" + testing::toy_token('u', user) +
            "\ti4\t9001\n";
  const std::string grown = folder.write("grown.inter", more);
  // The last event of everyone is new, and what came before it; the one before these was trained.
  const Settings both = set({"split.mode=leave_one_out"});
  EXPECT_EQ(evaluated(model, grown, both).trained_rows, 0);
  EXPECT_EQ(evaluated(model, grown, both, Part::valid).trained_rows, 0);
  EXPECT_EQ(evaluated(model, grown, both).uncertain_rows, 0);
  const EvaluationReport half =
      evaluated(model, grown, set({"split.mode=ratio", "split.ratios=[1,0,3]"}));
  EXPECT_GT(half.trained_rows, 0);
  EXPECT_EQ(half.result.rows - half.trained_rows, 2 * 40);
}

TEST_F(TrainedRowsTest, CannotBeToldWhereEventsDiffer) {
  const Recommender model = trained(log, set({"split.mode=none"}));
  std::string other = uneven_log();
  const std::size_t changed = other.find("u5\t");
  other.insert(changed, "u5\ti1\t1\n");           // u5 has an event more, in front.
  other += "stranger\ti1\t1\nstranger\ti2\t2\n";  // Nobody that the model knows.
  const EvaluationReport report =
      evaluated(model, folder.write("other.inter", other), set({"split.mode=leave_one_out"}));
  EXPECT_EQ(report.uncertain_rows, 1);
  EXPECT_EQ(report.trained_rows, 39);
  EXPECT_EQ(report.unknown_users, 1 - 1) << "a user of two events has no test row";
}

constexpr const char* kLines = "user_id:token\titem_id_list:token_seq\titem_id:token\n";

// A line ends where its target is, whatever the user's next line begins with.
TEST_F(TrainedRowsTest, OfPeopleWhoseSessionsHaveOtherNames) {
  std::string text = "user_id,item_id,timestamp\n";
  for (const char* user : {"a", "b"})
    for (const int time : {0, 1, 2, 100, 101, 102})
      text +=
          std::string(user) + ",i" + std::to_string(time % 7) + "," + std::to_string(time) + "\n";
  const std::string sessions_log = folder.write("sessions.csv", text);
  const Settings all = {{"--set", "split.mode=none"}};
  Settings test = {{"--set", "split.mode=test"}, {"--set", "data.session_gap=10"}};
  const Recommender whole = trained(sessions_log, all);
  EXPECT_EQ(evaluated(whole, sessions_log, test).uncertain_rows, 8);  // 4 sessions of 3 events.
  const Recommender sessions = trained(sessions_log, {all[0], test[1]});
  test[1].text = "data.session_gap=0";
  EXPECT_EQ(evaluated(sessions, sessions_log, test).uncertain_rows, 10);  // 2 users of 6 events.
}

// A number sign in a name makes no session of a user.
TEST_F(TrainedRowsTest, OfUsersWhoAreCalledLikeSessions) {
  const std::string head = "user_id,item_id,timestamp\n";
  const std::string first =
      folder.write("first.csv", head + "shop#1,a,1\nshop#1,b,2\nshop,b,1\nshop,c,2\n");
  const std::string other = folder.write(
      "other.csv", head + "shop#7,a,1\nshop#7,b,2\nshop#8,c,1\nshop#8,a,2\nann,a,1\nann,b,2\n");
  const Recommender model = trained(first, set({"split.mode=none"}));
  EXPECT_EQ(evaluated(model, other, set({"split.mode=test"})).uncertain_rows, 0);
}

TEST_F(TrainedRowsTest, OfLinesWithTheirHistories) {
  const std::string lines = kLines;
  const std::string first =
      folder.write("lines.inter", lines + "u1\ta b\tc\nu1\td\te\nu2\tc\ta\nu2\tc\tb\n");
  const Recommender model = trained(first, set({"split.mode=given"}));
  const std::string other =
      folder.write("other.inter", lines + "u1\ta\tb\nu1\tc\te\nu1\ta b\tc\nu2\tc\tb\nu3\ta\tb\n");
  const EvaluationReport report = evaluated(model, other, set({"split.mode=test"}));
  EXPECT_EQ(report.result.rows, 5);
  EXPECT_EQ(report.trained_rows, 2);
  EXPECT_EQ(report.uncertain_rows, 2);
}

TEST_F(TrainedRowsTest, OfManyLinesOfOneUser) {
  std::string lines = kLines;
  for (int line = 0; line < 40000; ++line)
    lines.append("u1\t").append(testing::toy_token('i', line)).append("\tx\n");
  const Dataset dataset =
      open_dataset(configure(folder.write("lines.inter", lines), set({"split.mode=given"})), run);
  TrainedRows trained;
  trained.known = true;
  trained.users.assign(100000, 1);
  trained.events.assign(100000, 2);
  for (std::int64_t hash = 0; hash < 100000; ++hash) trained.hashes.push_back(hash);
  const Batch rows = dataset.train_rows();
  const SeenRows seen =
      count_seen_rows(trained, dataset, rows, rows.entries(), dataset.vocabulary(), false, run);
  EXPECT_EQ(seen.uncertain, 40000);
  RunContext stopped;
  stopped.request_stop();
  EXPECT_THROW(
      count_seen_rows(trained, dataset, rows, rows.entries(), dataset.vocabulary(), false, stopped),
      Interrupted);
}

TEST_F(TrainedRowsTest, AreUnknownToFilesThatDoNotNoteThem) {
  trained(log, {});
  testing::LooseFile old(file);
  Json card = Json::parse(old.metadata.at("recloom"));
  card["format_version"] = 1;
  card.erase("log_hash");
  old.metadata["recloom"] = card.dump();
  for (const char* name : {"users", "events", "hashes", "counts"})
    old.tensors.erase(std::string("recloom.trained.") + name);
  old.write(file);
  const Recommender model = Recommender::load(file, plugins);
  EXPECT_TRUE(evaluated(model, log).knows_trained_rows) << "the hash of the data says it";
  EXPECT_EQ(evaluated(model, log).protocol_hash(used), used.protocol_hash());
  const EvaluationReport report = evaluated(model, log, set({"split.mode=temporal"}));
  EXPECT_FALSE(report.knows_trained_rows);
  EXPECT_NE(report.protocol_hash(used), used.protocol_hash());
}

}  // namespace
}  // namespace recloom
