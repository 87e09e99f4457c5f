// What stands between the program and the shell that called it: names of files.
#include "cli/shell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "recloom/recloom.hpp"

namespace recloom::cli {
namespace {

namespace fs = std::filesystem;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./:@%+=,").find(c) != std::string_view::npos;
}

bool is_file_of_a_run(const fs::path& path) {
  constexpr std::string_view kFiles[] = {"model.safetensors", "checkpoint.safetensors",
                                         "report.json", "history.jsonl", "config.toml"};
  std::error_code none;
  return fs::exists(path.parent_path() / "config.toml", none) &&
         std::find(std::begin(kFiles), std::end(kFiles), path.filename().string()) !=
             std::end(kFiles);
}

/// A file that goes with a log lies beside it, or where it is named from here.
void add_beside(std::vector<std::string>& files, const std::string& log, const std::string& name) {
  files.push_back((fs::path(log).parent_path() / name).string());
  files.push_back(name);
}

}  // namespace

std::string shell_word(std::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return std::string(word);
  const bool shows = display_text(word) == word;
  std::string quoted = shows ? "'" : "$'";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'')
      quoted += shows ? "'\\''" : "\\'";
    else if (!shows && (c == '\\' || byte < 0x20 || byte >= 0x7f))
      quoted += fmt::format("\\x{:02x}", byte);
    else
      quoted += c;
  }
  return quoted + "'";
}

void require_new_place(std::string_view flag, const std::string& output,
                       const std::vector<std::string>& inputs) {
  if (output.empty()) return;
  std::error_code none;
  const fs::path place = fs::weakly_canonical(output, none);
  if (is_file_of_a_run(none ? fs::path(output) : place))
    throw ConfigError(fmt::format("{} {}: is a file of a run; name another", flag, output));
  for (const std::string& input : inputs)
    if (fs::is_regular_file(input, none) && fs::equivalent(input, output, none))
      throw ConfigError(
          fmt::format("{} {}: would replace what is read ({}); name another", flag, output, input));
}

void require_different_places(
    const std::vector<std::pair<std::string_view, std::string>>& outputs) {
  const auto place = [](const std::string& file) {
    std::error_code none;
    const fs::path found = fs::weakly_canonical(fs::absolute(file, none), none);
    return none ? fs::path(file) : found;
  };
  for (auto one = outputs.begin(); one != outputs.end(); ++one)
    for (auto other = outputs.begin(); other != one; ++other) {
      if (one->second.empty() || other->second.empty()) continue;
      std::error_code none;
      if (place(one->second) != place(other->second) &&
          !fs::equivalent(one->second, other->second, none))
        continue;
      throw ConfigError(fmt::format("{} {}: would replace what {} {} writes; name another",
                                    one->first, one->second, other->first, other->second));
    }
}

std::vector<std::string> files_behind(const std::string& data, const std::string& recipe) {
  std::vector<std::string> files = {data};
  try {
    const DataSource source = find_dataset(std::vector{data}, recipe);
    files.insert(files.end(), source.files.begin(), source.files.end());
    files.push_back(source.toml);
    for (const char* key :
         {"split.valid_file", "split.test_file", "data.user_file", "data.item_file"})
      if (const Value* value = source.settings.find(key))
        if (const auto* name = std::get_if<std::string>(value))
          add_beside(files, source.file, *name);
    for (const char* ending : {".user", ".item"})
      files.push_back(fs::path(source.file).replace_extension(ending).string());
  } catch (const Error&) {
    // Whoever reads it says what is wrong with it.
  }
  return files;
}

}  // namespace recloom::cli
