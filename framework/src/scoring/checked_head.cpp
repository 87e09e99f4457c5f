#include "scoring/checked_head.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "kernels/rank.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

/// PyTorch's bound for normalize(): a shorter vector is divided by this.
constexpr double kShortest = 1e-12;

double squared_length(std::size_t n, const float* x) {
  double sum = 0;
  for (std::size_t index = 0; index < n; ++index) sum += static_cast<double>(x[index]) * x[index];
  return sum;
}

double inverse_length(double squared) { return 1 / std::max(std::sqrt(squared), kShortest); }

/// What a model says of its items is read without further checks.
void require_legal(const ItemHeadView& head) {
  constexpr auto kMost = static_cast<std::int32_t>(std::size(ItemHeadView{}.tables));
  if (head.n_tables < 1 || head.n_tables > kMost)
    throw ModelError("item_head_view: n_tables is " + std::to_string(head.n_tables) +
                     ", must be 1 to " + std::to_string(kMost));
  for (std::int32_t table = 0; table < head.n_tables; ++table)
    if (head.tables[table].data == nullptr || head.tables[table].width < 1)
      throw ModelError("item_head_view: table " + std::to_string(table) + " is empty");
  const auto similarity = static_cast<std::int32_t>(head.similarity);
  if (similarity < 0 || similarity > static_cast<std::int32_t>(Similarity::negative_euclidean))
    throw ModelError("item_head_view: similarity " + std::to_string(similarity) + " is unknown");
}

}  // namespace

CheckedHead::CheckedHead(const Factorised& model)
    : model_(&model),
      view_(model.item_head_view()),
      query_size_(static_cast<std::size_t>(std::max(model.query_size(), 0))) {
  require_legal(view_);
  std::int64_t width = 0;
  for (const ItemTableView& table : tables()) width += table.width;
  if (width != model.query_size())
    throw ModelError("the model's queries have " + std::to_string(model.query_size()) +
                     " elements, its item tables side by side " + std::to_string(width));
}

float CheckedHead::norm(ItemId item) const {
  double squared = 0;
  for (const ItemTableView& table : tables()) {
    const auto width = static_cast<std::size_t>(table.width);
    squared += squared_length(width, table.data + static_cast<std::size_t>(item) * width);
  }
  return static_cast<float>(view_.similarity == Similarity::cosine ? inverse_length(squared)
                                                                   : squared);
}

float CheckedHead::prepare(std::span<float> query) const {
  if (!needs_norms()) return 0;
  const double squared = squared_length(query.size(), query.data());
  if (view_.similarity == Similarity::cosine) {
    const double factor = inverse_length(squared);
    for (float& element : query) element = static_cast<float>(element * factor);
  }
  return static_cast<float>(squared);
}

void CheckedHead::finish(std::span<float> products, float query_norm, const float* norms,
                         const float* bias) const {
  switch (view_.similarity) {
    case Similarity::dot:
      if (bias != nullptr || view_.scale != 1)
        kernels::finish_dot(products.size(), view_.scale, bias, products.data());
      return;
    case Similarity::cosine:
      kernels::finish_cosine(products.size(), view_.scale, norms, bias, products.data());
      return;
    case Similarity::negative_euclidean:
      kernels::finish_negative_euclidean(products.size(), view_.scale, query_norm, norms, bias,
                                         products.data());
      return;
  }
}

}  // namespace recloom
