#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/nn/parameters.hpp"
#include "recloom/nn/var.hpp"

namespace recloom::nn {

/// One term of a Loss: what is reduced over the whole batch (a node) or once per step (a
/// parameter).
struct LossTerm {
  enum class Kind : std::int32_t {
    mean,               ///< Mean of a per-row value over the batch.
    sum,                ///< Its sum over the batch.
    norm,               ///< Frobenius norm of a per-row tensor over the whole batch.
    norm_per_row,       ///< The same, divided by the rows of the batch.
    parameter_norm,     ///< Frobenius norm of a parameter, not squared.
    parameter_abs,      ///< Sum of absolute values.
    parameter_squares,  ///< Sum of squares.
  };
  Kind kind = Kind::mean;
  double factor = 1;
  Var value;  ///< Per-row values; empty for a penalty.
  Parameter parameter;
};
/// A scalar of the whole batch: a sum of terms. Zero by default.
class RECLOOM_API Loss {
 public:
  Loss() = default;
  explicit Loss(const LossTerm& term) : terms_{term} {}
  const std::vector<LossTerm>& terms() const noexcept { return terms_; }
  Loss& operator+=(const Loss& other);

 private:
  std::vector<LossTerm> terms_;
};
RECLOOM_API Loss operator+(Loss a, const Loss& b);
/// A factor of 0 removes the terms: nothing is computed for them.
RECLOOM_API Loss operator*(double factor, const Loss& a);

RECLOOM_API Loss mean(Var per_row);  ///< Mean over all rows of the batch.
RECLOOM_API Loss sum(Loss means);    ///< The same with sums over all rows in place of means.

// Of T targets and N negatives of a row: scores p [T], n [N].

/// Mean of -ln(1e-10 + sigmoid(p - n)) over the T N pairs of each row: RecBole's BPRLoss.
RECLOOM_API Loss bpr_loss(Var positive, Var negative);
/// Mean over rows of the sums of -ln sigmoid(p) and of -ln(1 - sigmoid(n)): Caser paper,
/// equation 10.
RECLOOM_API Loss bce_loss(Var positive, Var negative);
/// The same with means over a row's targets and over its negatives in place of sums, so that both
/// weigh the same whatever their numbers are: the Caser authors' program.
RECLOOM_API Loss balanced_bce_loss(Var positive, Var negative);
/// Generalised BCE, gSASRec (Petrov and Macdonald, RecSys 2023): mean over rows of
/// -beta ln sigmoid(p) - sum of ln(1 - sigmoid(n)). A sum over the negatives as in bce_loss, which
/// it is at beta = 1; the paper divides it by 1 + N. @param beta in [0, 1], see gbce_beta().
RECLOOM_API Loss gbce_loss(Var positive, Var negative, double beta);
/// The beta of gBCE: alpha (t (1 - 1 / alpha) + 1 / alpha) with the share of items sampled,
/// alpha = n_negatives / (items without padding and target), at most 1. From 1 (t = 0: BCE) to
/// alpha (t = 1: scores are calibrated). @param n_items with the padding. @param t in [0, 1].
RECLOOM_API double gbce_beta(int n_negatives, int n_items, double t);
/// Softmax cross-entropy of a target among itself and N sampled items, in nats: mean over rows, and
/// over the T targets of a row, of
/// -ln(e^p' / (e^p' + sum of e^n')) with x' = x - ln q(item), q the distribution that negatives are
/// drawn from (Bengio and Senecal 2003, 2008: importance sampling). Negatives that are the target
/// count nothing. p [T], n [N], ids of the same shapes.
///
/// Equal to TensorFlow's sampled_softmax_loss (subtract_log_q, remove_accidental_hits) but for one
/// point: there the expected count of an item in a sample without repetition stands for q; here
/// negatives are independent draws, N q is that count, and the constant N cancels. It is not an
/// unbiased estimate of the full cross-entropy, whose value it goes below: compare by ranking.
/// @param log_q [n_items], up to a constant; empty: all items alike.
RECLOOM_API Loss sampled_softmax_loss(Var positive, Var negative, Ids target, Ids sampled,
                                      std::span<const float> log_q = {});
RECLOOM_API Loss norm(Parameter p);  ///< Frobenius norm, not squared; gradient 0 at 0.
RECLOOM_API Loss sum_abs(Parameter p);
RECLOOM_API Loss sum_squares(Parameter p);
/// Frobenius norm over the rows of the whole batch (needs all shards' forward first).
RECLOOM_API Loss norm(Var x);
RECLOOM_API Loss emb_loss(Var x);  ///< RecBole's EmbLoss: norm(x) / rows of the batch.
/// RecBole's RegLoss: the sum of un-squared norms of parameters or of per-row tensors. Empty ones
/// are left out.
template <class... T>
Loss reg_loss(const T&... terms) {
  Loss sum;
  (..., (sum += norm(terms)));
  return sum;
}

}  // namespace recloom::nn
