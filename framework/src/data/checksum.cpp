#include "data/checksum.hpp"

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "data/raw_file.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

std::string hash_of(const std::string& name, const RunContext& run) {
  RawFile file(name, run);
  Hasher hasher;
  for (std::string_view bytes = file.peek(); !bytes.empty(); bytes = file.peek()) {
    hasher.update(bytes);
    file.consume(bytes.size());
  }
  return hex(hasher.value());
}

}  // namespace

void verify_checksum(const std::string& file, std::string_view xxh3, const RunContext& run) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (xxh3.size() != 16 || xxh3.find_first_not_of(kDigits) != std::string_view::npos) {
    throw ConfigError(
        fmt::format("checksum of {}: '{}' is no xxh3, which has 16 digits from 0 to f",
                    printable(file, 400), printable(xxh3)));
  }
  const std::string found = hash_of(file, run);
  if (found != xxh3) {
    throw DataError(
        fmt::format("{}: its checksum is {}, but should be {}; the file is damaged or "
                    "was changed",
                    printable(file, 400), found, xxh3));
  }
}

}  // namespace recloom
