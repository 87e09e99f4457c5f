#include "recloom/nn/losses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/vector.hpp"
#include "nn/graph/graph.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"

namespace recloom::nn {
namespace {

float sigmoid_of(float x) { return 1.0F / (1.0F + std::exp(-x)); }
/// ln(1 + e^x) without overflow.
float softplus(float x) { return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x))); }

/// Scores of a row's targets [T] and negatives [N] -> [1].
class Pairwise : public Op {
 public:
  Shape output_shape(const OpShapes&) const override { return {1}; }

 protected:
  static std::size_t n_targets(const OpShapes& shapes) { return count(shapes.inputs[0]); }
  static std::size_t n_negatives(const OpShapes& shapes) { return count(shapes.inputs[1]); }
};

/// Mean over all pairs of a target and a negative.
class Bpr final : public Pairwise {
 public:
  std::string_view name() const noexcept override { return "bpr_loss"; }
  void forward(const OpForward& c) const override {
    const std::size_t n_all = n_negatives(c.shapes), t_all = n_targets(c.shapes);
    for (std::size_t r = 0; r < c.rows; ++r) {
      double sum = 0;
      for (std::size_t t = 0; t < t_all; ++t)
        for (std::size_t n = 0; n < n_all; ++n)
          sum -= std::log(kEpsilon +
                          sigmoid_of(c.inputs[0][r * t_all + t] - c.inputs[1][r * n_all + n]));
      c.output[r] = static_cast<float>(sum / static_cast<double>(t_all * n_all));
    }
  }
  void backward(const OpBackward& c) const override {
    const std::size_t n_all = n_negatives(c.shapes), t_all = n_targets(c.shapes);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < t_all; ++t)
        for (std::size_t n = 0; n < n_all; ++n) {
          const float s = sigmoid_of(c.inputs[0][r * t_all + t] - c.inputs[1][r * n_all + n]);
          const float g = c.diff_output[r] / static_cast<float>(t_all * n_all) * s * (1 - s) /
                          (static_cast<float>(kEpsilon) + s);
          if (!c.diff_inputs[0].empty()) c.diff_inputs[0][r * t_all + t] -= g;
          if (!c.diff_inputs[1].empty()) c.diff_inputs[1][r * n_all + n] += g;
        }
  }

 private:
  static constexpr double kEpsilon = 1e-10;  // RecBole's BPRLoss.gamma
};

/// ln of a power of the sigmoid is a multiple of its ln: gBCE is BCE with another weight of the
/// targets, and needs no powers.
class Bce final : public Pairwise {
 public:
  Bce(double beta, bool balanced) : beta_(beta), balanced_(balanced) {}
  std::string_view name() const noexcept override {
    if (beta_ != 1) return "gbce_loss";
    return balanced_ ? "balanced_bce_loss" : "bce_loss";
  }
  void forward(const OpForward& c) const override {
    const std::size_t n_all = n_negatives(c.shapes), t_all = n_targets(c.shapes);
    const auto [of_target, of_negative] = weights(c.shapes);
    for (std::size_t r = 0; r < c.rows; ++r) {
      float sum = 0;
      for (std::size_t t = 0; t < t_all; ++t)
        sum += of_target * softplus(-c.inputs[0][r * t_all + t]);
      for (std::size_t n = 0; n < n_all; ++n)
        sum += of_negative * softplus(c.inputs[1][r * n_all + n]);
      c.output[r] = sum;
    }
  }
  void backward(const OpBackward& c) const override {
    const std::size_t n_all = n_negatives(c.shapes), t_all = n_targets(c.shapes);
    const auto [of_target, of_negative] = weights(c.shapes);
    for (std::size_t r = 0; r < c.rows; ++r) {
      const float g = c.diff_output[r];
      if (!c.diff_inputs[0].empty())
        for (std::size_t t = 0; t < t_all; ++t)
          c.diff_inputs[0][r * t_all + t] -=
              g * of_target * sigmoid_of(-c.inputs[0][r * t_all + t]);
      if (!c.diff_inputs[1].empty())
        for (std::size_t n = 0; n < n_all; ++n)
          c.diff_inputs[1][r * n_all + n] +=
              g * of_negative * sigmoid_of(c.inputs[1][r * n_all + n]);
    }
  }

 private:
  std::pair<float, float> weights(const OpShapes& shapes) const {
    if (!balanced_) return {static_cast<float>(beta_), 1.0F};
    return {static_cast<float>(beta_ / static_cast<double>(n_targets(shapes))),
            static_cast<float>(1 / static_cast<double>(n_negatives(shapes)))};
  }

  double beta_;
  bool balanced_;
};

/// Softmax cross-entropy of each target among [target, negatives], their mean. Operands: targets,
/// negatives, their ids.
class SampledSoftmax final : public Pairwise {
 public:
  explicit SampledSoftmax(std::span<const float> log_q) : log_q_(log_q.begin(), log_q.end()) {}
  std::string_view name() const noexcept override { return "sampled_softmax_loss"; }
  Shape output_shape(const OpShapes& shapes) const override {
    const Shape &positive = shapes.inputs[0], &negative = shapes.inputs[1];
    if (count(shapes.ids[0]) != count(positive) || count(shapes.ids[1]) != count(negative))
      throw ModelError(fmt::format(
          "sampled_softmax_loss: scores have shapes {} and {}, their items {} and {}",
          to_text(positive), to_text(negative), to_text(shapes.ids[0]), to_text(shapes.ids[1])));
    return Pairwise::output_shape(shapes);
  }
  /// d loss / d logits of every target and its negatives.
  std::size_t saved_size(const OpShapes& shapes) const override {
    return n_targets(shapes) * (1 + n_negatives(shapes));
  }
  void forward(const OpForward& c) const override {
    const std::size_t n_all = n_negatives(c.shapes), t_all = n_targets(c.shapes);
    for (std::size_t r = 0; r < c.rows; ++r) {
      float sum = 0;
      for (std::size_t t = 0; t < t_all; ++t)
        sum += cross_entropy(c, r * t_all + t, r * n_all, n_all);
      c.output[r] = sum / static_cast<float>(t_all);
    }
  }
  void backward(const OpBackward& c) const override {
    const std::size_t n_all = n_negatives(c.shapes), t_all = n_targets(c.shapes);
    for (std::size_t r = 0; r < c.rows; ++r)
      for (std::size_t t = 0; t < t_all; ++t) {
        const float* slope = c.saved.data() + (r * t_all + t) * (1 + n_all);
        const float g = c.diff_output[r] / static_cast<float>(t_all);
        if (!c.diff_inputs[0].empty()) c.diff_inputs[0][r * t_all + t] += g * slope[0];
        if (!c.diff_inputs[1].empty())
          kernels::axpy(n_all, g, slope + 1, c.diff_inputs[1].data() + r * n_all);
      }
  }

 private:
  float correction(std::int32_t item) const {
    return log_q_.empty() ? 0.0F : log_q_[static_cast<std::size_t>(item)];
  }
  /// Of target number `at` of all rows against the n_all negatives from number `first` on.
  float cross_entropy(const OpForward& c, std::size_t at, std::size_t first,
                      std::size_t n_all) const {
    const std::int32_t target = c.ids[0][at];
    float* logits = c.saved.data() + at * (1 + n_all);
    logits[0] = c.inputs[0][at] - correction(target);
    for (std::size_t n = 0; n < n_all; ++n) {
      const std::int32_t sampled = c.ids[1][first + n];
      logits[1 + n] = sampled == target ? -std::numeric_limits<float>::infinity()
                                        : c.inputs[1][first + n] - correction(sampled);
    }
    return kernels::cross_entropy_row(1 + n_all, 0, 1.0F, logits);
  }

  std::vector<float> log_q_;
};

}  // namespace

Loss& Loss::operator+=(const Loss& other) {
  terms_.insert(terms_.end(), other.terms_.begin(), other.terms_.end());
  return *this;
}
Loss operator+(Loss a, const Loss& b) { return a += b; }
Loss operator*(double factor, const Loss& a) {
  Loss scaled;
  if (factor == 0) return scaled;
  for (LossTerm term : a.terms()) {
    term.factor *= factor;
    scaled += Loss(term);
  }
  return scaled;
}

Loss mean(Var per_row) {
  if (count(per_row.shape()) != 1)
    throw ModelError(fmt::format("mean: '{}' has shape {}, a loss needs one number per row",
                                 per_row.graph()->node(per_row.node()).name,
                                 to_text(per_row.shape())));
  return Loss(
      LossTerm{.kind = LossTerm::Kind::mean, .factor = 1, .value = per_row, .parameter = {}});
}

Loss bpr_loss(Var positive, Var negative) {
  return mean(call(std::make_shared<Bpr>(), positive, negative));
}
Loss sum(Loss means) {
  Loss sums;
  for (LossTerm term : means.terms()) {
    if (term.kind == LossTerm::Kind::mean) term.kind = LossTerm::Kind::sum;
    sums += Loss(term);
  }
  return sums;
}

Loss bce_loss(Var positive, Var negative) { return gbce_loss(positive, negative, 1); }
Loss balanced_bce_loss(Var positive, Var negative) {
  return mean(call(std::make_shared<Bce>(1, true), positive, negative));
}
Loss gbce_loss(Var positive, Var negative, double beta) {
  if (!(beta >= 0 && beta <= 1))
    throw ModelError(fmt::format("gbce_loss: beta is {}, must be from 0 to 1", beta));
  return mean(call(std::make_shared<Bce>(beta, false), positive, negative));
}
double gbce_beta(int n_negatives, int n_items, double t) {
  const double others = std::max(1, n_items - 2);  // all but padding and target
  const double alpha = std::min(1.0, n_negatives / others);
  return 1 - t * (1 - alpha);  // alpha (t (1 - 1 / alpha) + 1 / alpha)
}
Loss sampled_softmax_loss(Var positive, Var negative, Ids target, Ids sampled,
                          std::span<const float> log_q) {
  const auto n_items = static_cast<std::size_t>(target.graph()->settings().catalogue.n_items);
  if (!log_q.empty() && log_q.size() != n_items)
    throw ModelError(fmt::format("sampled_softmax_loss: log_q has {} numbers, there are {} items",
                                 log_q.size(), n_items));
  return mean(call(std::make_shared<SampledSoftmax>(log_q), positive, negative, target, sampled));
}

namespace {
Loss penalty(LossTerm::Kind kind, Parameter p) {
  return p ? Loss(LossTerm{.kind = kind, .factor = 1, .value = {}, .parameter = p}) : Loss();
}
Loss penalty(LossTerm::Kind kind, Var x) {
  return x ? Loss(LossTerm{.kind = kind, .factor = 1, .value = x, .parameter = {}}) : Loss();
}
}  // namespace

Loss norm(Parameter p) { return penalty(LossTerm::Kind::parameter_norm, p); }
Loss sum_abs(Parameter p) { return penalty(LossTerm::Kind::parameter_abs, p); }
Loss sum_squares(Parameter p) { return penalty(LossTerm::Kind::parameter_squares, p); }
Loss norm(Var x) { return penalty(LossTerm::Kind::norm, x); }
Loss emb_loss(Var x) { return penalty(LossTerm::Kind::norm_per_row, x); }

}  // namespace recloom::nn
