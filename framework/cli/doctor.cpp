#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

int run_doctor(Program& program) {
  const DoctorReport report = doctor(program.plugins(), program.start(program.seed()));
  if (program.common.json) {
    program.print_line(report.to_json());
  } else {
    Table facts({"recloom", std::string(version())});
    for (const auto& fact : report.facts) facts.add({fact.name, fact.value});
    program.print(facts.text() + "\n");
    Table checks({"self-test", "result"});
    for (const auto& check : report.checks)
      checks.add({check.name, check.problem.empty() ? "ok" : "FAILED: " + check.problem});
    program.print(checks.text());
  }
  for (const auto& check : report.checks) {
    if (check.problem.empty()) continue;
    program.flush();
    const std::string text = fmt::format("doctor: {}: {}", check.name, check.problem);
    if (check.name.starts_with("plugin ")) throw PluginError(text);
    throw InternalError(text);
  }
  return 0;
}

}  // namespace

void add_doctor(CLI::App& app, Program& program, Commands& commands) {
  CLI::App& parser = add_command(app, "doctor", "Versions, machine, and a test of every primitive");
  add_common(parser, program, "  recloom doctor\n  RECLOOM_ISA=avx2 recloom doctor --json");
  commands.push_back({&parser, run_doctor});
}

}  // namespace recloom::cli
