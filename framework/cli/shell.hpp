#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace recloom::cli {

/// Return a word as a shell reads it: quoted where it must be, whatever bytes it holds.
std::string shell_word(std::string_view word);

/// Check that an output takes the place of nothing that the command reads and of no file of a run.
/// @param flag of the output, for the message. @param output "": none. @param inputs what is read;
/// what is no file is left out. @throws ConfigError.
void require_new_place(std::string_view flag, const std::string& output,
                       const std::vector<std::string>& inputs);

}  // namespace recloom::cli
