// A log as JSON lines. The first byte chooses which columns are asked for.
#include "fuzz/log.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  if (size == 0) return 0;
  DataOptions options;
  options.format = FileFormat::json;
  if ((bytes[0] & 1) != 0) options.user_column = "user.id";
  if ((bytes[0] & 2) != 0) options.time_format = "%Y-%m-%d %H:%M:%S";
  if ((bytes[0] & 4) != 0) options.time_column = "none";
  if ((bytes[0] & 8) != 0) options.value_intervals = {"rating [3,inf)"};
  fuzz::read_log(fuzz::text_of(bytes + 1, size - 1), options);
  return 0;
}
