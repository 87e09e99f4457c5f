// A whole run: data, training, evaluation, and the folder that is left of it.
#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "core/file.hpp"
#include "core/text.hpp"
#include "eval/cold_targets.hpp"
#include "host/report_json.hpp"
#include "host/run_folder.hpp"
#include "nn/step/train_step.hpp"
#include "plugin/failure.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "recloom/recloom.hpp"
#include "train/step_options.hpp"

namespace recloom {
namespace {

/// history.jsonl, written whole after every epoch so that it is never cut short.
class HistoryFile {
 public:
  explicit HistoryFile(std::string file) : file_(std::move(file)) {}
  void add(const EpochReport& epoch) { text_ += dump_json(history_line(epoch)) + "\n"; }
  void write() const {
    if (!text_.empty()) write_file_atomically(file_, text_);
  }

 private:
  std::string file_, text_;
};

RunFolder open_folder(const RunConfig& config, const RunOptions& options) {
  return {options.run_folder, config.model + "-" + config.source.name, options.resume,
          options.replace};
}

TrainCallbacks with_files(const TrainCallbacks& outer, HistoryFile& history, RunFolder& folder) {
  TrainCallbacks inner = outer;
  inner.on_resume = [&outer, &history, &folder](std::span<const EpochReport> epochs) {
    folder.write_config();
    for (const EpochReport& epoch : epochs) history.add(epoch);
    if (outer.on_resume) outer.on_resume(epochs);
  };
  inner.on_epoch = [&outer, &history](const EpochReport& epoch) {
    history.add(epoch);
    history.write();
    if (outer.on_epoch) outer.on_epoch(epoch);
  };
  return inner;
}

/// What the best epoch's evaluation found, or a new evaluation where there was none.
EvalReport validate(const Recommender& recommender, const Dataset& data, const TrainReport& train,
                    RunContext& run) {
  const auto rows = static_cast<std::int64_t>(data.valid().size());
  if (rows == 0) return {};
  for (const EpochReport& epoch : train.history)
    if (epoch.epoch == train.best_epoch && !epoch.valid.empty()) {
      EvalContext context;
      context.catalogue = data.catalogue();
      context.train_counts = data.target_counts();
      EvalReport known;
      KeptRows(data.valid(), context, recommender.config().eval.cold_targets).note_in(known);
      known.values = epoch.valid;
      known.rows = rows - known.dropped_rows;
      return known;
    }
  return recommender.evaluate(data, Part::valid, recommender.config().eval, run).result;
}

std::map<std::string, double> named(const RunReport& report) {
  std::map<std::string, double> metrics;
  for (const auto& [key, value] : report.valid.values) metrics["valid." + key] = value;
  for (const auto& [key, value] : report.test.values) metrics["test." + key] = value;
  return metrics;
}

/// A run that is continued names its log in another way than it was begun with.
std::vector<std::string> absolute_names(const DataSource& source) {
  std::vector<std::string> files = source.files;
  if (files.empty()) files = {source.file};
  for (std::string& file : files) {
    std::error_code failed;
    const std::filesystem::path found = std::filesystem::canonical(file, failed);
    if (!failed) file = found.string();  // "-" is standard input.
  }
  return files;
}

RunReport start_report(const RunConfig& config, const Dataset& data, const Recommender& recommender,
                       const RunContext& run) {
  RunReport report;
  report.model = config.model;
  report.plugin_version = recommender.plugin().version;
  report.protocol_hash = config.protocol_hash();
  report.protocol = config.protocol();
  report.settings = config.values();
  report.files = absolute_names(config.source);
  report.dataset_name = config.source.name;
  report.dataset_hash = data.hash();
  report.seed = config.seed;
  report.threads = run.threads();
  report.users = data.catalogue().n_users - 1;
  report.items = data.catalogue().n_items - 1;
  report.interactions = data.n_interactions();
  return report;
}

/// What fit() learned and no buffer holds is not in the model file.
void warn_of_forgotten_buffers(const Recommender& recommender, const RunContext& run) {
  const SequentialRecommender& model = recommender.model();
  if (model.traits().gradients || !model.buffers().empty()) return;
  run.warning(
      fmt::format("plugin '{}' registers no buffer: what its fit() learned is not in the model "
                  "file, which scores as an untrained one (register_buffer)",
                  recommender.plugin().name));
}

/// Say that a faster way of training exists, where it is proved that the model can be trained so.
void suggest_sequences(const Recommender& recommender, const Dataset& data, const RunContext& run) {
  const RunConfig& config = recommender.config();
  const auto* network = dynamic_cast<const NetworkRecommender*>(&recommender.model());
  if (network == nullptr || config.train.batching != Batching::rows ||
      config.train.rows != TrainRows::prefix)
    return;
  const Batch rows = data.train_rows();
  std::int64_t longer = 0, users = 0, before = -1;
  for (const Batch::Entry& row : rows.entries()) {
    users += row.begin != before;
    longer += row.history_length == config.data.max_length + 1;
    before = row.begin;
  }
  constexpr std::int64_t kWorthIt = 4;  // Rows of a user: what a run of them saves.
  if (static_cast<std::int64_t>(rows.size()) < kWorthIt * users) return;
  nn::StepOptions step = step_options(config.train);
  step.share_past = true;
  if (!nn::obstacle_to_sharing(*network, step).empty()) return;
  const std::string change =
      longer == 0 ? std::string("the training rows stay the same, in another order")
                  : fmt::format(
                        "{} users with more than {} training rows (data.max_length) are cut "
                        "into runs that see nothing before their beginning",
                        longer, config.data.max_length);
  run.info(fmt::format(
      "recloom: this model looks at the past alone: --set train.batching=sequences computes what a "
      "user's rows share once, which is many times faster; {} (--set train.batching=rows: as now, "
      "without this line)",
      change));
}

/// The report stands beside its own model at any instant: an earlier one goes before the model is
/// replaced, the new one comes last.
void keep(const RunReport& report, const Recommender& recommender, const HistoryFile& history,
          RunFolder& folder) {
  folder.remove_report();
  recommender.save(folder.model());
  history.write();
  write_file_atomically(folder.report(), dump_json(run_folder_report(report), 2) + "\n");
}

/// Nothing is found out about a log in silence.
void tell_how_it_was_read(const RunConfig& config, const Dataset& data, const RunContext& run) {
  const ReadSummary& read = data.read_summary();
  run.info(fmt::format("{}: read as {}; columns {}; times {}; first event: {}",
                       printable(config.source.file, 400), read.format, read.columns, read.times,
                       read.first));
}

/// The model of an interrupted run: the best so far. What goes on from the checkpoint replaces it.
void keep_so_far(RunReport& report, const Recommender& recommender, RunFolder& folder) {
  if (report.train.steps == 0) return;
  folder.remove_report();
  recommender.save(folder.model());
  report.model_file = folder.model();
}

/// @throws Interrupted what came before is in the report and the folder.
void run_in(RunFolder& folder, const RunConfig& config, const RunOptions& options,
            const PluginRegistry& plugins, RunContext& run, RunReport& report) {
  const Dataset data = open_dataset(config, run);
  if (options.tell_reading) tell_how_it_was_read(config, data, run);
  Recommender recommender = Recommender::create(config, data, plugins);
  run.check_stop();
  folder.create(config.to_toml());
  report = start_report(config, data, recommender, run);
  report.run_folder = folder.path();
  HistoryFile history(folder.history());
  if (options.resume && !folder.continues())
    run.warning(
        fmt::format("no checkpoint in {}: the run starts from its beginning", folder.path()));
  if (options.suggest_sequences)
    naming(recommender.plugin(), [&] { suggest_sequences(recommender, data, run); });
  const TrainCallbacks callbacks = with_files(options.callbacks, history, folder);
  report.train = recommender.train(data, run, callbacks, folder.checkpoint(), folder.continues());
  if (report.interrupted()) return keep_so_far(report, recommender, folder);
  folder.write_config();
  if (options.resume && report.train.epochs_run > config.train.epochs)
    run.info(fmt::format("recloom: {} epochs are done already: the run ends as it is",
                         report.train.epochs_run));

  try {
    report.valid = validate(recommender, data, report.train, run);
    if (data.test().size() > 0)
      report.test = recommender.evaluate(data, Part::test, config.eval, run).result;
  } catch (const Interrupted&) {
    if (run.stop_requested()) keep_so_far(report, recommender, folder);
    throw;
  }
  recommender.set_metrics(named(report));
  warn_of_forgotten_buffers(recommender, run);
  keep(report, recommender, history, folder);
  report.model_file = folder.model();
}

}  // namespace

RunReport train_run(const RunConfig& config, const RunOptions& options,
                    const PluginRegistry& plugins, RunContext& run) {
  RunFolder folder = open_folder(config, options);
  RunReport report;
  report.model = config.model;
  report.run_folder = folder.path();
  try {
    run_in(folder, config, options, plugins, run, report);
  } catch (const Interrupted&) {
    if (!run.stop_requested())
      throw PluginError(fmt::format(
          "plugin '{}' threw Interrupted, though nobody has asked it to stop", config.model));
    report.train.stop = StopReason::interrupted;
  }
  report.resumable = report.interrupted() && folder.resumable();
  return report;
}

void check_run_folder(const RunConfig& config, const RunOptions& options) {
  open_folder(config, options);
}

}  // namespace recloom
