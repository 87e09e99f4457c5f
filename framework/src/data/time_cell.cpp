#include "data/time_cell.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "data/time_key.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
DecimalTime parse_time_text(std::string_view text, const DataOptions&, std::string_view key) {
  DecimalTime time;
  if (!parse_number(text, time.mantissa)) throw ConfigError(fmt::format("{}: {}", key, text));
  return time;
}
std::int64_t first_key_at(const DecimalTime& time, const TimeScale& scale) noexcept {
  return scale.real ? real_time_key(static_cast<double>(time.mantissa)) : time.mantissa;
}
}  // namespace recloom
