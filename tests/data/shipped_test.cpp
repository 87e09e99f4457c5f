// The shipped data sets, read as their dataset.toml says.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "config/toml.hpp"
#include "recloom/data/dataset.hpp"
#include "support/support.hpp"

namespace recloom {
namespace {

Dataset open_shipped(const std::string& name) {
  const std::filesystem::path folder = testing::source_dir() / "datasets" / name;
  const Params toml = parse_toml_file((folder / "dataset.toml").string());
  const Params data_values = toml.below("data"), split_values = toml.below("split");
  DataOptions data;
  SplitOptions split;
  ParamSchema data_schema(data_values, "data."), split_schema(split_values, "split.");
  data.describe(data_schema);
  split.describe(split_schema);
  data_schema.finish();
  split_schema.finish();
  RunContext run;
  const std::string file = std::get<std::string>(*toml.find("file"));
  return Dataset::open((folder / file).string(), data, split, run);
}

TEST(Shipped, OnlineRetailHasItsPublishedCounts) {
  const Dataset dataset = open_shipped("online-retail");
  EXPECT_EQ(dataset.name(), "online-retail");
  EXPECT_EQ(dataset.catalogue().n_users - 1, 4104);
  EXPECT_EQ(dataset.catalogue().n_items - 1, 3179);
  EXPECT_EQ(dataset.n_interactions(), 384695);
  EXPECT_EQ(dataset.train_rows().size(), 384695u - 3 * 4104);
  EXPECT_EQ(dataset.valid().size(), 4104u);
  EXPECT_EQ(dataset.test().size(), 4104u);
}

TEST(Shipped, OnlineRetailHasProductNames) {
  const Dataset dataset = open_shipped("online-retail");
  const Vocabulary& words = dataset.vocabulary();
  EXPECT_EQ(words.item_name(words.item("10002")), "INFLATABLE POLITICAL GLOBE");
  for (std::size_t item = 1; item < words.items().size(); ++item) {
    EXPECT_FALSE(words.item_names()[item].empty()) << words.items()[item];
  }
}

TEST(Shipped, OnlineRetailIsFiveCore) {
  const Dataset dataset = open_shipped("online-retail");
  std::vector<int> count(static_cast<std::size_t>(dataset.catalogue().n_items), 0);
  for (const ItemId item : dataset.events()) ++count[static_cast<std::size_t>(item)];
  for (std::size_t item = 1; item < count.size(); ++item) EXPECT_GE(count[item], 5);
  for (std::size_t user = 1; user + 1 < dataset.offsets().size(); ++user) {
    EXPECT_GE(dataset.offsets()[user + 1] - dataset.offsets()[user], 5);
  }
}

}  // namespace
}  // namespace recloom
