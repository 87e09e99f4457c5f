#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

/// The folder of one run. Nothing is made before create(); what a run leaves that fails before its
/// first checkpoint or model is removed again.
class RECLOOM_API RunFolder {
 public:
  /// @param path "": runs/<time>-<name>, a new one.
  /// @throws IoError a folder that holds something else, cannot be written, or holds a run that is
  /// neither to be continued nor replaced.
  RunFolder(const std::string& path, std::string_view name, bool resume, bool replace);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  /// Make the folder; of a new run, write config.toml. Remove what a killed process left
  /// half-written.
  void create(std::string_view config_toml);
  /// Write config.toml: of a continued run only once its checkpoint has accepted the configuration.
  void write_config();
  /// Tell whether a run is continued: its checkpoint is there.
  bool continues() const noexcept { return continues_; }
  std::string path() const { return path_.string(); }
  std::string config() const { return (path_ / "config.toml").string(); }
  std::string checkpoint() const { return (path_ / "checkpoint.safetensors").string(); }
  std::string model() const { return (path_ / "model.safetensors").string(); }
  std::string report() const { return (path_ / "report.json").string(); }
  std::string history() const { return (path_ / "history.jsonl").string(); }

 private:
  void check(bool resume, bool replace);
  void remove_files();
  void remove_leftovers();

  std::filesystem::path path_;
  std::string config_toml_;
  std::vector<std::filesystem::path> made_;  ///< Folders made by create(), outermost first.
  bool replaces_ = false, continues_ = false, created_ = false, was_run_ = false;
};

}  // namespace recloom
