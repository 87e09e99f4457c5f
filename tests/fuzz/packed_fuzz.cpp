// A packed log: gzip or zstd, as its first bytes say.
#include <vector>

#include "data/stream.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  static const RunContext run(1, 1);
  static std::vector<char> block(std::size_t{1} << 16);
  constexpr std::int64_t kMostText = std::int64_t{1} << 24;
  const fuzz::MemoryFile file(fuzz::text_of(bytes, size));
  fuzz::refuse_or_read([&] {
    const auto stream = open_stream(file.name(), run, kMostText);
    while (stream->read(block) == block.size()) continue;
  });
  return 0;
}
