#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "host/config_sections.hpp"
#include "host/toy_log.hpp"
#include "recloom/recloom.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Config : public ::testing::Test {
 protected:
  Config() {
    request.data = folder.write("toy.inter", testing::toy_log());
    request.model = "markov";
  }
  RunConfig resolve() { return resolve_config(request, plugins); }
  void set(const std::string& text) { request.settings.push_back({"--set", text}); }
  /// Return the message of the Error that resolving throws.
  template <class Expected>
  std::string refusal() {
    try {
      resolve();
    } catch (const Expected& error) {
      return error.what();
    }
    return "nothing was thrown";
  }

  testing::TemporaryFolder folder;
  PluginRegistry plugins;
  ConfigRequest request;
};

TEST_F(Config, StartsFromTheDocumentedDefaults) {
  const RunConfig config = resolve();
  EXPECT_EQ(config.source.name, "toy");
  EXPECT_EQ(config.model, "markov");
  EXPECT_EQ(config.seed, 1U);
  EXPECT_EQ(config.data.max_length, 50);
  EXPECT_EQ(config.split.mode, SplitMode::leave_one_out);
  EXPECT_EQ(config.train.epochs, 300);
  EXPECT_EQ(config.eval.topk, (std::vector<int>{10, 20}));
  ASSERT_NE(config.model_params.find("smoothing"), nullptr);
  EXPECT_EQ(std::get<double>(*config.model_params.find("smoothing")), 1.0);
}

TEST_F(Config, LaterSourcesWin) {
  request.run_config = folder.write("run.toml", "seed = 2\n[train]\nepochs = 2\nbatch_size = 2\n");
  request.config_file = folder.write("my.toml", "[train]\nepochs = 3\nbatch_size = 3\n");
  set("train.epochs=4");
  const RunConfig config = resolve();
  EXPECT_EQ(config.seed, 2U);
  EXPECT_EQ(config.train.batch_size, 3);
  EXPECT_EQ(config.train.epochs, 4);
  set("train.epochs = 5");
  EXPECT_EQ(resolve().train.epochs, 5);
}

TEST_F(Config, DatasetTomlStandsBetweenPresetAndUser) {
  folder.write("shop/log.csv", "who,what,when\na,x,1\n");
  folder.write("shop/dataset.toml",
               "file = \"log.csv\"\ntitle = \"A shop\"\n[data]\nseparator = \",\"\n"
               "user_column = \"who\"\n[split]\nmode = \"none\"\n[eval]\ntopk = [7]\n");
  request.data = (folder.path() / "shop").string();
  RunConfig config = resolve();
  EXPECT_EQ(config.source.name, "shop");
  EXPECT_EQ(config.source.title, "A shop");
  EXPECT_EQ(config.data.user_column, "who");
  EXPECT_EQ(config.split.mode, SplitMode::none);
  EXPECT_EQ(config.eval.topk, std::vector<int>{7});
  set("eval.topk=[3]");
  EXPECT_EQ(resolve().eval.topk, std::vector<int>{3});
}

TEST_F(Config, DatasetTomlMayNotSayWhatBelongsToTheModel) {
  folder.write("shop/log.inter", testing::toy_log());
  request.data = (folder.path() / "shop").string();
  folder.write("shop/dataset.toml", "file = \"log.inter\"\n[data]\nmax_length = 3\n");
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("data.max_length"));
  folder.write("shop/dataset.toml", "file = \"log.inter\"\n[train]\nepochs = 3\n");
  EXPECT_THAT(refusal<ConfigError>(),
              AllOf(HasSubstr("dataset.toml"), HasSubstr("unknown key 'train.epochs'")));
  folder.write("shop/dataset.toml", "fiel = \"log.inter\"\n");
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("did you mean 'file'"));
}

TEST_F(Config, DatasetTomlNamesTheFilesOfASplit) {
  for (const char* part : {"train", "valid", "test"})
    folder.write(std::string("shop/") + part + ".inter", testing::toy_log());
  request.data = (folder.path() / "shop").string();
  folder.write("shop/dataset.toml",
               "file = \"train.inter\"\n[split]\nmode = \"given\"\nvalid_file = \"valid.inter\"\n"
               "test_file = \"test.inter\"\n");
  RunContext run(1, 1);
  const Dataset dataset = open_dataset(resolve(), run);
  EXPECT_GT(dataset.valid().size(), dataset.train_rows().size());
  EXPECT_EQ(dataset.valid().size(), dataset.test().size());
  for (const char* key : {"valid_file", "test_file"}) {
    folder.write("shop/dataset.toml", std::string("file = \"train.inter\"\n") + key + " = \"x\"\n");
    EXPECT_THAT(refusal<ConfigError>(), AllOf(HasSubstr(key), HasSubstr("the table [split]"),
                                              HasSubstr("mode = \"given\"")));
  }
}

TEST_F(Config, ReadsBenchmarkFilesOfAFolder) {
  const char* lists = "session_id:token\titem_id_list:token_seq\titem_id:token\n";
  folder.write("bench/bench.train.inter", std::string(lists) + "1\t10 11 12\t13\n2\t11 12\t10\n");
  folder.write("bench/bench.test.inter", std::string(lists) + "4\t12 14\t11\n");
  request.data = (folder.path() / "bench").string();
  const RunConfig config = resolve();
  EXPECT_EQ(config.split.mode, SplitMode::given);
  EXPECT_EQ(config.split.valid_file, "");
  EXPECT_EQ(config.split.test_file, "bench.test.inter");
  EXPECT_EQ(config.data.user_column, "session_id");
  folder.write("bench/bench.valid.inter", std::string(lists) + "3\t10 11\t12\n");
  RunContext run(1, 1);
  const Dataset dataset = open_dataset(resolve(), run);
  EXPECT_EQ(dataset.train_rows().size(), 2U);
  EXPECT_EQ(dataset.valid().size(), 1U);
  EXPECT_EQ(dataset.test().size(), 1U);
  EXPECT_EQ(dataset.name(), "bench");
  // One log, if there is one, is the data set.
  folder.write("bench/bench.inter", testing::toy_log());
  EXPECT_EQ(resolve().split.mode, SplitMode::leave_one_out);
}

TEST_F(Config, TrainingNeedsTrainingRows) {
  set("split.mode=test");
  EXPECT_THAT(refusal<ConfigError>(),
              AllOf(HasSubstr("recloom evaluate"), HasSubstr("--set split.mode=none")));
  const std::vector<ConfigRequest::Setting> settings = request.settings;
  request.settings.clear();
  const RunConfig trained = resolve();
  EXPECT_EQ(resolve_evaluation(trained, {request.data}, "", settings, plugins).split.mode,
            SplitMode::test);
}

TEST_F(Config, NamesWhereAMistakeWasWritten) {
  set("train.epohcs=3");
  EXPECT_THAT(refusal<ConfigError>(), AllOf(HasSubstr("--set"), HasSubstr("'train.epohcs'"),
                                            HasSubstr("did you mean 'train.epochs'")));
  request.settings = {{"--epochs", "train.epochs=0"}};
  EXPECT_THAT(refusal<ConfigError>(), AllOf(HasSubstr("--epochs"), HasSubstr("train.epochs = 0")));
  request.settings.clear();
  request.config_file = folder.write("my.toml", "[model.params]\nsmoothign = 1\n");
  EXPECT_THAT(refusal<ConfigError>(),
              AllOf(HasSubstr("my.toml"), HasSubstr("did you mean 'model.params.smoothing'")));
  folder.write("my.toml", "[model.params]\nsmoothing = -1\n");
  EXPECT_THAT(refusal<ConfigError>(),
              AllOf(HasSubstr("my.toml"), HasSubstr("model.params.smoothing = -1")));
  folder.write("my.toml", "[train]\nlearning_rate = \"fast\"\n");
  EXPECT_THAT(refusal<ConfigError>(),
              AllOf(HasSubstr("my.toml"), HasSubstr("train.learning_rate = \"fast\"")));
}

// People bring the names of other programs along.
TEST_F(Config, KnowsWhatOthersCallItsKeys) {
  const std::pair<const char*, const char*> names[] = {
      {"MAX_ITEM_LIST_LENGTH=50", "here it is 'data.max_length'"},
      {"learner=adam", "here it is 'train.optimizer'"},
      {"stopping_step=10", "here it is 'train.patience'"},
      {"train_batch_size=64", "here it is 'train.batch_size'"},
      {"train.train_batch_size=64", "here it is 'train.batch_size'"},
      {"topk=10", "here it is 'eval.topk'"},
      {"valid_metric=MRR@10", "here it is 'train.valid_metric'"},
      {"eval_args=1", "split.mode, split.ratios, split.group and eval.candidates"},
      {"model.params.n_h=16", "here it is 'model.params.nh'"},
      {"model.params.n_v=16", "here it is 'model.params.nv'"},
      {"model.params.d=50", "here it is 'model.params.embedding_size'"},
      {"model.params.L=5", "here it is 'data.max_length'"},
      {"model.params.drop=0.5", "here it is 'model.params.dropout_prob'"},
      {"model.params.T=3", "here it is 'train.n_targets'"},
      {"model.params.ac_conv=iden", "here it is 'model.params.conv_activation'"},
      {"model.params.reg_loss_conv_h=0.1", "here it is 'model.params.reg_weight'"}};
  request.model = "caser";
  for (const auto& [setting, said] : names) {
    request.settings = {{"--set", setting}};
    EXPECT_THAT(refusal<ConfigError>(), AllOf(HasSubstr("unknown key"), HasSubstr(said)));
  }
}

TEST_F(Config, RefusesYamlAndNamesItsKeys) {
  request.config_file = folder.write("ml.yaml",
                                     "USER_ID_FIELD: user_id\nload_col:\n    inter: [a, b]\n"
                                     "MAX_ITEM_LIST_LENGTH: 50\nno_key_of_anybody: 1\n");
  EXPECT_THAT(refusal<ConfigError>(),
              AllOf(HasSubstr("is YAML, settings are TOML here"),
                    HasSubstr("USER_ID_FIELD is data.user_column, MAX_ITEM_LIST_LENGTH is "
                              "data.max_length")));
}

TEST_F(Config, RefusesSettingsOfAnotherForm) {
  set("train.epochs");
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("key=value"));
  request.settings = {{"--set", "seed=-1"}};
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("seed is -1"));
  request.settings = {{"--set", "eval.metrics=[\"ndgc\"]"}};
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("ndcg"));
}

TEST_F(Config, RefusesSettingsThatDoNotGoTogether) {
  request.settings = {{"--set", "split.mode=\"ratio\""}, {"--set", "split.ratios=[1.0, 0.5]"}};
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("split.ratios: [1, 0.5]"));
  request.settings = {{"--set", "train.optimizer=\"sparse_adam\""},
                      {"--set", "train.weight_decay=0.1"}};
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("train.weight_decay = 0.1"));
}

TEST_F(Config, NamesTheNearestModelPresetAndSet) {
  request.model = "markvo";
  EXPECT_THAT(refusal<PluginError>(), HasSubstr("did you mean 'markov'"));
  request.model = "";
  EXPECT_THAT(refusal<ConfigError>(), AllOf(HasSubstr("--model"), HasSubstr("markov")));
  request.model = "markov";
  request.preset = "fast";
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("markov has no preset 'fast'"));
  request.preset = "";
  request.data = "online-retial";
  EXPECT_THAT(refusal<IoError>(), HasSubstr("did you mean 'online-retail'"));
}

TEST_F(Config, PrintedConfigResolvesToItself) {
  set("train.epochs=7");
  set("model.params.smoothing=2.5");
  set("split.ratios=[0.5, 0.25, 0.25]");
  set("data.value_intervals=[\"rating [3,inf)\"]");
  request.settings.push_back({"--seed", "seed=9"});
  const std::string printed = resolve().to_toml();
  ConfigRequest again;
  again.config_file = folder.write("printed.toml", printed);
  EXPECT_EQ(resolve_config(again, plugins).to_toml(), printed);
}

TEST_F(Config, ProtocolIsWhatDecidesAMetric) {
  const std::string hash = resolve().protocol_hash();
  EXPECT_EQ(hash.size(), 16U);
  for (const char* neutral :
       {"seed=5", "train.epochs=3", "model.params.smoothing=3", "data.max_length=9",
        "data.user_column=\"who\"", "data.encoding=latin-1", "data.time_format=%d.%m.%Y",
        "data.time_unit=milliseconds", "eval.topk=[5]", "eval.metrics=[\"mrr\"]"}) {
    request.settings = {{"--set", neutral}};
    EXPECT_EQ(resolve().protocol_hash(), hash) << neutral;
  }
  for (const char* deciding :
       {"data.user_interval=\"[5,inf)\"", "data.raw_cells=true", "data.time_precision=\"float32\"",
        "split.mode=\"ratio\"", "eval.mask_history=\"full\"", "eval.candidates=\"uni100\"",
        "eval.ties=\"mean\"", "eval.precision_divisor=list", "split.targets=together"}) {
    request.settings = {{"--set", deciding}};
    EXPECT_NE(resolve().protocol_hash(), hash) << deciding;
  }
}

TEST_F(Config, KeysOfASplitAreProtocolWhereItUsesThem) {
  const auto hash = [&](const std::vector<std::string>& settings) {
    request.settings.clear();
    for (const std::string& setting : settings) set(setting);
    return resolve().protocol_hash();
  };
  const std::string unused[] = {"split.times=[1]",    "split.last_days=[1]",
                                "split.test_file=x",  "split.targets=last",
                                "split.users_seed=2", "split.ratios_of=events"};
  const std::string plain = hash({});
  for (const std::string& setting : unused) EXPECT_EQ(hash({setting}), plain) << setting;
  EXPECT_NE(hash({"data.session_gap=60"}), plain);

  const std::string by_time = "split.mode=temporal", at_times = "split.times=[1, 2]";
  EXPECT_NE(hash({by_time, at_times}), hash({by_time}));
  EXPECT_NE(hash({by_time, at_times}), hash({by_time, "split.times=[1, 3]"}));
  EXPECT_EQ(hash({by_time, at_times, "split.ratios=[1.0, 1.0, 1.0]"}), hash({by_time, at_times}));
  EXPECT_NE(hash({by_time, "split.last_days=[1]"}), hash({by_time, "split.last_days=[2]"}));
  // Where seconds or dates are laid on the times, what these count matters.
  const std::string unit = "data.time_unit=milliseconds";
  EXPECT_EQ(hash({by_time}), hash({by_time, unit}));
  EXPECT_EQ(hash({at_times}), hash({at_times, unit}));
  EXPECT_NE(hash({by_time, at_times}), hash({by_time, at_times, unit}));
  EXPECT_NE(hash({by_time, "split.last_days=[1]"}), hash({by_time, "split.last_days=[1]", unit}));
  EXPECT_NE(hash({"data.session_gap=60"}), hash({"data.session_gap=60", unit}));
  const std::string users = "split.mode=users";
  EXPECT_NE(hash({users}), hash({users, "split.users_seed=2"}));
  EXPECT_NE(hash({users}), hash({users, "split.targets=last"}));
  const std::string ratio = "split.mode=ratio";
  EXPECT_NE(hash({ratio}), hash({ratio, "split.ratios_of=events"}));
  const std::string given = "split.mode=given";
  EXPECT_NE(hash({given, "split.test_file=a"}), hash({given, "split.test_file=b"}));
  EXPECT_EQ(hash({given, "split.test_file=a"}), hash({given, "split.test_file=x/a"}));
}

TEST_F(Config, LengthIsPartOfTheProtocolWhereItIsMasked) {
  request.settings = {{"--set", "eval.mask_history=\"input\""}};
  const std::string hash = resolve().protocol_hash();
  set("data.max_length=9");
  EXPECT_NE(resolve().protocol_hash(), hash);
}

TEST_F(Config, SeedsReachToTheLargest) {
  for (const char* seed :
       {"0", "9223372036854775807", "9223372036854775808", "18446744073709551615"}) {
    set(std::string("seed=") + seed);
    const RunConfig config = resolve();
    EXPECT_EQ(std::to_string(config.seed), seed);
    request.config_file = folder.write("again.toml", config.to_toml());
    request.settings.clear();
    EXPECT_EQ(resolve().seed, config.seed);
    EXPECT_EQ(resolve().to_toml(), config.to_toml());
  }
  for (const char* seed :
       {"-1", "1e3", "1.0", "18446744073709551616", "99999999999999999999999", "abc", "", "true"}) {
    request.settings = {{"--seed", std::string("seed=") + seed}};
    EXPECT_THAT(refusal<ConfigError>(),
                AllOf(HasSubstr("--seed: seed is"), HasSubstr("from 0 to 18446744073709551615")))
        << seed;
  }
}

TEST_F(Config, DataAloneNeedsNoModel) {
  request.model = "";
  request.settings = {{"--set", "data.user_interval=\"[2,inf)\""}};
  EXPECT_EQ(resolve_data_config(request).data.user_interval, "[2,inf)");
  request.settings = {{"--set", "train.epochs=3"}};
  EXPECT_THROW(resolve_data_config(request), ConfigError);
}

TEST_F(Config, EvaluationKeepsTheTrainedProtocol) {
  set("eval.mask_history=\"full\"");
  const RunConfig trained = resolve();
  folder.write("shop/log.csv", "who,item_id,timestamp\na,x,1\n");
  folder.write("shop/dataset.toml",
               "file = \"log.csv\"\n[data]\nuser_column = \"who\"\nuser_interval = \"[3,inf)\"\n"
               "time_format = \"%d.%m.%Y\"\ntime_unit = \"milliseconds\"\nraw_cells = true\n"
               "[eval]\nmask_history = \"none\"\n");
  const std::string data = (folder.path() / "shop").string();
  const RunConfig config = resolve_evaluation(trained, {data}, "", {}, plugins);
  EXPECT_EQ(config.data.user_column, "who");
  EXPECT_EQ(config.data.user_interval, "[0,inf)");
  EXPECT_EQ(config.eval.mask_history, MaskHistory::full);
  EXPECT_EQ(config.data.time_format, "%d.%m.%Y");
  EXPECT_EQ(config.data.time_unit, TimeUnit::milliseconds);
  EXPECT_TRUE(config.data.raw_cells);
  RunConfig same_cells = config;
  same_cells.data.raw_cells = false;
  EXPECT_EQ(same_cells.protocol_hash(), trained.protocol_hash());
  for (const char* foreign : {"train.epochs=3", "data.max_length=3", "seed=3"}) {
    const std::vector<ConfigRequest::Setting> settings{{"--set", foreign}};
    EXPECT_THROW(resolve_evaluation(trained, {data}, "", settings, plugins), ConfigError)
        << foreign;
  }
}

TEST_F(Config, EvaluationByARecipeForgetsHowTheTrainingWasRead) {
  set("data.columns=[user_id, item_id, _, timestamp]");
  set("data.time_format=%d.%m.%Y");
  set("data.value_intervals=[\"rating [3,inf)\"]");
  const RunConfig trained = resolve();
  const std::string log = folder.write("rev.json", "{}\n");
  const std::vector<ConfigRequest::Setting> settings{{"--set", "data.item_column=title"}};
  const RunConfig config =
      resolve_evaluation(trained, {log}, "amazon-2018-reviews", settings, plugins);
  EXPECT_EQ(config.source.recipe, "amazon-2018-reviews");
  EXPECT_EQ(config.data.format, FileFormat::json);
  EXPECT_EQ(config.data.columns, std::vector<std::string>());
  EXPECT_EQ(config.data.time_format, "");
  EXPECT_EQ(config.data.user_column, "reviewerID");
  EXPECT_EQ(config.data.item_column, "title");
  EXPECT_EQ(config.data.value_intervals, trained.data.value_intervals);
  EXPECT_EQ(config.protocol_hash(), trained.protocol_hash());
  // What a data set says of itself stands above the recipe.
  folder.write("set/rev.json", "{}\n");
  folder.write("set/dataset.toml", "file = \"rev.json\"\n[data]\nuser_column = \"who\"\n");
  EXPECT_EQ(resolve_evaluation(trained, {folder.file("set")}, "amazon-2018-reviews", {}, plugins)
                .data.user_column,
            "who");
}

TEST(DataSource, FindsAFolderInRecBolesForm) {
  const testing::TemporaryFolder folder;
  const std::string log = folder.write("toy/toy.inter", testing::toy_log());
  const DataSource source = find_dataset({(folder.path() / "toy").string()});
  EXPECT_EQ(source.name, "toy");
  EXPECT_EQ(std::filesystem::canonical(source.file), std::filesystem::canonical(log));
  EXPECT_THROW(find_dataset({folder.path().string()}), IoError);
}

TEST(DataSource, ReadsSeveralFilesAndPatterns) {
  const testing::TemporaryFolder folder;
  const std::string a = folder.write("part-1.inter", testing::toy_log());
  const std::string b = folder.write("part-2.inter", testing::toy_log());
  const std::string odd = folder.write("part[1].csv", "user_id,item_id,timestamp\nu,a,1\n");
  const std::string pattern = folder.file("part-*.inter");
  EXPECT_EQ(find_dataset({pattern}).files, (std::vector<std::string>{a, b}));
  EXPECT_EQ(find_dataset({odd, pattern}).files, (std::vector<std::string>{odd, a, b}));
  EXPECT_EQ(find_dataset({b, a}).name, "part-2");
  EXPECT_EQ(find_dataset({"-"}).given, "-");
  EXPECT_THROW(find_dataset({a, pattern}), ConfigError);  // Twice.
  EXPECT_THROW(find_dataset({a, folder.path().string()}), ConfigError);
  EXPECT_THROW(find_dataset({folder.file("*.csv.gz")}), IoError);
  folder.write("dataset.toml", "file = [\"part-2.inter\", \"part-1*\"]\n");
  const DataSource source = find_dataset({folder.path().string()});
  EXPECT_EQ(source.files, (std::vector<std::string>{b, a}));
  EXPECT_EQ(source.file, b);
}

TEST(DataSource, IsNotedFileByFile) {
  const testing::TemporaryFolder folder;
  const std::string odd = folder.write("caf\xE9 1.inter", testing::toy_log());
  const std::string plain = folder.write("b.inter", testing::toy_log());
  ConfigRequest request;
  request.data = odd;
  request.more_data = {plain};
  request.settings = {{"--set", "data.max_events=7"}};
  const RunConfig config = resolve_data_config(request);
  const std::string toml = config.to_toml();
  const std::string line = toml.substr(0, toml.find('\n'));
  EXPECT_THAT(line, ::testing::StartsWith("dataset = [\""));
  ConfigRequest again;
  again.run_config = folder.write("config.toml", line + "\n");
  const DataSource source = resolve_data_config(again).source;
  ASSERT_EQ(source.files.size(), 2U);
  EXPECT_EQ(std::filesystem::canonical(source.files[0]), std::filesystem::canonical(odd));
  EXPECT_EQ(std::filesystem::canonical(source.files[1]), std::filesystem::canonical(plain));
  // What came through a pipe is not there any more.
  again.run_config = folder.write("config.toml", "dataset = \"-\"\n");
  EXPECT_THROW(resolve_data_config(again), ConfigError);
  again.data = plain;
  EXPECT_EQ(resolve_data_config(again).source.file, plain);
}

TEST(Settings, AreTextWhereTheKeyIs) {
  const testing::TemporaryFolder folder;
  const auto resolved = [&](const std::string& setting) {
    ConfigRequest request;
    request.data = folder.write("toy.inter", testing::toy_log());
    request.settings = {{"--set", setting}};
    return resolve_data_config(request).data;
  };
  EXPECT_EQ(resolved("data.user_column=0").user_column, "0");
  EXPECT_EQ(resolved("data.user_column=007").user_column, "007");
  EXPECT_EQ(resolved("data.user_column=1.50").user_column, "1.50");
  EXPECT_EQ(resolved("data.user_column=true").user_column, "true");
  EXPECT_EQ(resolved("data.user_column=\"0\"").user_column, "0");
  EXPECT_EQ(resolved("data.separator=::").separator, "::");
  EXPECT_EQ(resolved("data.separator= ").separator, " ");
  EXPECT_EQ(resolved("data.separator=\t").separator, "\t");
  EXPECT_EQ(resolved("data.time_column=").time_column, "");
  EXPECT_EQ(resolved("data.user_interval=[5,10]").user_interval, "[5,10]");
  using Texts = std::vector<std::string>;
  const auto columns = [&](const std::string& list) {
    return resolved("data.columns=" + list).columns;
  };
  EXPECT_EQ(columns("[user_id,item_id, _,timestamp]"),
            (Texts{"user_id", "item_id", "_", "timestamp"}));
  EXPECT_EQ(columns("[user_id, \"item_id\", 01, 2, timestamp]"),
            (Texts{"user_id", "item_id", "01", "2", "timestamp"}));
  EXPECT_EQ(columns("[\"a\", \"b\"]"), (Texts{"a", "b"}));
  EXPECT_EQ(columns("[]"), Texts());
  EXPECT_EQ(resolved("data.value_intervals=rating [3,inf)").value_intervals,
            (Texts{"rating [3,inf)"}));
  EXPECT_EQ(resolved("data.value_intervals=[rating [3,inf), age (1,2]]").value_intervals,
            (Texts{"rating [3,inf)", "age (1,2]"}));
}

TEST(DataSource, KnowsTheShippedSets) {
  const std::vector<std::string> shipped = shipped_datasets();
  EXPECT_THAT(shipped, ::testing::Contains("online-retail"));
  const DataSource source = find_dataset({"online-retail"});
  EXPECT_EQ(source.given, "online-retail");
  EXPECT_FALSE(source.licence.empty());
  EXPECT_TRUE(std::filesystem::exists(source.file));
}

TEST(DataSource, RefusesALogThatChanged) {
  const testing::TemporaryFolder folder;
  folder.write("shop/log.inter", testing::toy_log());
  folder.write("shop/dataset.toml", "file = \"log.inter\"\nxxh3 = \"0123456789abcdef\"\n");
  ConfigRequest request;
  request.data = (folder.path() / "shop").string();
  const RunConfig config = resolve_data_config(request);
  RunContext run;
  EXPECT_THROW(open_dataset(config, run), DataError);
}

TEST_F(Config, NamesOfOtherProgramsAreTranslated) {
  set("MAX_ITEM_LIST_LENGTH=50");
  EXPECT_EQ(refusal<ConfigError>(),
            "--set: unknown key 'MAX_ITEM_LIST_LENGTH', here it is 'data.max_length'");
  request.settings.clear();
  set("train.eval_metric=NDCG@10");
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("here it is 'train.valid_metric'"));
  request.settings.clear();
  request.config_file = folder.write("ml.yaml", "USER_ID_FIELD: user_id\n");
  EXPECT_THAT(refusal<ConfigError>(), HasSubstr("is YAML, settings are TOML here"));
}

}  // namespace
}  // namespace recloom
