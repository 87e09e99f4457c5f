#include "cli/config_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace recloom::cli {

std::function<std::string(const std::string&)> names_a_folder() {
  return [](const std::string& text) {
    return text.empty() ? std::string("must name a folder") : std::string();
  };
}

void ConfigOptions::add_to(CLI::App& command) {
  command.add_option("DATA", data, "A shipped set's name, a folder with dataset.toml, or a log");
  command.add_option("--preset", preset, "Settings that the model's plugin ships");
  command.add_option("--config", config_file, "TOML file with settings");
  command.add_option("--set", sets, "One setting, for example train.learning_rate=0.01")
      ->allow_extra_args(false);
  command.add_option("--epochs", epochs, "train.epochs: at most that many epochs");
  command.add_option("--max-steps", max_steps,
                     "train.max_steps: end training after that many steps");
}

ConfigRequest ConfigOptions::request(const Program& program, const std::string& model) const {
  ConfigRequest request;
  request.data = data;
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
