// A new plugin's project, written from the templates that come with recloom.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "core/file.hpp"
#include "core/text.hpp"
#include "host/paths.hpp"
#include "recloom/authoring.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 64;

void check_name(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool is_name = !name.empty() && name.size() <= kLongestName && name[0] >= 'a' &&
                       name[0] <= 'z' && std::ranges::all_of(name, fits);
  if (!is_name)
    throw ConfigError(
        fmt::format("plugin name '{}': must be a letter, then letters, digits and _ (a to z "
                    "only, at most {})",
                    printable(name), kLongestName));
}

/// Words that are a class or type of recloom's or of C++: a plugin's class may not be called so.
constexpr std::string_view kTaken[] = {
    "activation", "batch",   "catalogue", "dataset",   "embedding", "error",      "factorised",
    "graph",      "history", "ids",       "init",      "inputs",    "loss",       "metric",
    "model",      "op",      "operand",   "options",   "params",    "parameter",  "range",
    "ranked_row", "rng",     "row",       "scope",     "shape",     "similarity", "span2d",
    "traits",     "value",   "var",       "vocabulary"};

/// my_model -> MyModel
std::string class_name(const std::string& name) {
  std::string result;
  bool starts_word = true;
  for (const char c : name) {
    if (c != '_')
      result += starts_word && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    starts_word = c == '_';
  }
  return result;
}

std::string filled_in(std::string text, const std::string& mark, const std::string& value) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size())
    text.replace(at, mark.size(), value);
  return text;
}

void require_empty(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (!fs::is_directory(folder, error))
    throw IoError(fmt::format("{} is there already and no folder", printable(folder, 400)));
  if (!fs::is_empty(folder, error) || error)
    throw IoError(fmt::format("folder {} holds something already: nothing was written",
                              printable(folder, 400)));
}

/// A folder with those above it, and files in it: what was made goes again, unless all is kept.
class MadeFolder {
 public:
  explicit MadeFolder(const fs::path& folder) {
    std::error_code error;
    for (fs::path path = fs::absolute(folder); !fs::exists(path, error); path = path.parent_path())
      made_.push_back(path);
    std::reverse(made_.begin(), made_.end());
    fs::create_directories(folder, error);
    if (!error) return;
    remove();
    throw IoError(
        fmt::format("cannot make folder {}: {}", printable(folder.string(), 400), error.message()));
  }
  ~MadeFolder() { remove(); }
  MadeFolder(const MadeFolder&) = delete;
  MadeFolder& operator=(const MadeFolder&) = delete;
  void add(const fs::path& file) { made_.push_back(file); }
  void keep() { made_.clear(); }

 private:
  void remove() {
    std::error_code ignored;
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) fs::remove(*path, ignored);
  }
  std::vector<fs::path> made_;
};

}  // namespace

const std::vector<std::string>& plugin_project_kinds() {
  static const std::vector<std::string> kinds = {"network", "counter", "metric", "sampler"};
  return kinds;
}

std::vector<std::string> write_plugin_project(const std::string& name, std::string_view kind,
                                              const std::string& folder) {
  check_name(name);
  if (std::ranges::find(kTaken, name) != std::end(kTaken))
    throw ConfigError(fmt::format(
        "plugin name '{}': its class would be called {}, as one of recloom's is: choose another",
        name, class_name(name)));
  const auto& kinds = plugin_project_kinds();
  if (std::ranges::find(kinds, kind) == kinds.end())
    throw ConfigError(fmt::format("kind '{}': must be one of {}{}", printable(kind),
                                  fmt::join(kinds, ", "), did_you_mean(kind, kinds)));
  const fs::path templates = share_folder("templates/plugin");
  if (templates.empty())
    throw IoError("the templates of plugins (share/recloom/templates) are not installed");
  require_empty(folder);

  const fs::path own = templates / kind;
  const std::pair<std::string, fs::path> files[] = {
      {"CMakeLists.txt", templates / "CMakeLists.txt.in"},
      {name + ".cpp", own / "plugin.cpp.in"},
      {name + "_test.cpp", own / "test.cpp.in"},
      {"README.md", templates / "README.md.in"}};
  const std::string use(trim(read_file((own / "use.in").string())));
  MadeFolder made(folder);
  std::vector<std::string> written;
  for (const auto& [file, source] : files) {
    std::string text = read_file(source.string());
    text = filled_in(std::move(text), "@use@", use);
    text = filled_in(std::move(text), "@name@", name);
    text = filled_in(std::move(text), "@Class@", class_name(name));
    const std::string path = (fs::path(folder) / file).string();
    made.add(path);
    write_file_atomically(path, text);
    written.push_back(file);
  }
  made.keep();
  return written;
}

}  // namespace recloom
