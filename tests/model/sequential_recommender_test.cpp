#include "recloom/model/sequential_recommender.hpp"

#include <gtest/gtest.h>

#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// score(row, i) = 100 last + i, written over zeros.
class Numbering final : public SequentialRecommender {
 public:
  explicit Numbering(const Catalogue& catalogue) : SequentialRecommender(catalogue) {
    register_buffer("counts", &counts_);
  }
  void twice() { register_buffer("counts", &counts_); }
  Traits traits() const override { return {}; }
  void full_sort_predict(const Batch& batch, Span2d<float> scores) const override {
    for (std::size_t row = 0; row < batch.size(); ++row)
      for (std::size_t item = 0; item < n_items(); ++item)
        scores[row][item] +=
            static_cast<float>(batch[row].history.back()) * 100 + static_cast<float>(item);
  }

 private:
  std::vector<float> counts_ = {1};
};

TEST(SequentialRecommender, PredictsCandidatesFromAllScores) {
  const Numbering model({.n_users = 2, .n_items = 5, .max_length = 3});
  const std::vector<ItemId> events = {1, 2, 3};
  const std::vector<Batch::Entry> entries = {{0, 1, 1, 1}, {0, 2, 1, 1}};
  const std::vector<ItemId> items = {4, 1, 2, 2, 3, 0};
  std::vector<float> scores(6);
  model.predict(Batch(events, entries, 3), {items, 3}, {scores, 3});
  EXPECT_EQ(scores, (std::vector<float>{104, 101, 102, 202, 203, 200}));
}

TEST(SequentialRecommender, ListsItsBuffers) {
  Numbering model({});
  ASSERT_EQ(model.buffers().size(), 1U);
  EXPECT_EQ(model.buffers()[0].name, "counts");
  EXPECT_EQ(std::get<std::vector<float>*>(model.buffers()[0].values)->at(0), 1);
  EXPECT_THROW(model.twice(), ModelError);
  EXPECT_EQ(model.factorised(), nullptr);
}

}  // namespace
}  // namespace recloom
