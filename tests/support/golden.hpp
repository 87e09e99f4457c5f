#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace recloom::testing {

/// Files of golden_dir(kind) with this ending, in order of names; none if there is no such folder.
std::vector<std::filesystem::path> golden_files(std::string_view kind, std::string_view ending);

/// Say on standard output, in one line, how many golden cases of a kind a test takes from its
/// folder, and what it leaves there. A folder named by RECLOOM_GOLDEN_DIR may lack a kind; what
/// comes with the sources may not.
/// @param left_out files that no test takes. @param cases of `what`, such as "losses".
/// @return false if nothing would be tested: there is no case, and the folder has none of another
/// kind either.
bool say_golden(std::string_view what, std::size_t cases, std::string_view kind,
                const std::vector<std::string>& left_out = {});

}  // namespace recloom::testing
