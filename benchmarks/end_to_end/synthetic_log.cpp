#include <cmath>
#include <cstdio>
#include <string>

#include "end_to_end/commands.hpp"
#include "recloom/core/random.hpp"
#include "recloom/recloom.hpp"

namespace recloom::benchmarks {
namespace {

/// Small ids are frequent, as popular items are; 1..n.
std::int64_t skewed(Rng& rng, std::int64_t n) {
  const double u = rng.uniform();
  return 1 + static_cast<std::int64_t>(u * u * u * static_cast<double>(n));
}

}  // namespace

Json synthetic_log(const Arguments& arguments) {
  const std::string file = arguments.text("file");
  const auto bytes = static_cast<std::size_t>(arguments.number("bytes", 1 << 24));
  const std::int64_t items = arguments.number("items", 50'000),
                     users = arguments.number("users", 100'000);
  Rng rng = Rng(1).fork("synthetic log");
  std::string text = "user_id:token\titem_id:token\ttimestamp:float\n";
  text.reserve(bytes + 64);
  std::int64_t time = 978'300'000, events = 0;
  for (; text.size() < bytes; ++events) {
    time += rng.below(3);
    // Every item comes once, so that the catalogue has the size that was asked for.
    const std::int64_t item = events < items ? events + 1 : skewed(rng, items);
    text += std::to_string(1 + rng.below(users)) + "\t" + std::to_string(item) + "\t" +
            std::to_string(time) + "\n";
  }
  write_file(file, text);
  return {{"file", file}, {"bytes", text.size()}, {"events", events}};
}

}  // namespace recloom::benchmarks
