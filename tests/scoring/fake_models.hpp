#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "recloom/model/sequential_recommender.hpp"

/// Models and rows for tests of ranking: scores are what the test says.
namespace recloom::testing {

/// Rows that a test builds one by one; users are 1, 2, ... in that order.
class Rows {
 public:
  void add(const std::vector<ItemId>& history, const std::vector<ItemId>& targets) {
    const auto begin = static_cast<std::int64_t>(events_.size());
    events_.insert(events_.end(), history.begin(), history.end());
    events_.insert(events_.end(), targets.begin(), targets.end());
    entries_.push_back({begin, static_cast<std::int32_t>(history.size()),
                        static_cast<std::int32_t>(targets.size()),
                        static_cast<UserId>(entries_.size() + 1)});
  }
  /// Rows of one sequence of events, whose histories grow: one for each event from `first` on.
  void add_sequence(const std::vector<ItemId>& sequence, std::size_t first) {
    const auto begin = static_cast<std::int64_t>(events_.size());
    events_.insert(events_.end(), sequence.begin(), sequence.end());
    for (std::size_t place = first; place < sequence.size(); ++place)
      entries_.push_back(
          {begin, static_cast<std::int32_t>(place), 1, static_cast<UserId>(entries_.size() + 1)});
  }
  Batch batch(int max_length = 50) const { return {events_, entries_, max_length}; }
  int n_users() const { return static_cast<int>(entries_.size()) + 1; }

 private:
  std::vector<ItemId> events_;
  std::vector<Batch::Entry> entries_;
};

/// Scores user u by row u - 1 of a table.
class TableModel : public SequentialRecommender {
 public:
  TableModel(std::vector<float> scores, int n_items)
      : SequentialRecommender({static_cast<int>(scores.size()) / n_items + 1, n_items, 50}),
        scores_(std::move(scores)) {}
  Traits traits() const override { return {}; }
  void full_sort_predict(const Batch& batch, Span2d<float> scores) const override {
    for (std::size_t row = 0; row < batch.size(); ++row)
      std::ranges::copy(scores_of(batch[row].user), scores[row].begin());
  }
  std::span<const float> scores_of(UserId user) const {
    return std::span(scores_).subspan(static_cast<std::size_t>(user - 1) * n_items(), n_items());
  }

 private:
  std::vector<float> scores_;
};

/// The same as query x item: the query is the row of scores, the item table the identity. Exact for
/// finite scores.
class IdentityModel final : public TableModel, private Factorised {
 public:
  IdentityModel(std::vector<float> scores, int n_items)
      : TableModel(std::move(scores), n_items),
        identity_(static_cast<std::size_t>(n_items) * static_cast<std::size_t>(n_items)) {
    for (std::size_t item = 0; item < this->n_items(); ++item)
      identity_[item * this->n_items() + item] = 1;
  }
  const Factorised* factorised() const noexcept override { return this; }

 private:
  int query_size() const noexcept override { return catalogue().n_items; }
  void encode(const Batch& batch, Span2d<float> queries) const override {
    full_sort_predict(batch, queries);
  }
  ItemHeadView item_head_view() const override {
    ItemHeadView head;
    head.tables[0] = {identity_.data(), catalogue().n_items};
    head.n_tables = 1;
    return head;
  }

  std::vector<float> identity_;
};

/// Scores every row alike, infinite scores included: the query is 0, the scores are the bias.
class BiasModel final : public SequentialRecommender, private Factorised {
 public:
  explicit BiasModel(std::vector<float> scores)
      : SequentialRecommender({1000, static_cast<int>(scores.size()), 50}),
        bias_(std::move(scores)),
        table_(bias_.size()) {}
  Traits traits() const override { return {}; }
  void full_sort_predict(const Batch&, Span2d<float>) const override {}
  const Factorised* factorised() const noexcept override { return this; }

 private:
  int query_size() const noexcept override { return 1; }
  void encode(const Batch&, Span2d<float> queries) const override {
    std::ranges::fill(queries.flat(), 0.0F);
  }
  ItemHeadView item_head_view() const override {
    ItemHeadView head;
    head.tables[0] = {table_.data(), 1};
    head.n_tables = 1;
    head.bias = bias_.data();
    return head;
  }

  std::vector<float> bias_, table_;
};

/// A query x item model with given vectors: query of user u is row u - 1.
class VectorModel final : public SequentialRecommender, private Factorised {
 public:
  VectorModel(int n_users, int n_items, int query_size, std::vector<float> queries,
              ItemHeadView head)
      : SequentialRecommender({n_users, n_items, 50}),
        query_size_(query_size),
        queries_(std::move(queries)),
        head_(head) {}
  Traits traits() const override { return {}; }
  void full_sort_predict(const Batch&, Span2d<float>) const override {}
  const Factorised* factorised() const noexcept override { return this; }

 private:
  int query_size() const noexcept override { return query_size_; }
  void encode(const Batch& batch, Span2d<float> queries) const override {
    const auto size = static_cast<std::size_t>(query_size_);
    for (std::size_t row = 0; row < batch.size(); ++row)
      std::copy_n(queries_.begin() + static_cast<std::ptrdiff_t>(
                                         static_cast<std::size_t>(batch[row].user - 1) * size),
                  size, queries[row].begin());
  }
  ItemHeadView item_head_view() const override { return head_; }

  int query_size_;
  std::vector<float> queries_;
  ItemHeadView head_;
};

}  // namespace recloom::testing
