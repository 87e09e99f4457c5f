// From what a user calls a data set to the log file and its dataset.toml.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "config/toml.hpp"
#include "core/text.hpp"
#include "data/load.hpp"
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

/// The log that a dataset.toml names: beside it or, for sets whose licence forbids shipping it,
/// below RECLOOM_DATA_DIR.
std::string find_log(const fs::path& folder, const std::string& name, const std::string& toml_file,
                     const Params& toml) {
  const std::string file = take_text(toml, "file", toml_file);
  if (file.empty()) throw ConfigError(toml_file + ": lacks `file`, the name of the log");
  if (is_there(folder / file)) return (folder / file).string();
  const char* elsewhere = std::getenv("RECLOOM_DATA_DIR");
  if (elsewhere && *elsewhere && is_there(fs::path(elsewhere) / name / file))
    return (fs::path(elsewhere) / name / file).string();
  const std::string url = take_text(toml, "url", toml_file);
  throw IoError(fmt::format(
      "data set {}: its log {} is neither in {} nor in $RECLOOM_DATA_DIR/{}{}", name, file,
      folder.string(), name, url.empty() ? "" : "; it can be downloaded from " + url));
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
    source.file = find_log(folder, source.name, source.toml, content);
    source.title = take_text(content, "title", source.toml);
    source.xxh3 = take_text(content, "xxh3", source.toml);
    source.licence = take_text(content, "licence", source.toml);
    return source;
  }
  if (const std::string log = inter_file(folder, source.name); !log.empty()) {
    source.file = (folder / log).string();
    return source;
  }
  if (take_benchmark(folder, source)) return source;
  throw IoError(fmt::format(
      "{0}: the folder holds neither dataset.toml nor {1}.inter, nor {1}.train.inter with "
      "{1}.valid.inter or {1}.test.inter",
      printable(folder.string(), 400), printable(source.name)));
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

DataSource find_dataset(const std::string& data) {
  if (data.empty())
    throw ConfigError("no data set given: a shipped set's name, a folder or a file");
  const std::vector<std::string> shipped = shipped_datasets();
  if (std::find(shipped.begin(), shipped.end(), data) != shipped.end())
    return from_folder(share_folder("datasets") / data, data);
  if (is_folder(data)) return from_folder(data, absolute_text(data));
  if (is_there(data)) {
    DataSource source;
    source.name = log_name(data);
    source.given = absolute_text(data);
    source.file = data;
    return source;
  }
  throw IoError(fmt::format("no data set '{}': no shipped set ({}), no folder, no file{}",
                            printable(data, 200), fmt::join(shipped, ", "),
                            did_you_mean(data, shipped)));
}

DataSource find_dataset(const std::vector<std::string>& data, const std::string& recipe) {
  if (data.size() != 1) throw ConfigError("a log of several files cannot be read yet");
  DataSource source = find_dataset(data.front());
  source.files = {source.file};
  if (recipe.empty()) return source;
  source.recipe = recipe;
  Params settings = find_recipe(recipe).settings;
  settings.merge(source.settings);
  source.settings = std::move(settings);
  return source;
}

}  // namespace recloom
