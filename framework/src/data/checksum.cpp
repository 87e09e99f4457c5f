#include "data/checksum.hpp"

#include <fmt/format.h>

#include <vector>

#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

std::string checksum_of(const std::string& file) {
  const InputFile input(file);
  std::vector<char> piece(std::size_t{1} << 20);
  Hasher hasher;
  std::size_t count = piece.size();
  for (std::uint64_t at = 0; count == piece.size(); at += count) {
    count = input.read_some(at, piece);
    hasher.update({piece.data(), count});
  }
  return hex(hasher.value());
}

}  // namespace

void verify_checksum(const std::string& file, std::string_view xxh3) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (xxh3.size() != 16 || xxh3.find_first_not_of(kDigits) != std::string_view::npos) {
    throw ConfigError(fmt::format(
        "checksum of {}: '{}' is no xxh3, which has 16 digits from 0 to f", file, printable(xxh3)));
  }
  const std::string found = checksum_of(file);
  if (found != xxh3) {
    throw DataError(
        fmt::format("{}: its checksum is {}, but should be {}; the file is damaged or "
                    "was changed",
                    file, found, xxh3));
  }
}

}  // namespace recloom
