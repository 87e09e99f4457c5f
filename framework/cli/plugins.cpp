#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/parameters.hpp"
#include "cli/table.hpp"
#include "recloom/authoring.hpp"

namespace recloom::cli {
namespace {

int list(Program& program) {
  const std::vector<PluginInfo> plugins = program.plugins().list();
  if (program.common.json) {
    std::vector<std::string> objects;
    for (const PluginInfo& plugin : plugins)
      objects.push_back(json_object({{"name", json_quote(plugin.name)},
                                     {"version", json_quote(plugin.version)},
                                     {"kind", json_quote(plugin.kind)},
                                     {"summary", json_quote(plugin.summary)},
                                     {"file", json_quote(plugin.file)},
                                     {"problem", json_quote(plugin.problem)}}));
    program.print_line(json_list(objects));
    return 0;
  }
  Table table({"name", "version", "kind", "summary"});
  for (const PluginInfo& plugin : plugins)
    table.add({plugin.name, plugin.usable() ? plugin.version : "-",
               plugin.usable() ? plugin.kind : "broken",
               plugin.usable() ? plugin.summary : plugin.problem});
  program.print(table.text());
  return 0;
}

std::string describe_json(const PluginInfo& plugin, const std::vector<ParamInfo>& parameters,
                          const Params& suggested) {
  std::vector<std::string> presets;
  std::vector<std::pair<std::string, std::string>> suggestions;
  for (const auto& [key, value] : suggested.values())
    suggestions.emplace_back(key, json_value(value));
  for (const std::string& preset : list_presets(plugin)) presets.push_back(json_quote(preset));
  return json_object({{"name", json_quote(plugin.name)},
                      {"version", json_quote(plugin.version)},
                      {"kind", json_quote(plugin.kind)},
                      {"summary", json_quote(plugin.summary)},
                      {"file", json_quote(plugin.file)},
                      {"parameters", json_list(parameter_json("", parameters))},
                      {"suggests", json_object(suggestions)},
                      {"presets", json_list(presets)}});
}

/// What training and scoring look at, as lines of a page.
std::vector<std::string> facts_of(const ModelFacts& facts) {
  std::vector<std::string> lines;
  const Traits& traits = facts.traits;
  lines.push_back(fmt::format("scores may depend on: {}{}{}",
                              traits.whole_history ? "the whole history" : "the last L items",
                              traits.uses_order ? ", in order" : ", in any order",
                              traits.uses_users ? "; the user" : ""));
  if (!facts.is_network) {
    lines.emplace_back(
        "trained by: one look at the training part (no epochs; train.* does nothing)");
    return lines;
  }
  const bool is_causal = facts.obstacle_to_sequences.empty();
  lines.push_back(
      fmt::format("train.batching: rows, chunks{}",
                  is_causal ? ", sequences" : "; not sequences: " + facts.obstacle_to_sequences));
  lines.push_back(facts.obstacle_to_fewer_positions.empty()
                      ? "short histories: computed on as many positions as they have"
                      : "short histories: computed on all max_length positions, since " +
                            facts.obstacle_to_fewer_positions);
  return lines;
}

/// What stands in front of a parameter's name in a setting.
std::string prefix_of(const PluginInfo& plugin) {
  if (plugin.kind == "sampler") return "train.sampler_params.";
  return plugin.kind == "metric" ? "eval.metric_params." + plugin.name + "." : "model.params.";
}

int describe(Program& program, const std::string& name) {
  if (name.empty()) throw ConfigError("plugins describe: needs the name of a plugin");
  const Plugin opened = program.plugins().open(name);
  const PluginInfo& plugin = opened.info();
  const std::vector<ParamInfo> parameters = opened.describe();
  const Params suggested = opened.suggested();
  if (program.common.json) {
    program.print_line(describe_json(plugin, parameters, suggested));
    return 0;
  }
  program.print_line(display_text(
      fmt::format("{} {} ({}): {}", plugin.name, plugin.version, plugin.kind, plugin.summary)));
  program.print_line(display_text(plugin.file));
  if (plugin.kind == "model")
    for (const std::string& line : facts_of(model_facts(program.plugins(), name)))
      program.print_line(line);
  if (!parameters.empty()) program.print("\n" + parameter_table(prefix_of(plugin), parameters));
  if (!suggested.empty()) program.print("\nsuggests\n");
  for (const auto& [key, value] : suggested.values())
    program.print_line(display_text(fmt::format("  {} = {}", key, to_text(value))));
  const std::vector<std::string> presets = list_presets(plugin);
  if (!presets.empty())
    program.print("\n" + display_text(fmt::format("presets: {}", fmt::join(presets, ", "))) + "\n");
  return 0;
}

}  // namespace

void add_plugins(CLI::App& app, Program& program, Commands& commands) {
  CLI::App& parser = add_command(app, "plugins", "What plugins there are, and what they take");
  CLI::App& list_parser = add_command(parser, "list", "List all plugins, broken ones with why");
  add_common(list_parser, program,
             "  recloom plugins list\n  recloom plugins list --plugin-path .");
  commands.push_back({&list_parser, list});

  const auto name = std::make_shared<std::string>();
  CLI::App& describe_parser = add_command(parser, "describe", "Show a plugin's parameters");
  add_option(describe_parser, "NAME", *name, "Name of the plugin");
  add_common(describe_parser, program, "  recloom plugins describe NAME");
  commands.push_back({&describe_parser, [name](Program& p) { return describe(p, *name); }});

  add_plugins_check(parser, program, commands);
  add_plugins_new(parser, program, commands);
  add_plugins_profile(parser, program, commands);
}

}  // namespace recloom::cli
