#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "cli/command.hpp"
#include "cli/table.hpp"
#include "recloom/testing/conformance.hpp"

namespace recloom::cli {
namespace {

constexpr int kNotConforming = 4;  // What is wrong is the plugin.
constexpr double kLongestTimeout = 1e6;

constexpr const char* kExamples =
    R"(  recloom plugins check NAME
  recloom plugins check build/recloom-mine.so
  recloom plugins check NAME --only gradients --only save-load
  recloom plugins check NAME --timeout 300
  gdb --args recloom plugins check NAME --no-fork
  recloom plugins check --list
Checks run in child processes: a plugin that crashes, ends the process, takes all memory or does not
come back fails the check, and the others go on. Exit code 0 if no check failed, else 4. Data, settings and random numbers are the suite's own:
--seed and --threads change nothing.)";

struct CheckCommand {
  std::string plugin;
  std::vector<std::string> only;
  bool list = false, no_fork = false;
  double timeout = 0;

  int run(Program& program) const;
};

void print_list(Program& program) {
  const std::vector<testing::CheckInfo> checks = testing::conformance_checks();
  if (program.common.json) {
    std::vector<std::string> objects;
    for (const testing::CheckInfo& check : checks) {
      std::vector<std::string> kinds;
      for (const std::string& kind : check.kinds) kinds.push_back(json_quote(kind));
      objects.push_back(json_object({{"id", json_quote(check.id)},
                                     {"what", json_quote(check.what)},
                                     {"hint", json_quote(check.hint)},
                                     {"kinds", json_list(kinds)}}));
    }
    program.print_line(json_list(objects));
    return;
  }
  Table table({"check", "of", "what is meant"});
  for (const testing::CheckInfo& check : checks)
    table.add({check.id, check.kinds.size() > 1 ? "all" : check.kinds.front(), check.what});
  program.print(table.text());
}

/// Return the name of what is a name or a file; a file is put in front of the search path.
std::string name_of(const std::string& plugin, Program& program) {
  const std::filesystem::path path(plugin);
  if (plugin.find('/') == std::string::npos && path.extension() != ".so") return plugin;
  const std::string stem = path.stem().string();
  constexpr std::string_view kPrefix = "recloom-";
  if (!stem.starts_with(kPrefix) || path.extension() != ".so")
    throw PluginError(fmt::format("{}: a plugin's file is called recloom-<name>.so", plugin));
  program.common.plugin_path.insert(program.common.plugin_path.begin(), plugin);
  return stem.substr(kPrefix.size());
}

int CheckCommand::run(Program& program) const {
  if (list) {
    print_list(program);
    return 0;
  }
  if (plugin.empty()) throw ConfigError("plugins check: needs the name or the file of a plugin");
  if (!std::isfinite(timeout) || timeout < 0 || timeout > kLongestTimeout)
    throw ConfigError(fmt::format("--timeout {}: must be a number from 0 (60 s) to {}", timeout,
                                  kLongestTimeout));
  const std::string name = name_of(plugin, program);
  const testing::ConformanceReport report = testing::check_plugin(
      program.plugins(), name, {.only = only, .isolate = !no_fork, .seconds = timeout});
  program.print(program.common.json ? report.to_json() + "\n" : report.to_text());
  return report.passed() ? 0 : kNotConforming;
}

}  // namespace

void add_plugins_check(CLI::App& plugins, Program& program, Commands& commands) {
  const auto command = std::make_shared<CheckCommand>();
  CLI::App& parser =
      add_command(plugins, "check", "Check that a plugin keeps to what every plugin keeps to");
  add_option(parser, "PLUGIN", command->plugin, "Name or file of the plugin");
  add_list(parser, "--only", command->only, "Id of a check to run; may be given again");
  add_flag(parser, "--list", command->list, "List the checks and run none");
  add_option(parser, "--timeout", command->timeout,
             "Seconds after which a check is given up and has failed (default 60)");
  add_flag(parser, "--no-fork", command->no_fork,
           "Run in this process, for a debugger: a crash or an endless loop ends the suite");
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
