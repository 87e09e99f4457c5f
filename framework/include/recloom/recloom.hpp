#pragma once
// The host's side of recloom in one header: find data sets and plugins by name, resolve a
// configuration, train, evaluate, save, load, recommend. The program `recloom` uses nothing else.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/config/params.hpp"
#include "recloom/core/error.hpp"
#include "recloom/core/export.hpp"
#include "recloom/core/log.hpp"
#include "recloom/core/run_context.hpp"
#include "recloom/data/dataset.hpp"
#include "recloom/data/options.hpp"
#include "recloom/eval/evaluator.hpp"
#include "recloom/eval/metric_keys.hpp"
#include "recloom/eval/metric_registry.hpp"
#include "recloom/eval/options.hpp"
#include "recloom/eval/recommend.hpp"
#include "recloom/plugin/registry.hpp"
#include "recloom/plugin/running.hpp"
#include "recloom/train/options.hpp"
#include "recloom/train/trainer.hpp"

namespace recloom {

/// Return the version of librecloom.so, "0.1.0".
RECLOOM_API std::string_view version();
/// Check what the environment sets for the whole process: RECLOOM_ISA. @throws ConfigError.
RECLOOM_API void check_environment();

// ---- Data ---------------------------------------------------------------------------------------

/// Where a log lies, and what its dataset.toml says about it.
struct DataSource {
  std::string name;   ///< "online-retail": of the shipped set or folder, else the file's stem.
  std::string given;  ///< What names it again from any folder: a shipped name or absolute path.
  std::string file;   ///< The log; of several files the first.
  std::vector<std::string> files;  ///< All of them, in the order in which they are read.
  std::string recipe;              ///< Name of the recipe that it is read by; "" = none.
  std::string toml;                ///< The dataset.toml; "" if there is none.
  Params settings;                 ///< Its [data], [split] and [eval], dotted.
  std::string title, licence;
  std::string xxh3;  ///< Of the log as it is stored, 16 hexadecimal digits; "" = not noted.
};

/// How a public log is written, by name: a dataset.toml without data.
struct Recipe {
  std::string name;                 ///< "movielens-1m"
  std::string title, url, licence;  ///< Where it is had, and its terms.
  std::vector<std::string> files;   ///< Names that its files have, patterns allowed: "ratings.dat".
  std::string toml;                 ///< The file that says so.
  Params settings;                  ///< Its [data], [split] and [eval], dotted.
};
/// Return all recipes, sorted by name.
RECLOOM_API std::vector<Recipe> list_recipes();
/// @throws ConfigError no such recipe, with the nearest.
RECLOOM_API Recipe find_recipe(const std::string& name);

/// Find a log by a shipped set's name or a folder with dataset.toml; or by files, patterns
/// ("logs/part-*.csv") and "-" for standard input, which are read as one log.
/// @param recipe "" = none; its settings stand below those of a dataset.toml.
/// @throws IoError no such name, folder or file, with the nearest shipped name; ConfigError for a
/// dataset.toml with an unknown key.
RECLOOM_API DataSource find_dataset(const std::vector<std::string>& data,
                                    const std::string& recipe = "");
/// Return the names of the shipped sets, sorted.
RECLOOM_API std::vector<std::string> shipped_datasets();

/// What a log comes to after filters, for people.
struct RECLOOM_API DatasetStats {
  std::string name, hash;
  std::int64_t users = 0, items = 0, interactions = 0;  ///< Without padding.
  std::int64_t shortest = 0, longest = 0;               ///< Events of a user.
  double median_length = 0, mean_length = 0;
  double density = 0;  ///< Events / (users * items).
  double repeats = 0;  ///< Share of events whose item the user had before.
  std::int64_t train_rows = 0, valid_rows = 0, test_rows = 0;
  std::int64_t valid_targets = 0, test_targets = 0;  ///< Events that these rows ask for.
  ReadSummary read;                                  ///< How the log was understood.
  std::string to_json() const;                       ///< One line.
};
RECLOOM_API DatasetStats dataset_stats(const Dataset& dataset);

// ---- Configuration ------------------------------------------------------------------------------

/// What a user asked for. Later sources win: defaults, the plugin's suggestions, the preset, the
/// data set's dataset.toml, an earlier run's config.toml, a config file, single settings.
struct ConfigRequest {
  std::string data = {};  ///< "": named by `dataset` in run_config or config_file.
  std::vector<std::string> more_data = {};  ///< Further files of the same log.
  std::string recipe = {};                  ///< Of a public log; "" = none.
  std::string model = {};                   ///< "": named by `model.name` there.
  std::string preset = {};                  ///< A file of the plugin's folder `presets`; "" = none.
  std::string run_config = {};   ///< config.toml of a run that is to be continued; "" = none.
  std::string config_file = {};  ///< TOML; "" = none.
  /// A setting as written, and the name that a message gives it: {"--set", "train.epochs=3"}.
  struct Setting {
    std::string origin, text;
  };
  std::vector<Setting> settings = {};
};

/// A resolved configuration: every default filled, every value checked.
struct RECLOOM_API RunConfig {
  DataSource source;
  std::string model;
  Params model_params;  ///< Of the plugin, under its own names.
  DataOptions data;
  SplitOptions split;
  TrainOptions train;
  EvalOptions eval;
  std::uint64_t seed = 1;

  /// Return every key that decides a result, with its full name (model.name, model.params.*,
  /// data.*, split.*, train.*, eval.*); neither seed nor data set.
  Params values() const;
  /// Return what decides a metric beside model, data and seed: filters and order of data.*,
  /// split.*, and eval.* without metrics and topk (they choose what is shown). data.max_length
  /// belongs to the model, but for eval.mask_history = "input", which masks by it.
  Params protocol() const;
  std::string protocol_hash() const;  ///< xxh3 of protocol() as 16 hexadecimal digits.
  std::string to_toml() const;        ///< A config file that resolves to the same again.
};

/// @throws ConfigError unknown key, wrong type, out of range: where it was written, the key, the
/// value, what is legal, the nearest guess; PluginError unknown model; IoError missing file.
RECLOOM_API RunConfig resolve_config(const ConfigRequest& request, const PluginRegistry& plugins);
/// The same for data alone: only data.*, split.* and seed are keys, the model stays "".
RECLOOM_API RunConfig resolve_data_config(const ConfigRequest& request);
/// Return the configuration to evaluate a trained model with on some data, see find_dataset(): the
/// protocol it was trained under and the way its log was read, then the recipe, in whose place the
/// training's reading is forgotten, and the data's dataset.toml, which both only say how the file
/// is read, then the settings.
/// @throws ConfigError also for a setting outside data.*, split.* and eval.*.
RECLOOM_API RunConfig resolve_evaluation(const RunConfig& trained,
                                         const std::vector<std::string>& data,
                                         const std::string& recipe,
                                         std::span<const ConfigRequest::Setting> settings,
                                         const PluginRegistry& plugins);
/// A setting that somebody wrote and that changes nothing.
struct RECLOOM_API IdleSetting {
  std::string origin, key;  ///< "--set", "train.n_negatives"
  std::string why;
  std::string text() const;  ///< One line.
};
/// Return what a request asks for in vain: its settings, and what its config file has beside
/// defaults, in this order. Presets and a dataset.toml serve several models, an earlier run is
/// complete: theirs is not looked at.
/// @param config what the request was resolved to; without a model data.* and split.* count alone.
RECLOOM_API std::vector<IdleSetting> idle_settings(const ConfigRequest& request,
                                                   const RunConfig& config,
                                                   const PluginRegistry& plugins);
/// Return the names of the presets that a model's plugin ships, sorted.
RECLOOM_API std::vector<std::string> list_presets(const PluginInfo& plugin);
/// Read the log that a configuration names. @throws as Dataset::open(); DataError also if it is not
/// the file whose xxh3 its dataset.toml notes.
RECLOOM_API Dataset open_dataset(const RunConfig& config, RunContext& run);

/// Data to evaluate a trained model on, and the configuration that it was read with.
struct EvaluationData {
  RunConfig config;
  Dataset dataset;
};
/// Read data as resolve_evaluation() says. A model file knows its training's side files by name and
/// not whether the data is the same, so what only the training says is left out with a warning
/// where it does not fit: a side file that is neither beside the log nor in the current folder, a
/// format that the log does not have while its name says another.
/// @throws as resolve_evaluation() and open_dataset().
RECLOOM_API EvaluationData open_evaluation(const RunConfig& trained,
                                           const std::vector<std::string>& data,
                                           const std::string& recipe,
                                           std::span<const ConfigRequest::Setting> settings,
                                           const PluginRegistry& plugins, RunContext& run);

class Recommender;
/// The same for a model, which knows the log of its training. data.user_interval and
/// data.item_interval of the training depend on who else is in a log: on another one they are left
/// off, with a warning, unless its dataset.toml or a setting asks for them.
RECLOOM_API EvaluationData open_evaluation(const Recommender& model,
                                           const std::vector<std::string>& data,
                                           const std::string& recipe,
                                           std::span<const ConfigRequest::Setting> settings,
                                           const PluginRegistry& plugins, RunContext& run);

// ---- A model at work ----------------------------------------------------------------------------

enum class Part : int { valid, test };

/// What an evaluation found, on data that may hold items and users the model never saw.
struct RECLOOM_API EvaluationReport {
  EvalReport result;                       ///< Its unknown_targets are misses.
  std::int64_t unknown_history_items = 0;  ///< Events of histories that were skipped.
  std::int64_t unknown_users = 0;          ///< Rows whose user the model never saw.
  /// Rows whose target the model was trained on, with the very history of its user.
  std::int64_t trained_rows = 0;
  /// Rows of users that the model was trained on with other events: some may have been trained on.
  std::int64_t uncertain_rows = 0;
  bool knows_trained_rows = true;  ///< False for models of versions that did not note them.
  /// Return the hash of the protocol that was evaluated under. Figures under one hash can be
  /// compared: it is config.protocol_hash() only if it is known that no row was trained on.
  std::string protocol_hash(const RunConfig& config) const;
};

/// One person to recommend for.
struct QueryHistory {
  std::string user;                          ///< Token; "" or unknown is normal.
  std::vector<std::string> items;            ///< Tokens, oldest first; may be empty.
  std::vector<std::string> candidates = {};  ///< Only these are ranked; empty: as the options say.
};
enum class SeenItems : int { protocol, keep, hide };  ///< protocol: as eval.mask_history says.
enum class UnknownItems : int { skip, refuse };
struct RECLOOM_API RecommendOptions {
  int k = 10;
  SeenItems seen = SeenItems::protocol;
  UnknownItems unknown = UnknownItems::skip;
  std::vector<std::string> allow = {};  ///< Tokens; empty: every item.
  std::vector<std::string> block = {};  ///< Tokens.

  void validate() const;  ///< @throws ConfigError illegal k.
};
struct RecommendedItem {
  std::string item, name;  ///< Token; name "" if the data set had none.
  float score = 0;
};
struct RECLOOM_API RecommendedList {
  std::string user;
  bool user_known = false;
  std::vector<std::string> history;  ///< Items that were used, as given.
  std::vector<std::string> unknown;  ///< Items that were skipped.
  std::vector<RecommendedItem> items;
  std::string to_json() const;  ///< One line.
};

/// Row-major table of vectors; write_npy() makes it a file that NumPy reads.
struct VectorTable {
  std::vector<float> values;
  std::size_t rows = 0, columns = 0;
};
RECLOOM_API void write_npy(const std::string& file, const VectorTable& table);

/// A model with all it needs to score any history: parameters, vocabulary, configuration. One file
/// on disk. Scoring is const and safe from any number of threads. The registry that it was made
/// with must outlive it.
class RECLOOM_API Recommender {
 public:
  /// Make an untrained model for a data set.
  static Recommender create(const RunConfig& config, const Dataset& dataset,
                            const PluginRegistry& plugins);
  /// Read a model file, or that of a run folder. The training data is not needed.
  /// @throws IoError missing, damaged, or no model file; PluginError its plugin is not found.
  static Recommender load(const std::string& file, const PluginRegistry& plugins);
  ~Recommender();
  Recommender(Recommender&&) noexcept;
  Recommender& operator=(Recommender&&) noexcept;

  /// Train on the data set it was created for; see train_model(). `run` has the configuration's
  /// seed.
  /// @param checkpoint_file "": none is written. @param resume go on from that file.
  TrainReport train(const Dataset& dataset, RunContext& run, const TrainCallbacks& callbacks = {},
                    const std::string& checkpoint_file = "", bool resume = false);
  /// Evaluate on a part of any data set. Items that the model never saw are left out of histories
  /// and are misses as targets.
  /// @param options what is computed. @param rows_file TSV of each row's values, users and targets
  /// by the data set's own tokens, see tsv_cell(); "" = none.
  EvaluationReport evaluate(const Dataset& dataset, Part part, const EvalOptions& options,
                            RunContext& run, const std::string& rows_file = "") const;
  /// Return the best k items for every history, best first; fewer where fewer are eligible.
  /// @throws DataError an unknown item that is to be refused; ConfigError illegal k.
  std::vector<RecommendedList> recommend(std::span<const QueryHistory> histories,
                                         const RecommendOptions& options,
                                         const RunContext& run) const;
  /// Return the vector of every item, [n_items, q], row 0 the padding. The plain product of a query
  /// and an item vector ranks as the model does, and is its score unless that is a distance.
  /// @throws ModelError a model that is not of the form query x item.
  VectorTable item_vectors() const;
  /// Return the query of every history, [rows, q]. @throws as item_vectors().
  VectorTable query_vectors(std::span<const QueryHistory> histories, UnknownItems unknown,
                            const RunContext& run) const;
  /// Say how these vectors differ from the model's own: which column is a bias, for example; "":
  /// not at all. @throws as item_vectors().
  std::string vector_note() const;
  /// Write the one file. Its bytes depend on data, configuration, seed and build alone.
  void save(const std::string& file) const;

  const RunConfig& config() const noexcept;
  const PluginInfo& plugin() const noexcept;
  const Vocabulary& vocabulary() const noexcept;
  const Catalogue& catalogue() const noexcept;
  const std::string& dataset_hash() const noexcept;
  /// Tell whether a data set has the users, items and events of the training, whatever its split.
  bool is_training_log(const Dataset& dataset) const;
  /// Metrics that the model file carries: "valid.ndcg@10", "test.hit@10".
  const std::map<std::string, double>& metrics() const noexcept;
  void set_metrics(std::map<std::string, double> metrics);
  const SequentialRecommender& model() const noexcept;

 private:
  struct Impl;
  explicit Recommender(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// ---- A whole run --------------------------------------------------------------------------------

/// What `recloom train` prints and a run folder keeps.
struct RECLOOM_API RunReport {
  std::string model, plugin_version, protocol_hash, dataset_name, dataset_hash;
  Params protocol;                 ///< What protocol_hash is the hash of.
  Params settings;                 ///< RunConfig::values(): all of them.
  std::vector<std::string> files;  ///< The log, absolute.
  std::uint64_t seed = 0;
  int threads = 0;
  std::int64_t users = 0, items = 0, interactions = 0;  ///< Without padding.
  TrainReport train;
  EvalReport valid, test;  ///< rows 0 where the split has no such part.
  std::string run_folder;
  std::string model_file;  ///< Of an interrupted run the best so far; "": there is none.
  bool resumable = false;  ///< Interrupted, and its checkpoint goes on from there.
  bool interrupted() const noexcept { return train.stop == StopReason::interrupted; }
  std::string to_json() const;  ///< One line: report.json, then `run_folder` and `model_file`.
};

struct RunOptions {
  std::string run_folder;    ///< "": runs/<time>-<model>-<data set>.
  bool resume = false;       ///< Go on with the run in run_folder, if there is one.
  bool replace = false;      ///< Replace the run in run_folder, if there is one.
  bool tell_reading = true;  ///< Say how the log was read.
  /// Say so if the model could be trained by train.batching = "sequences" and is not.
  bool suggest_sequences = false;
  TrainCallbacks callbacks;
};

/// Open the data, train, evaluate, and leave a run folder: model.safetensors,
/// checkpoint.safetensors, report.json, history.jsonl, config.toml. Everything is checked before
/// the folder is made; a run that fails before its first checkpoint leaves nothing. If a stop is
/// requested, the checkpoint is kept and the report says interrupted(); a stop before there was
/// one leaves nothing. The folder is held against other processes until the end.
/// @throws IoError a folder that is in use by another run, holds something else, or a run that is
/// neither to be continued nor replaced.
RECLOOM_API RunReport train_run(const RunConfig& config, const RunOptions& options,
                                const PluginRegistry& plugins, RunContext& run);
/// Check that train_run() could use its run folder now. @throws as it would.
RECLOOM_API void check_run_folder(const RunConfig& config, const RunOptions& options);

/// A folder for several run folders, held against other processes as long as this lives; made if
/// it is not there, and removed again if nothing is left in it.
class RECLOOM_API HeldFolder {
 public:
  /// @throws IoError held already (by whom, since when), cannot be made or written.
  explicit HeldFolder(const std::string& folder);
  ~HeldFolder();
  HeldFolder(const HeldFolder&) = delete;
  HeldFolder& operator=(const HeldFolder&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ---- Doctor -------------------------------------------------------------------------------------

/// What recloom found of itself and the machine.
struct RECLOOM_API DoctorReport {
  struct Fact {
    std::string name, value;
  };
  struct Check {
    std::string name, problem;  ///< problem "": passed.
  };
  std::vector<Fact> facts;    ///< Versions, folders, instruction set, threads.
  std::vector<Check> checks;  ///< Every primitive in use against plain arithmetic.
  bool healthy() const noexcept;
  std::string to_json() const;  ///< One line.
};
RECLOOM_API DoctorReport doctor(const PluginRegistry& plugins, const RunContext& run);

/// Return text as a JSON string, quotes included.
RECLOOM_API std::string json_quote(std::string_view text);
/// Return a value as JSON text; a number that is not finite is null.
RECLOOM_API std::string json_value(const Value& value);
/// Return [element,...], {"name":value,...} in this order, on one line. Elements and values are
/// JSON text. @throws IoError for what is none.
RECLOOM_API std::string json_list(const std::vector<std::string>& elements);
RECLOOM_API std::string json_object(
    const std::vector<std::pair<std::string, std::string>>& members);
/// Return text that is fit for a terminal: control characters, changes of writing direction and
/// bytes that are no UTF-8 become visible ("\x1b"); nothing is cut. What files, histories and
/// plugins say is shown through this.
RECLOOM_API std::string display_text(std::string_view text);
/// Return the candidate nearest to `word` as ", did you mean 'x'?", or "".
RECLOOM_API std::string suggestion(std::string_view word, std::span<const std::string> candidates);
/// Return text as a cell of a tab-separated line, or as a line: backslash, tab, line feed and
/// carriage return become \\, \t, \n and \r, all else stays.
RECLOOM_API std::string tsv_cell(std::string_view text);
/// Write a file so that a kill at any instant leaves the old one or the new one. @throws IoError.
RECLOOM_API void write_file(const std::string& file, std::string_view bytes);
/// The same piece by piece, in little memory. @param write called once, with a function that
/// appends bytes; if it throws, the old file stays.
RECLOOM_API void write_file(
    const std::string& file,
    const std::function<void(const std::function<void(std::string_view)>& append)>& write);

}  // namespace recloom
