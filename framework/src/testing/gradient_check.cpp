#include "recloom/testing/gradient_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <span>

#include "nn/graph_impl.hpp"
#include "nn/parameter_data.hpp"
#include "nn/train_step.hpp"
#include "recloom/core/error.hpp"
#include "recloom/data/sampler.hpp"
#include "testing/check.hpp"

namespace recloom::testing {
namespace {

using conformance::text_of;

/// Halved widths of the differences. The loss is a float for every row, so a difference is good to
/// kNoise / step; its truncation falls with the fourth power of the step. Smaller steps are for
/// losses with kinks nearby (ReLU, max).
constexpr double kSteps[] = {1.0 / 64, 1.0 / 256, 1.0 / 1024};
constexpr double kNoise = 1e-6;
constexpr double kRelative = 0.01;
constexpr int kAttempts = 3;  ///< Directions of a sort, where the loss has a kink in the first.

using Direction = std::vector<double>;  ///< Of length 1.

enum class Verdict { agrees, differs, unsure };

struct Sight {
  const char* name;
  Direction direction;
};

/// One parameter at one place, with the loss as a function of it.
class Slope {
 public:
  Slope(nn::TrainStep& step, const Batch& rows, std::uint64_t seed, nn::Parameter parameter,
        RunContext& run)
      : step_(step),
        rows_(rows),
        key_{seed, 1, 1},
        parameter_(parameter),
        run_(run),
        centre_(parameter.values().begin(), parameter.values().end()) {
    loss_ = loss();
    const std::span<const float> gradient = step.gradient(parameter.name());
    gradient_.assign(gradient.begin(), gradient.end());
    gradient_.resize(centre_.size());  // A parameter that no op uses has none: 0.
  }
  ~Slope() { parameter_.assign(centre_); }
  Slope(const Slope&) = delete;
  Slope& operator=(const Slope&) = delete;

  std::vector<double>& gradient() { return gradient_; }

  /// @param[out] claimed, measured the derivative along the direction.
  Verdict judge(const Direction& direction, double& claimed, double& measured) {
    claimed = 0;
    for (std::size_t e = 0; e < direction.size(); ++e) claimed += gradient_[e] * direction[e];
    double before = 0, tolerance_before = -1;
    for (const double step : kSteps) {
      measured = difference(direction, step);
      const double tolerance = kNoise * std::max(1.0, std::abs(loss_)) / step +
                               kRelative * std::max(std::abs(claimed), std::abs(measured));
      if (std::abs(measured - claimed) <= tolerance) return Verdict::agrees;
      const bool steady =
          tolerance_before >= 0 && std::abs(measured - before) <= tolerance + tolerance_before;
      if (steady) return Verdict::differs;
      before = measured;
      tolerance_before = tolerance;
    }
    return Verdict::unsure;
  }

 private:
  double loss() {
    const nn::StepResult result = step_.compute_gradients(rows_, key_, run_);
    const double value = result.loss + result.penalty;
    if (!std::isfinite(value))
      throw NumericError("the loss is " + text_of(value) + " near the start values of '" +
                         std::string(parameter_.name()) + "'");
    return value;
  }
  double at(const Direction& direction, double offset) {
    std::vector<float> values(centre_.size());
    for (std::size_t e = 0; e < values.size(); ++e)
      values[e] = static_cast<float>(centre_[e] + offset * direction[e]);
    parameter_.assign(values);
    return loss();
  }
  double difference(const Direction& direction, double step) {
    return (8 * (at(direction, step) - at(direction, -step)) -
            (at(direction, 2 * step) - at(direction, -2 * step))) /
           (12 * step);
  }

  nn::TrainStep& step_;
  const Batch& rows_;
  nn::StepKey key_;
  nn::Parameter parameter_;
  RunContext& run_;
  std::vector<float> centre_;
  std::vector<double> gradient_;
  double loss_ = 0;
};

/// What the recorded loss says about its parameters.
struct Recorded {
  std::set<const nn::ParameterData*> frozen_padding;
  bool stops_gradients = false;
};

Recorded record(const NetworkRecommender& model, const GradientOptions& options) {
  nn::Graph graph({.catalogue = model.catalogue(),
                   .training = true,
                   .loss = options.loss,
                   .n_negatives = options.loss == "CE" ? 0 : options.n_negatives,
                   .gbce_t = options.gbce_t});
  (void)model.calculate_loss(nn::Inputs(&graph));
  Recorded recorded;
  for (const nn::Node& node : graph.nodes()) {
    if (node.blocks_gradient) recorded.stops_gradients = true;
    const auto* lookup = std::get_if<nn::Lookup>(&node.work);
    if (lookup != nullptr && !lookup->trains_row_0)
      recorded.frozen_padding.insert(lookup->table.data());
  }
  return recorded;
}

/// Start values differ by a few hundredths in most models, and so would the gradients: move them.
void shake(NetworkRecommender& model, std::uint64_t seed) {
  model.parameters().initialise(seed);
  for (std::size_t p = 0; p < model.parameters().size(); ++p) {
    const nn::Parameter parameter = model.parameters()[p];
    if (!parameter.data()->trained) continue;
    Rng rng = Rng(seed).fork("gradient_check.shake", p);
    const auto width = static_cast<double>(parameter.data()->columns());
    const double most = std::min(0.3, 1.5 / std::sqrt(width));
    std::vector<float> values(parameter.values().begin(), parameter.values().end());
    for (float& value : values) value += static_cast<float>(most * (2 * rng.uniform() - 1));
    parameter.assign(values);
  }
}

Direction along(const std::vector<double>& gradient) {
  double squares = 0;
  for (const double g : gradient) squares += g * g;
  if (squares == 0) return {};
  Direction direction = gradient;
  for (double& d : direction) d /= std::sqrt(squares);
  return direction;
}

/// @param first numbers in front of it stay as they are.
Direction random_direction(std::size_t size, std::size_t first, Rng& rng) {
  std::vector<double> direction(size, 0.0);
  for (std::size_t e = first; e < size; ++e) direction[e] = rng.normal();
  return along(direction);
}

Direction entry(std::size_t size, std::size_t at) {
  Direction direction(size, 0.0);
  direction[at] = 1;
  return direction;
}

/// An entry for the n-th look: the largest gradient first, then others.
std::size_t pick_entry(const std::vector<double>& gradient, std::size_t first, int n, Rng& rng) {
  if (n == 0) {
    const auto larger = [](double a, double b) { return std::abs(a) < std::abs(b); };
    return static_cast<std::size_t>(
        std::max_element(gradient.begin() + static_cast<std::ptrdiff_t>(first), gradient.end(),
                         larger) -
        gradient.begin());
  }
  const auto count = static_cast<std::int64_t>(gradient.size() - first);
  return first + static_cast<std::size_t>(rng.below(count));
}

/// Judges one parameter; mismatches and counts go to the report.
class ParameterCheck {
 public:
  ParameterCheck(Slope& slope, std::string name, std::size_t first, Rng rng, GradientReport& report)
      : slope_(slope), name_(std::move(name)), first_(first), rng_(rng), report_(report) {
    std::fill_n(slope.gradient().begin(), first, 0.0);
  }

  void run(int entries) {
    const std::vector<double>& g = slope_.gradient();
    if (first_ >= g.size()) return;
    if (Direction own = along(g); !own.empty()) look("along its gradient", own);
    attempt([&] { return Sight{"a random direction", random_direction(g.size(), first_, rng_)}; });
    for (int n = 0; n < entries; ++n)
      attempt([&, tried = 0]() mutable {
        const std::size_t at = pick_entry(g, first_, n + tried++, rng_);
        at_ = at;
        return Sight{"entry", entry(g.size(), at)};
      });
    if (judged_ > 0)
      ++report_.parameters;
    else if (report_.problem.empty())
      report_.unjudged.push_back(name_);
  }

 private:
  template <class Make>
  void attempt(Make make) {
    for (int n = 0; n < kAttempts; ++n) {
      const Sight sight = make();
      if (look(sight.name, sight.direction) != Verdict::unsure) return;
    }
  }
  Verdict look(const std::string& name, const Direction& direction) {
    double claimed = 0, measured = 0;
    const Verdict verdict = slope_.judge(direction, claimed, measured);
    if (verdict == Verdict::unsure) return verdict;
    ++judged_;
    ++report_.compared;
    if (verdict == Verdict::differs && report_.problem.empty())
      report_.problem = "parameter '" + name_ + "', " +
                        (name == "entry" ? "entry " + std::to_string(at_) : name) +
                        ": the backward pass gives " + text_of(claimed) +
                        ", differences of the loss " + text_of(measured);
    return verdict;
  }

  Slope& slope_;
  const std::string name_;
  const std::size_t first_;
  Rng rng_;
  GradientReport& report_;
  std::size_t at_ = 0;
  int judged_ = 0;
};

std::vector<ItemId> draw_negatives(const NetworkRecommender& model, const Batch& rows,
                                   const GradientOptions& options) {
  if (options.loss == "CE") return {};
  const auto sampler = make_uniform_sampler();
  sampler->prepare({model.catalogue(), {}});
  const auto n = static_cast<std::size_t>(options.n_negatives);
  std::vector<ItemId> negatives(rows.size() * n);
  for (std::size_t r = 0; r < rows.size(); ++r)
    sampler->sample(rows[r], Rng(options.seed).fork("gradient_check.negatives", r),
                    std::span(negatives).subspan(r * n, n));
  return negatives;
}

GradientReport check_at(NetworkRecommender& model, const Batch& rows,
                        const GradientOptions& options, const Recorded& recorded) {
  RunContext run(options.seed, 1);
  shake(model, options.seed);
  nn::StepOptions step_options;
  step_options.loss = options.loss;
  step_options.n_negatives = options.n_negatives;
  step_options.gbce_t = options.gbce_t;
  step_options.batch_size = static_cast<int>(rows.size());
  step_options.shard_rows = std::max(1, static_cast<int>(rows.size()) / 2);
  nn::TrainStep step(model, step_options);
  GradientReport report;
  for (std::size_t p = 0; p < model.parameters().size(); ++p) {
    const nn::Parameter parameter = model.parameters()[p];
    if (!parameter.data()->trained) continue;
    Slope slope(step, rows, options.seed, parameter, run);
    const bool frozen = recorded.frozen_padding.contains(parameter.data());
    ParameterCheck check(slope, std::string(parameter.name()),
                         frozen ? parameter.data()->columns() : 0,
                         Rng(options.seed).fork("gradient_check.directions", p), report);
    check.run(options.entries);
  }
  return report;
}

}  // namespace

GradientReport check_gradients(NetworkRecommender& model, const Batch& rows,
                               const GradientOptions& options) {
  const Recorded recorded = record(model, options);
  if (recorded.stops_gradients) {
    GradientReport report;
    report.not_applicable = "the graph stops gradients (detach)";
    return report;
  }
  const std::vector<ItemId> negatives = draw_negatives(model, rows, options);
  const Batch batch(rows.tape(), rows.entries(), rows.max_length(), negatives);
  GradientReport report = check_at(model, batch, options, recorded);
  if (report.problem.empty()) return report;
  // A kink closer than the smallest step looks the same; at another place it does not.
  GradientOptions elsewhere = options;
  ++elsewhere.seed;
  return check_at(model, batch, elsewhere, recorded);
}

}  // namespace recloom::testing
