#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom::kernels {

/// Levels of instruction sets that the kernels are compiled for, from low to high.
enum class Isa { scalar, sse4, avx2, avx512 };

/// Return the level in use: the best one that the machine has, lowered by RECLOOM_ISA. The variable
/// is read once. @throws ConfigError RECLOOM_ISA is no legal name.
RECLOOM_API Isa isa();
RECLOOM_API const char* isa_name(Isa level);
/// Return the level that the variable's value asks for, no higher than the machine has; the best
/// one if `value` is null or empty. @throws ConfigError unknown value.
RECLOOM_API Isa parse_isa(const char* value);
/// Return all levels that this machine can run, lowest first.
RECLOOM_API std::vector<Isa> supported_isas();

/// Uses another level until the end of its scope, in the whole process: for tests and benchmarks.
/// Does not concern oneDNN. The machine must have the level.
class RECLOOM_API ScopedIsa {
 public:
  explicit ScopedIsa(Isa level);
  ~ScopedIsa();
  ScopedIsa(const ScopedIsa&) = delete;
  ScopedIsa& operator=(const ScopedIsa&) = delete;

 private:
  std::size_t before_;
};

}  // namespace recloom::kernels
