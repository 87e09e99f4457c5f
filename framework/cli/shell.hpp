#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace recloom::cli {

/// Return a word as a shell reads it: quoted where it must be, whatever bytes it holds.
std::string shell_word(std::string_view word);

/// Check that an output takes the place of nothing that the command reads and of no file of a run.
/// @param flag of the output, for the message. @param output "": none. @param inputs what is read;
/// what is no file is left out. @throws ConfigError.
void require_new_place(std::string_view flag, const std::string& output,
                       const std::vector<std::string>& inputs);

/// Check that no two outputs go to the same place. @param outputs flags and files; "": none.
/// @throws ConfigError.
void require_different_places(const std::vector<std::pair<std::string_view, std::string>>& outputs);

/// Return the files behind what stands for a log: those of a name, folder or pattern, with its
/// dataset.toml, its parts and its side tables, whether they are there or not. What is no log is
/// returned as it is. @param recipe "" = none.
std::vector<std::string> files_behind(const std::string& data, const std::string& recipe);

}  // namespace recloom::cli
