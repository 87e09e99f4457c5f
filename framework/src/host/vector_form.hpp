#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "recloom/core/export.hpp"
#include "recloom/model/sequential_recommender.hpp"
#include "scoring/checked_head.hpp"

namespace recloom {

/// Vectors of a model as others take them: the plain product of a query and an item ranks as the
/// model does. Similarity and scale are multiplied in; a term of an item alone (bias, length) is
/// one more column, in which a query has 1.
class RECLOOM_API VectorForm {
 public:
  /// @throws ModelError scores that are no such product: distances with a bias.
  explicit VectorForm(const Factorised& model);
  std::size_t columns() const noexcept { return head_.query_size() + (has_term_ ? 1U : 0U); }
  /// @param[out] vector [columns()].
  void write_item(ItemId item, std::span<float> vector) const;
  /// @param vector [columns()], whose beginning is a query as the model computes it.
  void finish_query(std::span<float> vector) const;
  /// Say what was done to the vectors; "": nothing.
  std::string text() const;

 private:
  CheckedHead head_;
  ItemHeadView view_;
  bool has_term_;
};

}  // namespace recloom
