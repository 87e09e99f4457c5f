#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom {

/// Write a file as write_file_atomically() does, packed by gzip or zstd if it is called .gz or
/// .zst. The bytes depend on the content alone. @throws IoError; std::bad_alloc.
RECLOOM_API void write_packed_atomically(
    const std::string& file,
    const std::function<void(const std::function<void(std::string_view)>& append)>& write);

}  // namespace recloom
