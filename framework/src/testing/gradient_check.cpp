#include "recloom/testing/gradient_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "nn/step/train_step.hpp"
#include "recloom/data/sampler.hpp"
#include "testing/text.hpp"

namespace recloom::testing {
namespace {

using nn::Parameter;

/// Rounding of the loss, a float for each row, that a difference divides by its step.
constexpr double kLossRounding = 4e-7;
/// What a right gradient may be off by beside that: float rounding of long sums.
constexpr double kRelative = 0.02;
/// By how much each number moves. The first is exact where the loss is smooth; smaller ones cross
/// fewer corners.
constexpr double kSteps[] = {1.0 / 64, 1.0 / 256, 1.0 / 1024};
/// Values of the parameters to look at, until no derivative of a parameter disagrees at one.
constexpr int kPoints = 6;
constexpr int kLargestEntries = 2, kRandomEntries = 2;
/// Numbers that a direction moves: more would cross a corner in every network with ReLUs.
constexpr std::size_t kMoved = 64;

/// Entries of a parameter that are moved together, each with a sign.
struct Direction {
  std::vector<std::pair<std::size_t, float>> moves;
  bool is_entry() const noexcept { return moves.size() == 1; }
};

/// What the recorded loss says of its parameters.
struct Recorded {
  std::set<std::string> frozen;  ///< Tables whose row 0 gets no gradient.
  bool stops_gradients = false;
};

Recorded record(const NetworkRecommender& network, const GradientOptions& options) {
  nn::Graph graph({.catalogue = network.catalogue(),
                   .training = true,
                   .loss = options.loss,
                   .reduction = options.reduction,
                   .n_targets = options.n_targets,
                   .n_negatives = options.loss == "CE" ? 0 : options.n_negatives,
                   .gbce_t = options.gbce_t});
  network.calculate_loss(nn::Inputs(&graph));
  Recorded recorded;
  for (const nn::NodeId id : graph.ids()) {
    const nn::Node& node = graph.node(id);
    recorded.stops_gradients = recorded.stops_gradients || node.blocks_gradient;
    const auto* lookup = std::get_if<nn::Lookup>(&node.work);
    if (lookup != nullptr && !lookup->trains_row_0) recorded.frozen.emplace(lookup->table.name());
  }
  return recorded;
}

std::vector<ItemId> draw_negatives(const NetworkRecommender& network, const Batch& rows,
                                   const GradientOptions& options) {
  if (options.loss == "CE") return {};
  const auto sampler = make_uniform_sampler();
  sampler->prepare({network.catalogue(), {}});
  const auto n = static_cast<std::size_t>(options.n_negatives);
  std::vector<ItemId> negatives(rows.size() * n);
  for (std::size_t row = 0; row < rows.size(); ++row)
    sampler->sample(rows[row], Rng(options.seed).fork("gradient check.negatives", row),
                    std::span(negatives).subspan(row * n, n));
  return negatives;
}

nn::StepOptions step_options(const GradientOptions& options, std::size_t n_rows) {
  nn::StepOptions step;
  step.loss = options.loss;
  step.reduction = options.reduction;
  step.n_targets = options.n_targets;
  step.n_negatives = options.n_negatives;
  step.gbce_t = options.gbce_t;
  step.batch_size = static_cast<int>(n_rows);
  step.shard_rows = 2;
  return step;
}

class GradientCheck {
 public:
  GradientCheck(NetworkRecommender& network, const Batch& rows, const GradientOptions& options,
                std::set<std::string> frozen)
      : network_(network),
        seed_(options.seed),
        frozen_(std::move(frozen)),
        negatives_(draw_negatives(network, rows, options)),
        rows_(rows.events(), rows.entries(), rows.max_length(), negatives_),
        step_(network, step_options(options, rows.size())),
        run_(options.seed, 1) {}

  GradientReport run() {
    GradientReport report;
    std::vector<std::size_t> suspects(network_.parameters().size());
    for (std::size_t p = 0; p < suspects.size(); ++p) suspects[p] = p;
    for (std::uint64_t point = 0; point < kPoints && !suspects.empty(); ++point) {
      move_off_the_start(point);
      report.problem.clear();
      std::erase_if(suspects, [&](std::size_t p) { return agrees(p, point, report); });
    }
    return report;
  }

 private:
  double loss() {
    const nn::StepResult result =
        step_.compute_gradients(rows_, {.seed = seed_, .epoch = 1, .step = 1}, run_);
    return result.loss + result.penalty;
  }

  /// @param[in,out] report counts, and the first problem at this point.
  bool agrees(std::size_t index, std::uint64_t point, GradientReport& report) {
    const Parameter parameter = network_.parameters()[index];
    loss();
    const std::span<const float> view = step_.gradient(parameter.name());
    if (view.empty()) return true;  // Not trained, or in no term of the loss.
    const std::vector<float> gradient(view.begin(), view.end());
    if (point == 0) ++report.parameters;
    for (const Direction& direction : directions(parameter, gradient, point)) {
      if (point == 0) ++report.compared;
      const std::string problem = compare(parameter, gradient, direction);
      if (problem.empty()) continue;
      if (report.problem.empty()) report.problem = problem;
      return false;
    }
    return true;
  }

  /// Gradients are special where parameters start: biases at 0, in many models all numbers small.
  void move_off_the_start(std::uint64_t point) {
    network_.parameters().initialise(seed_ + point);
    for (std::size_t p = 0; p < network_.parameters().size(); ++p) {
      const Parameter parameter = network_.parameters()[p];
      Rng rng = Rng(seed_ + point).fork("gradient check.point", p);
      std::vector<float> values(parameter.values().begin(), parameter.values().end());
      for (float& value : values) value += static_cast<float>(0.2 * (rng.uniform() - 0.5));
      parameter.assign(values);
    }
  }

  std::vector<Direction> directions(const Parameter& parameter, const std::vector<float>& gradient,
                                    std::uint64_t point) const {
    const bool is_frozen = frozen_.contains(std::string(parameter.name()));
    const auto n_rows = static_cast<std::size_t>(parameter.shape().extent[0]);
    const std::size_t begin = is_frozen ? gradient.size() / n_rows : 0;
    if (begin == gradient.size()) return {};
    Rng rng = Rng(seed_ + point).fork("gradient check.directions").fork(parameter.name());
    // One among all numbers, one among those that have a gradient: few of a table's rows do.
    std::vector<Direction> all(2);
    for (Direction& direction : all) {
      const bool any = &direction == &all.front();
      std::vector<std::size_t> movable;
      for (std::size_t e = begin; e < gradient.size(); ++e)
        if (any || gradient[e] != 0) movable.push_back(e);
      for (std::size_t n = 0; n < std::min(kMoved, movable.size()); ++n) {
        const auto left = static_cast<std::int64_t>(movable.size() - n);
        std::swap(movable[n], movable[n + static_cast<std::size_t>(rng.below(left))]);
        direction.moves.emplace_back(movable[n], rng.uniform() < 0.5 ? -1.0F : 1.0F);
      }
    }
    std::vector<std::size_t> entries(gradient.size() - begin);
    for (std::size_t n = 0; n < entries.size(); ++n) entries[n] = begin + n;
    const auto n_largest = std::min<std::size_t>(kLargestEntries, entries.size());
    std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(n_largest),
                      entries.end(), [&](std::size_t a, std::size_t b) {
                        return std::abs(gradient[a]) > std::abs(gradient[b]);
                      });
    entries.resize(n_largest);
    for (int n = 0; n < kRandomEntries; ++n)
      entries.push_back(begin + static_cast<std::size_t>(
                                    rng.below(static_cast<std::int64_t>(gradient.size() - begin))));
    for (const std::size_t e : entries) all.push_back({{{e, 1.0F}}});
    return all;
  }

  /// @return what is wrong, "" if nothing is.
  std::string compare(const Parameter& parameter, const std::vector<float>& gradient,
                      const Direction& direction) {
    double backward = 0, squares = 0;
    for (const auto& [entry, sign] : direction.moves) {
      backward += double{gradient[entry]} * sign;
      squares += double{gradient[entry]} * gradient[entry];
    }
    double difference = 0;
    std::optional<double> tolerance_before;
    for (const double step : kSteps) {
      const auto [slope, size] = slope_of(parameter, direction, step);
      const double scale = std::max({std::abs(slope), std::abs(backward), std::sqrt(squares)});
      const double tolerance =
          kRelative * scale + kLossRounding * std::max(1.0, std::abs(size)) / step;
      // Where two steps agree there is no corner, and the larger one is the exacter.
      if (tolerance_before && std::abs(slope - difference) <= *tolerance_before) break;
      if (std::abs(slope - backward) <= tolerance) return "";
      difference = slope;
      tolerance_before = tolerance;
    }
    const std::string where =
        direction.is_entry()
            ? "its number " + std::to_string(direction.moves.front().first)
            : std::to_string(direction.moves.size()) + " of its numbers with random signs";
    return "parameter '" + std::string(parameter.name()) + "', along " + where +
           ": the backward pass gives " + conformance::text_of(backward) +
           ", differences of the loss " + conformance::text_of(difference);
  }

  struct Slope {
    double slope, loss;
  };
  Slope slope_of(const Parameter& parameter, const Direction& direction, double step) {
    const std::vector<float> centre(parameter.values().begin(), parameter.values().end());
    std::vector<float> values = centre;
    const auto at = [&](double offset) {
      for (const auto& [entry, sign] : direction.moves)
        values[entry] = static_cast<float>(centre[entry] + offset * sign);
      parameter.assign(values);
      return loss();
    };
    const double near = at(step);
    const double sum = 8 * (near - at(-step)) - (at(2 * step) - at(-2 * step));
    parameter.assign(centre);
    return {sum / (12 * step), near};
  }

  NetworkRecommender& network_;
  const std::uint64_t seed_;
  const std::set<std::string> frozen_;
  const std::vector<ItemId> negatives_;
  const Batch rows_;
  nn::TrainStep step_;
  RunContext run_;
};

}  // namespace

GradientReport check_gradients(NetworkRecommender& network, const Batch& rows,
                               const GradientOptions& options) {
  Recorded recorded = record(network, options);
  if (recorded.stops_gradients)
    return {.problem = "",
            .not_applicable = "the graph has a detach(), which differences see through"};
  return GradientCheck(network, rows, options, std::move(recorded.frozen)).run();
}

}  // namespace recloom::testing
