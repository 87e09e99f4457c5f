#include "host/run_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "config/toml.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

/// In the order of their removal: a report never stands beside another run's model, and as long as
/// anything is left, config.toml says whose it is.
constexpr std::string_view kFiles[] = {"report.json", "history.jsonl", "model.safetensors",
                                       "checkpoint.safetensors", "config.toml"};

bool is_there(const fs::path& path) {
  std::error_code none;
  return fs::exists(path, none);
}

/// Whether a config.toml is a run's: that of somebody else is not ours to replace.
bool is_of_a_run(const std::string& config) {
  try {
    return is_there(config) && parse_toml_file(config).find("seed") != nullptr;
  } catch (const Error&) {
    return false;
  }
}

/// What a process that was killed may have left: its lock, a file before its renaming.
bool is_leftover(const std::string& name) {
  return name == FolderLock::kFile ||
         std::any_of(std::begin(kFiles), std::end(kFiles),
                     [&](std::string_view file) { return is_leftover_of(name, file); });
}

/// Tell whether a folder holds nothing, or leftovers alone.
bool is_unused(const fs::path& folder) {
  std::error_code error;
  const fs::directory_iterator entries(folder, error);
  if (error)
    throw IoError(fmt::format("run folder {}: cannot read it: {}", printable(folder.string(), 400),
                              error.message()));
  return std::all_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
    return is_leftover(entry.path().filename().string());
  });
}

/// "runs/20261201-093000-<name>", names of any length cut to what every file system takes.
std::string new_path(std::string_view name) {
  constexpr std::size_t kLongest = 150;
  std::size_t end = std::min(name.size(), kLongest);
  const auto inside_character = [&](std::size_t at) {
    return at < name.size() && (static_cast<unsigned char>(name[at]) & 0xc0) == 0x80;
  };
  while (end > 0 && inside_character(end)) --end;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("runs/{:%Y%m%d-%H%M%S}-{}", fmt::localtime(now), name.substr(0, end));
}

/// The nearest folder at or above `path` that exists.
fs::path existing(fs::path path) {
  path = fs::absolute(path).lexically_normal();
  while (!is_there(path) && path.has_relative_path()) path = path.parent_path();
  return path;
}

/// What mkdir() would say, but before the data are read.
void check_writable(const fs::path& path) {
  std::error_code error, none;
  if (fs::status(path, error).type() == fs::file_type::none)
    throw IoError(fmt::format("run folder {}: {}", printable(path.string(), 400), error.message()));
  if (!is_there(path) && fs::is_symlink(path, none))
    throw IoError(
        fmt::format("run folder {}: it is a link to nothing", printable(path.string(), 400)));
  const fs::path folder = existing(path);
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
    : path_(path), name_(name), resume_(resume), replace_(replace && !resume) {
  check_writable(path_.empty() ? fs::path("runs") : path_);
  if (!path_.empty()) take();
}

/// Hold the folder if it is there, and return whether it was. What lies in it is looked at before,
/// so that nothing of others is touched, and again once nobody else can change it.
bool RunFolder::take() {
  if (!is_there(path_)) return false;
  FolderLock::check_free(path_.string());
  check_contents();
  lock_ = FolderLock::take(path_.string());
  if (lock_) check_contents();
  return lock_.has_value();
}

void RunFolder::check_contents() {
  was_run_ = is_of_a_run(config());
  continues_ = was_run_ && resume_ && is_there(checkpoint());
  if (!was_run_ && !is_unused(path_))
    throw IoError(fmt::format("run folder {}: it is not empty and holds no run of recloom",
                              printable(path_.string(), 400)));
  if (was_run_ && !resume_ && !replace_)
    throw IoError(fmt::format(
        "run folder {}: it holds a run already; go on with it by --resume or name another folder",
        printable(path_.string(), 400)));
}

/// Of several processes that make a folder at the same time, one gets the lock, whoever was the
/// first to make it; it was not there when they began.
void RunFolder::reserve() {
  if (lock_) return;
  if (path_.empty()) return reserve_new_name();
  constexpr int kAttempts = 100;  // The one before us may fail and remove it between our two calls.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    made_.make(path_);
    if (take()) return made_.adopt(path_);
  }
  throw IoError(fmt::format("run folder {}: cannot be made", printable(path_.string(), 400)));
}

void RunFolder::reserve_new_name() {
  const std::string base = new_path(name_);
  for (int copy = 1; !lock_; ++copy) {
    path_ = copy == 1 ? base : fmt::format("{}-{}", base, copy);
    if (made_.make(path_)) take();
  }
}

void RunFolder::create(std::string_view config_toml) {
  reserve();
  created_ = true;
  if (replace_) remove_results();
  remove_leftovers();
  config_toml_ = config_toml;
  if (!continues_) write_config();
}

void RunFolder::write_config() { write_file_atomically(config(), config_toml_); }

void RunFolder::remove_report() {
  std::error_code error;
  if (fs::remove(report(), error); error)
    throw IoError(fmt::format("cannot remove {}: {}", printable(report(), 400), error.message()));
}

bool RunFolder::resumable() const { return continues_ || (created_ && is_there(checkpoint())); }

/// All but config.toml, which is replaced.
void RunFolder::remove_results() {
  std::error_code none;
  for (const std::string_view file : kFiles)
    if (path_ / file != config()) fs::remove(path_ / file, none);
}

void RunFolder::remove_leftovers() {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(path_, none)) {
    const std::string name = entry.path().filename().string();
    if (name != FolderLock::kFile && is_leftover(name)) fs::remove(entry.path(), none);
  }
}

RunFolder::~RunFolder() {
  const bool worth_keeping = is_there(checkpoint()) || is_there(model());
  if (created_ && !worth_keeping && !(was_run_ && resume_)) {
    remove_results();
    std::error_code none;
    fs::remove(config(), none);
  }
  lock_.reset();
  made_.remove_empty();
}

}  // namespace recloom
