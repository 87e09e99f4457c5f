#include "nn/query/head_scores.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/aligned.hpp"
#include "kernels/gemm.hpp"
#include "kernels/vector.hpp"

namespace recloom::nn {
namespace {

struct Queries {
  explicit Queries(const Factorised& model, const Batch& batch)
      : size(static_cast<std::size_t>(model.query_size())), values(batch.size() * size) {
    model.encode(batch, {values, size});
  }
  const float* row(std::size_t r) const { return values.data() + r * size; }
  std::size_t size;
  AlignedFloats values;
};

double squared_length(const ItemHeadView& head, std::size_t item) {
  double sum = 0;
  for (int t = 0; t < head.n_tables; ++t) {
    const auto width = static_cast<std::size_t>(head.tables[t].width);
    sum += kernels::squared_norm(width, head.tables[t].data + item * width);
  }
  return sum;
}

/// From the product of query and item to the score.
float finish(const ItemHeadView& head, std::size_t item, double query_squares, double product) {
  double score = product;
  if (head.similarity != Similarity::dot) {
    constexpr double kShortest = 1e-12;  // PyTorch's bound for normalize()
    const double item_squares = squared_length(head, item);
    score = head.similarity == Similarity::cosine
                ? product / (std::max(kShortest, std::sqrt(query_squares)) *
                             std::max(kShortest, std::sqrt(item_squares)))
                : -std::sqrt(std::max(0.0, query_squares - 2 * product + item_squares));
  }
  return head.scale * static_cast<float>(score) + (head.bias ? head.bias[item] : 0.0F);
}

}  // namespace

void score_all(const Factorised& model, const Batch& batch, Span2d<float> scores) {
  const Queries queries(model, batch);
  const ItemHeadView head = model.item_head_view();
  const auto n_items = static_cast<std::int64_t>(scores.columns());
  std::size_t first = 0;
  for (int t = 0; t < head.n_tables; ++t) {
    const auto width = static_cast<std::int64_t>(head.tables[t].width);
    kernels::gemm({.transpose_b = true,
                   .m = static_cast<std::int64_t>(batch.size()),
                   .n = n_items,
                   .k = width,
                   .a = queries.values.data() + first,
                   .lda = static_cast<std::int64_t>(queries.size),
                   .b = head.tables[t].data,
                   .ldb = width,
                   .c = scores.flat().data(),
                   .ldc = n_items,
                   .accumulate = t > 0});
    first += static_cast<std::size_t>(width);
  }
  if (head.similarity == Similarity::dot && head.scale == 1 && head.bias == nullptr) return;
  for (std::size_t r = 0; r < batch.size(); ++r) {
    const double squares = kernels::squared_norm(queries.size, queries.row(r));
    for (std::size_t item = 0; item < scores.columns(); ++item)
      scores[r][item] = finish(head, item, squares, scores[r][item]);
  }
}

void score_candidates(const Factorised& model, const Batch& batch, Span2d<const ItemId> items,
                      Span2d<float> scores) {
  const Queries queries(model, batch);
  const ItemHeadView head = model.item_head_view();
  for (std::size_t r = 0; r < batch.size(); ++r) {
    const double squares = kernels::squared_norm(queries.size, queries.row(r));
    for (std::size_t c = 0; c < items.columns(); ++c) {
      const auto item = static_cast<std::size_t>(items[r][c]);
      const float* query = queries.row(r);
      float product = 0;
      for (int t = 0; t < head.n_tables; ++t) {
        const auto width = static_cast<std::size_t>(head.tables[t].width);
        product += kernels::dot(width, query, head.tables[t].data + item * width);
        query += width;
      }
      scores[r][c] = finish(head, item, squares, product);
    }
  }
}

}  // namespace recloom::nn
