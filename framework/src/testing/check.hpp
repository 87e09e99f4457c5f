#pragma once
// What a check of the conformance suite is made of.
#include <set>
#include <span>
#include <string>
#include <utility>

#include "recloom/testing/report.hpp"

namespace recloom::conformance {

using recloom::testing::Outcome;

class Subject;

/// What a check found: passed with a note, or why not.
struct Finding {
  Outcome outcome = Outcome::passed;
  std::string text;
};
inline Finding pass(std::string note = "") { return {Outcome::passed, std::move(note)}; }
inline Finding fail(std::string reason) { return {Outcome::failed, std::move(reason)}; }
inline Finding skip(std::string reason) { return {Outcome::skipped, std::move(reason)}; }
/// Fail with a reason, or pass where there is none.
inline Finding judge(std::string reason) {
  return reason.empty() ? pass() : fail(std::move(reason));
}

/// Kinds of plugins, as bits.
enum Kinds : unsigned { kModels = 1, kMetrics = 2, kSamplers = 4, kAll = 7 };

struct Check {
  const char* id;
  unsigned kinds;
  const char* what;
  const char* hint;
  Finding (*run)(Subject&);
};

/// Thrown by Subject where a check lacks what another check is about and has reported.
struct NotAvailable {
  std::string check;  ///< Its id.
  std::string reason;
};

/// The text of the exception that is being handled, with its kind where it is none of recloom's.
std::string current_problem();

/// Return a check's finding; whatever goes wrong in it is one.
/// @param reported ids of checks that have reported why something is not available.
Finding run_check(const Check& check, Subject& subject, const std::set<std::string>& reported);

/// All checks, in the order they run; each list in its own file.
std::span<const Check> declaration_checks();
std::span<const Check> training_checks();
std::span<const Check> scoring_checks();
std::span<const Check> metric_checks();
std::span<const Check> sampler_checks();

}  // namespace recloom::conformance
