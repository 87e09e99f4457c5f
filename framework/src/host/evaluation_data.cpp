// Data to evaluate a trained model on. Its configuration says how the log of the training was read;
// what of that does not fit other data is left out here, and said.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "core/log_once.hpp"
#include "core/text.hpp"
#include "data/format_guess.hpp"
#include "data/held_pipes.hpp"
#include "data/raw_file.hpp"
#include "host/config_sections.hpp"
#include "host/reading.hpp"
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

void leave_out_absent(std::string& file, const std::string& without, const char* key,
                      const std::string& log, const RunContext& run) {
  if (file == without || is_there(log, file)) return;
  run.warning(
      fmt::format("{}: {} = \"{}\" of the training is not there, so the log is read without "
                  "it (--set {}=FILE names another)",
                  printable(log, 400), key, printable(file), key));
  file = without;
}

/// What of the training is left off other data: filters whose outcome depends on who else is in the
/// log.
struct CoreFilter {
  const char* key;
  std::string DataOptions::*value;
};
constexpr CoreFilter kCoreFilters[] = {{"data.user_interval", &DataOptions::user_interval},
                                       {"data.item_interval", &DataOptions::item_interval}};

/// Settings without such filters, but for those that the data's own dataset.toml or its recipe asks
/// for.
RunConfig without_core(const RunConfig& trained, const DataSource& source) {
  RunConfig config = trained;
  Params asked;
  for (const CoreFilter& filter : kCoreFilters) {
    config.data.*filter.value = DataOptions().*filter.value;
    if (const Value* value = source.settings.find(filter.key))
      asked.set(std::string(filter.key).substr(std::string_view("data.").size()), *value);
  }
  assign_section("data", config.data, asked);
  return config;
}

/// "3 of 4 users and 12 of 20 events"
std::string left_out(const Dataset& all, const Dataset* kept) {
  const auto share = [](std::int64_t whole, std::int64_t part, const char* what) {
    return fmt::format("{} of {} {}", whole - part, whole, what);
  };
  const auto users = [](const Dataset& data) { return data.catalogue().n_users - 1; };
  return share(users(all), kept != nullptr ? users(*kept) : 0, "users") + " and " +
         share(all.n_interactions(), kept != nullptr ? kept->n_interactions() : 0, "events");
}

void say_what_is_left_off(const RunConfig& used, const RunConfig& with_core,
                          const std::string& count, const RunContext& run) {
  std::string off, on;
  for (const CoreFilter& filter : kCoreFilters) {
    const std::string &now = used.data.*filter.value, &then = with_core.data.*filter.value;
    if (now == then) continue;
    off += fmt::format("{}{} = \"{}\"", off.empty() ? "" : " and ", filter.key, then);
    on += fmt::format("{}--set '{}=\"{}\"'", on.empty() ? "" : " ", filter.key, then);
  }
  run.warning(
      fmt::format("{}: is not the log of the training, whose {} would leave out {}: not "
                  "laid on it ({} does)",
                  shown_name(used.source.file), off, count, on));
}

/// The split is the training's: files of a set that comes split are then not all read.
void warn_of_unread_parts(const RunConfig& config, const RunContext& run) {
  const Value* mode = config.source.settings.find("split.mode");
  if (config.split.mode == SplitMode::given || !mode || *mode != Value(std::string("given")))
    return;
  run.warning(
      fmt::format("{}: only its training file is read, since the model's split is another (--set "
                  "split.mode=given reads its validation and test files)",
                  printable(config.source.name)));
}

bool is_about_reading(const Error& error) {
  return error.kind() == ErrorKind::data || error.kind() == ErrorKind::config;
}

}  // namespace

EvaluationData open_evaluation(const RunConfig& trained, const std::vector<std::string>& data,
                               const std::string& recipe,
                               std::span<const ConfigRequest::Setting> settings,
                               const PluginRegistry& plugins, RunContext& run) {
  // Where the two differ, only the training says so.
  RunConfig unread = trained;
  copy_reading(unread.data, DataOptions(), {ReadingKind::form, ReadingKind::tables});
  const RunConfig fresh = resolve_evaluation(unread, data, recipe, settings, plugins);
  RunConfig config = resolve_evaluation(trained, data, recipe, settings, plugins);
  const std::string& log = config.source.file;
  warn_of_unread_parts(config, run);
  leave_out_absent(config.data.user_file, fresh.data.user_file, "data.user_file", log, run);
  leave_out_absent(config.data.item_file, fresh.data.item_file, "data.item_file", log, run);
  config.data.name_column = fresh.data.name_column;  // No figure depends on names.
  if (same_form(config.data, fresh.data) || format_of_name(log) == FileFormat::automatic) {
    Dataset dataset = open_dataset(config, run);
    return {std::move(config), std::move(dataset)};
  }
  const HeldPipes held(config.source.files, run);
  const LogOnce once;
  try {
    return {config, open_dataset(config, run)};
  } catch (const Error& error) {
    if (!is_about_reading(error)) throw;
    run.warning(
        fmt::format("{}; that was read with data.format, data.separator, data.columns and the like "
                    "of the training, now by the file's name",
                    error.what()));
  }
  copy_reading(config.data, fresh.data, {ReadingKind::form});
  Dataset dataset = open_dataset(config, run);
  return {std::move(config), std::move(dataset)};
}

EvaluationData open_evaluation(const Recommender& model, const std::vector<std::string>& data,
                               const std::string& recipe,
                               std::span<const ConfigRequest::Setting> settings,
                               const PluginRegistry& plugins, RunContext& run) {
  const RunConfig with_core = resolve_evaluation(model.config(), data, recipe, settings, plugins);
  const RunConfig trained = without_core(model.config(), with_core.source);
  const RunConfig used = resolve_evaluation(trained, data, recipe, settings, plugins);
  const auto is_same = [&](const CoreFilter& filter) {
    return used.data.*filter.value == with_core.data.*filter.value;
  };
  if (std::ranges::all_of(kCoreFilters, is_same))
    return open_evaluation(model.config(), data, recipe, settings, plugins, run);
  const HeldPipes held(used.source.files, run);
  const LogOnce once;
  // Whether it is the log of the training shows once it is read as it was for that.
  std::optional<EvaluationData> filtered;
  try {
    filtered = open_evaluation(model.config(), data, recipe, settings, plugins, run);
    if (model.is_training_log(filtered->dataset)) return std::move(*filtered);
  } catch (const DataError&) {
    // The filters may leave nothing of it; any other reason shows again below.
  }
  EvaluationData all = [&] {
    if (!filtered) return open_evaluation(trained, data, recipe, settings, plugins, run);
    RunConfig config = filtered->config;  // What does not fit of it is left out and said already.
    for (const CoreFilter& filter : kCoreFilters)
      config.data.*filter.value = used.data.*filter.value;
    Dataset dataset = open_dataset(config, run);
    return EvaluationData{std::move(config), std::move(dataset)};
  }();
  say_what_is_left_off(all.config, with_core,
                       left_out(all.dataset, filtered ? &filtered->dataset : nullptr), run);
  return all;
}

}  // namespace recloom
