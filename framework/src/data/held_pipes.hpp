#pragma once
#include <string>
#include <vector>

#include "recloom/core/export.hpp"
#include "recloom/core/run_context.hpp"

namespace recloom {

/// Keeps what standard input and other pipes hold, in memory: while it lives, a RawFile of such a
/// name reads it from the beginning, as often as there is one.
class RECLOOM_API HeldPipes {
 public:
  /// @param files names; regular files are left alone. @throws as RawFile.
  HeldPipes(const std::vector<std::string>& files, const RunContext& run);
  ~HeldPipes();
  HeldPipes(const HeldPipes&) = delete;
  HeldPipes& operator=(const HeldPipes&) = delete;

 private:
  HeldPipes() = default;

  std::vector<std::string> held_;  ///< By this one.
};

}  // namespace recloom
