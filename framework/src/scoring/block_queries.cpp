#include "scoring/block_queries.hpp"

#include <algorithm>
#include <span>

namespace recloom {

BlockQueries::BlockQueries(const CheckedHead& head, std::size_t most_rows)
    : head_(head), queries_(most_rows * head.query_size()), norms_(most_rows) {}

void BlockQueries::encode(const Batch& rows) {
  rows_ = rows.size();
  const auto queries = std::span(queries_).first(rows_ * head_.query_size());
  std::ranges::fill(queries, 0.0F);
  head_.model().encode(rows, {queries, head_.query_size()});
  prepare();
}

void BlockQueries::copy(Span2d<const float> queries) {
  rows_ = queries.rows();
  std::ranges::copy(queries.flat(), queries_.begin());
  prepare();
}

void BlockQueries::prepare() {
  if (!head_.needs_norms()) return;
  const std::size_t size = head_.query_size();
  for (std::size_t row = 0; row < rows_; ++row)
    norms_[row] = head_.prepare(std::span(queries_).subspan(row * size, size));
}

}  // namespace recloom
