// From what a user calls a data set to the log file and its dataset.toml.
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "config/toml.hpp"
#include "core/text.hpp"
#include "data/load.hpp"
#include "data/raw_file.hpp"
#include "data/table.hpp"
#include "host/dataset_toml.hpp"
#include "host/paths.hpp"
#include "recloom/recloom.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code none;
  return fs::is_directory(path, none);
}
bool is_there(const fs::path& path) {
  std::error_code none;
  return fs::exists(path, none);
}
std::string absolute_text(const fs::path& path) {
  std::error_code none;
  const fs::path found = fs::canonical(path, none);
  return none ? path.string() : found.string();
}
std::string folder_name(const fs::path& folder) {
  return fs::path(absolute_text(folder)).filename().string();
}

/// The `file` of a dataset.toml: a name or pattern, or a list of them.
std::vector<std::string> take_files(const Params& toml, const std::string& file) {
  const Value* value = toml.find("file");
  if (value && std::holds_alternative<std::vector<std::string>>(*value))
    return std::get<std::vector<std::string>>(*value);
  const std::string one = take_text(toml, "file", file);
  return one.empty() ? std::vector<std::string>() : std::vector{one};
}

/// Return the files of a name or pattern, sorted; none if there are none.
std::vector<std::string> files_of(const std::string& name) {
  if (is_there(name)) return {name};
  std::vector<std::string> files;
  if (name.find_first_of("*?[") == std::string::npos) return files;
  glob_t found{};
  if (::glob(name.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  std::sort(files.begin(), files.end());
  return files;
}

/// The files of a log that a dataset.toml names: beside it or, for sets whose licence forbids
/// shipping it, below RECLOOM_DATA_DIR.
std::vector<std::string> find_log(const fs::path& folder, const std::string& name,
                                  const std::string& toml_file, const Params& toml) {
  const std::vector<std::string> names = take_files(toml, toml_file);
  if (names.empty())
    throw ConfigError(toml_file + ": lacks `file`, the name of the log, or a list of names");
  const char* elsewhere = std::getenv("RECLOOM_DATA_DIR");
  std::vector<std::string> files;
  for (const std::string& file : names) {
    std::vector<std::string> found = files_of((folder / file).string());
    if (found.empty() && elsewhere && *elsewhere)
      found = files_of((fs::path(elsewhere) / name / file).string());
    if (found.empty()) {
      const std::string url = take_text(toml, "url", toml_file);
      throw IoError(
          fmt::format("data set {}: its log {} is neither in {} nor in $RECLOOM_DATA_DIR/{}{}",
                      name, printable(file, 200), folder.string(), name,
                      url.empty() ? "" : "; it can be downloaded from " + url));
    }
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

constexpr const char* kEndings[] = {".inter", ".inter.gz", ".inter.zst"};

/// Return the name of a folder's file NAME.inter, plain or packed; "" if there is none.
std::string inter_file(const fs::path& folder, const std::string& name) {
  for (const char* ending : kEndings)
    if (is_there(folder / (name + ending))) return name + ending;
  return "";
}

/// RecBole's session data call their users session_id. Whatever is wrong with the file is said when
/// it is read.
bool has_sessions_for_users(const std::string& file, const RunContext& run) {
  try {
    const TableReader reader(file, {}, run);
    return !reader.has_column(DataOptions().user_column) && reader.has_column("session_id");
  } catch (const Error&) {
    return false;
  }
}

/// RecBole's benchmark files: NAME.train.inter and, with it, NAME.valid.inter or NAME.test.inter.
bool take_benchmark(const fs::path& folder, DataSource& source) {
  const std::string train = inter_file(folder, source.name + ".train");
  const std::string valid = inter_file(folder, source.name + ".valid");
  const std::string test = inter_file(folder, source.name + ".test");
  if (train.empty() || (valid.empty() && test.empty())) return false;
  source.file = (folder / train).string();
  source.files = {source.file};
  source.settings.set("split.mode", "given");
  if (!valid.empty()) source.settings.set("split.valid_file", valid);
  if (!test.empty()) source.settings.set("split.test_file", test);
  if (has_sessions_for_users(source.file, RunContext(1, 1)))
    source.settings.set("data.user_column", "session_id");
  return true;
}

DataSource from_folder(const fs::path& folder, std::string given) {
  DataSource source;
  source.name = folder_name(folder);
  source.given = std::move(given);
  const fs::path toml = folder / "dataset.toml";
  if (is_there(toml)) {
    source.toml = toml.string();
    const Params content = parse_toml_file(source.toml);
    source.settings = take_settings(content, kDatasetKeys, source.toml);
    source.files = find_log(folder, source.name, source.toml, content);
    source.file = source.files.front();
    source.title = take_text(content, "title", source.toml);
    source.xxh3 = take_text(content, "xxh3", source.toml);
    if (!source.xxh3.empty() && source.files.size() > 1)
      throw ConfigError(source.toml +
                        ": xxh3 is of one file; leave it out where `file` names several");
    source.licence = take_text(content, "licence", source.toml);
    return source;
  }
  if (const std::string log = inter_file(folder, source.name); !log.empty()) {
    source.file = (folder / log).string();
    source.files = {source.file};
    return source;
  }
  if (take_benchmark(folder, source)) return source;
  throw IoError(fmt::format(
      "{0}: the folder holds neither dataset.toml nor {1}.inter, nor {1}.train.inter with "
      "{1}.valid.inter or {1}.test.inter",
      printable(folder.string(), 400), printable(source.name)));
}

/// Files that are no data set by themselves.
DataSource from_files(std::vector<std::string> files) {
  DataSource source;
  source.files = std::move(files);
  source.file = source.files.front();
  source.name = log_name(source.file);
  source.given = source.file == kStandardInput ? source.file : absolute_text(source.file);
  return source;
}

[[noreturn]] void refuse(const std::string& data) {
  const std::vector<std::string> shipped = shipped_datasets();
  if (data.find_first_of("*?[") != std::string::npos)
    throw IoError(fmt::format("no file fits the pattern '{}'", printable(data, 200)));
  throw IoError(fmt::format("no data set '{}': no shipped set ({}), no folder, no file{}",
                            printable(data, 200), fmt::join(shipped, ", "),
                            did_you_mean(data, shipped)));
}

/// Return the files of names, patterns and standard input, in this order.
std::vector<std::string> all_files(const std::vector<std::string>& data) {
  std::vector<std::string> files;
  for (const std::string& name : data) {
    if (data.size() > 1 && is_folder(name))
      throw ConfigError(fmt::format(
          "'{}' is a folder; files that are read as one log are named one by one or by a pattern",
          printable(name, 200)));
    const bool is_input = name == kStandardInput;
    const std::vector<std::string> found = is_input ? std::vector{name} : files_of(name);
    if (found.empty()) refuse(name);
    for (const std::string& file : found) {
      if (std::find(files.begin(), files.end(), file) != files.end())
        throw ConfigError(
            fmt::format("'{}' is named twice; its rows would count twice", printable(file, 200)));
      files.push_back(file);
    }
  }
  return files;
}

}  // namespace

std::vector<std::string> shipped_datasets() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(share_folder("datasets"), none))
    if (is_there(entry.path() / "dataset.toml")) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

DataSource find_dataset(const std::vector<std::string>& data, const std::string& recipe) {
  if (data.empty() || (data.size() == 1 && data[0].empty()))
    throw ConfigError(
        "no data set given: a shipped set's name, a folder, files, or - (standard input)");
  const std::vector<std::string> shipped = shipped_datasets();
  DataSource source;
  if (data.size() > 1)
    source = from_files(all_files(data));
  else if (std::find(shipped.begin(), shipped.end(), data[0]) != shipped.end())
    source = from_folder(share_folder("datasets") / data[0], data[0]);
  else if (is_folder(data[0]))
    source = from_folder(data[0], absolute_text(data[0]));
  else
    source = from_files(all_files(data));
  if (recipe.empty()) return source;
  source.recipe = recipe;
  Params settings = find_recipe(recipe).settings;
  settings.merge(source.settings);
  source.settings = std::move(settings);
  return source;
}

}  // namespace recloom
