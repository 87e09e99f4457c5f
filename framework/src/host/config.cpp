// Resolves a configuration: layers of settings, the later ones winning, each value checked where it
// was written.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "config/toml.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/checksum.hpp"
#include "data/format_guess.hpp"
#include "data/raw_file.hpp"
#include "host/config_builder.hpp"
#include "host/config_sections.hpp"
#include "host/foreign_names.hpp"
#include "host/reading.hpp"
#include "host/recipes.hpp"
#include "recloom/recloom.hpp"
#include "recloom/serving.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

/// What stands behind the equals sign of a setting. Blanks are its value if there is nothing else.
std::string_view typed_value(std::string_view text) {
  const std::string_view trimmed = trim(text);
  return trimmed.empty() ? text : trimmed;
}

std::string text_of(const Layer& layer, std::string_view key) {
  const Value* value = layer.values.find(key);
  if (!value) return "";
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  if (!layer.typed.empty()) return layer.typed;
  throw ConfigError(fmt::format("{}: {} is {}, not a text", layer.origin, key, to_text(*value)));
}

fs::path presets_folder(const PluginInfo& plugin) {
  return fs::path(plugin.file).parent_path() / plugin.name / "presets";
}

Layer preset_layer(const std::string& preset, const PluginInfo& plugin) {
  const std::vector<std::string> known = list_presets(plugin);
  if (std::find(known.begin(), known.end(), preset) == known.end())
    throw ConfigError(
        fmt::format("model {} has no preset '{}' (it has: {}){}", plugin.name, printable(preset),
                    known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")),
                    did_you_mean(preset, known)));
  const std::string file = (presets_folder(plugin) / (preset + ".toml")).string();
  return {"preset " + preset, parse_toml_file(file)};
}

/// Where the settings of a log stand.
std::string origin_of(const DataSource& source) {
  return source.toml.empty() && !source.recipe.empty() ? "recipe " + source.recipe : source.toml;
}

/// What names a log again: files that are no data set by themselves one by one.
Value value_of_source(const DataSource& source) {
  if (!source.toml.empty() || source.files.size() < 2) return source.given;
  std::vector<std::string> files;
  for (const std::string& file : source.files) {
    std::error_code none;
    const fs::path found = fs::canonical(file, none);
    files.push_back(none ? file : found.string());
  }
  return files;
}

Value value_of_seed(std::uint64_t seed) {
  if (std::in_range<std::int64_t>(seed)) return static_cast<std::int64_t>(seed);
  return std::to_string(seed);
}

/// Whether a key of split.* decides which rows there are, as the other keys stand.
bool decides(std::string_view name, const SplitOptions& split) {
  const bool temporal = split.mode == SplitMode::temporal;
  const bool at_times = temporal && !split.times.empty();
  const bool at_days = temporal && !split.last_days.empty();
  if (name == "ratios") return !at_times && !at_days;
  if (name == "times") return at_times;
  if (name == "last_days") return at_days;
  if (name == "valid_file" || name == "test_file") return split.mode == SplitMode::given;
  if (name == "users_seed") return split.mode == SplitMode::users;
  if (name == "ratios_of")
    return split.mode == SplitMode::ratio && split.ratios_of != RatiosOf::rows;
  if (name == "targets")
    return split.mode == SplitMode::users || split.mode == SplitMode::test ||
           split.targets == SplitTargets::together;
  return true;
}

/// A file of settings, of every command that takes one.
Params read_config_file(const std::string& file) {
  refuse_yaml(file, host_keys());
  return parse_toml_file(file);
}

constexpr std::string_view kAllTables[] = {"data", "split", "train", "eval"};

/// What the user wrote: an earlier run, a file, single settings.
std::vector<Layer> written_layers(const ConfigRequest& request) {
  std::vector<Layer> layers;
  for (const std::string& file : {request.run_config, request.config_file})
    if (!file.empty()) layers.push_back({file, read_config_file(file)});
  for (const auto& setting : request.settings) layers.push_back(setting_layer(setting));
  return layers;
}

/// The log that is asked for, with what its recipe and its dataset.toml say.
DataSource find_source(const ConfigRequest& request, const std::vector<Layer>& written) {
  if (!request.data.empty()) {
    std::vector<std::string> files = {request.data};
    files.insert(files.end(), request.more_data.begin(), request.more_data.end());
    return find_dataset(files, request.recipe);
  }
  std::vector<std::string> files = {""};
  std::string origin;
  for (const Layer& layer : written) {
    const Value* value = layer.values.find("dataset");
    if (!value) continue;
    origin = layer.origin;
    if (const auto* several = std::get_if<std::vector<std::string>>(value); several)
      files = *several;
    else
      files = {text_of(layer, "dataset")};
  }
  if (origin == request.run_config && std::ranges::find(files, kStandardInput) != files.end())
    throw ConfigError(
        fmt::format("{}: the log came from standard input and was not kept; name it, or - to read "
                    "it from there "
                    "again: recloom train DATA --resume --run-dir DIR",
                    printable(origin, 400)));
  return find_dataset(files, request.recipe);
}

/// The last value of a key that holds a text; `given` wins.
std::string last_text(const std::vector<Layer>& layers, std::string_view key,
                      const std::string& given) {
  std::string found;
  for (const Layer& layer : layers)
    if (const std::string text = text_of(layer, key); !text.empty()) found = text;
  return given.empty() ? found : given;
}

Plugin find_model(const std::string& name, const PluginRegistry& plugins) {
  if (name.empty()) {
    std::vector<std::string> names;
    for (const PluginInfo& plugin : plugins.list())
      if (plugin.usable() && plugin.kind == "model") names.push_back(plugin.name);
    throw ConfigError(
        fmt::format("no model given: --model with one of {}", fmt::join(names, ", ")));
  }
  Plugin plugin = plugins.open(name);
  if (plugin.info().kind != "model")
    throw PluginError(fmt::format("plugin {} is a {}, not a model", name, plugin.info().kind));
  return plugin;
}

/// What a file says of a log, without whom to train on. Names are the model's, and side files only
/// serve filters of their columns.
Layer of_single_users(const Layer& layer, bool filters_values) {
  std::vector<std::string_view> left_out = {"data.user_interval", "data.item_interval",
                                            "data.filter_by_side_tables", "data.session_gap",
                                            "data.name_column"};
  if (!filters_values) left_out.insert(left_out.end(), {"data.user_file", "data.item_file"});
  Layer rest{layer.origin, {}};
  for (const auto& [key, value] : layer.values.values())
    if (std::ranges::find(left_out, key) == left_out.end()) rest.values.set(key, value);
  return rest;
}

/// How to read a log of customers: as the training's, as far as the log says nothing else.
DataOptions data_of_histories(const RunConfig& trained, const DataSource& source) {
  const DataOptions fresh;
  DataOptions data = trained.data;
  data.user_interval = fresh.user_interval;
  data.item_interval = fresh.item_interval;
  data.filter_by_side_tables = false;
  data.session_gap = fresh.session_gap;  // A list for each user, not for each visit.
  const FileFormat named = format_of_name(source.file);
  const bool is_table = data.format == FileFormat::csv || !data.columns.empty();
  if (!source.toml.empty() || !source.recipe.empty()) {
    forget_reading(data);
  } else if (named != FileFormat::automatic && named != data.format &&
             (data.format != FileFormat::automatic || is_table) &&
             !(named == FileFormat::csv && is_table)) {
    data.format = fresh.format;
    data.separator = fresh.separator;
    data.columns = fresh.columns;
  }
  // What a name does not tell, the first line does: an atomic file by its types.
  if (data.format == FileFormat::atomic && named == FileFormat::automatic)
    data.format = FileFormat::automatic;
  data.name_column = fresh.name_column;
  // Names are the model's; side files only serve filters of their columns.
  if (data.value_intervals.empty()) data.user_file = data.item_file = "none";
  return data;
}

/// Of a config file, which may be the one that a model was trained with, what a log's reading
/// needs.
Layer data_layer(const Layer& file) {
  constexpr std::string_view kOthers[] = {"split", "train", "eval", "model", "seed", "dataset"};
  Layer data{file.origin, {}};
  for (const auto& [key, value] : file.values.values()) {
    const std::string table = key.substr(0, key.find('.'));
    const bool other = std::ranges::find(kOthers, table) != std::end(kOthers);
    if (!other && key != "data.max_length") data.values.set(key, value);
  }
  return data;
}

}  // namespace

Layer setting_layer(const ConfigRequest::Setting& setting) {
  const std::size_t equals = setting.text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw ConfigError(fmt::format("{}: '{}' is not of the form key=value", setting.origin,
                                  printable(setting.text)));
  const std::string_view key = trim(std::string_view(setting.text).substr(0, equals));
  Layer layer{setting.origin, {}};
  layer.typed = typed_value(std::string_view(setting.text).substr(equals + 1));
  try {
    layer.values.set(std::string(key), parse_value(layer.typed));
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: {}: {}", setting.origin, printable(key), error.what()));
  }
  return layer;
}

std::vector<std::string> host_keys() {
  std::vector<std::string> keys;
  RunConfig config;
  for_each_section(config, [&](std::string_view table, const auto& options) {
    const Params values = section_values(options);
    for (const auto& [name, value] : values.values())
      keys.push_back(fmt::format("{}.{}", table, name));
  });
  return keys;
}

std::map<std::string, std::string> host_types() {
  std::map<std::string, std::string> types;
  RunConfig config;
  for_each_section(config, [&](std::string_view table, auto& options) {
    ParamSchema schema;
    options.describe(schema);
    for (const ParamInfo& info : schema.declared())
      types.emplace(fmt::format("{}.{}", table, info.name), info.type);
  });
  return types;
}

std::vector<std::string> list_presets(const PluginInfo& plugin) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(presets_folder(plugin), none))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

RunConfig resolve_config(const ConfigRequest& request, const PluginRegistry& plugins) {
  const std::vector<Layer> written = written_layers(request);
  RunConfig config;
  const Plugin plugin = find_model(last_text(written, "model.name", request.model), plugins);
  config.model = plugin.info().name;
  config.source = find_source(request, written);
  const DataSource source = config.source;

  ConfigBuilder builder(std::move(config), &plugins, plugin, kAllTables);
  builder.allow({"seed", "dataset", "model.name"});
  for (const ParamInfo& parameter : plugin.describe())
    builder.allow({std::string(ConfigBuilder::kModelParams) + parameter.name});
  builder.apply(Layer{"plugin " + plugin.info().name, plugin.suggested()});
  if (!request.preset.empty()) builder.apply(preset_layer(request.preset, plugin.info()));
  builder.apply(Layer{origin_of(source), source.settings});
  for (const Layer& layer : written) builder.apply(layer);
  return builder.finish();
}

RunConfig resolve_data_config(const ConfigRequest& request) {
  constexpr std::string_view kTables[] = {"data", "split"};
  const std::vector<Layer> written = written_layers(request);
  RunConfig config;
  config.source = find_source(request, written);
  const DataSource source = config.source;
  ConfigBuilder builder(std::move(config), kTables);
  builder.allow({"seed", "dataset"});
  Layer toml{origin_of(source), {}};
  for (const auto& [key, value] : source.settings.values())
    if (!key.starts_with("eval.")) toml.values.set(key, value);
  builder.apply(toml);
  for (const Layer& layer : written) builder.apply(layer);
  return builder.finish();
}

RunConfig resolve_evaluation(const RunConfig& trained, const std::vector<std::string>& data,
                             const std::string& recipe,
                             std::span<const ConfigRequest::Setting> settings,
                             const PluginRegistry& plugins) {
  constexpr std::string_view kTables[] = {"data", "split", "eval"};
  RunConfig config = trained;
  config.source = find_dataset(data, recipe);
  if (!config.source.recipe.empty()) forget_reading(config.data);
  const DataSource source = config.source;
  ConfigBuilder builder(std::move(config), &plugins, plugins.open(trained.model), kTables);
  builder.forbid("data.max_length");
  Layer toml{origin_of(source), {}};
  const Params data_settings = source.settings.below("data");
  for (const auto& [name, value] : data_settings.values())
    if (is_reading(name)) toml.values.set("data." + name, value);
  // Where the parts of a given split lie is a matter of reading too.
  const Value* mode = source.settings.find("split.mode");
  if (mode && *mode == Value(std::string("given")))
    for (const char* part : {"split.valid_file", "split.test_file"}) {
      const Value* file = source.settings.find(part);
      toml.values.set(part, file ? *file : Value(std::string()));
    }
  builder.apply(toml);
  for (const auto& setting : settings) builder.apply(setting_layer(setting));
  return builder.finish();
}

RunConfig resolve_histories(const RunConfig& trained, const ConfigRequest& request) {
  constexpr std::string_view kTables[] = {"data"};
  std::vector<std::string> files = {request.data};
  files.insert(files.end(), request.more_data.begin(), request.more_data.end());
  RunConfig config;
  config.source = find_dataset(files, request.recipe);
  config.data = data_of_histories(trained, config.source);
  bool filters_values = !config.data.value_intervals.empty();
  const DataSource source = config.source;
  ConfigBuilder builder(std::move(config), kTables);
  builder.forbid("data.max_length");
  std::vector<Layer> layers = {data_layer({origin_of(source), source.settings})};
  if (!request.config_file.empty())
    layers.push_back(data_layer({request.config_file, read_config_file(request.config_file)}));
  for (const Layer& layer : layers) {
    if (const Value* filters = layer.values.find("data.value_intervals"))
      filters_values = to_text(*filters) != "[]";
    builder.apply(of_single_users(layer, filters_values));
  }
  for (const auto& setting : request.settings) builder.apply(setting_layer(setting));
  return builder.finish();
}

void verify_source(const DataSource& source, const RunContext& run) {
  if (!source.xxh3.empty()) verify_checksum(source.file, source.xxh3, run);
}

Dataset open_dataset(const RunConfig& config, RunContext& run) {
  const DataSource& source = config.source;
  verify_source(source, run);
  // A dataset.toml and a recipe know how their log is written.
  const bool is_known = !source.recipe.empty() || !source.toml.empty();
  try {
    const std::vector<std::string> files =
        source.files.empty() ? std::vector{source.file} : source.files;
    Dataset dataset = Dataset::open(files, config.data, config.split, run);
    const std::string recipes =
        is_known ? "" : fitting_recipes(source.file, config.data, ReadOutcome::read, run);
    if (!recipes.empty())
      run.info(fmt::format("{}: a recipe for such files reads them otherwise: {}",
                           printable(source.file, 400), recipes));
    return dataset;
  } catch (const DataError& error) {
    const std::string recipes =
        is_known ? "" : fitting_recipes(source.file, config.data, ReadOutcome::failed, run);
    if (recipes.empty()) throw;
    throw DataError(fmt::format("{}; or by a recipe: {}", error.what(), recipes));
  }
}

Params RunConfig::values() const {
  Params all;
  all.set("model.name", model);
  all.merge_below("model.params", model_params);
  for_each_section(*this, [&](std::string_view table, const auto& options) {
    all.merge_below(table, section_values(options));
  });
  for_each_plugin_params(*this, [&](std::string_view prefix, const Params& params) {
    all.merge_below(prefix, params);
  });
  return all;
}

Params RunConfig::protocol() const {
  Params all;
  const Params data_values = section_values(data), eval_values = section_values(eval);
  for (const auto& [name, value] : data_values.values()) {
    if ((is_reading(name) && !is_reading_of_protocol(name, *this)) ||
        (name == "max_length" && eval.mask_history != MaskHistory::input) ||
        (name == "session_gap" && data.session_gap == 0))
      continue;
    all.set("data." + name, value);
  }
  SplitOptions shown = split;  // What lies in a file is in the data set's hash.
  for (std::string* file : {&shown.valid_file, &shown.test_file})
    *file = fs::path(*file).filename().string();
  const Params split_values = section_values(shown);
  for (const auto& [name, value] : split_values.values())
    if (decides(name, split)) all.set("split." + name, value);
  for (const auto& [name, value] : eval_values.values())
    if (name != "metrics" && name != "topk" &&
        !(name == "precision_divisor" && eval.precision_divisor == PrecisionDivisor::k))
      all.set("eval." + name, value);
  all.merge_below("eval.metric_params", eval.metric_params);
  return all;
}

std::string RunConfig::protocol_hash() const { return hash_of_protocol(protocol()); }

std::string hash_of_protocol(const Params& protocol) {
  return hex(hash64(recloom::to_toml(protocol)));
}

std::string RunConfig::to_toml() const {
  Params all = values();
  all.set("dataset", value_of_source(source));
  all.set("seed", value_of_seed(seed));
  return recloom::to_toml(all);
}

}  // namespace recloom
