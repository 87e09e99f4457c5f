// Per-row losses.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "kernels/vector.hpp"
#include "nn/graph_impl.hpp"
#include "nn/ops_internal.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

float sigmoid_of(float x) { return 1.0F / (1.0F + std::exp(-x)); }
/// ln(1 + e^x) without overflow.
float softplus(float x) { return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x))); }

/// Positives [1] and negatives [N] -> [1]. Pair: what one negative adds to the loss.
class Pairwise : public Op {
 public:
  Pairwise(const Shape& positive, const Shape& negative) : n_(count(negative)) {
    if (count(positive) != 1)
      throw ModelError(
          fmt::format("a pairwise loss wants one positive, got shape {}", to_text(positive)));
  }
  Shape output_shape(std::span<const Shape>) const override { return {1}; }

 protected:
  std::size_t n_;
};

class Bpr final : public Pairwise {
 public:
  using Pairwise::Pairwise;
  std::string_view name() const noexcept override { return "bpr_loss"; }
  void forward(const OpForward& c) const override {
    for (std::size_t r = 0; r < c.rows; ++r) {
      double sum = 0;
      for (std::size_t n = 0; n < n_; ++n)
        sum -= std::log(kEpsilon + sigmoid_of(c.inputs[0][r] - c.inputs[1][r * n_ + n]));
      c.output[r] = static_cast<float>(sum / static_cast<double>(n_));
    }
  }
  void backward(const OpBackward& c) const override {
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t n = 0; n < n_; ++n) {
        const float s = sigmoid_of(c.inputs[0][r] - c.inputs[1][r * n_ + n]);
        const float g = c.output_gradient[r] / static_cast<float>(n_) * s * (1 - s) /
                        (static_cast<float>(kEpsilon) + s);
        if (!c.input_gradients[0].empty()) c.input_gradients[0][r] -= g;
        if (!c.input_gradients[1].empty()) c.input_gradients[1][r * n_ + n] += g;
      }
  }

 private:
  static constexpr double kEpsilon = 1e-10;  // RecBole's BPRLoss.gamma
};

class Bce final : public Pairwise {
 public:
  using Pairwise::Pairwise;
  std::string_view name() const noexcept override { return "bce_loss"; }
  void forward(const OpForward& c) const override {
    for (std::size_t r = 0; r < c.rows; ++r) {
      float sum = softplus(-c.inputs[0][r]);
      for (std::size_t n = 0; n < n_; ++n) sum += softplus(c.inputs[1][r * n_ + n]);
      c.output[r] = sum;
    }
  }
  void backward(const OpBackward& c) const override {
    for (std::size_t r = 0; r < c.rows; ++r) {
      const float g = c.output_gradient[r];
      if (!c.input_gradients[0].empty()) c.input_gradients[0][r] -= g * sigmoid_of(-c.inputs[0][r]);
      if (!c.input_gradients[1].empty())
        for (std::size_t n = 0; n < n_; ++n)
          c.input_gradients[1][r * n_ + n] += g * sigmoid_of(c.inputs[1][r * n_ + n]);
    }
  }
};

/// Softmax cross-entropy of logits [n_items] that the model itself computes.
class LogitsCrossEntropy final : public Op {
 public:
  explicit LogitsCrossEntropy(const Shape& logits) : n_(count(logits)) {}
  std::string_view name() const noexcept override { return "cross_entropy"; }
  Shape output_shape(std::span<const Shape>) const override { return {1}; }
  std::size_t saved_size(std::span<const Shape>) const override { return n_; }  // d loss / d logits
  void forward(const OpForward& c) const override {
    std::copy(c.inputs[0].begin(), c.inputs[0].end(), c.saved.begin());
    for (std::size_t r = 0; r < c.rows; ++r)
      c.output[r] = kernels::cross_entropy_row(n_, static_cast<std::size_t>(c.ids[0][r]), 1.0F,
                                               c.saved.data() + r * n_);
  }
  void backward(const OpBackward& c) const override {
    if (c.input_gradients[0].empty()) return;
    for (std::size_t r = 0; r < c.rows; ++r)
      kernels::axpy(n_, c.output_gradient[r], c.saved.data() + r * n_,
                    c.input_gradients[0].data() + r * n_);
  }

 private:
  std::size_t n_;
};

}  // namespace

Loss bpr_loss(Var positive, Var negative) {
  return mean(call(std::make_shared<Bpr>(positive.shape(), negative.shape()), positive, negative));
}
Loss bce_loss(Var positive, Var negative) {
  return mean(call(std::make_shared<Bce>(positive.shape(), negative.shape()), positive, negative));
}

Var logits_cross_entropy(Var logits, Ids targets) {
  return call(std::make_shared<LogitsCrossEntropy>(logits.shape()), logits, targets);
}

Var softmax_cross_entropy(Var query, const ItemHead& head, Ids targets) {
  std::size_t width = 0;
  for (const Parameter& table : head.tables) width += table.data()->columns();
  if (count(query.shape()) != width)
    throw ModelError(
        fmt::format("item head: the query has shape {}, the item vectors have {} columns",
                    to_text(query.shape()), width));
  if (head.similarity != Similarity::dot)
    throw ModelError("item head: cross-entropy over all items is there for the dot product only");
  return query.graph()->add("cross_entropy", {1}, SoftmaxHead{head}, {query, targets});
}

}  // namespace recloom::nn
