#include "recloom/eval/rounding.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "recloom/eval/metric_keys.hpp"

namespace recloom {

double round_scaled(double value, int decimals) {
  // nearbyint rounds half to even in the default rounding mode, as NumPy's rint does.
  const double scale = std::pow(10.0, decimals);
  const double scaled = value * scale;
  return std::isfinite(scaled) ? std::nearbyint(scaled) / scale : value;
}

double round_decimal(double value, int decimals) {
  if (!std::isfinite(value)) return value;
  char digits[400];  // The longest double has 309 digits before the point.
  const auto written =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, decimals);
  double rounded = value;
  std::from_chars(digits, written.ptr, rounded);
  return rounded;
}

double round_as_recbole(std::string_view key, double value, int decimals) {
  return parse_metric_key(key).metric == "itemcoverage" ? round_decimal(value, decimals)
                                                        : round_scaled(value, decimals);
}

}  // namespace recloom
