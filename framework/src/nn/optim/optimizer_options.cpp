#include "recloom/nn/optimizer_options.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "recloom/core/error.hpp"

namespace recloom::nn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kBelowOne = 1 - std::numeric_limits<double>::epsilon();

void check_range(std::string_view name, double value, double low, double high,
                 std::string_view legal) {
  if (!(value >= low && value <= high) || std::isinf(value))
    throw ConfigError(fmt::format("optimizer: {} is {}, must be {}", name, value, legal));
}

}  // namespace

void OptimizerOptions::validate() const {
  check_range("weight_decay", weight_decay, 0, kInfinity, "0 or more");
  if (kind == OptimizerKind::sparse_adam)
    check_range("weight_decay of sparse_adam", weight_decay, 0, 0, "0");
  check_range("beta1", beta1, 0, kBelowOne, "at least 0 and below 1");
  check_range("beta2", beta2, 0, kBelowOne, "at least 0 and below 1");
  if (epsilon) check_range("epsilon", *epsilon, 0, kInfinity, "0 or more");
  check_range("alpha", alpha, 0, 1, "from 0 to 1");
  check_range("momentum", momentum, 0, kInfinity, "0 or more");
  check_range("rate_decay", rate_decay, 0, kInfinity, "0 or more");
  check_range("initial_accumulator", initial_accumulator, 0, kInfinity, "0 or more");
  if (nesterov && momentum == 0) throw ConfigError("optimizer: nesterov needs a momentum above 0");
}

}  // namespace recloom::nn
