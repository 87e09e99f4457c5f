// A log as text. The first byte chooses how it is read, the rest is the file.
#include "fuzz/log.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  if (size == 0) return 0;
  DataOptions options;
  constexpr FileFormat kFormats[] = {FileFormat::automatic, FileFormat::atomic, FileFormat::csv,
                                     FileFormat::sequences};
  constexpr const char* kSeparators[] = {"", "::", ",", "\t"};
  options.format = kFormats[bytes[0] & 3];
  options.separator = kSeparators[(bytes[0] >> 2) & 3];
  options.raw_cells = (bytes[0] & 16) != 0;
  if ((bytes[0] & 32) != 0 && options.format == FileFormat::csv)
    options.columns = {"user_id", "item_id", "timestamp"};
  if ((bytes[0] & 64) != 0) options.encoding = "latin-1";
  if ((bytes[0] & 128) != 0) options.missing_time = MissingTime::drop;
  fuzz::read_log(fuzz::text_of(bytes + 1, size - 1), options);
  return 0;
}
