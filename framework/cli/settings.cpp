#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/parameters.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

/// Settings of one table whose key begins with some text.
template <class Options>
std::vector<ParamInfo> declared_by(Options options, std::string_view table,
                                   std::string_view beginning) {
  ParamSchema schema;
  options.describe(schema);
  std::vector<ParamInfo> all = schema.declared();
  std::erase_if(all, [&](const ParamInfo& parameter) {
    return !(std::string(table) + "." + parameter.name).starts_with(beginning);
  });
  return all;
}

int settings(Program& program, const std::string& beginning) {
  const RunConfig defaults;
  std::vector<std::string> objects;
  std::string tables;
  const auto show = [&](std::string_view table, const auto& options) {
    const std::vector<ParamInfo> found = declared_by(options, table, beginning);
    if (found.empty()) return;
    const std::string prefix = std::string(table) + ".";
    for (std::string& object : parameter_json(prefix, found)) objects.push_back(std::move(object));
    tables += (tables.empty() ? "" : "\n") + parameter_table(prefix, found);
  };
  show("data", defaults.data);
  show("split", defaults.split);
  show("train", defaults.train);
  show("eval", defaults.eval);
  if (objects.empty())
    throw ConfigError(fmt::format(
        "settings: no key begins with '{}' (tables: data, split, train, eval; those of a model: "
        "recloom plugins describe NAME)",
        beginning));
  program.print(program.common.json ? json_list(objects) + "\n" : tables);
  return 0;
}

}  // namespace

void add_settings(CLI::App& app, Program& program, Commands& commands) {
  const auto beginning = std::make_shared<std::string>();
  CLI::App& parser = add_command(app, "settings", "What --set and --config take, explained");
  add_option(parser, "KEY", *beginning, "Only keys that begin so, for example train or train.loss");
  add_common(parser, program,
             "  recloom settings\n  recloom settings train.batching\n"
             "The model's own are shown by `recloom plugins describe NAME`.");
  commands.push_back({&parser, [beginning](Program& p) { return settings(p, *beginning); }});
}

}  // namespace recloom::cli
