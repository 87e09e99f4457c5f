// Public logs whose layout is known: files of settings in share/recloom/datasets/recipes.
#include "host/recipes.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "config/toml.hpp"
#include "core/text.hpp"
#include "data/first_lines.hpp"
#include "data/line_blocks.hpp"
#include "data/load.hpp"
#include "data/table_guess.hpp"
#include "host/config_sections.hpp"
#include "host/dataset_toml.hpp"
#include "host/paths.hpp"
#include "recloom/recloom.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

fs::path recipes_folder() { return share_folder("datasets") / "recipes"; }

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(recipes_folder(), none))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Recipe load_recipe(const std::string& name) {
  Recipe recipe;
  recipe.name = name;
  recipe.toml = (recipes_folder() / (name + ".toml")).string();
  const Params content = parse_toml_file(recipe.toml);
  recipe.settings = take_settings(content, kRecipeKeys, recipe.toml);
  recipe.title = take_text(content, "title", recipe.toml);
  recipe.url = take_text(content, "url", recipe.toml);
  recipe.licence = take_text(content, "licence", recipe.toml);
  const Value* files = content.find("files");
  const auto* list = files ? std::get_if<std::vector<std::string>>(files) : nullptr;
  if (!list) throw ConfigError(recipe.toml + ": files is no list of names");
  recipe.files = *list;
  return recipe;
}

/// Return how many letters of a name a recipe's patterns give, -1 if none of them is met.
int match(const Recipe& recipe, std::string name) {
  for (const std::string_view packing : {".gz", ".zst"})
    if (name.ends_with(packing)) name.resize(name.size() - packing.size());
  int most = -1;
  for (const std::string& pattern : recipe.files) {
    if (fnmatch(pattern.c_str(), name.c_str(), 0) != 0) continue;
    const auto wild =
        std::count_if(pattern.begin(), pattern.end(), [](char c) { return c == '*' || c == '?'; });
    most = std::max(most, static_cast<int>(pattern.size()) - static_cast<int>(wild));
  }
  return most;
}

DataOptions options_of(const Recipe& recipe) {
  DataOptions data;
  assign_section("data", data, recipe.settings.below("data"));
  return data;
}

bool has_times(const DataOptions& data) {
  return !data.time_column.empty() && data.time_column != "none";
}

bool fits_json(const DataOptions& data, const Words& lines) {
  return std::all_of(lines.begin(), lines.end(), [&](std::string_view line) {
    const auto names = [&](const std::string& key) {
      return line.find('"' + key + '"') != std::string_view::npos ||
             line.find('\'' + key + '\'') != std::string_view::npos;
    };
    return trim(line).starts_with('{') && names(data.user_column) && names(data.item_column);
  });
}

bool fits_header(const DataOptions& data, const Words& lines, std::string_view separator) {
  Words names = cells_of_line(lines[0], separator);
  for (std::string_view& name : names) name = trim(name);
  std::vector<std::string> wanted = {data.user_column, data.item_column};
  if (has_times(data)) wanted.push_back(data.time_column);
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

/// Rows without a header: as many cells as columns, times and ratings where they should be.
bool fits_columns(const DataOptions& data, const Words& lines, std::string_view separator) {
  const auto fits = [&](std::string_view line) {
    const Words cells = cells_of_line(line, separator);
    if (cells.size() != data.columns.size()) return false;
    for (std::size_t at = 0; at < cells.size(); ++at) {
      const CellKind kind = kind_of(cells[at]);
      if (data.columns[at] == data.time_column && kind == CellKind::word) return false;
      if (data.columns[at] == "rating" && !is_rating(cells[at])) return false;
    }
    return true;
  };
  return std::all_of(lines.begin(), lines.end(), fits);
}

bool fits(const Recipe& recipe, const Words& lines) {
  const DataOptions data = options_of(recipe);
  if (data.format == FileFormat::json) return fits_json(data, lines);
  if (data.format == FileFormat::sequences) return !guess_table(lines);
  if (data.format == FileFormat::atomic) {
    const Words cells = cells_of_line(lines[0], "\t");
    return std::ranges::find(cells, data.user_column + ":token") != cells.end() &&
           std::ranges::find(cells, data.item_column + ":token") != cells.end();
  }
  return data.columns.empty() ? fits_header(data, lines, data.separator)
                              : fits_columns(data, lines, data.separator);
}

/// Whether a recipe reads two words a line, a user and an item, as a log without a format is read.
bool are_pairs(const DataOptions& recipe) {
  return recipe.separator == " " && !has_times(recipe) &&
         recipe.columns == std::vector{recipe.user_column, recipe.item_column};
}

/// Whether a recipe says nothing but what the options say anyway.
bool says_no_more(const Recipe& recipe, const DataOptions& data) {
  const DataOptions options = options_of(recipe);
  const bool is_guessed = data.format == FileFormat::automatic && data.columns.empty();
  // Files with types in their header need no recipe.
  if (options.format == FileFormat::atomic && (is_guessed || data.format == FileFormat::atomic))
    return true;
  const bool by_lines = is_guessed || data.format == FileFormat::sequences;
  if (by_lines && are_pairs(options)) return true;
  const Params now = section_values(data), wanted = section_values(options);
  const Params said = recipe.settings.below("data");
  return std::all_of(said.values().begin(), said.values().end(), [&](const auto& setting) {
    const std::string& name = setting.first;
    // What was left to be found out was found out right, or the columns would not have been there.
    if (name == "format" && data.format == FileFormat::automatic) return true;
    if (name == "separator" && data.separator.empty()) return true;
    return *now.find(name) == *wanted.find(name);
  });
}

/// The first lines of a log in a file of their own, of the same name.
class HeadFile {
 public:
  HeadFile(const std::string& name, const Words& lines) {
    std::string folder = (fs::temp_directory_path() / "recloom-head-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) throw IoError("no folder for temporary files");
    folder_ = folder;
    std::string plain = name;
    for (const std::string_view packing : {".gz", ".zst"})
      if (plain.ends_with(packing)) plain.resize(plain.size() - packing.size());
    file_ = (folder_ / plain).string();
    std::ofstream out(file_, std::ios::binary);
    for (const std::string_view line : lines) out << line << '\n';
  }
  ~HeadFile() {
    std::error_code none;
    fs::remove_all(folder_, none);
  }
  HeadFile(const HeadFile&) = delete;
  HeadFile& operator=(const HeadFile&) = delete;

  const std::string& file() const { return file_; }

 private:
  fs::path folder_;
  std::string file_;
};

/// Leave out the recipes that help nobody: those that read the log no otherwise or, where it could
/// not be read, those that do not read its first lines either. If these can be read anyway, what
/// failed is something else.
void keep_helpful(std::vector<std::pair<int, Recipe>>& recipes, const std::string& name,
                  const Words& lines, const DataOptions& data, ReadOutcome outcome,
                  const RunContext& run) {
  if (outcome == ReadOutcome::read) {
    std::erase_if(recipes, [&](const auto& one) { return says_no_more(one.second, data); });
    return;
  }
  if (recipes.empty()) return;
  const HeadFile head(name, lines);
  if (can_read(head.file(), data, run)) return recipes.clear();
  std::erase_if(recipes, [&](const auto& one) {
    return !can_read(head.file(), options_of(one.second), run);
  });
}

}  // namespace

std::vector<Recipe> list_recipes() {
  std::vector<Recipe> recipes;
  for (const std::string& name : recipe_names()) recipes.push_back(load_recipe(name));
  return recipes;
}

Recipe find_recipe(const std::string& name) {
  const std::vector<std::string> names = recipe_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) return load_recipe(name);
  throw ConfigError(fmt::format("no recipe '{}'{}; `recloom data recipes` lists them",
                                printable(name), did_you_mean(name, names)));
}

namespace {

/// All recipes, parsed when the first log asks for a hint, and not for each.
const std::vector<Recipe>& known_recipes() {
  static const std::vector<Recipe> all = list_recipes();
  return all;
}

}  // namespace

std::string fitting_recipes(const std::string& file, const DataOptions& data, ReadOutcome outcome,
                            const RunContext& run) {
  std::error_code none;
  if (!fs::is_regular_file(file, none)) return "";
  const std::string name = fs::path(file).filename().string();
  std::string options;
  try {
    std::vector<std::pair<int, Recipe>> named;
    int most = 0;
    for (const Recipe& recipe : known_recipes())
      if (const int letters = match(recipe, name); letters >= 0)
        named.emplace_back(letters, recipe);
    if (named.empty()) return "";
    LineBlocks blocks(file, run);
    const FirstLines first = first_lines(blocks.head());
    if (first.lines.empty()) return "";
    std::erase_if(named, [&](const auto& one) { return !fits(one.second, first.lines); });
    for (const auto& [letters, recipe] : named) most = std::max(most, letters);
    std::erase_if(named, [most](const auto& one) { return one.first < most; });
    keep_helpful(named, name, first.lines, data, outcome, run);
    for (const auto& [letters, recipe] : named) {
      options += fmt::format("{}--recipe {}", options.empty() ? "" : " or ", recipe.name);
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {  // A hint never takes the place of what it is given with.
    return "";
  }
  return options;
}

}  // namespace recloom
