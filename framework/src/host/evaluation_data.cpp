// Data to evaluate a trained model on. Its configuration says how the log of the training was read;
// what of that does not fit other data is left out here, and said.
#include <fmt/format.h>

#include <filesystem>

#include "core/text.hpp"
#include "recloom/recloom.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

/// A side file is looked for beside the log, then where its name leads.
bool is_there(const std::string& log, const std::string& side_file) {
  std::error_code none;
  return side_file.empty() || side_file == "none" ||
         fs::exists(fs::path(log).parent_path() / side_file, none) || fs::exists(side_file, none);
}

/// Whether a log's name says how it is written.
bool names_its_format(std::string log) {
  for (const char* packing : {".gz", ".zst"})
    if (log.ends_with(packing)) log = fs::path(log).replace_extension().string();
  return log.ends_with(".inter") || log.ends_with(".csv") || log.ends_with(".tsv");
}

void leave_out_absent(std::string& file, const std::string& without, const char* key,
                      const std::string& log, const RunContext& run) {
  if (file == without || is_there(log, file)) return;
  run.warning(
      fmt::format("{}: {} = \"{}\" of the training is not there, so the log is read without "
                  "it (--set {}=FILE names another)",
                  printable(log, 400), key, printable(file), key));
  file = without;
}

/// Settings that hold for the log of the training unless something else is said.
RunConfig without_reading(const RunConfig& trained) {
  const DataOptions fresh;
  RunConfig config = trained;
  config.data.format = fresh.format;
  config.data.separator = fresh.separator;
  config.data.name_column = fresh.name_column;
  config.data.user_file = fresh.user_file;
  config.data.item_file = fresh.item_file;
  return config;
}

bool is_about_reading(const Error& error) {
  return error.kind() == ErrorKind::data || error.kind() == ErrorKind::config;
}

}  // namespace

EvaluationData open_evaluation(const RunConfig& trained, const std::string& data,
                               std::span<const ConfigRequest::Setting> settings,
                               const PluginRegistry& plugins, RunContext& run) {
  // Where the two differ, only the training says so.
  const RunConfig fresh = resolve_evaluation(without_reading(trained), data, settings, plugins);
  RunConfig config = resolve_evaluation(trained, data, settings, plugins);
  const std::string& log = config.source.file;
  leave_out_absent(config.data.user_file, fresh.data.user_file, "data.user_file", log, run);
  leave_out_absent(config.data.item_file, fresh.data.item_file, "data.item_file", log, run);
  config.data.name_column = fresh.data.name_column;  // No figure depends on names.
  const bool remembered =
      config.data.format != fresh.data.format || config.data.separator != fresh.data.separator;
  if (!remembered || !names_its_format(log)) {
    Dataset dataset = open_dataset(config, run);
    return {std::move(config), std::move(dataset)};
  }
  try {
    return {config, open_dataset(config, run)};
  } catch (const Error& error) {
    if (!is_about_reading(error)) throw;
    run.warning(
        fmt::format("{}; that was read with data.format and data.separator of the training, "
                    "now by the file's name",
                    error.what()));
  }
  config.data.format = fresh.data.format;
  config.data.separator = fresh.data.separator;
  Dataset dataset = open_dataset(config, run);
  return {std::move(config), std::move(dataset)};
}

}  // namespace recloom
