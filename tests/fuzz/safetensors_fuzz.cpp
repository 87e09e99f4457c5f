// A file of tensors, of recloom or of another program.
#include "core/hash.hpp"
#include "fuzz/fuzz.hpp"
#include "model/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  const fuzz::MemoryFile file(fuzz::with_right_hashes(fuzz::text_of(bytes, size)));
  fuzz::refuse_or_read([&] {
    const SafetensorsFile opened(file.name());
    // Every byte that it says it has can be read.
    for (const TensorView& tensor : opened.tensors()) hash64(tensor.bytes);
  });
  return 0;
}
