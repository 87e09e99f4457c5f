// A log as text. The first byte chooses how it is read, the rest is the file, up to a record
// separator (0x1e): a byte behind it chooses what a second file is for, which follows.
#include "fuzz/log.hpp"

namespace recloom {
namespace {

DataOptions options_of(unsigned choice) {
  DataOptions options;
  constexpr FileFormat kFormats[] = {FileFormat::automatic, FileFormat::atomic, FileFormat::csv,
                                     FileFormat::sequences};
  constexpr const char* kSeparators[] = {"", "::", ",", "\t"};
  options.format = kFormats[choice & 3];
  options.separator = kSeparators[(choice >> 2) & 3];
  options.raw_cells = (choice & 16) != 0;
  if ((choice & 32) != 0 && options.format == FileFormat::csv)
    options.columns = {"user_id", "item_id", "timestamp"};
  if ((choice & 64) != 0) options.encoding = "latin-1";
  if ((choice & 128) != 0) options.missing_time = MissingTime::drop;
  return options;
}

void read_with(std::string_view log, DataOptions options, unsigned choice,
               std::string_view second) {
  const fuzz::MemoryFile first_file(log), second_file(second);
  constexpr TimeUnit kUnits[] = {TimeUnit::seconds, TimeUnit::milliseconds, TimeUnit::microseconds,
                                 TimeUnit::nanoseconds};
  SplitOptions split;
  if ((choice & 1) != 0) {
    split.mode = SplitMode::given;
    split.test_file = second_file.name();
  }
  if ((choice & 2) != 0) options.item_file = second_file.name();
  if ((choice & 4) != 0) options.user_file = second_file.name();
  if ((choice & 8) != 0) options.session_gap = 10;
  options.time_unit = kUnits[(choice >> 4) & 3];
  if ((choice & 64) != 0) options.value_intervals = {"rating [3,inf)"};
  if ((choice & 128) != 0) split.mode = SplitMode::test;
  fuzz::read_log(first_file, options, split);
}

}  // namespace
}  // namespace recloom

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  if (size == 0) return 0;
  const DataOptions options = options_of(bytes[0]);
  const std::string_view text = fuzz::text_of(bytes + 1, size - 1);
  const std::size_t end = text.find('\x1e');
  if (end == std::string_view::npos || end + 1 == text.size()) {
    fuzz::read_log(text, options);
  } else {
    const auto choice = static_cast<unsigned char>(text[end + 1]);
    read_with(text.substr(0, end), options, choice, text.substr(end + 2));
  }
  return 0;
}
