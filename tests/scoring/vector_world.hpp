#pragma once
#include <cmath>
#include <cstddef>
#include <vector>

#include "recloom/core/random.hpp"
#include "scoring/fake_models.hpp"

namespace recloom::testing {

/// Vectors whose products are rounded, so that scores of different products could differ.
struct VectorWorld {
  int n_users = 301, n_items = 1300, size = 24;
  std::vector<float> queries, table_a, table_b, bias;
  Rows rows;
  VectorWorld() {
    Rng rng(3);
    const auto fill = [&](std::vector<float>& values, int rows_, int width) {
      values.resize(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(width));
      for (float& value : values) value = static_cast<float>(rng.normal());
    };
    fill(queries, n_users, size);
    fill(table_a, n_items, 16);
    fill(table_b, n_items, 8);
    fill(bias, n_items, 1);
    for (int user = 1; user < n_users; ++user)
      rows.add({}, {static_cast<ItemId>(1 + rng.below(n_items - 1))});
  }
  ItemHeadView head(Similarity similarity) const {
    ItemHeadView view;
    view.tables[0] = {table_a.data(), 16};
    view.tables[1] = {table_b.data(), 8};
    view.n_tables = 2;
    view.similarity = similarity;
    view.bias = bias.data();
    view.scale = 1.5F;
    return view;
  }
  VectorModel model(Similarity similarity) const {
    return {n_users, n_items, size, queries, head(similarity)};
  }
  double score(std::size_t user, std::size_t item, Similarity similarity) const {
    double dot = 0, query_norm = 0, item_norm = 0;
    for (std::size_t at = 0; at < 24; ++at) {
      const double q = queries[user * 24 + at];
      const double v = at < 16 ? table_a[item * 16 + at] : table_b[item * 8 + at - 16];
      dot += q * v;
      query_norm += q * q;
      item_norm += v * v;
    }
    double value = dot;
    if (similarity == Similarity::cosine) value = dot / std::sqrt(query_norm * item_norm);
    if (similarity == Similarity::negative_euclidean)
      value = -std::sqrt(query_norm + item_norm - 2 * dot);
    return 1.5 * value + bias[item];
  }
};

}  // namespace recloom::testing
