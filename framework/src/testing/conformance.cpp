#include "recloom/testing/conformance.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "testing/subject.hpp"

namespace recloom::testing {
namespace {

using conformance::Check;
using conformance::Finding;
using conformance::Subject;

std::vector<const Check*> all_checks() {
  std::vector<const Check*> all;
  for (const auto checks :
       {conformance::declaration_checks(), conformance::training_checks(),
        conformance::scoring_checks(), conformance::metric_checks(), conformance::sampler_checks()})
    for (const Check& check : checks) all.push_back(&check);
  return all;
}

unsigned kind_bit(const std::string& kind) {
  if (kind == "metric") return conformance::kMetrics;
  return kind == "sampler" ? conformance::kSamplers : conformance::kModels;
}

void require_known(const std::vector<std::string>& ids, const std::vector<const Check*>& checks,
                   const PluginInfo& plugin) {
  std::vector<std::string> known;
  for (const Check* check : checks) known.push_back(check->id);
  for (const std::string& id : ids)
    if (std::ranges::find(known, id) == known.end()) {
      std::string list;
      for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
      throw ConfigError("no check '" + conformance::one_line(id) + "' for the " + plugin.kind +
                        " " + plugin.name + suggestion(id, known) + " (there are " + list + ")");
    }
}

/// Whatever goes wrong in a check is its finding.
/// @param reported ids of checks that have reported why something is not available.
Finding run_guarded(const Check& check, Subject& subject, const std::set<std::string>& reported) {
  try {
    return check.run(subject);
  } catch (const conformance::NotAvailable& missing) {
    if (reported.contains(missing.check))
      return conformance::skip("needs what '" + missing.check + "' failed to get");
    return conformance::fail(missing.reason);
  } catch (...) {
    return conformance::fail(conformance::current_problem());
  }
}

CheckResult run_check(const Check& check, Subject& subject, const std::set<std::string>& reported) {
  const auto start = std::chrono::steady_clock::now();
  const Finding finding = run_guarded(check, subject, reported);
  CheckResult result{check.id, check.what, check.hint, finding.outcome, finding.text, 0};
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace

std::vector<CheckInfo> conformance_checks() {
  std::vector<CheckInfo> infos;
  for (const Check* check : all_checks()) {
    CheckInfo info{check->id, check->what, check->hint, {}};
    for (const char* kind : {"model", "metric", "sampler"})
      if (check->kinds & kind_bit(kind)) info.kinds.push_back(kind);
    infos.push_back(std::move(info));
  }
  return infos;
}

ConformanceReport check_plugin(const PluginRegistry& plugins, const std::string& name,
                               const ConformanceOptions& options) {
  const PluginInfo info = plugins.find(name);
  std::vector<const Check*> checks = all_checks();
  std::erase_if(checks, [&](const Check* check) { return !(check->kinds & kind_bit(info.kind)); });
  require_known(options.only, checks, info);
  if (!options.only.empty())
    std::erase_if(checks, [&](const Check* check) {
      return std::ranges::find(options.only, check->id) == options.only.end();
    });
  ConformanceReport report{info.name, info.version, info.kind, info.file, {}};
  // What the caller gave wrong is no finding; a plugin that cannot be asked is.
  if (!options.params.empty()) plugins.resolve(name, options.params, name + ".");
  Subject subject(plugins, info, options.params);
  std::set<std::string> reported;
  for (const Check* check : checks) {
    report.checks.push_back(run_check(*check, subject, reported));
    if (report.checks.back().outcome == Outcome::failed) reported.insert(check->id);
    if (options.on_check) options.on_check(report.checks.back());
  }
  return report;
}

}  // namespace recloom::testing
