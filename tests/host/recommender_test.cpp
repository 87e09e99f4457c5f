#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "host/toy_log.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "recloom/recloom.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A Markov chain on the circle i0 -> i1 -> ... -> i5 -> i0: it always names the next item first.
class OnCircle : public ::testing::Test {
 protected:
  OnCircle() {
    request.data = folder.write("toy.inter", testing::toy_log());
    folder.write("toy.item", testing::toy_names());
    request.model = "markov";
    request.settings = {{"--set", "data.name_column=\"title\""}};
  }
  Recommender train() {
    const RunConfig config = resolve_config(request, plugins);
    const Dataset data = open_dataset(config, run);
    Recommender model = Recommender::create(config, data, plugins);
    model.train(data, run);
    return model;
  }
  std::string saved() {
    const std::string file = folder.file("model.safetensors");
    train().save(file);
    return file;
  }
  static std::vector<std::string> tokens(const RecommendedList& list) {
    std::vector<std::string> items;
    for (const RecommendedItem& found : list.items) items.push_back(found.item);
    return items;
  }
  RecommendedList recommend(const Recommender& model, std::vector<std::string> items,
                            const RecommendOptions& options) {
    const std::vector<QueryHistory> one{{"", std::move(items)}};
    return model.recommend(one, options, run).front();
  }

  testing::TemporaryFolder folder;
  PluginRegistry plugins;
  ConfigRequest request;
  RunContext run;
};

TEST_F(OnCircle, NamesTheNextItemFirst) {
  const Recommender model = train();
  RecommendOptions options;
  options.k = 1;
  for (int item = 0; item < 6; ++item) {
    const RecommendedList list = recommend(model, {testing::toy_token('i', item)}, options);
    const int next = (item + 1) % 6;
    EXPECT_THAT(tokens(list), ElementsAre(testing::toy_token('i', next)));
    EXPECT_EQ(list.items.front().name, testing::toy_token('"', next).insert(0, "Thing ") + '"');
  }
}

TEST_F(OnCircle, ListsNoMoreThanThereIs) {
  RecommendOptions options;
  options.k = 100;
  EXPECT_EQ(recommend(train(), {"i0"}, options).items.size(), 6U);
  options.k = 0;
  EXPECT_THROW(recommend(train(), {"i0"}, options), ConfigError);
}

TEST_F(OnCircle, SeenItemsFollowTheProtocolUnlessToldOtherwise) {
  const std::vector<std::string> history{"i1", "i0"};
  RecommendOptions options;
  options.k = 1;
  EXPECT_THAT(tokens(recommend(train(), history, options)), ElementsAre("i1"));
  options.seen = SeenItems::hide;
  EXPECT_THAT(tokens(recommend(train(), history, options)),
              ::testing::Not(::testing::Contains("i1")));
  request.settings.push_back({"--set", "eval.mask_history=\"full\""});
  options.seen = SeenItems::protocol;
  EXPECT_THAT(tokens(recommend(train(), history, options)),
              ::testing::Not(::testing::Contains("i1")));
  options.seen = SeenItems::keep;
  EXPECT_THAT(tokens(recommend(train(), history, options)), ElementsAre("i1"));
}

TEST_F(OnCircle, AllowsAndBlocks) {
  RecommendOptions options;
  options.block = {"i1"};
  EXPECT_THAT(tokens(recommend(train(), {"i0"}, options)),
              ::testing::Not(::testing::Contains("i1")));
  options.block.clear();
  options.allow = {"i4", "i1", "nothing"};
  EXPECT_THAT(tokens(recommend(train(), {"i0"}, options)), ElementsAre("i1", "i4"));
  options.allow = {"nothing"};
  EXPECT_THROW(recommend(train(), {"i0"}, options), DataError);
}

TEST_F(OnCircle, SkipsOrRefusesUnknownItems) {
  RecommendOptions options;
  options.k = 1;
  const RecommendedList list = recommend(train(), {"i0", "what"}, options);
  EXPECT_THAT(tokens(list), ElementsAre("i1"));
  EXPECT_THAT(list.history, ElementsAre("i0"));
  EXPECT_THAT(list.unknown, ElementsAre("what"));
  options.unknown = UnknownItems::refuse;
  EXPECT_THROW(recommend(train(), {"i0", "what"}, options), DataError);
}

TEST_F(OnCircle, ServesUsersItNeverSaw) {
  const std::vector<QueryHistory> three{{"u1", {"i0"}}, {"stranger", {"i0"}}, {"", {}}};
  const auto lists = train().recommend(three, {}, run);
  ASSERT_EQ(lists.size(), 3U);
  EXPECT_TRUE(lists[0].user_known);
  EXPECT_FALSE(lists[1].user_known);
  EXPECT_EQ(tokens(lists[0]), tokens(lists[1]));
  EXPECT_EQ(lists[2].items.size(), 6U);
}

TEST_F(OnCircle, ModelFileNeedsNoTrainingData) {
  Recommender trained = train();
  trained.set_metrics({{"test.ndcg@10", 0.5}});
  const std::string file = folder.file("model.safetensors");
  trained.save(file);
  std::filesystem::remove(request.data);
  const Recommender loaded = Recommender::load(file, plugins);
  EXPECT_EQ(loaded.vocabulary().items(), trained.vocabulary().items());
  EXPECT_EQ(loaded.vocabulary().users(), trained.vocabulary().users());
  EXPECT_EQ(loaded.dataset_hash(), trained.dataset_hash());
  EXPECT_EQ(loaded.metrics().at("test.ndcg@10"), 0.5);
  EXPECT_EQ(loaded.config().protocol_hash(), trained.config().protocol_hash());
  const auto before = recommend(trained, {"i2"}, {}), after = recommend(loaded, {"i2"}, {});
  ASSERT_EQ(tokens(before), tokens(after));
  for (std::size_t rank = 0; rank < before.items.size(); ++rank) {
    EXPECT_EQ(before.items[rank].score, after.items[rank].score);
    EXPECT_EQ(before.items[rank].name, after.items[rank].name);
  }
  loaded.save(folder.file("again.safetensors"));
  EXPECT_EQ(testing::read_text(file), testing::read_text(folder.file("again.safetensors")));
}

TEST_F(OnCircle, AModelFileScoresByTheConvolutionsItWasTrainedWith) {
  request.model = "caser";
  for (const char* setting : {"train.convolution=dnnl", "train.epochs=1", "train.max_steps=1"})
    request.settings.push_back({"--set", setting});
  const Recommender loaded = Recommender::load(saved(), plugins);
  EXPECT_EQ(loaded.config().train.convolution, Convolution::dnnl);
  EXPECT_EQ(dynamic_cast<const NetworkRecommender&>(loaded.model()).convolution(),
            Convolution::dnnl);
}

TEST_F(OnCircle, ModelBytesDependOnNeitherPlaceNorThreads) {
  const std::string first = testing::read_text(saved());
  request.data = folder.write("elsewhere/other-name.inter", testing::toy_log());
  folder.write("elsewhere/other-name.item", testing::toy_names());
  RunContext three(1, 3);
  const RunConfig config = resolve_config(request, plugins);
  const Dataset data = open_dataset(config, three);
  Recommender model = Recommender::create(config, data, plugins);
  model.train(data, three);
  model.save(folder.file("second.safetensors"));
  EXPECT_EQ(first, testing::read_text(folder.file("second.safetensors")));
  EXPECT_EQ(first.find(folder.path().string()), std::string::npos);
}

TEST_F(OnCircle, NoticesEveryChangedByteOfItsFile) {
  const std::string bytes = testing::read_text(saved());
  const std::string broken = folder.file("broken.safetensors");
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    std::ofstream(broken, std::ios::binary) << changed;
    EXPECT_THROW(Recommender::load(broken, plugins), IoError) << "byte " << at;
  }
}

TEST_F(OnCircle, NoticesAFileCutShort) {
  const std::string bytes = testing::read_text(saved());
  const std::string broken = folder.file("broken.safetensors");
  for (std::size_t length = 0; length < bytes.size(); length += 41) {
    std::ofstream(broken, std::ios::binary) << bytes.substr(0, length);
    EXPECT_THROW(Recommender::load(broken, plugins), IoError) << length << " bytes";
  }
  EXPECT_THROW(Recommender::load(folder.file("nowhere"), plugins), IoError);
}

TEST_F(OnCircle, ForeignRowsCountWhatTheModelDoesNotKnow) {
  const Recommender model = train();
  // Leave-one-out: targets are the last items. x and y are unknown, so is user `new`.
  request.data = folder.write("foreign.inter",
                              "user_id:token\titem_id:token\ttimestamp:float\n"
                              "u1\ti0\t1\nu1\tx\t2\nu1\ti2\t3\nu1\ti3\t4\n"
                              "new\ti1\t1\nnew\ti2\t2\nnew\ti3\t3\nnew\ty\t4\n");
  request.settings = {{"--set", "eval.topk=[1]"}};
  const RunConfig config = resolve_config(request, plugins);
  const Dataset data = open_dataset(config, run);
  const EvaluationReport report = model.evaluate(data, Part::test, config.eval, run);
  EXPECT_EQ(report.result.rows, 2);
  EXPECT_EQ(report.unknown_history_items, 1);
  EXPECT_EQ(report.result.unknown_targets, 1);
  EXPECT_EQ(report.unknown_users, 1);
  EXPECT_DOUBLE_EQ(report.result.values.at("hit@1"), 0.5);  // i2 -> i3 hits, y cannot.
}

TEST_F(OnCircle, SameDataInOtherIdsGivesTheSameMetrics) {
  const Recommender model = train();
  const RunConfig config = resolve_config(request, plugins);
  const Dataset own = open_dataset(config, run);
  const auto expected = model.evaluate(own, Part::test, config.eval, run).result.values;
  // The same events, users in another order: other ids, nothing unknown.
  std::string reversed = "user_id:token\titem_id:token\ttimestamp:float\n";
  for (int user = 7; user >= 0; --user)
    for (int event = 0; event < 6; ++event)
      reversed.append(testing::toy_token('u', user) + '\t')
          .append(testing::toy_token('i', (user + event) % 6) + '\t')
          .append(std::to_string(event) + '\n');
  request.data = folder.write("reversed.inter", reversed);
  request.settings.clear();
  const Dataset other = open_dataset(resolve_config(request, plugins), run);
  ASSERT_NE(other.hash(), own.hash());
  const EvaluationReport report = model.evaluate(other, Part::test, config.eval, run);
  EXPECT_EQ(report.result.unknown_targets + report.unknown_history_items + report.unknown_users, 0);
  for (const auto& [key, value] : expected)
    EXPECT_NEAR(report.result.values.at(key), value, 1e-12) << key;
}

TEST_F(OnCircle, HasNoVectorsIfItIsNoFactorisation) {
  EXPECT_THROW(train().item_vectors(), ModelError);
}

TEST_F(OnCircle, RefusesToTrainOnOtherData) {
  Recommender model = train();
  request.data = folder.write("other.inter", testing::toy_log(9));
  request.settings.clear();
  const Dataset other = open_dataset(resolve_config(request, plugins), run);
  EXPECT_THROW(model.train(other, run), ConfigError);
}

TEST(Npy, IsWhatNumPyReads) {
  const testing::TemporaryFolder folder;
  write_npy(folder.file("t.npy"), {{1, 2, 3, 4, 5, 6}, 2, 3});
  const std::string bytes = testing::read_text(folder.file("t.npy"));
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t header =
      static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  EXPECT_EQ((10 + header) % 64, 0U);
  EXPECT_EQ(bytes[10 + header - 1], '\n');
  EXPECT_THAT(bytes, HasSubstr("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"));
  EXPECT_EQ(bytes.size(), 10 + header + 6 * sizeof(float));
}

TEST(Stats, CountsByHand) {
  const testing::TemporaryFolder folder;
  ConfigRequest request;
  request.data = folder.write("t.inter",
                              "user_id:token\titem_id:token\ttimestamp:float\n"
                              "a\tx\t1\na\ty\t2\na\tx\t3\nb\ty\t1\nb\tz\t2\n");
  const RunConfig config = resolve_data_config(request);
  RunContext run;
  const DatasetStats stats = dataset_stats(open_dataset(config, run));
  EXPECT_EQ(stats.users, 2);
  EXPECT_EQ(stats.items, 3);
  EXPECT_EQ(stats.interactions, 5);
  EXPECT_EQ(stats.shortest, 2);
  EXPECT_EQ(stats.longest, 3);
  EXPECT_DOUBLE_EQ(stats.median_length, 2.5);
  EXPECT_DOUBLE_EQ(stats.mean_length, 2.5);
  EXPECT_DOUBLE_EQ(stats.density, 5.0 / 6);
  EXPECT_DOUBLE_EQ(stats.repeats, 1.0 / 5);
}

}  // namespace
}  // namespace recloom
