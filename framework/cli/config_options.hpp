#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace recloom::cli {

/// Put DATA of a command line into a request.
void set_data(ConfigRequest& request, const std::vector<std::string>& data);

/// What `train` and `compare` have in common: where settings come from.
struct ConfigOptions {
  std::vector<std::string> data;
  std::string recipe, preset, config_file;
  std::vector<std::string> sets;
  std::optional<std::int64_t> epochs, max_steps;
  bool strict = false;

  void add_to(CLI::App& command);
  /// Tell whether a key is among --set.
  bool names(std::string_view key) const;
  ConfigRequest request(const Program& program, const std::string& model) const;
};

/// Give a command the flag that makes errors of settings that do nothing.
void add_strict(CLI::App& command, bool& strict);
/// Say which settings do nothing, one line each. @throws ConfigError the first, if `strict`.
void report_idle(const std::vector<IdleSetting>& idle, bool strict);
/// The same for those of a request.
void report_idle(Program& program, const ConfigRequest& request, const RunConfig& config,
                 bool strict);

}  // namespace recloom::cli
