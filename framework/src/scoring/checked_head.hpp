#pragma once
#include <cstddef>
#include <span>

#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"
#include "recloom/model/item_head.hpp"
#include "recloom/model/sequential_recommender.hpp"

namespace recloom {

/// The item head of a model of the form query x item, checked, and how the product of a query with
/// an item vector becomes a score: the one place that knows similarity, scale and bias. Immutable;
/// the model must outlive it and must not change meanwhile.
class RECLOOM_API CheckedHead {
 public:
  /// @throws ModelError the view makes no sense, or the item tables do not fit the queries.
  explicit CheckedHead(const Factorised& model);

  const Factorised& model() const noexcept { return *model_; }
  std::size_t query_size() const noexcept { return query_size_; }
  std::span<const ItemTableView> tables() const noexcept {
    return std::span(view_.tables).first(static_cast<std::size_t>(view_.n_tables));
  }
  const float* bias() const noexcept { return view_.bias; }  ///< [n_items] or null.

  /// Whether finish() needs norms: of the query and of the items.
  bool needs_norms() const noexcept { return view_.similarity != Similarity::dot; }
  /// Return an item's norm, by similarity: cosine 1 / length, negative Euclidean length squared.
  float norm(ItemId item) const;
  /// Make a query ready for products. @return its norm: its squared length, 0 if none is needed.
  float prepare(std::span<float> query) const;
  /// Turn products of a query with some items into scores, in place.
  /// @param norms, bias of these items; null where there are none.
  void finish(std::span<float> products, float query_norm, const float* norms,
              const float* bias) const;

 private:
  const Factorised* model_;
  ItemHeadView view_;
  std::size_t query_size_;
};

}  // namespace recloom
