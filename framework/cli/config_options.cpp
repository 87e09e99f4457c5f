#include "cli/config_options.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace recloom::cli {

void set_data(ConfigRequest& request, const std::vector<std::string>& data) {
  if (data.empty()) return;
  request.data = data.front();
  request.more_data.assign(data.begin() + 1, data.end());
}

void ConfigOptions::add_to(CLI::App& command) {
  add_data_arguments(command, data);
  add_recipe(command, recipe);
  add_path(command, "--preset", preset, "Settings that the model's plugin ships");
  add_path(command, "--config", config_file, "TOML file with settings");
  add_list(command, "--set", sets, "One setting, for example train.learning_rate=0.01");
  add_option(command, "--epochs", epochs, "train.epochs: at most that many epochs");
  add_option(command, "--max-steps", max_steps,
             "train.max_steps: end training after that many steps");
  add_strict(command, strict);
}

bool ConfigOptions::names(std::string_view key) const {
  return std::any_of(sets.begin(), sets.end(), [&](const std::string& set) {
    return set.starts_with(key) && set.substr(key.size()).starts_with('=');
  });
}

ConfigRequest ConfigOptions::request(const Program& program, const std::string& model) const {
  ConfigRequest request;
  set_data(request, data);
  request.recipe = recipe;
  request.model = model;
  request.preset = preset;
  request.config_file = config_file;
  request.settings = as_settings(sets);
  if (epochs) request.settings.push_back({"--epochs", fmt::format("train.epochs={}", *epochs)});
  if (max_steps)
    request.settings.push_back({"--max-steps", fmt::format("train.max_steps={}", *max_steps)});
  append_seed(program, request.settings);
  return request;
}

void add_strict(CLI::App& command, bool& strict) {
  add_flag(command, "--strict", strict, "Make errors of settings that do nothing");
}

void report_idle(const std::vector<IdleSetting>& idle, bool strict) {
  if (strict && !idle.empty())
    throw ConfigError(idle.front().text() + " (without --strict it is ignored)");
  for (const IdleSetting& setting : idle) log(LogLevel::warning, setting.text());
}

void report_idle(Program& program, const ConfigRequest& request, const RunConfig& config,
                 bool strict) {
  report_idle(idle_settings(request, config, program.plugins()), strict);
}

}  // namespace recloom::cli
