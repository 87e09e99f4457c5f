#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cli/command.hpp"
#include "cli/config_options.hpp"
#include "cli/progress.hpp"
#include "cli/report_lines.hpp"
#include "cli/shell.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct EvaluateCommand {
  std::string model, recipe, part = "test", rows_file;
  std::vector<std::string> data, sets;
  bool strict = false;

  int run(Program& program) const;
};

constexpr const char* kExamples =
    R"(  recloom evaluate runs/shop online-retail
  recloom evaluate runs/shop/model.safetensors new-customers.inter --rows per-user.tsv
  recloom evaluate runs/shop online-retail --part valid --set eval.mask_history=full
  recloom evaluate runs/shop new-sessions.txt --set split.mode=test
  recloom evaluate runs/films ratings.dat --recipe movielens-1m
The protocol is the one the model was trained under, and data is read as it was for training;
--set changes data.*, split.* and eval.*. On another log than the training's, data.user_interval and
data.item_interval are left off unless asked for. Rows that the model was trained on are counted.
--recipe says how the log is written, in place of the training's settings of reading. Lines of --rows:
user, target, rank, a value for each metric; tabs, line ends and backslashes of tokens are written
\t, \n, \r and \\.)";

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

std::string to_json(const Recommender& model, const RunConfig& config, const Dataset& data,
                    const std::string& part, const EvaluationReport& report) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const auto& [key, value] : report.result.values) values.emplace_back(key, number(value));
  values.emplace_back("rows", fmt::to_string(report.result.rows));
  values.emplace_back("targets", fmt::to_string(report.result.targets));
  values.emplace_back("seconds", number(report.result.seconds));
  values.emplace_back("users_per_second", number(report.result.rows_per_second()));
  return json_object({{"model", json_quote(model.plugin().name)},
                      {"protocol_hash", json_quote(report.protocol_hash(config))},
                      {"dataset", json_object({{"name", json_quote(config.source.name)},
                                               {"hash", json_quote(data.hash())}})},
                      {"same_data", json_value(data.hash() == model.dataset_hash())},
                      {part, json_object(values)},
                      {"cold_targets", fmt::to_string(report.result.cold_targets)},
                      {"dropped_rows", fmt::to_string(report.result.dropped_rows)},
                      {"knows_trained_rows", json_value(report.knows_trained_rows)},
                      {"trained_rows", fmt::to_string(report.trained_rows)},
                      {"uncertain_rows", fmt::to_string(report.uncertain_rows)},
                      {"unknown_history_items", fmt::to_string(report.unknown_history_items)},
                      {"unknown_targets", fmt::to_string(report.result.unknown_targets)},
                      {"unknown_users", fmt::to_string(report.unknown_users)}});
}

/// Why the figures may not be what they look like.
void print_cautions(Program& program, const EvaluationReport& report) {
  const std::string rows = grouped(report.result.rows + report.result.dropped_rows);
  if (report.trained_rows > 0)
    program.print_line(fmt::format(
        "{} of {} rows were trained on: the figures say how well the model remembers, not how well "
        "it predicts",
        grouped(report.trained_rows), rows));
  if (report.uncertain_rows > 0)
    program.print_line(fmt::format(
        "{} of {} rows are of users that the model was trained on with other events (another log, "
        "or other filters): some may have been trained on",
        grouped(report.uncertain_rows), rows));
  if (!report.knows_trained_rows)
    program.print_line(
        "the model file does not say which rows were trained on: some of these may have been "
        "(files written from now on say it)");
}

int EvaluateCommand::run(Program& program) const {
  if (model.empty() || data.empty())
    throw ConfigError("evaluate: needs a run folder or model file, and a data set");
  if (part != "valid" && part != "test")
    throw ConfigError(fmt::format("--part {}: must be valid or test", part));
  if (!rows_file.empty()) {
    std::vector<std::string> inputs = find_dataset(data).files;
    inputs.push_back(model);
    require_new_place("--rows", rows_file, inputs);
  }
  const Recommender recommender = Recommender::load(model, program.plugins());
  RunContext& run = program.start(program.common.seed.value_or(recommender.config().seed));
  ConfigRequest request;
  request.settings = as_settings(sets);
  report_idle(
      program, request,
      resolve_evaluation(recommender.config(), data, recipe, request.settings, program.plugins()),
      strict);
  const auto [config, dataset] =
      open_evaluation(recommender, data, recipe, request.settings, program.plugins(), run);
  const EvaluationReport report = recommender.evaluate(
      dataset, part == "valid" ? Part::valid : Part::test, config.eval, run, rows_file);
  if (report.result.dropped_rows > 0 && report.result.rows == 0)
    throw DataError(fmt::format(
        "{}: each of its {} {} rows asks for an item that the model was not trained on, and "
        "eval.cold_targets = drop leaves such rows out (--set eval.cold_targets=count ranks them)",
        config.source.name, report.result.dropped_rows, part));
  if (report.result.rows == 0)
    throw DataError(
        fmt::format("{}: its split leaves no {} rows (--set split.mode=test ranks every next item "
                    "of its users)",
                    config.source.name, part));
  if (program.common.json) {
    program.print_line(to_json(recommender, config, dataset, part, report));
    return 0;
  }
  const std::string targets = report.result.targets > report.result.rows
                                  ? fmt::format(" with {} targets", grouped(report.result.targets))
                                  : "";
  program.print_line(fmt::format(
      "{} on {} ({}): {} rows{} in {}", recommender.plugin().name, display_text(config.source.name),
      part, grouped(report.result.rows), targets, duration(report.result.seconds)));
  if (!recommender.is_training_log(dataset))
    program.print_line(fmt::format(
        "other data than the model was trained on: {} unknown history items skipped, {} unknown "
        "targets counted as misses, {} rows of unknown users",
        grouped(report.unknown_history_items), grouped(report.result.unknown_targets),
        grouped(report.unknown_users)));
  print_cold_targets(program, report.result, part);
  Table table({"metric", part});
  for (const auto& [key, value] : report.result.values) table.add({key, metric_text(value)});
  program.print("\n" + table.text() + "\n");
  print_cautions(program, report);
  print_protocol(program, config.protocol(), report.protocol_hash(config));
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Program& program, Commands& commands) {
  const auto command = std::make_shared<EvaluateCommand>();
  CLI::App& parser = add_command(app, "evaluate", "Rank the held-out events of a log by a model");
  add_option(parser, "MODEL", command->model, "Run folder or model file");
  add_data_arguments(parser, command->data);
  add_recipe(parser, command->recipe);
  add_option(parser, "--part", command->part, "valid or test (default)");
  add_path(parser, "--rows", command->rows_file, "Write each row's values to this TSV file");
  add_list(parser, "--set", command->sets, "One setting of data.*, split.* or eval.*");
  add_strict(parser, command->strict);
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
