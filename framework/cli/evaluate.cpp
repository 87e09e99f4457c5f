#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cli/command.hpp"
#include "cli/progress.hpp"
#include "cli/shell.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct EvaluateCommand {
  std::string model, data, recipe, part = "test", rows_file;
  std::vector<std::string> sets;

  int run(Program& program) const;
};

constexpr const char* kExamples =
    R"(  recloom evaluate runs/shop online-retail
  recloom evaluate runs/shop/model.safetensors new-customers.inter --rows per-user.tsv
  recloom evaluate runs/shop online-retail --part valid --set eval.mask_history=full
  recloom evaluate runs/shop new-sessions.txt --set split.mode=test
The protocol is the one the model was trained under, and data is read as it was for training;
--set changes data.*, split.* and eval.*. Lines of --rows: user, target, rank, a value for each
metric; tabs, line ends and backslashes of tokens are written \t, \n, \r and \\.)";

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

std::string to_json(const Recommender& model, const RunConfig& config, const Dataset& data,
                    const std::string& part, const EvaluationReport& report) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const auto& [key, value] : report.result.values) values.emplace_back(key, number(value));
  values.emplace_back("rows", fmt::to_string(report.result.rows));
  values.emplace_back("seconds", number(report.result.seconds));
  values.emplace_back("users_per_second", number(report.result.rows_per_second()));
  return json_object({{"model", json_quote(model.plugin().name)},
                      {"protocol_hash", json_quote(config.protocol_hash())},
                      {"dataset", json_object({{"name", json_quote(config.source.name)},
                                               {"hash", json_quote(data.hash())}})},
                      {"same_data", json_value(data.hash() == model.dataset_hash())},
                      {part, json_object(values)},
                      {"unknown_history_items", fmt::to_string(report.unknown_history_items)},
                      {"unknown_targets", fmt::to_string(report.result.unknown_targets)},
                      {"unknown_users", fmt::to_string(report.unknown_users)}});
}

int EvaluateCommand::run(Program& program) const {
  if (model.empty() || data.empty())
    throw ConfigError("evaluate: needs a run folder or model file, and a data set");
  if (part != "valid" && part != "test")
    throw ConfigError(fmt::format("--part {}: must be valid or test", part));
  if (!rows_file.empty()) require_new_place("--rows", rows_file, {model, find_dataset(data).file});
  const Recommender recommender = Recommender::load(model, program.plugins());
  RunContext& run = program.start(program.common.seed.value_or(recommender.config().seed));
  std::vector<ConfigRequest::Setting> settings = recipe_settings(recipe);
  for (const auto& setting : as_settings(sets)) settings.push_back(setting);
  const auto [config, dataset] =
      open_evaluation(recommender.config(), data, settings, program.plugins(), run);
  const EvaluationReport report = recommender.evaluate(
      dataset, part == "valid" ? Part::valid : Part::test, config.eval, run, rows_file);
  if (report.result.rows == 0)
    throw DataError(
        fmt::format("{}: its split leaves no {} rows (--set split.mode=test ranks every next item "
                    "of its users)",
                    config.source.name, part));
  if (program.common.json) {
    program.print_line(to_json(recommender, config, dataset, part, report));
    return 0;
  }
  program.print_line(fmt::format("{} on {} ({}): {} rows in {}", recommender.plugin().name,
                                 display_text(config.source.name), part,
                                 grouped(report.result.rows), duration(report.result.seconds)));
  if (dataset.hash() != recommender.dataset_hash())
    program.print_line(fmt::format(
        "other data than the model was trained on: {} unknown history items skipped, {} unknown "
        "targets counted as misses, {} rows of unknown users",
        grouped(report.unknown_history_items), grouped(report.result.unknown_targets),
        grouped(report.unknown_users)));
  Table table({"metric", part});
  for (const auto& [key, value] : report.result.values) table.add({key, metric_text(value)});
  program.print("\n" + table.text() + "\n");
  program.print_line("protocol  " + config.protocol_hash());
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Program& program, Commands& commands) {
  const auto command = std::make_shared<EvaluateCommand>();
  CLI::App& parser = add_command(app, "evaluate", "Rank the held-out events of a log by a model");
  add_option(parser, "MODEL", command->model, "Run folder or model file");
  add_option(parser, "DATA", command->data,
             "A shipped set's name, a folder with dataset.toml, or a log");
  add_recipe(parser, command->recipe);
  add_option(parser, "--part", command->part, "valid or test (default)");
  add_path(parser, "--rows", command->rows_file, "Write each row's values to this TSV file");
  add_list(parser, "--set", command->sets, "One setting of data.*, split.* or eval.*");
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
