// Lines that `train` and `evaluate` print beside their figures.
#include "cli/report_lines.hpp"

#include <fmt/format.h>

#include "cli/table.hpp"

namespace recloom::cli {
namespace {

/// What decides a figure and is seldom changed: named where it was.
constexpr const char* kRankedBy[] = {"eval.candidates", "eval.mask_history", "eval.ties",
                                     "eval.cold_targets", "eval.precision_divisor"};

}  // namespace

void print_cold_targets(Program& program, const EvalReport& report, std::string_view part) {
  if (report.cold_targets == 0) return;
  const std::string rows = grouped(report.rows + report.dropped_rows);
  program.print_line(
      report.dropped_rows > 0
          ? fmt::format("{} of {} {} rows are left out: no training row asked for their target",
                        grouped(report.dropped_rows), rows, part)
          : fmt::format("{} targets of {} {} rows were never trained (--set "
                        "eval.cold_targets=drop leaves out {})",
                        grouped(report.cold_targets), rows, part,
                        report.targets > report.rows ? "rows that ask for no others" : "them"));
}

void print_protocol(Program& program, const Params& protocol, std::string_view hash) {
  program.print_line(fmt::format("protocol  {}", hash));
  const Params defaults = RunConfig().protocol();
  std::string line;
  for (const char* key : kRankedBy) {
    const Value *value = protocol.find(key), *usual = defaults.find(key);
    if (value == nullptr || (usual != nullptr && to_text(*value) == to_text(*usual))) continue;
    line += fmt::format("{}{} = {}", line.empty() ? "ranked by " : ", ", key, to_text(*value));
  }
  if (!line.empty()) program.print_line(line);
  const Value* targets = protocol.find("split.targets");
  if (targets != nullptr && *targets == Value(std::string("together")))
    program.print_line("a row is a user, with all held-out events (split.targets = \"together\")");
}

}  // namespace recloom::cli
