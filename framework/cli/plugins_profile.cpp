#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/config_options.hpp"
#include "cli/table.hpp"
#include "recloom/authoring.hpp"

namespace recloom::cli {
namespace {

struct ProfileCommand {
  ConfigOptions config;
  std::string model, graph;
  bool scoring = false;

  int run(Program& program) const;
};

constexpr const char* kExamples =
    R"(  recloom plugins profile NAME
  recloom plugins profile NAME my.inter --set data.max_length=50 --max-steps 20
  recloom plugins profile NAME --graph text
  recloom plugins profile NAME --graph dot --scoring | dot -Tsvg > graph.svg
Some steps of training on one thread, in processor time. GFLOP/s and share of the core's peak are
there for ops that state their arithmetic (Op::flops). Memory is value, gradient and what is kept
for the backward pass, of one row.)";

std::string milliseconds(double seconds, double steps) {
  return fmt::format("{:.3f}", 1e3 * seconds / steps);
}

std::string rate(const PartProfile& part) {
  const bool known = part.flops > 0 && part.seconds() > 0;
  return known ? fmt::format("{:.1f}", part.flops / part.seconds() / 1e9) : "-";
}

std::string share(double part, double whole) {
  return whole > 0 ? fmt::format("{:.0f} %", 100 * part / whole) : "-";
}

void print_profile(Program& program, const TrainingProfile& profile) {
  const auto steps = static_cast<double>(profile.steps);
  Table table({"part", "op", "shape", "calls", "ms forward", "ms backward", "time", "GFLOP/s",
               "of peak", "bytes/row"});
  for (const PartProfile& part : profile.parts) {
    if (part.seconds() < 5e-4 * profile.seconds) continue;
    table.add({part.name, part.op, part.shape, grouped(part.calls),
               milliseconds(part.forward, steps), milliseconds(part.backward, steps),
               share(part.seconds(), profile.seconds), rate(part),
               part.flops > 0 ? share(part.flops / part.seconds(), profile.peak_flops) : "-",
               part.bytes_per_row > 0 ? fmt::format("{:.0f}", part.bytes_per_row) : "-"});
  }
  program.print(table.text());
  double flops = 0, bytes = 0;
  for (const PartProfile& part : profile.parts) {
    flops += part.flops;
    bytes += part.bytes_per_row;
  }
  program.print_line(fmt::format(
      "\n{} steps of {} rows: {:.1f} ms a step, {} rows/s on one thread; {:.1f} GFLOP/s are "
      "stated, "
      "{} of the core's {:.1f}; {:.1f} KiB a row",
      profile.steps, grouped(profile.rows / profile.steps), 1e3 * profile.seconds / steps,
      grouped(static_cast<std::int64_t>(static_cast<double>(profile.rows) / profile.seconds)),
      flops / profile.seconds / 1e9, share(flops / profile.seconds, profile.peak_flops),
      profile.peak_flops / 1e9, bytes / 1024));
}

GraphFormat format_of(const std::string& graph) {
  if (graph == "text") return GraphFormat::text;
  if (graph == "dot") return GraphFormat::dot;
  throw ConfigError(fmt::format("plugins profile: --graph {}: must be text or dot", graph));
}

int ProfileCommand::run(Program& program) const {
  if (model.empty()) throw ConfigError("plugins profile: needs the name of a model");
  const GraphFormat format = graph.empty() ? GraphFormat::text : format_of(graph);
  ConfigOptions options = config;
  if (options.data.empty()) options.data = {"online-retail"};
  if (!options.max_steps) options.max_steps = 10;
  if (*options.max_steps < 1)
    throw ConfigError(fmt::format("--max-steps {}: must be at least 1", *options.max_steps));
  *options.max_steps += 1;  // The first is not measured.
  ConfigRequest request = options.request(program, model);
  request.settings.push_back({"plugins profile", "train.eval_every=0"});
  const RunConfig resolved = resolve_config(request, program.plugins());
  RunContext& run = program.start(resolved.seed);
  const Dataset data = open_dataset(resolved, run);
  Recommender recommender = Recommender::create(resolved, data, program.plugins());
  if (!graph.empty()) {
    program.print(
        dump_graph(recommender, scoring ? Recording::scoring : Recording::training, format));
    return 0;
  }
  const TrainingProfile profile = profile_training(recommender, data, run);
  if (program.common.json)
    program.print_line(profile.to_json());
  else
    print_profile(program, profile);
  return 0;
}

}  // namespace

void add_plugins_profile(CLI::App& plugins, Program& program, Commands& commands) {
  const auto command = std::make_shared<ProfileCommand>();
  CLI::App& parser =
      add_command(plugins, "profile", "Show where the time of a training step goes, by op");
  add_option(parser, "NAME", command->model, "Name of the model's plugin");
  command->config.add_to(parser);
  add_option(parser, "--graph", command->graph, "Print the recorded graph instead: text or dot");
  add_flag(parser, "--scoring", command->scoring, "With --graph: what scoring records, no loss");
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
