// Attention of the positions of a history to each other, row by row: what a row needs fits into a
// core's own caches.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "kernels/attention.hpp"
#include "kernels/packed_gemm.hpp"
#include "kernels/vector.hpp"
#include "nn/attention.hpp"
#include "nn/batch_items.hpp"
#include "nn/graph_impl.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

/// Positions that are multiplied together: with a causal mask, a product leaves out what lies
/// behind the last of them, or before the first.
constexpr std::size_t kBlock = 12;

float* at_row(std::span<float> all, std::size_t row, std::size_t n) {
  return all.empty() ? nullptr : all.data() + row * n;
}

}  // namespace

AttentionOp::AttentionOp(const Shape& query, const Shape& key, const Shape& value,
                         const Options& options)
    : shape_(query),
      single_(query.rank == 1),
      causal_(options.causal),
      masks_keys_(options.masks_keys),
      dropout_prob_(options.dropout_prob) {
  const bool fits = key.rank == 2 && value.rank == 2 && query.last() == key.last() &&
                    value.last() == key.last() && value.extent[0] == key.extent[0] &&
                    (single_ || (query.rank == 2 && query.extent[0] == key.extent[0]));
  if (!fits)
    throw ModelError(
        fmt::format("attention: query {}, key {} and value {} are not all [time, size]",
                    to_text(query), to_text(key), to_text(value)));
  if (options.heads < 1 || key.last() % options.heads != 0)
    throw ModelError(
        fmt::format("attention: {} heads do not divide size {}", options.heads, key.last()));
  if (!(dropout_prob_ >= 0 && dropout_prob_ < 1))
    throw ModelError(
        fmt::format("attention: dropout probability {} is not in [0, 1)", dropout_prob_));
  heads_ = static_cast<std::size_t>(options.heads);
  length_ = static_cast<std::size_t>(key.extent[0]);
  d_ = static_cast<std::size_t>(key.last());
  size_ = d_ / heads_;
  queries_ = single_ ? 1 : length_;
  weights_ = begin(queries_);
}

Reach AttentionOp::reach(std::size_t operand, std::span<const Shape>) const {
  if (single_) return Reach::unknown;
  if (operand == 0) return Reach::same;
  return causal_ ? Reach::past : Reach::unknown;
}

double AttentionOp::flops(std::span<const Shape>) const {
  return 4.0 * static_cast<double>(weights_ * d_);
}

AttentionOp::Workspace& AttentionOp::workspace() {
  thread_local Workspace work;
  return work;
}

void AttentionOp::grow(Workspace& work) const {
  const auto length = static_cast<std::int64_t>(length_), size = static_cast<std::int64_t>(size_);
  nn::grow(work.mask, length_);
  nn::grow(work.scores, queries_ * stride());
  nn::grow(work.packed,
           std::max(kernels::packed_size(size, length), kernels::packed_size(length, size)));
  const std::size_t before = work.zeros.size();
  nn::grow(work.zeros, std::max(stride(), size_));
  if (work.zeros.size() > before) std::ranges::fill(work.zeros, 0.0F);
  nn::grow(work.dropped, heads_ * weights_);
  nn::grow(work.diff_weights, heads_ * weights_);
  nn::grow(work.diff_scores, heads_ * weights_);
}

AttentionOp::RowView AttentionOp::row_of(const OpContext& c, std::size_t row) const {
  RowView r{.row = row,
            .position = 0,
            .query = c.inputs[0].data() + row * queries_ * d_,
            .key = c.inputs[1].data() + row * length_ * d_,
            .value = c.inputs[2].data() + row * length_ * d_};
  if (!single_) return r;
  r.position = static_cast<std::size_t>(c.ids[masks_keys_ ? 1 : 0][row]);
  if (r.position >= length_)
    throw ModelError(fmt::format("attention: position {} of {}", r.position, length_));
  return r;
}

const float* AttentionOp::mask_of(Workspace& work, const OpContext& c, std::size_t row) const {
  if (!masks_keys_) return nullptr;
  const std::int32_t* const ids = c.ids[0].data() + row * length_;
  for (std::size_t t = 0; t < length_; ++t)
    work.mask[t] = ids[t] == 0 ? -std::numeric_limits<float>::infinity() : 0.0F;
  return work.mask.data();
}

std::size_t AttentionOp::visible(const RowView& r, std::size_t query) const {
  return causal_ ? (single_ ? r.position : query) + 1 : length_;
}
std::size_t AttentionOp::begin(std::size_t query) const {
  return causal_ && !single_ ? query * (query + 1) / 2 : query * length_;
}

/// Dropout of a row's weights, or the weights themselves.
const float* AttentionOp::drop(Workspace& work, const OpContext& c, std::size_t row,
                               const float* weights) const {
  if (!c.training || dropout_prob_ == 0) return weights;
  kernels::dropout(c.key, static_cast<std::uint64_t>(c.row_ids[row]), dropout_prob_,
                   heads_ * weights_, weights, work.dropped.data(), false);
  return work.dropped.data();
}

/// Floats between rows of the scores: whole panels of a product, so that none is cut.
std::size_t AttentionOp::stride() const {
  return kernels::packed_size(1, static_cast<std::int64_t>(length_));
}

/// scores = query key^T of a head, as far as it is looked at.
void AttentionOp::score(Workspace& work, const RowView& r, std::size_t head) const {
  if (single_) return score_one(work, r, head);
  const auto size = static_cast<std::int64_t>(size_), d = static_cast<std::int64_t>(d_);
  kernels::pack({.transposed = true,
                 .k = size,
                 .n = static_cast<std::int64_t>(length_),
                 .b = r.key + head * size_,
                 .ldb = d},
                work.packed.data());
  for (std::size_t first = 0; first < length_; first += kBlock) {
    const std::size_t count = std::min(kBlock, length_ - first),
                      keys = causal_ ? first + count : length_;
    kernels::gemm(
        {.m = static_cast<std::int64_t>(count),
         .n = static_cast<std::int64_t>(kernels::packed_size(1, static_cast<std::int64_t>(keys))),
         .k = size,
         .a = r.query + first * d_ + head * size_,
         .lda = d,
         .packed = work.packed.data(),
         .bias = work.zeros.data(),
         .c = work.scores.data() + first * stride(),
         .ldc = static_cast<std::int64_t>(stride())});
  }
}

void AttentionOp::score_one(Workspace& work, const RowView& r, std::size_t head) const {
  const std::size_t first = head * size_;
  for (std::size_t t = 0; t < visible(r, 0); ++t)
    work.scores[t] = kernels::dot(size_, r.query + first, r.key + t * d_ + first);
}

/// scores = the weights of a head as a matrix, 0 where nothing is looked at, as far as products of
/// blocks read it.
void AttentionOp::spread(Workspace& work, const RowView& r, const float* weights) const {
  for (std::size_t q = 0; q < queries_; ++q) {
    const std::size_t n = visible(r, q),
                      end = causal_ ? std::min(length_, (q / kBlock + 1) * kBlock) : length_;
    float* const row = work.scores.data() + q * stride();
    std::copy_n(weights + begin(q), n, row);
    std::fill(row + n, row + end, 0.0F);
  }
}

/// Lay out the columns of a head for products with the scores.
void AttentionOp::load(Workspace& work, const float* operand, std::size_t head) const {
  kernels::pack({.k = static_cast<std::int64_t>(length_),
                 .n = static_cast<std::int64_t>(size_),
                 .b = operand + head * size_,
                 .ldb = static_cast<std::int64_t>(d_)},
                work.packed.data());
}

/// output = bias + scores * operand, or += without a bias.
void AttentionOp::multiply_by_keys(Workspace& work, const float* bias, float* output) const {
  for (std::size_t first = 0; first < length_; first += kBlock) {
    const std::size_t count = std::min(kBlock, length_ - first);
    kernels::gemm({.m = static_cast<std::int64_t>(count),
                   .n = static_cast<std::int64_t>(size_),
                   .k = static_cast<std::int64_t>(causal_ ? first + count : length_),
                   .a = work.scores.data() + first * stride(),
                   .lda = static_cast<std::int64_t>(stride()),
                   .packed = work.packed.data(),
                   .packed_k = static_cast<std::int64_t>(length_),
                   .bias = bias,
                   .c = output + first * d_,
                   .ldc = static_cast<std::int64_t>(d_)});
  }
}

/// output += scores^T * operand.
void AttentionOp::multiply_by_queries(Workspace& work, float* output) const {
  for (std::size_t first = 0; first < length_; first += kBlock) {
    const std::size_t begin = causal_ ? first : 0;
    kernels::gemm({.transpose_a = true,
                   .m = static_cast<std::int64_t>(std::min(kBlock, length_ - first)),
                   .n = static_cast<std::int64_t>(size_),
                   .k = static_cast<std::int64_t>(length_ - begin),
                   .a = work.scores.data() + begin * stride() + first,
                   .lda = static_cast<std::int64_t>(stride()),
                   .packed = work.packed.data(),
                   .packed_k = static_cast<std::int64_t>(length_),
                   .first_k = static_cast<std::int64_t>(begin),
                   .c = output + first * d_,
                   .ldc = static_cast<std::int64_t>(d_)});
  }
}

/// output = weights value of a head.
void AttentionOp::mix(Workspace& work, const RowView& r, const float* weights, std::size_t head,
                      float* output) const {
  const std::size_t first = head * size_;
  if (single_) {
    std::fill_n(output + first, size_, 0.0F);
    for (std::size_t t = 0; t < visible(r, 0); ++t)
      kernels::axpy(size_, weights[t], r.value + t * d_ + first, output + first);
    return;
  }
  spread(work, r, weights);
  load(work, r.value, head);
  multiply_by_keys(work, work.zeros.data(), output + first);
}

void AttentionOp::forward(const OpForward& c) const {
  Workspace& work = workspace();
  grow(work);
  const float scale = 1.0F / std::sqrt(static_cast<float>(size_));
  for (std::size_t row = 0; row < c.rows; ++row) {
    const RowView r = row_of(c, row);
    const float* const mask = mask_of(work, c, row);
    float* const weights = c.saved.data() + row * heads_ * weights_;
    if (single_) std::fill_n(weights, heads_ * weights_, 0.0F);  // what lies behind the position
    for (std::size_t head = 0; head < heads_; ++head) {
      score(work, r, head);
      for (std::size_t q = 0; q < queries_; ++q)
        kernels::masked_softmax(visible(r, q), scale, mask, work.scores.data() + q * stride(),
                                weights + head * weights_ + begin(q));
    }
    const float* const dropped = drop(work, c, row, weights);
    for (std::size_t head = 0; head < heads_; ++head)
      mix(work, r, dropped + head * weights_, head, c.output.data() + row * queries_ * d_);
  }
}

void AttentionOp::backward(const OpBackward& c) const {
  Workspace& work = workspace();
  grow(work);
  for (std::size_t row = 0; row < c.rows; ++row) backward_row(work, c, row);
}

void AttentionOp::backward_row(Workspace& work, const OpBackward& c, std::size_t row) const {
  const RowView r = row_of(c, row);
  const float scale = 1.0F / std::sqrt(static_cast<float>(size_));
  const float* const weights = c.saved.data() + row * heads_ * weights_;
  const float* const diff_output = c.output_gradient.data() + row * queries_ * d_;
  float* const diff_query = at_row(c.input_gradients[0], row, queries_ * d_);
  float* const diff_key = at_row(c.input_gradients[1], row, length_ * d_);
  float* const diff_value = at_row(c.input_gradients[2], row, length_ * d_);
  const float* const dropped = drop(work, c, row, weights);
  if (diff_value != nullptr)
    for (std::size_t head = 0; head < heads_; ++head)
      add_value_diffs(work, r, head, dropped + head * weights_, diff_output, diff_value);
  if (diff_query == nullptr && diff_key == nullptr) return;
  if (single_) std::fill_n(work.diff_weights.data(), heads_ * weights_, 0.0F);
  for (std::size_t head = 0; head < heads_; ++head) diff_weights_of(work, r, head, diff_output);
  float* const diff = work.diff_weights.data();
  if (dropped != weights)
    kernels::keep_scaled(heads_ * weights_, static_cast<float>(1 / (1 - dropout_prob_)), dropped,
                         diff);
  for (std::size_t head = 0; head < heads_; ++head) {
    for (std::size_t q = 0; q < queries_; ++q) {
      const std::size_t at = head * weights_ + begin(q);
      kernels::masked_softmax_backward(visible(r, q), scale, weights + at, diff + at,
                                       work.diff_scores.data() + at);
    }
    add_score_diffs(work, r, head, diff_query, diff_key);
  }
}

/// diff_value += weights^T diff_output of a head.
void AttentionOp::add_value_diffs(Workspace& work, const RowView& r, std::size_t head,
                                  const float* weights, const float* diff_output,
                                  float* diff_value) const {
  const std::size_t first = head * size_;
  if (single_) {
    for (std::size_t t = 0; t < visible(r, 0); ++t)
      kernels::axpy(size_, weights[t], diff_output + first, diff_value + t * d_ + first);
    return;
  }
  spread(work, r, weights);
  load(work, diff_output, head);
  multiply_by_queries(work, diff_value + first);
}

/// The gradient of a head's weights: diff_output value^T, as far as they are looked at.
void AttentionOp::diff_weights_of(Workspace& work, const RowView& r, std::size_t head,
                                  const float* diff_output) const {
  const RowView swapped{
      .row = r.row, .position = r.position, .query = diff_output, .key = r.value, .value = r.value};
  score(work, swapped, head);
  for (std::size_t q = 0; q < queries_; ++q)
    std::copy_n(work.scores.data() + q * stride(), visible(r, q),
                work.diff_weights.data() + head * weights_ + begin(q));
}

/// diff_query += diff_scores key, diff_key += diff_scores^T query of a head.
void AttentionOp::add_score_diffs(Workspace& work, const RowView& r, std::size_t head,
                                  float* diff_query, float* diff_key) const {
  const float* const diff = work.diff_scores.data() + head * weights_;
  const std::size_t first = head * size_;
  if (single_) {
    for (std::size_t t = 0; t < visible(r, 0); ++t) {
      if (diff_query) kernels::axpy(size_, diff[t], r.key + t * d_ + first, diff_query + first);
      if (diff_key) kernels::axpy(size_, diff[t], r.query + first, diff_key + t * d_ + first);
    }
    return;
  }
  spread(work, r, diff);
  if (diff_query != nullptr) {
    load(work, r.key, head);
    multiply_by_keys(work, nullptr, diff_query + first);
  }
  if (diff_key != nullptr) {
    load(work, r.query, head);
    multiply_by_queries(work, diff_key + first);
  }
}

Var attention(Var query, Var key, Var value, int heads, Mask mask, double dropout_prob) {
  const AttentionOp::Options options{.heads = heads,
                                     .causal = mask.causal,
                                     .masks_keys = static_cast<bool>(mask.keys),
                                     .dropout_prob = dropout_prob};
  const auto make = [options](Var q, Var k, Var v) {
    return std::make_shared<AttentionOp>(q.shape(), k.shape(), v.shape(), options);
  };
  const auto op = make(query, key, value);
  const Var output =
      mask.keys ? call(op, query, key, value, mask.keys) : call(op, query, key, value);
  output.graph()->node(output.node()).remake = [make](std::span<const Operand> operands,
                                                      Ids last_position) {
    std::vector<Operand> all(operands.begin(), operands.end());
    all.push_back(last_position);
    return call_op(make(all[0].var, all[1].var, all[2].var), all);
  };
  return output;
}

}  // namespace recloom::nn
