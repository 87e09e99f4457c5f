// Histories to recommend for. The first byte chooses the format, the rest is the file.
#include "fuzz/fuzz.hpp"
#include "recloom/serving.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  static const PluginRegistry plugins;
  static const RunContext run(1, 1);
  static const Recommender model = Recommender::load(RECLOOM_FUZZ_MODEL, plugins);
  if (size == 0) return 0;
  constexpr InputFormat kFormats[] = {InputFormat::automatic, InputFormat::histories,
                                      InputFormat::log, InputFormat::json};
  const fuzz::MemoryFile file(fuzz::text_of(bytes + 1, size - 1));
  HistoryInput input;
  input.file = file.name();
  input.format = kFormats[bytes[0] & 3];
  fuzz::refuse_or_read([&] {
    HistoryReader reader(input, model, run);
    std::vector<QueryHistory> histories;
    for (AskedHistory asked; reader.next(asked);)
      if (asked.error.empty()) histories.push_back(asked.history);
    model.recommend(histories, {}, run);
  });
  return 0;
}
