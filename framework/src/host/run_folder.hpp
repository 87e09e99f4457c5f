#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "host/folder_lock.hpp"
#include "host/made_folders.hpp"
#include "recloom/core/export.hpp"

namespace recloom {

/// The folder of one run, held against other processes. A folder that is there is held from the
/// beginning; a new one is made, and held, by create(). What a run leaves that fails before its
/// first checkpoint or model is removed again. A folder with nothing but what a killed process left
/// half-written counts as empty.
class RECLOOM_API RunFolder {
 public:
  /// @param path "": runs/<time>-<name>, a new one.
  /// @throws IoError a folder that another run is using, holds something else, cannot be written,
  /// or holds a run that is neither to be continued nor replaced.
  RunFolder(const std::string& path, std::string_view name, bool resume, bool replace);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  /// Make the folder; of a new run, write config.toml. Remove what a killed process left
  /// half-written. @throws IoError also if another process made the folder since.
  void create(std::string_view config_toml);
  /// Write config.toml: of a continued run only once its checkpoint has accepted the configuration.
  void write_config();
  /// Remove the report of an earlier run: its model is about to be replaced.
  void remove_report();
  /// Tell whether a run is continued: its checkpoint is there.
  bool continues() const noexcept { return continues_; }
  /// Tell whether a run could go on from here: there is a checkpoint.
  bool resumable() const;
  std::string path() const { return path_.string(); }
  std::string config() const { return (path_ / "config.toml").string(); }
  std::string checkpoint() const { return (path_ / "checkpoint.safetensors").string(); }
  std::string model() const { return (path_ / "model.safetensors").string(); }
  std::string report() const { return (path_ / "report.json").string(); }
  std::string history() const { return (path_ / "history.jsonl").string(); }

 private:
  bool take();
  void check_contents();
  void reserve();
  void reserve_new_name();
  void remove_results();
  void remove_leftovers();

  std::filesystem::path path_;
  std::string name_, config_toml_;
  bool resume_, replace_;
  std::optional<FolderLock> lock_;
  MadeFolders made_;
  bool created_ = false, was_run_ = false, continues_ = false;
};

}  // namespace recloom
