// A configuration, a dataset.toml, a --set: TOML that somebody else has written.
#include "config/toml.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  const std::string_view text = fuzz::text_of(bytes, size);
  fuzz::refuse_or_read([&] {
    const Params params = parse_toml(text, "fuzz.toml");
    // What was read can be written, and reads as the same again.
    const std::string written = to_toml(params);
    if (to_toml(parse_toml(written, "written.toml")) != written) __builtin_trap();
  });
  fuzz::refuse_or_read([&] { parse_value(text); });
  return 0;
}
