#include "nn/op_check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "nn/exec/shard.hpp"
#include "nn/graph/graph.hpp"
#include "nn/ops/head.hpp"
#include "nn/passes/plan.hpp"

namespace recloom::nn {
namespace {

// Values: a few hundred float roundings (6e-8 each) of numbers around 1.
constexpr double kValueTolerance = 1e-5;
// The reference's central differences are good to 1e-9, so what is left is float rounding again.
constexpr double kGradientTolerance = 1e-5;
// Differences of the float loss: rounding of 6e-8 |loss| is divided by the step. Fourth order, so
// the truncation (step^4) stays below that. A wrong backward is off by the size of the gradient.
constexpr double kStep = 1.0 / 128;
constexpr double kDifferenceTolerance = 3e-4;

// A difference moves one number by 2 kStep, and with factors up to 1 two numbers apart by twice
// that.
constexpr double kLeastKink = 4.5 * kStep;
double nearest_kink = 1;

std::unique_ptr<ToyNetwork> make_network(std::vector<ParameterSpec> specs, std::uint64_t seed) {
  const auto given = [&](std::string_view name) {
    return std::ranges::any_of(specs, [&](const ParameterSpec& s) { return s.name == name; });
  };
  if (!given("items")) specs.push_back({"items", {kItems, kSize}});
  if (!given("users")) specs.push_back({"users", {kUsers, kSize}});
  auto network = std::make_unique<ToyNetwork>(Catalogue{kUsers, kItems, kLength});
  for (const ParameterSpec& spec : specs)
    fill(network->parameter(spec.name, spec.shape, zeros(),
                            spec.trained ? Trained::yes : Trained::no),
         spec.low, spec.high, seed);
  return network;
}

std::map<std::string, Values> in_double(const ToyNetwork& network) {
  std::map<std::string, Values> result;
  for (std::size_t p = 0; p < network.parameters().size(); ++p) {
    const Parameter parameter = network.parameters()[p];
    result[std::string(parameter.name())] = {parameter.values().begin(), parameter.values().end()};
  }
  return result;
}

std::vector<NaiveRow> naive_rows(const std::map<std::string, Values>& parameters,
                                 const Batch& rows) {
  std::vector<NaiveRow> result;
  for (std::size_t r = 0; r < rows.size(); ++r) result.push_back({parameters, rows[r]});
  return result;
}

StepOptions options_of(const LossCase& c, const Batch& rows) {
  StepOptions options;
  options.loss = "BCE";  // a case records what it wants; this one lets it ask for negatives
  options.n_negatives = c.n_negatives;
  options.batch_size = static_cast<int>(rows.size());
  options.shard_rows = 2;
  return options;
}

/// The first seed whose values keep the reference away from its kinks.
std::uint64_t seed_without_kinks(const std::vector<ParameterSpec>& specs,
                                 const std::function<void(const std::vector<NaiveRow>&)>& naive) {
  const ToyRows rows = case_rows(2);
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    const auto parameters = in_double(*make_network(specs, seed));
    nearest_kink = 1;
    naive(naive_rows(parameters, rows.batch()));
    if (nearest_kink > kLeastKink) return seed;
  }
  ADD_FAILURE() << "no values away from the kinks";
  return 1;
}

void check_against_naive(ToyNetwork& network, const LossCase& c, const Batch& rows) {
  TrainStep step(network, options_of(c, rows));
  RunContext run(1, 1);
  const StepResult result = step.compute_gradients(rows, {}, run);
  std::map<std::string, Values> parameters = in_double(network);
  const std::vector<NaiveRow> naive = naive_rows(parameters, rows);
  const double loss = c.naive(naive);
  EXPECT_NEAR(result.loss + result.penalty, loss, kValueTolerance * std::max(1.0, std::abs(loss)));
  for (std::size_t p = 0; p < network.parameters().size(); ++p) {
    const std::string name(network.parameters()[p].name());
    const std::span<const float> gradient = step.gradient(name);
    Values& values = parameters[name];
    if (name == "probe") continue;
    for (std::size_t e = 0; e < values.size(); ++e) {
      const double h = 1e-5, centre = values[e];
      values[e] = centre + h;
      const double up = c.naive(naive);
      values[e] = centre - h;
      const double down = c.naive(naive);
      values[e] = centre;
      const double expected = (up - down) / (2 * h), got = gradient.empty() ? 0 : gradient[e];
      ASSERT_NEAR(got, expected, kGradientTolerance * std::max(1.0, std::abs(expected)))
          << name << "[" << e << "]";
    }
  }
}

}  // namespace

Var Recorder::x() const { return lookup(p("items"), in.history().ids(), true); }
Var Recorder::v() const { return lookup(p("users"), in.user(), true); }

std::vector<int> NaiveRow::history() const {
  std::vector<int> ids(row.history.begin(), row.history.end());
  ids.resize(kLength, 0);
  return ids;
}
Values NaiveRow::row_of(const std::string& table, int index) const {
  const auto n = static_cast<std::ptrdiff_t>(kSize);
  const auto begin = p(table).begin() + index * n;
  return {begin, begin + n};
}
Values NaiveRow::x() const {
  Values result;
  for (const int id : history())
    for (const double value : row_of("items", id)) result.push_back(value);
  return result;
}
Values NaiveRow::v() const { return row_of("users", row.user); }

ToyRows case_rows(int n_negatives) {
  ToyRows rows(kLength);
  const std::vector<ItemId> negatives{5, 2, 6};
  const std::span<const ItemId> some(negatives.data(), static_cast<std::size_t>(n_negatives));
  const auto add = [&](UserId user, std::vector<ItemId> history, ItemId target) {
    rows.add(user, history, target, some);
  };
  add(1, {1, 2}, 3);
  add(2, {3, 4, 5, 6}, 1);
  add(3, {}, 4);
  add(0, {6}, 2);
  add(1, {2, 2, 1, 5, 3}, 6);
  return rows;
}

void kink_at(double distance) { nearest_kink = std::min(nearest_kink, distance); }

std::vector<float> run_forward(const ToyNetwork& network, const Batch& rows,
                               const std::function<Var(const Inputs&)>& record, bool training) {
  const int n_negatives = static_cast<int>(rows[0].negatives.size());
  Graph graph({.catalogue = network.catalogue(),
               .training = training,
               .loss = "BCE",
               .n_negatives = n_negatives});
  const Var y = record(Inputs(&graph));
  const std::array outputs{y.node()};
  const Plan plan(graph, {.outputs = outputs});
  Shard shard(plan, rows.size());
  shard.load(rows, {.seed = 1, .epoch = 1});
  shard.forward();
  const auto values = shard.value(y.node());
  return {values.begin(), values.end()};
}

void check_differences(NetworkRecommender& network, const StepOptions& options, const Batch& rows,
                       const std::map<std::string, std::size_t>& skipped) {
  TrainStep step(network, options);
  RunContext run(1, 1);
  const auto loss = [&] {
    const StepResult result = step.compute_gradients(rows, {}, run);
    return result.loss + result.penalty;
  };
  for (std::size_t p = 0; p < network.parameters().size(); ++p) {
    const Parameter parameter = network.parameters()[p];
    loss();
    const auto view = step.gradient(parameter.name());
    const std::vector<float> gradient(view.begin(), view.end());
    std::vector<float> values(parameter.values().begin(), parameter.values().end());
    const auto skip = skipped.find(std::string(parameter.name()));
    for (std::size_t e = skip == skipped.end() ? 0 : skip->second; e < gradient.size(); ++e) {
      const float centre = values[e];
      const auto at = [&](double offset) {
        values[e] = static_cast<float>(centre + offset);
        parameter.assign(values);
        return loss();
      };
      const double expected =
          (8 * (at(kStep) - at(-kStep)) - (at(2 * kStep) - at(-2 * kStep))) / (12 * kStep);
      values[e] = centre;
      parameter.assign(values);
      ASSERT_NEAR(gradient[e], expected, kDifferenceTolerance * std::max(1.0, std::abs(expected)))
          << parameter.name() << "[" << e << "]";
    }
  }
}

void check(const LossCase& c) {
  SCOPED_TRACE(c.name);
  const std::uint64_t seed = seed_without_kinks(c.parameters, c.naive);
  const std::unique_ptr<ToyNetwork> network = make_network(c.parameters, seed);
  network->on_loss = [&](const Inputs& in) { return c.record({*network, in}); };
  const ToyRows rows = case_rows(c.n_negatives);
  check_against_naive(*network, c, rows.batch());
  if (!::testing::Test::HasFatalFailure())
    check_differences(*network, options_of(c, rows.batch()), rows.batch());
}

namespace {
/// Values of every row. @return how many a row has.
std::size_t check_values(const OpCase& c) {
  const std::unique_ptr<ToyNetwork> network = make_network(c.parameters, 1);
  const ToyRows rows = case_rows(2);
  const std::vector<float> got = run_forward(*network, rows.batch(), [&](const Inputs& in) {
    return c.record({*network, in});
  });
  const auto parameters = in_double(*network);
  std::size_t at = 0;
  for (const NaiveRow& row : naive_rows(parameters, rows.batch()))
    for (const double expected : c.naive(row)) {
      if (at == got.size()) break;
      EXPECT_NEAR(got[at], expected, kValueTolerance * std::max(1.0, std::abs(expected)))
          << "element " << at << " of all rows";
      ++at;
    }
  const std::size_t size = c.naive({parameters, rows.batch()[0]}).size();
  EXPECT_EQ(got.size(), size * rows.size());
  return size;
}
}  // namespace

void check(const OpCase& c) {
  SCOPED_TRACE(c.name);
  const std::size_t size = check_values(c);
  if (::testing::Test::HasFailure()) return;
  LossCase loss{c.name, c.parameters, {}, {}};
  loss.parameters.push_back({"probe", {static_cast<int>(size)}, 0.5, 1.5, false});
  loss.record = [&](const Recorder& r) { return mean(sum(flatten(c.record(r)) * r.p("probe"))); };
  loss.naive = [&](const std::vector<NaiveRow>& naive) {
    double total = 0;
    for (const NaiveRow& row : naive) {
      const Values y = c.naive(row);
      for (std::size_t e = 0; e < y.size(); ++e) total += y[e] * row.p("probe")[e];
    }
    return total / static_cast<double>(naive.size());
  };
  check(loss);
}

std::unique_ptr<TrainStep> step_over_cases(NetworkRecommender& network) {
  const ToyRows rows = case_rows(0);
  StepOptions options;
  options.batch_size = static_cast<int>(rows.size());
  options.shard_rows = 2;
  auto step = std::make_unique<TrainStep>(network, options);
  RunContext run(1, 1);
  step->compute_gradients(rows.batch(), {}, run);
  return step;
}

}  // namespace recloom::nn
