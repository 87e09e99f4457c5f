#include "host/vector_form.hpp"

#include <algorithm>

#include "recloom/core/error.hpp"

namespace recloom {

VectorForm::VectorForm(const Factorised& model) : head_(model), view_(model.item_head_view()) {
  const bool distance = view_.similarity == Similarity::negative_euclidean;
  if (distance && view_.bias != nullptr)
    throw ModelError(
        "the model's scores are distances and a bias: no product of a query and an item ranks like "
        "them");
  has_term_ = distance || view_.bias != nullptr;
}

void VectorForm::write_item(ItemId item, std::span<float> vector) const {
  const auto row = static_cast<std::size_t>(item);
  const float norm = head_.needs_norms() ? head_.norm(item) : 0;
  const float factor = view_.similarity == Similarity::cosine ? view_.scale * norm : view_.scale;
  auto out = vector.begin();
  for (const ItemTableView& table : head_.tables()) {
    const auto width = static_cast<std::size_t>(table.width);
    const std::span<const float> part(table.data + row * width, width);
    out = std::ranges::transform(part, out, [&](float value) { return factor * value; }).out;
  }
  if (!has_term_) return;
  // Of -|q - v|^2 / 2 what q alone decides is left out: it moves all items alike.
  *out = view_.bias != nullptr ? view_.bias[row] : view_.scale * -0.5F * norm;
}

void VectorForm::finish_query(std::span<float> vector) const {
  head_.prepare(vector.first(head_.query_size()));
  if (has_term_) vector.back() = 1;
}

std::string VectorForm::text() const {
  std::string text;
  const auto add = [&](std::string_view part) {
    text += (text.empty() ? "" : "; ") + std::string(part);
  };
  if (view_.similarity == Similarity::cosine) add("queries and items are scaled to length 1");
  if (view_.scale != 1) add("items are multiplied by the model's scale");
  if (view_.similarity == Similarity::negative_euclidean)
    add("the last column of items is -1/2 of the squared length, that of queries is 1: products "
        "rank as distances do");
  if (view_.bias != nullptr)
    add("the last column of items is the item's bias, that of queries is 1");
  return text;
}

}  // namespace recloom
