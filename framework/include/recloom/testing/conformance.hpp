#pragma once
// The suite that every plugin should pass. An author's whole test program:
//
//   #include <iostream>
//   #include "recloom/testing/conformance.hpp"
//
//   int main(int, char** argv) {  // argv[1]: recloom-mymodel.so
//     const recloom::PluginRegistry plugins({argv[1]});
//     const auto report = recloom::testing::check_plugin(plugins, "mymodel");
//     std::cout << report.to_text();
//     return report.exit_code();
//   }
//
// linked with recloom::testing; or, without a line, `recloom plugins check recloom-mymodel.so`.
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "recloom/config/params.hpp"
#include "recloom/plugin/registry.hpp"
#include "recloom/testing/report.hpp"

namespace recloom::testing {

struct ConformanceOptions {
  std::vector<std::string> only = {};  ///< Ids of the checks to run; empty: all of the kind.
  /// Parameters of the plugin that take the place of their defaults, in every check.
  Params params = {};
  std::function<void(const CheckResult&)> on_check = {};  ///< After each, from the calling thread.
  /// Run checks in child processes: what crashes, exits, hangs or takes all memory fails its check
  /// and no other. False: in this process, for a debugger; nothing is limited then.
  bool isolate = true;
  double seconds = 0;  ///< Longest time of a check; 0: 60 s, more in instrumented builds.
  /// Most bytes that a child may hold; 0: half of the machine's memory. Not in instrumented builds.
  std::size_t memory = 0;
};

/// A check that there is, for lists and pages.
struct CheckInfo {
  std::string id, what, hint;
  std::vector<std::string> kinds;  ///< Of plugins: "model", "metric", "sampler".
};
/// Return all checks, in the order they run.
std::vector<CheckInfo> conformance_checks();

/// Check a plugin on small data that is made in a temporary folder. Whatever the plugin does, be it
/// an exception, a crash, exit() or an endless loop, fails the check it came from and no other; a
/// check that stands on one that failed is skipped. Deterministic: all draws have fixed seeds.
/// This process opens no plugin and starts no thread; call it before others start threads, since
/// children are copies of it that have none of them. Children print to standard error.
/// @throws PluginError unknown or broken plugin; ConfigError an unknown id.
ConformanceReport check_plugin(const PluginRegistry& plugins, const std::string& name,
                               const ConformanceOptions& options = {});

}  // namespace recloom::testing
