#include "recloom/testing/report.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "recloom/recloom.hpp"
#include "testing/text.hpp"

namespace recloom::testing {
namespace {

const char* word_of(Outcome outcome) {
  if (outcome == Outcome::failed) return "FAILED";
  return outcome == Outcome::skipped ? "skipped" : "ok";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string seconds_text(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.2f s", seconds);
  return text;
}

std::string check_text(const CheckResult& check, std::size_t id_width) {
  std::string line = "  " + padded(word_of(check.outcome), 9) + padded(check.id, id_width + 2) +
                     seconds_text(check.seconds);
  if (check.outcome == Outcome::failed)
    return line + "\n      is meant: " + check.what + "\n      happened: " + check.reason +
           "\n      look at:  " + check.hint + "\n";
  if (!check.reason.empty()) line += "  " + check.reason;
  return line + "\n";
}

}  // namespace

bool ConformanceReport::passed() const noexcept { return count(Outcome::failed) == 0; }

int ConformanceReport::count(Outcome outcome) const noexcept {
  return static_cast<int>(std::ranges::count(checks, outcome, &CheckResult::outcome));
}

std::string ConformanceReport::to_text() const {
  std::size_t width = 0;
  double seconds = 0;
  for (const CheckResult& check : checks) {
    width = std::max(width, check.id.size());
    seconds += check.seconds;
  }
  std::string text = display_text(plugin + " " + version + " (" + kind + "): " + file) + "\n";
  for (const CheckResult& check : checks) text += check_text(check, width);
  text += std::to_string(checks.size()) + " checks: " + std::to_string(count(Outcome::passed)) +
          " passed, " + std::to_string(count(Outcome::failed)) + " failed, " +
          std::to_string(count(Outcome::skipped)) + " skipped; " + seconds_text(seconds) + "\n";
  return text;
}

std::string ConformanceReport::to_json() const {
  std::vector<std::string> list;
  for (const CheckResult& check : checks) {
    const std::string outcome = check.outcome == Outcome::failed    ? "failed"
                                : check.outcome == Outcome::skipped ? "skipped"
                                                                    : "passed";
    list.push_back(json_object({{"id", json_quote(check.id)},
                                {"outcome", json_quote(outcome)},
                                {"what", json_quote(check.what)},
                                {"reason", json_quote(check.reason)},
                                {"hint", json_quote(check.hint)},
                                {"seconds", conformance::text_of(check.seconds)}}));
  }
  return json_object({{"plugin", json_quote(plugin)},
                      {"version", json_quote(version)},
                      {"kind", json_quote(kind)},
                      {"file", json_quote(file)},
                      {"passed", json_value(passed())},
                      {"checks", json_list(list)}});
}

}  // namespace recloom::testing
