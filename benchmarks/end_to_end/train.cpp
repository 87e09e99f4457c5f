// A model through the library's public interface, as `recloom train` uses it, but timed step by
// step.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "end_to_end/commands.hpp"
#include "nn/exec/step_trace.hpp"
#include "recloom/recloom.hpp"
#include "support/memory.hpp"

namespace recloom::benchmarks {
namespace {

/// Adds up the processor time of each phase; for one thread.
class PhaseTimes final : public nn::StepTrace {
 public:
  void turn_to(const nn::TraceStep& step) override {
    const double now = clock_.cpu();
    if (!current_.empty()) seconds_[current_] += now - since_;
    current_ = std::string(step.phase) + (step.what.empty() ? "" : " ") + std::string(step.what);
    since_ = now;
  }
  void forget() { seconds_.clear(); }
  Json to_json() const { return seconds_; }

 private:
  Stopwatch clock_;
  std::map<std::string, double> seconds_;
  std::string current_;
  double since_ = 0;
};

RunConfig configuration(const Arguments& arguments, const PluginRegistry& plugins) {
  ConfigRequest request;
  request.data = arguments.text("data");
  request.model = arguments.text("model", "caser");
  const std::int64_t steps = arguments.number("warmup", 3) + arguments.number("steps", 10);
  request.settings.push_back({"--steps", "train.max_steps=" + std::to_string(steps)});
  request.settings.push_back({"--steps", "train.eval_every=0"});
  for (const std::string& text : arguments.all("set")) request.settings.push_back({"--set", text});
  return resolve_config(request, plugins);
}

/// Consecutive rows that a batch takes together, at most.
std::size_t run_rows(const RunConfig& config) {
  return config.train.batching == Batching::chunks
             ? static_cast<std::size_t>(config.train.chunk_rows)
             : 1;
}

/// Distinct items, padding included, in the histories of as many rows as a batch has: runs drawn
/// evenly.
std::size_t distinct_items(const Dataset& dataset, const RunConfig& config) {
  const Batch rows = dataset.train_rows();
  const std::size_t run = run_rows(config);
  const auto wanted = static_cast<std::size_t>(config.train.batch_size);
  const std::size_t stride = std::max<std::size_t>(run, rows.size() / wanted * run);
  std::set<ItemId> items = {0};
  for (std::size_t first = 0; first < rows.size(); first += stride)
    for (std::size_t row = first; row < std::min(rows.size(), first + run); ++row) {
      const Row one = rows[row];
      items.insert(one.history.begin(), one.history.end());
    }
  return items.size();
}

/// What a causal model computes for a row, on average: positions of histories, pairs of a position
/// and one that it may look at, and such pairs of the row's last position.
struct Positions {
  double positions = 0, pairs = 0, pairs_of_last = 0;
};

Positions positions_of(const Dataset& dataset, const RunConfig& config) {
  const Batch rows = dataset.train_rows();
  const bool sequences = config.train.batching == Batching::sequences;
  Positions sum;
  int in_run = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto same_user = row > 0 && rows.entries()[row].begin == rows.entries()[row - 1].begin;
    in_run = same_user && in_run < rows.max_length() ? in_run + 1 : 1;
    const double seen = sequences ? in_run : static_cast<double>(rows[row].history.size());
    sum.positions += sequences ? 1 : seen;
    sum.pairs += sequences ? seen : seen * (seen + 1) / 2;
    sum.pairs_of_last += seen;
  }
  const auto n = static_cast<double>(rows.size());
  return {sum.positions / n, sum.pairs / n, sum.pairs_of_last / n};
}

/// Wall time, processor time and rows of each step after the warm-up.
struct Steps {
  std::vector<double> wall, cpu;
  std::vector<std::int64_t> rows;
};

Steps timed_steps(Recommender& recommender, const Dataset& dataset, std::int64_t warmup,
                  PhaseTimes& phases, RunContext& run) {
  Steps steps;
  Stopwatch step;
  std::int64_t done = 0, rows_before = 0;
  TrainCallbacks callbacks;
  callbacks.on_progress = [&](const TrainProgress& progress) {
    if (progress.step == 1) rows_before = 0;
    if (++done > warmup) {
      steps.wall.push_back(step.wall());
      steps.cpu.push_back(step.cpu());
      steps.rows.push_back(progress.rows - rows_before);
    } else if (done == warmup) {
      phases.forget();
    }
    rows_before = progress.rows;
    step = Stopwatch();
  };
  recommender.train(dataset, run, callbacks);
  return steps;
}

}  // namespace

Json train(const Arguments& arguments) {
  const PluginRegistry plugins;
  const RunConfig config = configuration(arguments, plugins);
  RunContext run(config.seed, static_cast<int>(arguments.number("threads", 0)));
  const Stopwatch opening;
  const Dataset dataset = open_dataset(config, run);
  const double open_seconds = opening.wall();
  Recommender recommender = Recommender::create(config, dataset, plugins);
  PhaseTimes phases;
  const bool trace = arguments.number("trace", 0) != 0;
  if (trace) nn::set_step_trace(&phases);
  const Steps steps = timed_steps(recommender, dataset, arguments.number("warmup", 3), phases, run);
  nn::set_step_trace(nullptr);

  std::vector<double> wall, cpu;
  for (std::int64_t index = 0; index < arguments.number("evaluations", 0); ++index) {
    const Stopwatch clock;
    recommender.evaluate(dataset, Part::test, config.eval, run);
    wall.push_back(clock.wall());
    cpu.push_back(clock.cpu());
  }
  const Positions positions = positions_of(dataset, config);
  Json json = {{"threads", run.threads()},
               {"open_seconds", open_seconds},
               {"users", dataset.catalogue().n_users - 1},
               {"items", dataset.catalogue().n_items - 1},
               {"train_rows", dataset.train_rows().size()},
               {"test_rows", dataset.test().size()},
               {"batch_size", config.train.batch_size},
               {"run_rows", run_rows(config)},
               {"distinct_items", distinct_items(dataset, config)},
               {"positions", positions.positions},
               {"pairs", positions.pairs},
               {"pairs_of_last", positions.pairs_of_last},
               {"step_rows", steps.rows},
               {"step_seconds", steps.wall},
               {"step_cpu_seconds", steps.cpu},
               {"evaluation_seconds", wall},
               {"evaluation_cpu_seconds", cpu},
               {"peak_memory", peak_memory()}};
  if (trace) json["phases"] = phases.to_json();
  return json;
}

Json read(const Arguments& arguments) {
  ConfigRequest request;
  request.data = arguments.text("data");
  for (const std::string& text : arguments.all("set")) request.settings.push_back({"--set", text});
  const RunConfig config = resolve_data_config(request);
  RunContext run(config.seed, static_cast<int>(arguments.number("threads", 0)));
  std::vector<double> wall, cpu;
  std::int64_t interactions = 0;
  for (std::int64_t index = 0; index < arguments.number("repeats", 1); ++index) {
    const Stopwatch clock;
    interactions = open_dataset(config, run).n_interactions();
    wall.push_back(clock.wall());
    cpu.push_back(clock.cpu());
  }
  return {{"threads", run.threads()},
          {"interactions", interactions},
          {"seconds", wall},
          {"cpu_seconds", cpu},
          {"peak_memory", peak_memory()}};
}

}  // namespace recloom::benchmarks
