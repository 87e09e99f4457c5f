#include "cli/config_options.hpp"

#include <fmt/format.h>

namespace recloom::cli {

void ConfigOptions::add_to(CLI::App& command) {
  add_option(command, "DATA", data, "A shipped set's name, a folder with dataset.toml, or a log");
  add_recipe(command, recipe);
  add_path(command, "--preset", preset, "Settings that the model's plugin ships");
  add_path(command, "--config", config_file, "TOML file with settings");
  add_list(command, "--set", sets, "One setting, for example train.learning_rate=0.01");
  add_option(command, "--epochs", epochs, "train.epochs: at most that many epochs");
  add_option(command, "--max-steps", max_steps,
             "train.max_steps: end training after that many steps");
}

ConfigRequest ConfigOptions::request(const Program& program, const std::string& model) const {
  ConfigRequest request;
  request.data = data;
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

}  // namespace recloom::cli
