// Attention of the positions of a history to each other, row by row: what a row needs fits into a
// core's own caches.
#include "nn/ops/attention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "core/scratch.hpp"
#include "kernels/attention.hpp"
#include "kernels/packed_gemm.hpp"
#include "kernels/vector.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/ops.hpp"

namespace recloom::nn {
namespace {

/// Positions that are multiplied together: with a causal mask, a product leaves out what lies
/// behind the last of them, or before the first.
constexpr std::size_t kBlock = 12;

float* at_row(std::span<float> all, std::size_t row, std::size_t n) {
  return all.empty() ? nullptr : all.data() + row * n;
}

/// What shapes and options say together.
struct Sizes {
  Sizes(const AttentionOptions& options, const OpShapes& shapes)
      : causal(options.causal),
        heads(static_cast<std::size_t>(options.heads)),
        queries(static_cast<std::size_t>(shapes.inputs[0].extent[0])),
        length(static_cast<std::size_t>(shapes.inputs[1].extent[0])),
        d(static_cast<std::size_t>(shapes.inputs[1].last())),
        size(d / heads),
        single(queries != length),
        weights(begin(queries)) {}
  /// Where the weights of a query begin among those of its head.
  std::size_t begin(std::size_t query) const {
    return causal && !single ? query * (query + 1) / 2 : query * length;
  }

  bool causal;
  std::size_t heads, queries, length, d, size;  // size: of a head
  bool single;          // One query, of the position that the context names.
  std::size_t weights;  // Of a head.
};

/// One row of the shard.
struct RowView {
  std::size_t row, position;  // position: of the one query
  const float *query, *key, *value;
};

/// One call of the op, and the memory for it.
class Pass {
 public:
  Pass(const AttentionOptions& options, const OpContext& context)
      : options_(options),
        c_(context),
        s_(options, context.shapes),
        scale_(1.0F / std::sqrt(static_cast<float>(s_.size))),
        mask_(scratch_.floats(s_.length)),
        scores_(scratch_.floats(s_.queries * stride())),
        packed_(
            scratch_.floats(std::max(kernels::packed_size(to_int(s_.size), to_int(s_.length)),
                                     kernels::packed_size(to_int(s_.length), to_int(s_.size))))),
        zeros_(scratch_.zeros(std::max(stride(), s_.size))),
        dropped_(scratch_.floats(s_.heads * s_.weights)) {}

  void forward(const OpForward& c);
  void backward(const OpBackward& c);

 private:
  static std::int64_t to_int(std::size_t n) { return static_cast<std::int64_t>(n); }
  RowView row_of(std::size_t row) const;
  const float* mask_of(std::size_t row);
  /// How many keys, from the first, a query may look at.
  std::size_t visible(const RowView& r, std::size_t query) const {
    return s_.causal ? (s_.single ? r.position : query) + 1 : s_.length;
  }
  const float* drop(std::size_t row, const float* weights);
  std::size_t stride() const;
  void score(const RowView& r, std::size_t head);
  void score_one(const RowView& r, std::size_t head);
  void spread(const RowView& r, const float* weights);
  void load(const float* operand, std::size_t head);
  void multiply_by_keys(const float* bias, float* output) const;
  void multiply_by_queries(float* output) const;
  void mix(const RowView& r, const float* weights, std::size_t head, float* output);
  void backward_row(const OpBackward& c, std::size_t row);
  void diff_weights_of(const RowView& r, std::size_t head, const float* diff_output);
  void add_value_diffs(const RowView& r, std::size_t head, const float* weights,
                       const float* diff_output, float* diff_value);
  void add_score_diffs(const RowView& r, std::size_t head, float* diff_query, float* diff_key);

  const AttentionOptions& options_;
  const OpContext& c_;
  const Sizes s_;
  const float scale_;
  Scratch scratch_;
  float *mask_, *scores_, *packed_, *zeros_, *dropped_;
  float *diff_weights_ = nullptr, *diff_scores_ = nullptr;  // Of backward.
};

RowView Pass::row_of(std::size_t row) const {
  return {.row = row,
          .position = c_.position(row, 0),
          .query = c_.inputs[0].data() + row * s_.queries * s_.d,
          .key = c_.inputs[1].data() + row * s_.length * s_.d,
          .value = c_.inputs[2].data() + row * s_.length * s_.d};
}

const float* Pass::mask_of(std::size_t row) {
  if (c_.ids.empty()) return nullptr;
  const std::int32_t* const ids = c_.ids[0].data() + row * s_.length;
  for (std::size_t t = 0; t < s_.length; ++t)
    mask_[t] = ids[t] == 0 ? -std::numeric_limits<float>::infinity() : 0.0F;
  return mask_;
}

/// Dropout of a row's weights, or the weights themselves.
const float* Pass::drop(std::size_t row, const float* weights) {
  if (!c_.training || options_.dropout_prob == 0) return weights;
  kernels::dropout(c_.key, static_cast<std::uint64_t>(c_.row_ids[row]), options_.dropout_prob,
                   s_.heads * s_.weights, weights, dropped_, false);
  return dropped_;
}

/// Floats between rows of the scores: whole panels of a product, so that none is cut.
std::size_t Pass::stride() const { return kernels::packed_size(1, to_int(s_.length)); }

/// scores = query key^T of a head, as far as it is looked at.
void Pass::score(const RowView& r, std::size_t head) {
  if (s_.single) return score_one(r, head);
  const auto size = to_int(s_.size), d = to_int(s_.d);
  kernels::pack({.transposed = true,
                 .k = size,
                 .n = to_int(s_.length),
                 .b = r.key + head * s_.size,
                 .ldb = d},
                packed_);
  for (std::size_t first = 0; first < s_.length; first += kBlock) {
    const std::size_t count = std::min(kBlock, s_.length - first),
                      keys = s_.causal ? first + count : s_.length;
    kernels::gemm({.m = to_int(count),
                   .n = static_cast<std::int64_t>(kernels::packed_size(1, to_int(keys))),
                   .k = size,
                   .a = r.query + first * s_.d + head * s_.size,
                   .lda = d,
                   .packed = packed_,
                   .bias = zeros_,
                   .c = scores_ + first * stride(),
                   .ldc = to_int(stride())});
  }
}

void Pass::score_one(const RowView& r, std::size_t head) {
  const std::size_t first = head * s_.size;
  for (std::size_t t = 0; t < visible(r, 0); ++t)
    scores_[t] = kernels::dot(s_.size, r.query + first, r.key + t * s_.d + first);
}

/// scores = the weights of a head as a matrix, 0 where nothing is looked at, as far as products of
/// blocks read it.
void Pass::spread(const RowView& r, const float* weights) {
  for (std::size_t q = 0; q < s_.queries; ++q) {
    const std::size_t n = visible(r, q),
                      end = s_.causal ? std::min(s_.length, (q / kBlock + 1) * kBlock) : s_.length;
    float* const row = scores_ + q * stride();
    std::copy_n(weights + s_.begin(q), n, row);
    std::fill(row + n, row + end, 0.0F);
  }
}

/// Lay out the columns of a head for products with the scores.
void Pass::load(const float* operand, std::size_t head) {
  kernels::pack({.k = to_int(s_.length),
                 .n = to_int(s_.size),
                 .b = operand + head * s_.size,
                 .ldb = to_int(s_.d)},
                packed_);
}

/// output = bias + scores * operand, or += without a bias.
void Pass::multiply_by_keys(const float* bias, float* output) const {
  for (std::size_t first = 0; first < s_.length; first += kBlock) {
    const std::size_t count = std::min(kBlock, s_.length - first);
    kernels::gemm({.m = to_int(count),
                   .n = to_int(s_.size),
                   .k = static_cast<std::int64_t>(s_.causal ? first + count : s_.length),
                   .a = scores_ + first * stride(),
                   .lda = to_int(stride()),
                   .packed = packed_,
                   .packed_k = to_int(s_.length),
                   .bias = bias,
                   .c = output + first * s_.d,
                   .ldc = to_int(s_.d)});
  }
}

/// output += scores^T * operand.
void Pass::multiply_by_queries(float* output) const {
  for (std::size_t first = 0; first < s_.length; first += kBlock) {
    const std::size_t begin = s_.causal ? first : 0;
    kernels::gemm({.transpose_a = true,
                   .m = static_cast<std::int64_t>(std::min(kBlock, s_.length - first)),
                   .n = to_int(s_.size),
                   .k = static_cast<std::int64_t>(s_.length - begin),
                   .a = scores_ + begin * stride() + first,
                   .lda = to_int(stride()),
                   .packed = packed_,
                   .packed_k = to_int(s_.length),
                   .first_k = to_int(begin),
                   .c = output + first * s_.d,
                   .ldc = to_int(s_.d)});
  }
}

/// output = weights value of a head.
void Pass::mix(const RowView& r, const float* weights, std::size_t head, float* output) {
  const std::size_t first = head * s_.size;
  if (s_.single) {
    std::fill_n(output + first, s_.size, 0.0F);
    for (std::size_t t = 0; t < visible(r, 0); ++t)
      kernels::axpy(s_.size, weights[t], r.value + t * s_.d + first, output + first);
    return;
  }
  spread(r, weights);
  load(r.value, head);
  multiply_by_keys(zeros_, output + first);
}

void Pass::forward(const OpForward& c) {
  for (std::size_t row = 0; row < c.rows; ++row) {
    const RowView r = row_of(row);
    const float* const mask = mask_of(row);
    float* const weights = c.saved.data() + row * s_.heads * s_.weights;
    // What lies behind the position.
    if (s_.single) std::fill_n(weights, s_.heads * s_.weights, 0.0F);
    for (std::size_t head = 0; head < s_.heads; ++head) {
      score(r, head);
      for (std::size_t q = 0; q < s_.queries; ++q)
        kernels::masked_softmax(visible(r, q), scale_, mask, scores_ + q * stride(),
                                weights + head * s_.weights + s_.begin(q));
    }
    const float* const dropped = drop(row, weights);
    for (std::size_t head = 0; head < s_.heads; ++head)
      mix(r, dropped + head * s_.weights, head, c.output.data() + row * s_.queries * s_.d);
  }
}

void Pass::backward(const OpBackward& c) {
  diff_weights_ = scratch_.floats(s_.heads * s_.weights);
  diff_scores_ = scratch_.floats(s_.heads * s_.weights);
  for (std::size_t row = 0; row < c.rows; ++row) backward_row(c, row);
}

void Pass::backward_row(const OpBackward& c, std::size_t row) {
  const RowView r = row_of(row);
  const float* const weights = c.saved.data() + row * s_.heads * s_.weights;
  const float* const diff_output = c.diff_output.data() + row * s_.queries * s_.d;
  float* const diff_query = at_row(c.diff_inputs[0], row, s_.queries * s_.d);
  float* const diff_key = at_row(c.diff_inputs[1], row, s_.length * s_.d);
  float* const diff_value = at_row(c.diff_inputs[2], row, s_.length * s_.d);
  const float* const dropped = drop(row, weights);
  if (diff_value != nullptr)
    for (std::size_t head = 0; head < s_.heads; ++head)
      add_value_diffs(r, head, dropped + head * s_.weights, diff_output, diff_value);
  if (diff_query == nullptr && diff_key == nullptr) return;
  if (s_.single) std::fill_n(diff_weights_, s_.heads * s_.weights, 0.0F);
  for (std::size_t head = 0; head < s_.heads; ++head) diff_weights_of(r, head, diff_output);
  float* const diff = diff_weights_;
  if (dropped != weights)
    kernels::keep_scaled(s_.heads * s_.weights, static_cast<float>(1 / (1 - options_.dropout_prob)),
                         dropped, diff);
  for (std::size_t head = 0; head < s_.heads; ++head) {
    for (std::size_t q = 0; q < s_.queries; ++q) {
      const std::size_t at = head * s_.weights + s_.begin(q);
      kernels::masked_softmax_backward(visible(r, q), scale_, weights + at, diff + at,
                                       diff_scores_ + at);
    }
    add_score_diffs(r, head, diff_query, diff_key);
  }
}

/// diff_value += weights^T diff_output of a head.
void Pass::add_value_diffs(const RowView& r, std::size_t head, const float* weights,
                           const float* diff_output, float* diff_value) {
  const std::size_t first = head * s_.size;
  if (s_.single) {
    for (std::size_t t = 0; t < visible(r, 0); ++t)
      kernels::axpy(s_.size, weights[t], diff_output + first, diff_value + t * s_.d + first);
    return;
  }
  spread(r, weights);
  load(diff_output, head);
  multiply_by_queries(diff_value + first);
}

/// The gradient of a head's weights: diff_output value^T, as far as they are looked at.
void Pass::diff_weights_of(const RowView& r, std::size_t head, const float* diff_output) {
  const RowView swapped{
      .row = r.row, .position = r.position, .query = diff_output, .key = r.value, .value = r.value};
  score(swapped, head);
  for (std::size_t q = 0; q < s_.queries; ++q)
    std::copy_n(scores_ + q * stride(), visible(r, q),
                diff_weights_ + head * s_.weights + s_.begin(q));
}

/// diff_query += diff_scores key, diff_key += diff_scores^T query of a head.
void Pass::add_score_diffs(const RowView& r, std::size_t head, float* diff_query, float* diff_key) {
  const float* const diff = diff_scores_ + head * s_.weights;
  const std::size_t first = head * s_.size;
  if (s_.single) {
    for (std::size_t t = 0; t < visible(r, 0); ++t) {
      if (diff_query) kernels::axpy(s_.size, diff[t], r.key + t * s_.d + first, diff_query + first);
      if (diff_key) kernels::axpy(s_.size, diff[t], r.query + first, diff_key + t * s_.d + first);
    }
    return;
  }
  spread(r, diff);
  if (diff_query != nullptr) {
    load(r.key, head);
    multiply_by_keys(nullptr, diff_query + first);
  }
  if (diff_key != nullptr) {
    load(r.query, head);
    multiply_by_queries(diff_key + first);
  }
}

}  // namespace

Shape AttentionOp::output_shape(const OpShapes& shapes) const {
  const Shape &query = shapes.inputs[0], &key = shapes.inputs[1], &value = shapes.inputs[2];
  const bool fits = query.rank == 2 && key.rank == 2 && key == value &&
                    query.last() == key.last() &&
                    (query.extent[0] == key.extent[0] || query.extent[0] == 1);
  if (!fits)
    throw ModelError(
        fmt::format("attention: query {}, key {} and value {} are not all [time, size]",
                    to_text(query), to_text(key), to_text(value)));
  if (!shapes.ids.empty() && shapes.ids[0] != Shape{key.extent[0]})
    throw ModelError(fmt::format("attention: keys {} do not fit the ids {} of the mask",
                                 to_text(key), to_text(shapes.ids[0])));
  if (options_.heads < 1 || key.last() % options_.heads != 0)
    throw ModelError(
        fmt::format("attention: {} heads do not divide size {}", options_.heads, key.last()));
  return query;
}

std::size_t AttentionOp::saved_size(const OpShapes& shapes) const {
  const Sizes s(options_, shapes);
  return s.heads * s.weights;
}

Reach AttentionOp::reach(std::size_t operand, const OpShapes&) const {
  if (operand == 0) return Reach::same;
  return options_.causal ? Reach::past : Reach::unknown;
}

double AttentionOp::flops(const OpShapes& shapes) const {
  const Sizes s(options_, shapes);
  return 4.0 * static_cast<double>(s.weights * s.d);
}

void AttentionOp::forward(const OpForward& c) const { Pass(options_, c).forward(c); }
void AttentionOp::backward(const OpBackward& c) const { Pass(options_, c).backward(c); }

Var attention(Var query, Var key, Var value, int heads, Mask mask, double dropout_prob) {
  if (!(dropout_prob >= 0 && dropout_prob < 1))
    throw ModelError(
        fmt::format("attention: dropout probability {} is not in [0, 1)", dropout_prob));
  // One position of many is for those who know which: AttentionOp at one position.
  if (query && key && value && query.shape() != key.shape())
    throw ModelError(
        fmt::format("attention: query {}, key {} and value {} are not all [time, size]",
                    to_text(query.shape()), to_text(key.shape()), to_text(value.shape())));
  const auto op = std::make_shared<AttentionOp>(
      AttentionOptions{.heads = heads, .causal = mask.causal, .dropout_prob = dropout_prob});
  return mask.keys ? call(op, query, key, value, mask.keys) : call(op, query, key, value);
}

}  // namespace recloom::nn
