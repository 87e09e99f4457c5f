#pragma once
#include <string>

#include "recloom/core/export.hpp"

namespace recloom {

/// Return why a file cannot be a shared library of this machine, "" if nothing speaks against it.
/// The dynamic loader trusts what it maps: given a file that was cut short it may kill the process,
/// so the layout is checked first.
RECLOOM_API std::string elf_problem(const std::string& file);

}  // namespace recloom
