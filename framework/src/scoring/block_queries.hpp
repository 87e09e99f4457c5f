#pragma once
#include <cstddef>
#include <vector>

#include "core/aligned.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/types.hpp"
#include "recloom/data/batch.hpp"
#include "scoring/checked_head.hpp"

namespace recloom {

/// The queries of one block of rows, ready for products; one thread's, used block after block.
class RECLOOM_API BlockQueries {
 public:
  BlockQueries(const CheckedHead& head, std::size_t most_rows);

  void encode(const Batch& rows);          ///< Have the model compute them.
  void copy(Span2d<const float> queries);  ///< They were computed before.
  std::size_t rows() const noexcept { return rows_; }
  const float* row(std::size_t row) const { return queries_.data() + row * head_.query_size(); }
  float norm(std::size_t row) const { return norms_[row]; }

 private:
  void prepare();

  const CheckedHead& head_;
  std::size_t rows_ = 0;
  AlignedFloats queries_;     ///< [rows, query_size]
  std::vector<float> norms_;  ///< [rows]
};

}  // namespace recloom
