#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace recloom::cli {

/// What `train` and `compare` have in common: where settings come from.
struct ConfigOptions {
  std::string data, recipe, preset, config_file;
  std::vector<std::string> sets;
  std::optional<std::int64_t> epochs, max_steps;

  void add_to(CLI::App& command);
  ConfigRequest request(const Program& program, const std::string& model) const;
};

}  // namespace recloom::cli
