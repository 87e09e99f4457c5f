#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <memory>

#include "cli/command.hpp"
#include "cli/table.hpp"

namespace recloom::cli {
namespace {

struct RecipesCommand {
  std::string name;

  int run(Program& program) const;
};

constexpr const char* kExamples =
    R"(  recloom data recipes
  recloom data recipes movielens-1m
  recloom data stats ratings.dat --recipe movielens-1m
  recloom train ratings.dat --recipe movielens-1m --model NAME
A recipe says how a public log is written; the log itself is had where the recipe says, under the
terms that it names. Settings of --config and --set win over it.)";

std::string to_json(const Recipe& recipe) {
  std::vector<std::string> files;
  for (const std::string& file : recipe.files) files.push_back(json_quote(file));
  std::vector<std::pair<std::string, std::string>> settings;
  for (const auto& [key, value] : recipe.settings.values())
    settings.emplace_back(key, json_value(value));
  return json_object({{"name", json_quote(recipe.name)},
                      {"title", json_quote(recipe.title)},
                      {"url", json_quote(recipe.url)},
                      {"licence", json_quote(recipe.licence)},
                      {"files", json_list(files)},
                      {"settings", json_object(settings)}});
}

/// The first names of a recipe's files.
std::string few_files(const Recipe& recipe) {
  constexpr std::size_t kShown = 2;
  std::string text;
  for (std::size_t at = 0; at < recipe.files.size() && at < kShown; ++at)
    text += (at == 0 ? "" : ", ") + recipe.files[at];
  return recipe.files.size() > kShown ? text + ", ..." : text;
}

std::string whole_text(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw IoError(fmt::format("cannot read {}", file));
  return text;
}

int RecipesCommand::run(Program& program) const {
  if (!name.empty()) {
    const Recipe recipe = find_recipe(name);
    if (program.common.json) {
      program.print_line(to_json(recipe));
      return 0;
    }
    program.print(whole_text(recipe.toml));
    program.print_line(
        fmt::format("\nrecloom data stats {0} --recipe {1}\n"
                    "recloom train {0} --recipe {1} --model NAME",
                    recipe.files.front(), recipe.name));
    return 0;
  }
  std::vector<std::string> objects;
  Table table({"recipe", "files", "what"});
  for (const Recipe& recipe : list_recipes()) {
    objects.push_back(to_json(recipe));
    table.add({recipe.name, few_files(recipe), recipe.title});
  }
  program.print(program.common.json ? json_list(objects) + "\n" : table.text());
  return 0;
}

}  // namespace

void add_recipe(CLI::App& command, std::string& recipe) {
  add_option(command, "--recipe", recipe,
             "How the log is written, if it is a public one: see `recloom data recipes`");
}

void add_data_recipes(CLI::App& data, Program& program, Commands& commands) {
  const auto command = std::make_shared<RecipesCommand>();
  CLI::App& parser =
      add_command(data, "recipes", "Public logs whose layout is known, or one of them whole");
  add_option(parser, "NAME", command->name, "A recipe");
  add_common(parser, program, kExamples);
  commands.push_back({&parser, [command](Program& p) { return command->run(p); }});
}

}  // namespace recloom::cli
