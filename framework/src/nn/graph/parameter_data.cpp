#include "nn/graph/parameter_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "recloom/core/error.hpp"

namespace recloom::nn {

std::int32_t to_extent(std::size_t n) {
  constexpr auto kMost = std::numeric_limits<std::int32_t>::max();
  if (n > static_cast<std::size_t>(kMost))
    throw ModelError(fmt::format("{} numbers along an axis, at most {} are possible", n, kMost));
  return static_cast<std::int32_t>(n);
}

void require_nameable(std::int32_t positions, std::string_view op) {
  if (positions > kMostPositions)
    throw ModelError(
        fmt::format("{}: {} positions, at most {} are possible", op, positions, kMostPositions));
}

void ParameterData::require_rows(std::span<const std::int32_t> ids) const {
  for (const std::int32_t id : ids)
    if (static_cast<std::size_t>(id) >= rows())
      throw ModelError(fmt::format("id {} of table '{}' {}", id, name, to_text(shape)));
}

void ParameterData::copy_mean_row(float* row) const {
  const std::lock_guard lock(mean_mutex_);
  const std::size_t n = columns();
  if (mean_version_ != version) {
    std::vector<double> sum(n, 0.0);
    for (std::size_t r = 1; r < rows(); ++r)
      for (std::size_t c = 0; c < n; ++c) sum[c] += values[r * n + c];
    mean_row_.resize(n);
    const double real_rows = std::max<double>(1.0, static_cast<double>(rows()) - 1);
    for (std::size_t c = 0; c < n; ++c) mean_row_[c] = static_cast<float>(sum[c] / real_rows);
    mean_version_ = version;
  }
  std::copy(mean_row_.begin(), mean_row_.end(), row);
}

namespace {
thread_local DeclarationWatch* watching = nullptr;
}  // namespace

DeclarationWatch::DeclarationWatch(Look look)
    : look_(std::move(look)), outer_(std::exchange(watching, this)) {}
DeclarationWatch::~DeclarationWatch() { watching = outer_; }
void DeclarationWatch::show(std::string_view name, const Shape& shape) {
  if (watching != nullptr) watching->look_(name, shape);
}

}  // namespace recloom::nn
