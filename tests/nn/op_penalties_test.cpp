#include <gtest/gtest.h>

#include <cmath>

#include "nn/op_check.hpp"

namespace recloom::nn {
namespace {

double dot_of(const Values& a, const Values& b) {
  double total = 0;
  for (std::size_t e = 0; e < a.size(); ++e) total += a[e] * b[e];
  return total;
}
double mean_of(const std::vector<NaiveRow>& rows, const std::function<double(const NaiveRow&)>& f) {
  double total = 0;
  for (const NaiveRow& row : rows) total += f(row);
  return total / static_cast<double>(rows.size());
}
double frobenius(const Values& values) { return std::sqrt(dot_of(values, values)); }

TEST(Penalties, OfParametersAndRowTensors) {
  const std::vector<ParameterSpec> parameters{{"w", {5, 3}, 0.3, 1.3}};
  const auto base = [](const Recorder& r) { return mean(sum(r.v())); };
  const auto naive_base = [](const std::vector<NaiveRow>& rows) {
    return mean_of(rows, [](const NaiveRow& n) { return n.v()[0] + n.v()[1] + n.v()[2]; });
  };
  const auto penalty = [&](const char* name, std::function<Loss(const Recorder&)> record,
                           std::function<double(const std::vector<NaiveRow>&)> naive) {
    check(LossCase{name, parameters, [&](const Recorder& r) { return base(r) + 0.7 * record(r); },
                   [&](const auto& rows) { return naive_base(rows) + 0.7 * naive(rows); }});
  };
  penalty(
      "norm", [](const Recorder& r) { return norm(r.p("w")); },
      [](const auto& rows) { return frobenius(rows[0].p("w")); });
  penalty(
      "sum_squares of a looked-up table",
      [](const Recorder& r) {
        return sum_squares(r.p("users")) + norm(r.p("users")) + norm(r.p("users"));
      },
      [](const auto& rows) {
        const double n = frobenius(rows[0].p("users"));
        return n * n + 2 * n;
      });
  penalty(
      "sum_abs", [](const Recorder& r) { return sum_abs(r.p("w")); },
      [](const auto& rows) {
        double total = 0;
        for (const double value : rows[0].p("w")) total += std::abs(value);
        return total;
      });
  penalty(
      "reg_loss leaves empty ones out",
      [](const Recorder& r) { return reg_loss(r.p("w"), Parameter(), r.x(), Var()); },
      [](const auto& rows) {
        double squares = 0;
        for (const NaiveRow& n : rows) squares += dot_of(n.x(), n.x());
        return frobenius(rows[0].p("w")) + std::sqrt(squares);
      });
  penalty(
      "norm and emb_loss over the rows of all shards",
      [](const Recorder& r) { return norm(r.x()) + emb_loss(r.v() * r.v()); },
      [](const auto& rows) {
        double x = 0, v = 0;
        for (const NaiveRow& n : rows) {
          x += dot_of(n.x(), n.x());
          for (const double value : n.v()) v += std::pow(value, 4);
        }
        return std::sqrt(x) + std::sqrt(v) / static_cast<double>(rows.size());
      });
}

TEST(Penalties, NormOfZerosHasGradientZero) {
  ToyNetwork network({kUsers, kItems, kLength});
  const Parameter w = network.parameter("w", {3}, zeros());
  const Embedding users(network.at("users"), kUsers, 3, zeros());
  network.on_loss = [&](const Inputs& in) {
    return mean(0.0 * sum(users(in.user()))) + norm(w) + emb_loss(users(in.user())) + sum_abs(w);
  };
  ToyRows rows = case_rows(0);
  StepOptions options;
  options.batch_size = 5;
  TrainStep step(network, options);
  RunContext run(1, 1);
  const StepResult result = step.compute_gradients(rows.batch(), {}, run);
  EXPECT_EQ(result.penalty, 0);
  EXPECT_EQ(result.gradient_norm, 0);
}

/// torch.optim.Adam and SparseAdam, written down from their documentation.
void adam_step(bool sparse, int t, double rate, const Values& gradient, Values& m, Values& v,
               Values& x) {
  const double correction1 = 1 - std::pow(0.9, t), correction2 = std::sqrt(1 - std::pow(0.999, t));
  for (std::size_t e = 0; e < x.size(); ++e) {
    m[e] = 0.9 * m[e] + 0.1 * gradient[e];
    v[e] = 0.999 * v[e] + 0.001 * gradient[e] * gradient[e];
    x[e] -= sparse ? rate * correction2 / correction1 * m[e] / (std::sqrt(v[e]) + 1e-8)
                   : rate / correction1 * m[e] / (std::sqrt(v[e]) / correction2 + 1e-8);
  }
}

/// The gradient of 0.3 norm(x) + 0.2 sum_abs(x) + 0.1 sum_squares(x).
Values penalty_gradient(const Values& x) {
  const double length = frobenius(x);
  Values gradient;
  for (const double value : x)
    gradient.push_back(0.3 * value / length + (value > 0 ? 0.2 : -0.2) + 0.2 * value);
  return gradient;
}

// Its gradient is dense, so SparseAdam moves all of it in every step, by its own formula.
TEST(Penalties, MoveAParameterThatNothingElseReads) {
  for (const OptimizerKind kind : {OptimizerKind::adam, OptimizerKind::sparse_adam}) {
    ToyNetwork network({kUsers, kItems, kLength});
    const Parameter w = network.parameter("w", {5, 3}, zeros());
    const Embedding users(network.at("users"), kUsers, 3, zeros());
    fill(w, 0.5, 1.5);
    network.on_loss = [&](const Inputs& in) {
      return mean(sum(users(in.user()))) + 0.3 * norm(w) + 0.2 * sum_abs(w) + 0.1 * sum_squares(w);
    };
    StepOptions options;
    options.batch_size = 5;
    options.optimizer.kind = kind;
    TrainStep step(network, options);
    RunContext run(1, 2);
    const ToyRows rows = case_rows(0);
    Values x(w.values().begin(), w.values().end()), m(x.size()), v(x.size());
    for (int t = 1; t <= 3; ++t) {
      step.run(rows.batch(), {}, 0.01, run);
      adam_step(kind == OptimizerKind::sparse_adam, t, 0.01, penalty_gradient(x), m, v, x);
      for (std::size_t e = 0; e < x.size(); ++e) ASSERT_NEAR(w.values()[e], x[e], 1e-5) << t;
    }
  }
}

}  // namespace
}  // namespace recloom::nn
