// A model file that somebody else has made: loaded, and asked for recommendations.
#include "fuzz/fuzz.hpp"
#include "recloom/recloom.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  static const PluginRegistry plugins;
  static const RunContext run(1, 1);
  const fuzz::MemoryFile file(fuzz::with_right_hashes(fuzz::text_of(bytes, size)));
  fuzz::refuse_or_read([&] {
    const Recommender model = Recommender::load(file.name(), plugins);
    const std::vector<QueryHistory> histories{{"u1", {"i0", "i1", "i5"}}, {"", {}}};
    model.recommend(histories, {}, run);
  });
  return 0;
}
