#include "scoring/candidate_scores.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include "core/scratch.hpp"
#include "kernels/gemm.hpp"

namespace recloom {
namespace {

/// Products have a multiple of this many columns, so that there are few different ones.
constexpr std::size_t kPaddedCandidates = 16;

/// @param products [padded] of which the first are the items'.
void multiply(const CheckedHead& head, const float* query, std::span<const ItemId> items,
              std::span<float> products) {
  for (std::size_t index = 0; index < head.tables().size(); ++index) {
    const ItemTableView& table = head.tables()[index];
    const auto width = static_cast<std::size_t>(table.width);
    Scratch scratch;
    float* const gathered = scratch.floats(products.size() * width);
    float* to = gathered;
    for (const ItemId item : items)
      to = std::copy_n(table.data + static_cast<std::size_t>(item) * width, width, to);
    std::fill_n(to, (products.size() - items.size()) * width, 0.0F);
    kernels::gemm({.transpose_b = true,
                   .m = 1,
                   .n = static_cast<std::int64_t>(products.size()),
                   .k = table.width,
                   .a = query,
                   .lda = static_cast<std::int64_t>(head.query_size()),
                   .b = gathered,
                   .ldb = table.width,
                   .c = products.data(),
                   .ldc = static_cast<std::int64_t>(products.size()),
                   .accumulate = index != 0});
    query += width;
  }
}

}  // namespace

void score_candidates(const CheckedHead& head, const float* norms, const BlockQueries& queries,
                      Span2d<const ItemId> items, Span2d<float> scores) {
  const std::size_t n = items.columns();
  const std::size_t padded = (n + kPaddedCandidates - 1) / kPaddedCandidates * kPaddedCandidates;
  Scratch scratch;
  const std::span<float> products = scratch.take(padded);
  float* const own_norms = head.needs_norms() ? scratch.floats(n) : nullptr;
  float* const own_bias = head.bias() != nullptr ? scratch.floats(n) : nullptr;
  for (std::size_t row = 0; row < queries.rows(); ++row) {
    const std::span<const ItemId> own = items[row];
    multiply(head, queries.row(row), own, products);
    for (std::size_t c = 0; c < n; ++c) {
      if (own_norms != nullptr) own_norms[c] = norms != nullptr ? norms[own[c]] : head.norm(own[c]);
      if (own_bias != nullptr) own_bias[c] = head.bias()[own[c]];
    }
    head.finish(products.first(n), queries.norm(row), own_norms, own_bias);
    std::ranges::copy(products.first(n), scores[row].begin());
  }
}

}  // namespace recloom
