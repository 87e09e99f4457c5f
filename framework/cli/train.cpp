#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/command.hpp"
#include "cli/config_options.hpp"
#include "cli/progress.hpp"
#include "cli/report_lines.hpp"
#include "cli/shell.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct TrainCommand {
  ConfigOptions config;
  std::string model, run_dir;
  bool resume = false, print_config = false;

  int run(Program& program) const;
};

constexpr const char* kExamples =
    R"(  recloom train online-retail --model NAME
  recloom train online-retail --model NAME --preset online-retail --run-dir runs/shop
  recloom train my.inter.gz --model NAME --set train.loss=BPR --set data.max_length=20 --epochs 20
  recloom train 'logs/2024-*.csv.gz' --model NAME --set data.time_column=none
  recloom train --resume --run-dir runs/shop
`recloom plugins list` shows the names, `recloom plugins describe NAME` parameters and presets,
`recloom settings` explains data.*, split.*, train.* and eval.*.
Without --run-dir the run folder is runs/<time>-<model>-<data set>. A run folder belongs to one
process at a time. Ctrl-C (SIGTERM, SIGHUP) ends a run within a second with exit code 130 and a
checkpoint for --resume, which leads to the bytes of a run that was never interrupted; a second
Ctrl-C ends it at once, as of the last checkpoint.)";

/// The config.toml of the run that is to be continued, if it came as far as that.
std::string earlier_config(const std::string& run_dir) {
  const std::string file = run_dir + "/config.toml";
  return std::ifstream(file).good() ? file : "";
}

void print_report(Program& program, const RunReport& report) {
  program.print_line(fmt::format("{} on {}: {} users, {} items, {} events (seed {})", report.model,
                                 display_text(report.dataset_name), grouped(report.users),
                                 grouped(report.items), grouped(report.interactions), report.seed));
  const TrainReport& train = report.train;
  std::string line =
      fmt::format("trained on {} rows in {}", grouped(train.rows_here), duration(train.seconds));
  if (train.steps > 0) {
    line += fmt::format(" ({} rows/s), {} epochs", grouped(std::llround(train.rows_per_second)),
                        train.epochs_run);
    if (train.best_epoch) line += fmt::format(", best {}", *train.best_epoch);
    if (train.stop == StopReason::early_stop) line += ", stopped early";
    if (train.stop == StopReason::max_steps) line += fmt::format(", {} steps", train.steps);
  }
  program.print_line(line);
  Table table({"metric", "valid", "test"});
  const auto& names = report.test.rows > 0 ? report.test.values : report.valid.values;
  for (const auto& [key, ignored] : names) {
    const auto cell = [&key = key](const EvalReport& part) {
      const auto found = part.values.find(key);
      return found == part.values.end() ? std::string("-") : metric_text(found->second);
    };
    table.add({key, cell(report.valid), cell(report.test)});
  }
  if (!names.empty()) program.print("\n" + table.text() + "\n");
  if (names.empty())
    program.print_line("nothing was evaluated: the split leaves no validation and no test rows");
  print_cold_targets(program, report.valid, "valid");
  print_cold_targets(program, report.test, "test");
  print_protocol(program, report.protocol, report.protocol_hash);
  program.print_line("model     " + display_text(report.model_file));
}

/// @throws IoError always: a live run may not have written its config.toml yet, so who holds the
/// folder comes first.
[[noreturn]] void refuse_to_resume(const std::string& run_dir) {
  std::error_code none;
  if (std::filesystem::is_directory(run_dir, none)) const HeldFolder free(run_dir);
  throw IoError(
      fmt::format("train: {} holds no run to go on with (no config.toml); name data and --model "
                  "to begin one there",
                  run_dir));
}

int TrainCommand::run(Program& program) const {
  if (resume && run_dir.empty()) throw ConfigError("train: --resume needs --run-dir DIR");
  ConfigRequest request = config.request(program, model);
  if (resume) request.run_config = earlier_config(run_dir);
  if (resume && request.run_config.empty() && (model.empty() || config.data.empty()) &&
      config.config_file.empty())
    refuse_to_resume(run_dir);
  const RunConfig resolved = resolve_config(request, program.plugins());
  report_idle(program, request, resolved, config.strict);
  if (print_config) {
    program.print(resolved.to_toml());
    return 0;
  }
  RunContext& run = program.start(resolved.seed);
  RunOptions options;
  options.run_folder = run_dir;
  options.resume = resume;
  options.suggest_sequences = !resume && !config.names("train.batching");
  options.callbacks = progress_callbacks(resolved.model, resolved.train.valid_metric);
  const RunReport report = train_run(resolved, options, program.plugins(), run);
  show_progress("");
  if (report.interrupted()) {
    log(LogLevel::info,
        report.resumable
            ? fmt::format("recloom: interrupted{}; go on with: recloom train --resume --run-dir {}",
                          report.model_file.empty() ? "" : ", the best model so far is kept",
                          shell_word(report.run_folder))
            : std::string("recloom: interrupted before there was anything to keep"));
    return kInterrupted;
  }
  if (program.common.json)
    program.print_line(report.to_json());
  else
    print_report(program, report);
  return 0;
}

}  // namespace

void add_train(CLI::App& app, Program& program, Commands& commands) {
  const auto command = std::make_shared<TrainCommand>();
  CLI::App& parser = add_command(app, "train", "Train a model on a log, evaluate it, save it");
  command->config.add_to(parser);
  add_option(parser, "--model", command->model, "Name of the model's plugin");
  add_path(parser, "--run-dir", command->run_dir, "Folder for everything that the run leaves");
  add_flag(parser, "--resume", command->resume, "Go on with the run in --run-dir");
  add_flag(parser, "--print-config", command->print_config,
           "Print the resolved configuration as TOML and do nothing");
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
