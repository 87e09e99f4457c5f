#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "cli/command.hpp"
#include "cli/config_options.hpp"
#include "cli/progress.hpp"
#include "cli/report_lines.hpp"
#include "cli/shell.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct CompareCommand {
  ConfigOptions config;
  std::vector<std::string> models;
  std::string run_dir;
  int seeds = 1;

  int run(Program& program) const;
  RunConfig resolve(Program& program, const std::string& model, int run) const;
  std::vector<IdleSetting> idle_for_all(Program& program) const;
  std::string folder_of(const std::string& model, std::uint64_t seed) const;
  RunOptions options_of(const RunConfig& run) const;
};

constexpr const char* kExamples =
    R"(  recloom compare online-retail --models A,B,C
  recloom compare my.inter --models A,B --seeds 5 --run-dir runs/compare --json
A preset (--preset, else the one with the data set's name) is used by the models that ship it. Run
folders are <run-dir>/<model>, with --seeds <run-dir>/<model>-seed<N>; runs there are replaced.)";

RunConfig CompareCommand::resolve(Program& program, const std::string& model, int run) const {
  ConfigRequest request = config.request(program, model);
  const PluginInfo plugin = program.plugins().find(model);
  const std::vector<std::string> presets = list_presets(plugin);
  const std::string wanted = config.preset.empty() ? find_dataset(config.data).name : config.preset;
  const bool ships = std::find(presets.begin(), presets.end(), wanted) != presets.end();
  request.preset = ships ? wanted : "";
  RunConfig resolved = resolve_config(request, program.plugins());
  resolved.seed += static_cast<std::uint64_t>(run);
  return resolved;
}

/// What does nothing for any of the models.
std::vector<IdleSetting> CompareCommand::idle_for_all(Program& program) const {
  std::vector<IdleSetting> idle;
  for (std::size_t index = 0; index < models.size(); ++index) {
    const ConfigRequest request = config.request(program, models[index]);
    const std::vector<IdleSetting> here =
        idle_settings(request, resolve(program, models[index], 0), program.plugins());
    if (index == 0) idle = here;
    std::erase_if(idle, [&](IdleSetting& setting) {
      const auto found = std::ranges::find(here, setting.key, &IdleSetting::key);
      const bool idles = found != here.end();
      if (idles && found->why != setting.why) setting.why = "none of the models looks at it";
      return !idles;
    });
  }
  return idle;
}

std::string CompareCommand::folder_of(const std::string& model, std::uint64_t seed) const {
  if (run_dir.empty()) return "";
  return seeds == 1 ? fmt::format("{}/{}", run_dir, model)
                    : fmt::format("{}/{}-seed{}", run_dir, model, seed);
}

RunOptions CompareCommand::options_of(const RunConfig& run) const {
  RunOptions options;
  options.run_folder = folder_of(run.model, run.seed);
  options.replace = true;
  options.callbacks = progress_callbacks(run.model, run.train.valid_metric);
  return options;
}

/// What an interrupted comparison leaves, and how to go on with its last run.
std::string interrupted(const std::vector<std::string>& finished, const RunReport& last) {
  std::string text = "recloom: interrupted";
  if (!finished.empty()) text += fmt::format("; finished: {}", fmt::join(finished, ", "));
  if (last.resumable)
    return text + fmt::format("; go on with {}: recloom train --resume --run-dir {}", last.model,
                              shell_word(last.run_folder));
  return finished.empty() ? text + " before there was anything to keep" : text;
}

/// "0.2055", or mean and sample deviation of several seeds.
std::string summary(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  for (const double value : values) mean += value;
  mean /= static_cast<double>(values.size());
  if (values.size() == 1) return metric_text(mean);
  for (const double value : values) squares += (value - mean) * (value - mean);
  return fmt::format("{} ±{:.4f}", metric_text(mean),
                     std::sqrt(squares / static_cast<double>(values.size() - 1)));
}

/// hit, ndcg and mrr at each length; whatever there is if these are not computed.
std::vector<std::string> columns_of(const RunReport& report) {
  std::vector<int> lengths;
  for (const auto& [key, ignored] : report.test.values)
    if (const MetricKey read = parse_metric_key(key); read.metric == "ndcg" && read.k)
      lengths.push_back(*read.k);
  std::sort(lengths.begin(), lengths.end());
  std::vector<std::string> columns;
  for (const int k : lengths)
    for (const char* name : {"hit", "ndcg", "mrr"}) {
      const std::string key = metric_key(name, k);
      if (report.test.values.contains(key)) columns.push_back(key);
    }
  if (columns.empty())
    for (const auto& [key, ignored] : report.test.values) columns.push_back(key);
  return columns;
}

std::string table_of(const std::vector<std::vector<RunReport>>& models) {
  const std::vector<std::string> columns = columns_of(models.front().front());
  std::vector<std::string> heading{"model"};
  heading.insert(heading.end(), columns.begin(), columns.end());
  heading.push_back("train seconds");
  Table table(heading);
  for (const auto& runs : models) {
    std::vector<std::string> cells{runs.front().model};
    for (const std::string& key : columns) {
      std::vector<double> values;
      for (const RunReport& run : runs) values.push_back(run.test.values.at(key));
      cells.push_back(summary(values));
    }
    double seconds = 0;
    for (const RunReport& run : runs) seconds += run.train.seconds;
    cells.push_back(fmt::format("{:.1f}", seconds / static_cast<double>(runs.size())));
    table.add(cells);
  }
  return table.text();
}

std::vector<std::string> model_names(const PluginRegistry& plugins) {
  std::vector<std::string> names;
  for (const PluginInfo& plugin : plugins.list())
    if (plugin.usable() && plugin.kind == "model") names.push_back(plugin.name);
  return names;
}

int CompareCommand::run(Program& program) const {
  if (models.empty())
    throw ConfigError(fmt::format("compare: needs --models, some of {}",
                                  fmt::join(model_names(program.plugins()), ", ")));
  if (seeds < 1)
    throw ConfigError(fmt::format("--seeds {}: must be an integer of at least 1", seeds));
  for (const std::string& model : models)
    if (std::count(models.begin(), models.end(), model) > 1)
      throw ConfigError(fmt::format("--models: {} is named twice", model));
  if (config.data.empty()) throw ConfigError("compare: needs a data set");
  if (std::ranges::find(config.data, "-") != config.data.end())
    throw ConfigError(
        "compare: each run reads the log, standard input can be read once; write it to "
        "a file");
  std::vector<RunConfig> configs;
  bool preset_used = config.preset.empty();
  const std::uint64_t first_seed = resolve(program, models.front(), 0).seed;
  if (static_cast<std::uint64_t>(seeds - 1) >
      std::numeric_limits<std::uint64_t>::max() - first_seed)
    throw ConfigError(fmt::format("--seeds {} from seed {} on: the last seed would be above {}",
                                  seeds, first_seed, std::numeric_limits<std::uint64_t>::max()));
  for (const std::string& model : models) {
    for (int run = 0; run < seeds; ++run) configs.push_back(resolve(program, model, run));
    const auto presets = list_presets(program.plugins().find(model));
    preset_used |= std::find(presets.begin(), presets.end(), config.preset) != presets.end();
  }
  if (!preset_used)
    throw ConfigError(fmt::format("--preset {}: none of the models has it", config.preset));

  report_idle(idle_for_all(program), config.strict);

  const auto held = run_dir.empty() ? nullptr : std::make_unique<HeldFolder>(run_dir);
  for (const RunConfig& one : configs) check_run_folder(one, options_of(one));
  std::vector<std::vector<RunReport>> reports(models.size());
  std::vector<std::string> finished;
  for (std::size_t index = 0; index < configs.size(); ++index) {
    const RunConfig& one = configs[index];
    RunContext& run = program.start(one.seed);
    RunOptions options = options_of(one);
    options.tell_reading = &one == configs.data();  // All read the same log.
    const RunReport report = train_run(one, options, program.plugins(), run);
    if (report.interrupted()) {
      show_progress("");
      log(LogLevel::info, interrupted(finished, report));
      return kInterrupted;
    }
    finished.push_back(report.run_folder);
    reports[index / static_cast<std::size_t>(seeds)].push_back(report);
  }
  if (program.common.json) {
    std::vector<std::string> objects;
    for (const auto& runs : reports)
      for (const RunReport& run : runs) objects.push_back(run.to_json());
    program.print_line(json_object({{"models", json_list(objects)}}));
    return 0;
  }
  const RunReport& first = reports.front().front();
  program.print_line(fmt::format(
      "{}: {} users, {} items, {} events; test part, {} rows{}", display_text(first.dataset_name),
      grouped(first.users), grouped(first.items), grouped(first.interactions),
      grouped(first.test.rows),
      seeds > 1 ? fmt::format("; mean ± deviation of {} seeds", seeds) : std::string()));
  program.print("\n" + table_of(reports) + "\n");
  const bool same = std::all_of(reports.begin(), reports.end(), [&first](const auto& runs) {
    return runs.front().protocol_hash == first.protocol_hash;
  });
  print_cold_targets(program, first.test, "test");
  if (same)
    print_protocol(program, first.protocol, first.protocol_hash);
  else
    program.print_line("the protocols differ: these figures cannot be compared");
  return 0;
}

}  // namespace

void add_compare(CLI::App& app, Program& program, Commands& commands) {
  const auto command = std::make_shared<CompareCommand>();
  CLI::App& parser =
      add_command(app, "compare", "Train several models under one protocol, side by side");
  command->config.add_to(parser);
  add_list(parser, "--models", command->models, "Names of plugins, with commas between", ',');
  add_option(parser, "--seeds", command->seeds, "Runs of each model, each with another seed");
  add_path(parser, "--run-dir", command->run_dir, "Folder for the run folders");
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
