// Per-row losses.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
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

/// ln of a power of the sigmoid is a multiple of its ln: gBCE is BCE with another weight of the
/// positive, and needs no powers.
class Bce final : public Pairwise {
 public:
  Bce(const Shape& positive, const Shape& negative, double beta)
      : Pairwise(positive, negative), beta_(static_cast<float>(beta)) {}
  std::string_view name() const noexcept override { return beta_ == 1 ? "bce_loss" : "gbce_loss"; }
  void forward(const OpForward& c) const override {
    for (std::size_t r = 0; r < c.rows; ++r) {
      float sum = beta_ * softplus(-c.inputs[0][r]);
      for (std::size_t n = 0; n < n_; ++n) sum += softplus(c.inputs[1][r * n_ + n]);
      c.output[r] = sum;
    }
  }
  void backward(const OpBackward& c) const override {
    for (std::size_t r = 0; r < c.rows; ++r) {
      const float g = c.output_gradient[r];
      if (!c.input_gradients[0].empty())
        c.input_gradients[0][r] -= g * beta_ * sigmoid_of(-c.inputs[0][r]);
      if (!c.input_gradients[1].empty())
        for (std::size_t n = 0; n < n_; ++n)
          c.input_gradients[1][r * n_ + n] += g * sigmoid_of(c.inputs[1][r * n_ + n]);
    }
  }

 private:
  float beta_;
};

/// Softmax cross-entropy of [positive, negatives]. Operands: positive, negatives, their ids.
class SampledSoftmax final : public Pairwise {
 public:
  SampledSoftmax(const Shape& positive, const Shape& negative, std::span<const float> log_q)
      : Pairwise(positive, negative), log_q_(log_q.begin(), log_q.end()) {}
  std::string_view name() const noexcept override { return "sampled_softmax_loss"; }
  /// d loss / d logits.
  std::size_t saved_size(std::span<const Shape>) const override { return 1 + n_; }
  void forward(const OpForward& c) const override {
    const auto correction = [this](std::int32_t item) {
      return log_q_.empty() ? 0.0F : log_q_[static_cast<std::size_t>(item)];
    };
    for (std::size_t r = 0; r < c.rows; ++r) {
      const std::int32_t target = c.ids[0][r];
      const std::int32_t* sampled = c.ids[1].data() + r * n_;
      float* logits = c.saved.data() + r * (1 + n_);
      logits[0] = c.inputs[0][r] - correction(target);
      for (std::size_t n = 0; n < n_; ++n)
        logits[1 + n] = sampled[n] == target ? -std::numeric_limits<float>::infinity()
                                             : c.inputs[1][r * n_ + n] - correction(sampled[n]);
      c.output[r] = kernels::cross_entropy_row(1 + n_, 0, 1.0F, logits);
    }
  }
  void backward(const OpBackward& c) const override {
    for (std::size_t r = 0; r < c.rows; ++r) {
      const float* slope = c.saved.data() + r * (1 + n_);
      const float g = c.output_gradient[r];
      if (!c.input_gradients[0].empty()) c.input_gradients[0][r] += g * slope[0];
      if (!c.input_gradients[1].empty())
        kernels::axpy(n_, g, slope + 1, c.input_gradients[1].data() + r * n_);
    }
  }

 private:
  std::vector<float> log_q_;
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
Loss bce_loss(Var positive, Var negative) { return gbce_loss(positive, negative, 1); }
Loss gbce_loss(Var positive, Var negative, double beta) {
  if (!(beta >= 0 && beta <= 1))
    throw ModelError(fmt::format("gbce_loss: beta is {}, must be from 0 to 1", beta));
  return mean(
      call(std::make_shared<Bce>(positive.shape(), negative.shape(), beta), positive, negative));
}
double gbce_beta(int n_negatives, int n_items, double t) {
  const double others = std::max(1, n_items - 2);  // all but padding and target
  const double alpha = std::min(1.0, n_negatives / others);
  return 1 - t * (1 - alpha);  // alpha (t (1 - 1 / alpha) + 1 / alpha)
}
Loss sampled_softmax_loss(Var positive, Var negative, Ids target, Ids sampled,
                          std::span<const float> log_q) {
  if (count(target.shape()) != count(positive.shape()) ||
      count(sampled.shape()) != count(negative.shape()))
    throw ModelError(
        fmt::format("sampled_softmax_loss: scores have shapes {} and {}, their items {} and {}",
                    to_text(positive.shape()), to_text(negative.shape()), to_text(target.shape()),
                    to_text(sampled.shape())));
  const auto n_items = static_cast<std::size_t>(target.graph()->settings().catalogue.n_items);
  if (!log_q.empty() && log_q.size() != n_items)
    throw ModelError(fmt::format("sampled_softmax_loss: log_q has {} numbers, there are {} items",
                                 log_q.size(), n_items));
  const auto op = std::make_shared<SampledSoftmax>(positive.shape(), negative.shape(), log_q);
  return mean(call(op, positive, negative, target, sampled));
}

Var logits_cross_entropy(Var logits, Ids targets) {
  return call(std::make_shared<LogitsCrossEntropy>(logits.shape()), logits, targets);
}

Var softmax_cross_entropy(Var query, const ItemHead& head, Ids targets) {
  require_fitting(head, query);
  return query.graph()->add("cross_entropy", {1}, SoftmaxHead{head}, {query, targets});
}

}  // namespace recloom::nn
