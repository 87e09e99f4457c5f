#include <fmt/format.h>

#include "core/file.hpp"
#include "recloom/serving.hpp"

namespace recloom {

namespace {

/// NumPy format 1.0: magic, version, header length, a Python literal padded so that the data begins
/// at a multiple of 64 bytes, and at the same one whatever the numbers are.
std::string header_of(std::size_t rows, std::size_t columns) {
  constexpr std::size_t kPrefix = 10, kWhole = 128;
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  header.append(kWhole - kPrefix - 1 - header.size(), ' ');
  header += '\n';
  std::string prefix("\x93NUMPY\x01\x00", 8);
  prefix += static_cast<char>(header.size() % 256);
  prefix += static_cast<char>(header.size() / 256);
  return prefix + header;
}

std::string_view bytes_of(const VectorTable& table) {
  return {reinterpret_cast<const char*>(table.values.data()), table.values.size() * sizeof(float)};
}

VectorTable collected(const std::function<void(const AppendVectors& append)>& write) {
  VectorTable all;
  write([&](const VectorTable& part) {
    all.values.insert(all.values.end(), part.values.begin(), part.values.end());
    all.rows += part.rows;
    all.columns = part.columns;
  });
  return all;
}

}  // namespace

void write_npy(const std::string& file, const VectorTable& table) {
  write_file_atomically(file, [&](const auto& append) {
    append(header_of(table.rows, table.columns));
    append(bytes_of(table));
  });
}

void write_npy(const std::string& file,
               const std::function<void(const AppendVectors& append)>& write) {
  if (is_written_through(file)) return write_npy(file, collected(write));
  std::size_t rows = 0, columns = 0;
  write_file_atomically(
      file,
      [&](const auto& append) {
        append(header_of(0, 0));
        write([&](const VectorTable& part) {
          append(bytes_of(part));
          rows += part.rows;
          columns = part.columns;
        });
      },
      [&] { return header_of(rows, columns); });
}

}  // namespace recloom
