#include "scoring/checked_head.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "recloom/core/error.hpp"
#include "scoring/vector_world.hpp"

namespace recloom {
namespace {

using namespace testing;
using ::testing::HasSubstr;

TEST(CheckedHead, RefusesViewsThatMakeNoSense) {
  const VectorWorld world;
  const auto error_of = [&](const std::function<void(ItemHeadView&)>& change) -> std::string {
    ItemHeadView view = world.head(Similarity::dot);
    change(view);
    const VectorModel model(world.n_users, world.n_items, world.size, world.queries, view);
    try {
      const CheckedHead head(*model.factorised());
    } catch (const ModelError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of([](ItemHeadView&) {}), "");
  for (const int n : {-1, 0, 5})
    EXPECT_THAT(error_of([n](ItemHeadView& view) { view.n_tables = n; }), HasSubstr("n_tables is"));
  EXPECT_THAT(error_of([](ItemHeadView& view) { view.tables[1].data = nullptr; }),
              HasSubstr("table 1 is empty"));
  EXPECT_THAT(error_of([](ItemHeadView& view) { view.tables[0].width = 0; }),
              HasSubstr("table 0 is empty"));
  EXPECT_THAT(error_of([](ItemHeadView& view) { view.similarity = static_cast<Similarity>(3); }),
              HasSubstr("similarity 3 is unknown"));
  EXPECT_EQ(error_of([](ItemHeadView& view) { view.n_tables = 1; }),
            "the model's queries have 24 elements, its item tables side by side 16");
}

TEST(CheckedHead, KnowsNormsBySimilarity) {
  const VectorWorld world;
  for (const Similarity similarity :
       {Similarity::dot, Similarity::cosine, Similarity::negative_euclidean}) {
    const VectorModel model = world.model(similarity);
    const CheckedHead head(*model.factorised());
    EXPECT_EQ(head.needs_norms(), similarity != Similarity::dot);
    std::vector<float> query(world.queries.begin(), world.queries.begin() + world.size);
    const std::vector<float> before = query;
    double squared = 0;
    for (const float element : before) squared += double{element} * element;
    const float norm = head.prepare(query);
    if (similarity == Similarity::dot) {
      EXPECT_EQ(norm, 0);
    } else {
      EXPECT_FLOAT_EQ(norm, static_cast<float>(squared));
    }
    const double factor = similarity == Similarity::cosine ? 1 / std::sqrt(squared) : 1;
    for (std::size_t at = 0; at < query.size(); ++at)
      EXPECT_FLOAT_EQ(query[at], static_cast<float>(before[at] * factor));
  }
}

TEST(CheckedHead, TakesNoLengthForADivisor) {
  std::vector<float> table(8), query(4);
  ItemHeadView view;
  view.tables[0] = {table.data(), 4};
  view.n_tables = 1;
  view.similarity = Similarity::cosine;
  const VectorModel model(2, 2, 4, query, view);
  const CheckedHead head(*model.factorised());
  EXPECT_FLOAT_EQ(head.norm(1), 1e12F);
  head.prepare(query);
  EXPECT_EQ(query, std::vector<float>(4));
}

}  // namespace
}  // namespace recloom
