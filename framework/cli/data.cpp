#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/config_options.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct StatsCommand {
  std::string recipe, config_file;
  std::vector<std::string> data, sets;
  bool strict = false;

  int run(Program& program) const;
};

constexpr const char* kExamples =
    R"(  recloom data stats online-retail
  recloom data stats my.csv --set data.separator=, --set data.user_interval='[5,inf)'
  recloom data stats clicks.csv --set data.session_gap=1800 --set split.mode=users
  recloom data stats ratings.dat --recipe movielens-1m
  recloom data stats ratings.dat --set data.columns=[user_id,item_id,_,timestamp]
  recloom data stats clicks.csv --set data.time_column=none --set data.encoding=latin-1
  recloom data stats 'logs/part-*.csv.gz'        (several files are read as one log)
  zcat logs/*.gz | recloom data stats - --set data.user_column=userId
Shipped sets: see the list that a wrong name prints; recipes for public logs: `recloom data recipes`.
What was not said about how the log is written is found out, and printed: format, columns, times, the
first event.)";

int StatsCommand::run(Program& program) const {
  ConfigRequest request;
  set_data(request, data);
  request.recipe = recipe;
  request.config_file = config_file;
  request.settings = as_settings(sets);
  append_seed(program, request.settings);
  const RunConfig config = resolve_data_config(request);
  report_idle(program, request, config, strict);
  RunContext& run = program.start(config.seed);
  DatasetStats stats = dataset_stats(open_dataset(config, run));
  stats.name = config.source.name;
  if (program.common.json) {
    program.print_line(stats.to_json());
    return 0;
  }
  if (!config.source.title.empty()) program.print_line(display_text(config.source.title));
  Table table({stats.name, ""});
  table.add({"users", grouped(stats.users)});
  table.add({"items", grouped(stats.items)});
  table.add({"events", grouped(stats.interactions)});
  table.add({"events per user, mean", fmt::format("{:.1f}", stats.mean_length)});
  table.add({"events per user, median", fmt::format("{:.1f}", stats.median_length)});
  table.add({"events per user, least", grouped(stats.shortest)});
  table.add({"events per user, most", grouped(stats.longest)});
  table.add({"density", fmt::format("{:.3f}%", 100 * stats.density)});
  table.add({"repeated items", fmt::format("{:.1f}%", 100 * stats.repeats)});
  table.add({"training rows", grouped(stats.train_rows)});
  table.add({"validation rows", grouped(stats.valid_rows)});
  if (stats.valid_targets > stats.valid_rows)
    table.add({"validation targets", grouped(stats.valid_targets)});
  table.add({"test rows", grouped(stats.test_rows)});
  if (stats.test_targets > stats.test_rows)
    table.add({"test targets", grouped(stats.test_targets)});
  program.print(table.text());
  program.print_line("format   " + display_text(stats.read.format));
  program.print_line("columns  " + display_text(stats.read.columns));
  program.print_line("times    " + display_text(stats.read.times));
  program.print_line("first    " + display_text(stats.read.first));
  program.print_line("hash  " + stats.hash);
  return 0;
}

}  // namespace

void add_data(CLI::App& app, Program& program, Commands& commands) {
  CLI::App& parser = add_command(app, "data", "Look at a log");
  const auto command = std::make_shared<StatsCommand>();
  CLI::App& stats = add_command(parser, "stats", "Count users, items, events and rows");
  add_data_arguments(stats, command->data);
  add_recipe(stats, command->recipe);
  add_path(stats, "--config", command->config_file,
           "TOML file with settings of data.* and split.*");
  add_list(stats, "--set", command->sets, "One setting of data.* or split.*");
  add_strict(stats, command->strict);
  add_common(stats, program, kExamples);
  commands.push_back({&stats, [command](Program& p) { return command->run(p); }});
  add_data_recipes(parser, program, commands);
}

}  // namespace recloom::cli
