#include "recloom/testing/conformance.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "recloom/plugin/abi.hpp"
#include "testing/isolation.hpp"
#include "testing/subject.hpp"
#include "testing/text.hpp"

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

/// A minute is long for toy data; instrumented code is slow.
double seconds_of(const ConformanceOptions& options) {
  if (options.seconds > 0) return options.seconds;
  return std::string_view(RECLOOM_SANITIZER) == "none" ? 60 : 600;
}

std::size_t memory_of(const ConformanceOptions& options) {
  if (options.memory > 0) return options.memory;
  return static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) / 2 *
         static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

using Done = std::function<void(const Check&, const Finding&, double seconds)>;

/// Run checks in this process.
void run_plainly(const conformance::Origin& origin, const std::vector<const Check*>& checks,
                 const Done& done) {
  // What the caller gave wrong is no finding; a plugin that cannot be asked is.
  if (!origin.given.empty())
    origin.plugins.resolve(origin.info.name, origin.given, origin.info.name + ".");
  Subject subject(origin, {}, {[](conformance::Step) {}, [](const std::string&) {}});
  std::set<std::string> reported;
  for (const Check* check : checks) {
    const auto start = std::chrono::steady_clock::now();
    const Finding finding = run_check(*check, subject, reported);
    if (finding.outcome == Outcome::failed) reported.insert(check->id);
    done(*check, finding,
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
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
  const PluginInfo info = options.isolate ? plugins.probe(name) : plugins.open(name).info();
  std::vector<const Check*> checks = all_checks();
  std::erase_if(checks, [&](const Check* check) { return !(check->kinds & kind_bit(info.kind)); });
  require_known(options.only, checks, info);
  if (!options.only.empty())
    std::erase_if(checks, [&](const Check* check) {
      return std::ranges::find(options.only, check->id) == options.only.end();
    });
  ConformanceReport report{info.name, info.version, info.kind, info.file, {}};
  const conformance::ScratchFolder folder;
  const conformance::Origin origin{plugins, info, options.params, folder.path()};
  const Done done = [&](const Check& check, const Finding& finding, double seconds) {
    report.checks.push_back(
        {check.id, check.what, check.hint, finding.outcome, finding.text, seconds});
    if (options.on_check) options.on_check(report.checks.back());
  };
  if (options.isolate)
    run_isolated(origin, checks, {seconds_of(options), memory_of(options)}, done);
  else
    run_plainly(origin, checks, done);
  return report;
}

}  // namespace recloom::testing
