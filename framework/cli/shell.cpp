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

}  // namespace recloom::cli
