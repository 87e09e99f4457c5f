#include "kernels/isa.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "kernels/highway.hpp"
// Highway after the levels are set.
#include <hwy/highway.h>

#include "core/text.hpp"
#include "kernels/dispatch.hpp"
#include "recloom/core/error.hpp"

namespace recloom::kernels {
namespace {

constexpr Isa kLevels[] = {Isa::scalar, Isa::sse4, Isa::avx2, Isa::avx512};

std::int64_t target_of(Isa level) {
  switch (level) {
    case Isa::sse4:
      return HWY_SSE4;
    case Isa::avx2:
      return HWY_AVX2;
    case Isa::avx512:
      return HWY_AVX3;
    case Isa::scalar:
      break;
  }
  return 0;
}

std::size_t column_of(Isa level) {
  hwy::ChosenTarget chosen;
  chosen.Update(target_of(level));
  return chosen.GetIndex();
}

}  // namespace

std::atomic<std::size_t> dispatch_column{0};

std::size_t choose_dispatch_column() {
  const std::size_t column = column_of(isa());
  dispatch_column.store(column, std::memory_order_relaxed);
  return column;
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> levels;
  for (const Isa level : kLevels) {
    const std::int64_t target = target_of(level);
    if (target == 0 || (hwy::SupportedTargets() & HWY_TARGETS & target) != 0)
      levels.push_back(level);
  }
  return levels;
}

const char* isa_name(Isa level) {
  switch (level) {
    case Isa::sse4:
      return "sse4";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::scalar:
      break;
  }
  return "scalar";
}

Isa parse_isa(const char* value) {
  const Isa best = supported_isas().back();
  if (value == nullptr || *value == 0) return best;
  std::vector<std::string> names;
  for (const Isa level : kLevels) {
    if (std::string(value) == isa_name(level)) return std::min(level, best);
    names.emplace_back(isa_name(level));
  }
  throw ConfigError("environment variable RECLOOM_ISA is '" + printable(value) +
                    "', must be scalar, sse4, avx2 or avx512" + did_you_mean(value, names));
}

Isa isa() {
  static const Isa level = parse_isa(std::getenv("RECLOOM_ISA"));
  return level;
}

ScopedIsa::ScopedIsa(Isa level) : before_(dispatch_index()) {
  dispatch_column.store(column_of(level), std::memory_order_relaxed);
}

ScopedIsa::~ScopedIsa() { dispatch_column.store(before_, std::memory_order_relaxed); }

}  // namespace recloom::kernels
