#pragma once
// What the conformance suite found.
#include <string>
#include <vector>

namespace recloom::testing {

enum class Outcome : int { passed, failed, skipped };

/// What one check found.
struct CheckResult {
  std::string id;    ///< "predict"; stays the same from version to version.
  std::string what;  ///< What holds if it passes, on one line.
  std::string hint;  ///< What to look at if it fails.
  Outcome outcome = Outcome::passed;
  /// Failed: what was found, with row, item or parameter. Skipped: why. Passed: a note, or "".
  std::string reason;
  double seconds = 0;  ///< Training for its sake included.
};

struct ConformanceReport {
  std::string plugin, version, kind, file;
  std::vector<CheckResult> checks;  ///< In the order they ran.

  int count(Outcome outcome) const noexcept;
  bool passed() const noexcept;  ///< No check failed.
  int exit_code() const noexcept { return passed() ? 0 : 4; }
  /// A line per check; failures with reason and hint.
  std::string to_text() const;
  std::string to_json() const;  ///< One line.
};

}  // namespace recloom::testing
