#include <fmt/format.h>

#include "core/file.hpp"
#include "recloom/recloom.hpp"

namespace recloom {

// NumPy format 1.0: magic, version, header length, a Python literal padded to 64 bytes, the data.
void write_npy(const std::string& file, const VectorTable& table) {
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  std::string header = fmt::format(
      "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", table.rows, table.columns);
  header.append(kAlignment - 1 - (kPrefix + header.size()) % kAlignment, ' ');
  header += '\n';
  std::string prefix("\x93NUMPY\x01\x00", 8);
  prefix += static_cast<char>(header.size() % 256);
  prefix += static_cast<char>(header.size() / 256);
  write_file_atomically(file, [&](const auto& append) {
    append(prefix);
    append(header);
    append(
        {reinterpret_cast<const char*>(table.values.data()), table.values.size() * sizeof(float)});
  });
}

}  // namespace recloom
