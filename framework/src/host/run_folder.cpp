#include "host/run_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "core/file.hpp"
#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFiles[] = {"config.toml", "checkpoint.safetensors", "model.safetensors",
                                       "report.json", "history.jsonl"};

bool is_there(const fs::path& path) {
  std::error_code none;
  return fs::exists(path, none);
}

fs::path new_folder(std::string_view name) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string base = fmt::format("runs/{:%Y%m%d-%H%M%S}-{}", fmt::localtime(now), name);
  fs::path path = base;
  for (int copy = 2; is_there(path); ++copy) path = fmt::format("{}-{}", base, copy);
  return path;
}

/// The nearest folder at or above `path` that exists.
fs::path existing(fs::path path) {
  path = fs::absolute(path).lexically_normal();
  while (!is_there(path) && path.has_relative_path()) path = path.parent_path();
  return path;
}

void check_writable(const fs::path& path) {
  const fs::path folder = existing(path);
  std::error_code none;
  if (!fs::is_directory(folder, none))
    throw IoError(fmt::format("run folder {}: {} is no folder", printable(path.string(), 400),
                              printable(folder.string(), 400)));
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    throw IoError(fmt::format("run folder {}: cannot write to {}: {}",
                              printable(path.string(), 400), printable(folder.string(), 400),
                              std::generic_category().message(errno)));
}

}  // namespace

RunFolder::RunFolder(const std::string& path, std::string_view name, bool resume, bool replace)
    : path_(path.empty() ? new_folder(name) : fs::path(path)) {
  check(resume, replace);
}

void RunFolder::check(bool resume, bool replace) {
  check_writable(path_);
  std::error_code none;
  if (!is_there(path_) || fs::is_empty(path_, none)) return;
  const std::string shown = printable(path_.string(), 400);
  was_run_ = is_there(path_ / kFiles[0]);
  if (!was_run_)
    throw IoError(fmt::format("run folder {}: it is not empty and holds no run of recloom", shown));
  if (!resume && !replace)
    throw IoError(fmt::format(
        "run folder {}: it holds a run already; go on with it by --resume or name another folder",
        shown));
  replaces_ = replace && !resume;
  continues_ = resume && is_there(checkpoint());
}

void RunFolder::create(std::string_view config_toml) {
  for (fs::path folder = fs::absolute(path_).lexically_normal(); !is_there(folder);
       folder = folder.parent_path())
    made_.insert(made_.begin(), folder);
  created_ = true;
  make_folders(path_.string());
  if (replaces_) remove_files();
  remove_leftovers();
  config_toml_ = config_toml;
  if (!continues_) write_config();
}

void RunFolder::write_config() { write_file_atomically(config(), config_toml_); }

void RunFolder::remove_files() {
  std::error_code none;
  for (const std::string_view file : kFiles) fs::remove(path_ / file, none);
}

void RunFolder::remove_leftovers() {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(path_, none)) {
    const std::string name = entry.path().filename().string();
    const bool own = std::any_of(std::begin(kFiles), std::end(kFiles),
                                 [&](std::string_view file) { return is_leftover_of(name, file); });
    if (own) fs::remove(entry.path(), none);
  }
}

RunFolder::~RunFolder() {
  const bool worth_keeping = is_there(checkpoint()) || is_there(model());
  if (!created_ || worth_keeping || (was_run_ && !replaces_)) return;
  remove_files();
  std::error_code none;
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) fs::remove(*folder, none);
}

}  // namespace recloom
