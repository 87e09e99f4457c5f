// Exported vectors: their dot product alone must rank as the model does.
#include "host/vector_form.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "host/toy_log.hpp"
#include "recloom/recloom.hpp"
#include "scoring/fake_models.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

using testing::VectorModel;
using Numbers = std::vector<float>;

float dot(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

/// Return the products of the query (3, 4) with the items (0, 0), (1, 2), (6, 8) and (0.6, 0.8).
Numbers products(Similarity similarity, const float* bias, float scale,
                 std::string* text = nullptr) {
  static const Numbers items{0, 0, 1, 2, 6, 8, 0.6F, 0.8F};
  ItemHeadView head;
  head.tables[0] = {items.data(), 2};
  head.n_tables = 1;
  head.similarity = similarity;
  head.bias = bias;
  head.scale = scale;
  const VectorModel model(2, 4, 2, {3, 4}, head);
  const VectorForm form(*model.factorised());
  if (text != nullptr) *text = form.text();
  Numbers query{3, 4}, item(form.columns()), found;
  query.resize(form.columns());
  form.finish_query(query);
  for (ItemId id = 0; id < 4; ++id) {
    form.write_item(id, item);
    found.push_back(dot(query, item));
  }
  return found;
}

constexpr float kBias[] = {9, 0.5F, -100, 1};

TEST(VectorForm, OfDotProducts) {
  std::string text;
  EXPECT_EQ(products(Similarity::dot, nullptr, 1, &text), (Numbers{0, 11, 50, 5}));
  EXPECT_EQ(text, "");
  EXPECT_EQ(products(Similarity::dot, kBias, 2, &text), (Numbers{9, 22.5F, 0, 11}));
  EXPECT_THAT(text, ::testing::HasSubstr("the last column of items is the item's bias"));
}

TEST(VectorForm, OfCosines) {
  const Numbers found = products(Similarity::cosine, kBias, 10);
  // cos((3, 4), (1, 2)) = 11 / (5 sqrt 5); the other two point the same way.
  const Numbers expected{9, 10 * 11 / (5 * 2.2360680F) + 0.5F, 10 - 100, 10 + 1};
  for (std::size_t item = 1; item < 4; ++item) EXPECT_NEAR(found[item], expected[item], 1e-4);
}

TEST(VectorForm, OfDistancesKeepsTheOrder) {
  // Squared distances of (3, 4): 25, 8, 25, 16; products are (25 - squared) / 2.
  const Numbers found = products(Similarity::negative_euclidean, nullptr, 1);
  const Numbers expected{0, 8.5F, 0, 4.5F};
  for (std::size_t item = 0; item < 4; ++item) EXPECT_NEAR(found[item], expected[item], 1e-4);
  EXPECT_THROW(products(Similarity::negative_euclidean, kBias, 1), ModelError);
}

/// Every model that comes with the program and has item vectors, biased ones too.
TEST(VectorForm, RanksAsEveryPluginRecommends) {
  const testing::TemporaryFolder folder;
  const PluginRegistry plugins;
  RunContext run;
  int compared = 0;
  std::vector<std::pair<std::string, std::string>> models{{"caser", "model.params.output=untied"}};
  for (const PluginInfo& plugin : plugins.list())
    if (plugin.usable() && plugin.kind == "model")
      models.emplace_back(plugin.name, "train.epochs=3");
  for (const auto& [name, setting] : models) {
    SCOPED_TRACE(name + " " + setting);
    ConfigRequest request;
    request.data = folder.write("toy.inter", testing::toy_log(30, 12, 8));
    request.model = name;
    request.settings = {{"--set", "train.learning_rate=0.05"},
                        {"--set", "train.epochs=3"},
                        {"--set", "data.max_length=5"},
                        {"--set", setting}};
    const RunConfig config = resolve_config(request, plugins);
    const Dataset data = open_dataset(config, run);
    Recommender model = Recommender::create(config, data, plugins);
    model.train(data, run);
    if (model.model().factorised() == nullptr) {
      EXPECT_THROW(model.vector_note(), ModelError);
      continue;
    }
    ++compared;
    const std::vector<QueryHistory> histories{{"u1", {"i0", "i1"}}, {"", {"i5"}}, {"u3", {}}};
    RecommendOptions options;
    options.k = 12;
    const auto lists = model.recommend(histories, options, run);
    const VectorTable items = model.item_vectors();
    const VectorTable queries = model.query_vectors(histories, UnknownItems::skip, run);
    ASSERT_EQ(items.columns, queries.columns);
    ASSERT_EQ(items.rows, 13U);
    const auto row = [](const VectorTable& table, std::size_t at) {
      return std::span(table.values).subspan(at * table.columns, table.columns);
    };
    for (std::size_t list = 0; list < lists.size(); ++list) {
      ASSERT_EQ(lists[list].items.size(), 12U);
      for (const RecommendedItem& found : lists[list].items)
        EXPECT_NEAR(dot(row(queries, list), row(items, model.vocabulary().item(found.item))),
                    found.score, 1e-4);
    }
  }
  EXPECT_GE(compared, 4);
}

}  // namespace
}  // namespace recloom
