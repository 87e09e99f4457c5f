#include "plugin/trust.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "core/text.hpp"
#include "plugin/library_folder.hpp"

namespace recloom {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWayOut = "or set RECLOOM_TRUST_PLUGINS=1 to load it as it is";

std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

/// "65534 (nobody)"
std::string user_text(uid_t user) {
  const passwd* entry = getpwuid(user);
  return entry == nullptr ? fmt::format("{}", user)
                          : fmt::format("{} ({})", user, printable(entry->pw_name));
}

std::string described(const fs::path& path, const struct stat& status) {
  return fmt::format("{} (mode {:o}, owner {})", printable(path.string(), 400),
                     status.st_mode & 07777U, user_text(status.st_uid));
}

bool is_ours(uid_t user) {
  if (user == 0 || user == geteuid() || user == getuid()) return true;
  const auto library = status_of(fs::path(library_folder()) / "librecloom.so");
  return library && library->st_uid == user;
}

/// Names in a sticky folder are their owners' own.
bool is_sticky(const struct stat& status) {
  return S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
}

std::string writable_problem(const fs::path& path, const struct stat& status) {
  return fmt::format("is not to be trusted, others may write {}: chmod go-w {}, {}",
                     described(path, status), printable(path.string(), 400), kWayOut);
}

/// Of a file or its folder.
std::string own_problem(const fs::path& path) {
  const auto status = status_of(path);
  if (!status) return "";
  if (!is_ours(status->st_uid))
    return fmt::format(
        "is not to be trusted, {} belongs to neither you, root nor the owner of recloom: chown {} "
        "{}, {}",
        described(path, *status), geteuid(), printable(path.string(), 400), kWayOut);
  const bool by_group = (status->st_mode & S_IWGRP) != 0 && status->st_gid != status->st_uid;
  const bool by_world = (status->st_mode & S_IWOTH) != 0;
  return (by_group || by_world) && !is_sticky(*status) ? writable_problem(path, *status) : "";
}

/// Of a folder and those above it.
std::string folder_problem(const fs::path& folder) {
  if (std::string problem = own_problem(folder); !problem.empty()) return problem;
  for (fs::path above = folder; above != above.root_path();) {
    above = above.parent_path();
    const auto status = status_of(above);
    if (status && (status->st_mode & S_IWOTH) != 0 && !is_sticky(*status))
      return writable_problem(above, *status);
  }
  return "";
}

}  // namespace

std::string trust_problem(const std::string& file) {
  const char* trusted = std::getenv("RECLOOM_TRUST_PLUGINS");
  if (trusted != nullptr && std::string_view(trusted) == "1") return "";
  std::error_code error;
  const fs::path given = fs::weakly_canonical(fs::absolute(file).parent_path(), error);
  const fs::path real = fs::canonical(file, error);
  if (error) return "";  // There is no such file: that is said elsewhere.
  if (std::string problem = own_problem(real); !problem.empty()) return problem;
  if (std::string problem = folder_problem(real.parent_path()); !problem.empty()) return problem;
  return given == real.parent_path() ? "" : folder_problem(given);
}

}  // namespace recloom
