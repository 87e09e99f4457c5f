#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/config/param_schema.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

/// Call body(table, options) for each of the host's tables: "data", "split", "train", "eval".
template <class Config, class Body>
void for_each_section(Config& config, Body body) {
  body("data", config.data);
  body("split", config.split);
  body("train", config.train);
  body("eval", config.eval);
}

/// Give the options of one table the values below it. @throws ConfigError unknown name, wrong type,
/// out of range; messages show the full key.
template <class Options>
void assign_section(std::string_view table, Options& options, const Params& values) {
  ParamSchema schema(values, std::string(table) + ".");
  options.describe(schema);
  schema.finish();
}

/// Return the values that options have now, under their names without the table.
template <class Options>
Params section_values(const Options& options) {
  Options copy = options;
  ParamSchema schema;
  copy.describe(schema);
  return schema.resolved();
}

/// Where a key of a plugin's sampler or metric lies, which no table declares: call body(prefix,
/// params) for "train.sampler_params" and "eval.metric_params".
template <class Config, class Body>
void for_each_plugin_params(Config& config, Body body) {
  body("train.sampler_params", config.train.sampler_params);
  body("eval.metric_params", config.eval.metric_params);
}

/// Check the parameters of a plugin's sampler, of plugins' metrics, and fill in their defaults.
/// @throws ConfigError for those of a sampler or metric that is not in use, or is no plugin; as
/// PluginRegistry::resolve().
void resolve_sampler_params(TrainOptions& train, const PluginRegistry& plugins);
void resolve_metric_params(EvalOptions& eval, const PluginRegistry& plugins);

/// Values from one place; `origin` is how a message names it.
struct Layer {
  std::string origin;
  Params values;
  std::string typed = {};  ///< Of a single setting: what stands behind the equals sign.
};
/// Read one setting. @throws ConfigError no key=value, no value.
Layer setting_layer(const ConfigRequest::Setting& setting);

/// @throws DataError the log is not the file whose xxh3 its dataset.toml notes.
void verify_source(const DataSource& source, const RunContext& run);

/// Return the hash that stands for a protocol, 16 hexadecimal digits.
std::string hash_of_protocol(const Params& protocol);

/// Return every key of the host's tables, with table: "data.max_length".
RECLOOM_API std::vector<std::string> host_keys();
/// Return the type of each of them: ParamInfo::type.
std::map<std::string, std::string> host_types();

}  // namespace recloom
