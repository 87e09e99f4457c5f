#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/table.hpp"
#include "recloom/authoring.hpp"

namespace recloom::cli {
namespace {

struct NewCommand {
  std::string name, kind = "network", folder;

  int run(Program& program) const;
};

int NewCommand::run(Program& program) const {
  if (name.empty()) throw ConfigError("plugins new: needs a name for the plugin");
  if (program.plugins().has(name))
    log(LogLevel::warning,
        fmt::format("recloom: there is a plugin '{}' already: the first one found wins", name));
  const std::string into = folder.empty() ? name : folder;
  const std::vector<std::string> files = write_plugin_project(name, kind, into);
  if (program.common.json) {
    std::vector<std::string> quoted;
    for (const std::string& file : files) quoted.push_back(json_quote(file));
    program.print_line(json_object({{"name", json_quote(name)},
                                    {"kind", json_quote(kind)},
                                    {"folder", json_quote(into)},
                                    {"files", json_list(quoted)}}));
    return 0;
  }
  program.print_line(fmt::format("wrote {}/ ({})", into, fmt::join(files, ", ")));
  program.print_line(
      fmt::format("\nbuild it, test it, use it:\n"
                  "  cmake -S {0} -B {0}/build -DCMAKE_PREFIX_PATH=<where recloom is installed>\n"
                  "  cmake --build {0}/build && ctest --test-dir {0}/build --output-on-failure\n"
                  "  RECLOOM_PLUGIN_PATH={0}/build recloom plugins check {1}",
                  into, name));
  return 0;
}

}  // namespace

void add_plugins_new(CLI::App& plugins, Program& program, Commands& commands) {
  const auto command = std::make_shared<NewCommand>();
  CLI::App& parser =
      add_command(plugins, "new", "Write a project for a plugin of your own into a new folder");
  add_option(parser, "NAME", command->name, "Name of the plugin: letters, digits and _");
  add_option(parser, "--kind", command->kind,
             fmt::format("What to begin with: {} (default network)",
                         fmt::join(plugin_project_kinds(), ", ")));
  add_path(parser, "--folder", command->folder, "Folder to make (default: NAME)");
  add_common(parser, program,
             "  recloom plugins new mymodel\n  recloom plugins new mymetric --kind metric\n"
             "What is written builds, loads and passes `recloom plugins check` as it is.");
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
