// A file of tensors, of recloom or of another program.
#include "fuzz/fuzz.hpp"
#include "model/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  const fuzz::MemoryFile file(fuzz::with_right_hashes(fuzz::text_of(bytes, size)));
  fuzz::refuse_or_read([&] {
    const SafetensorsFile opened(file.name());
    std::uint64_t sum = 0;
    for (const TensorView& tensor : opened.tensors())
      for (const char byte : tensor.bytes) sum += static_cast<unsigned char>(byte);
    static volatile std::uint64_t sink;
    sink = sum;
  });
  return 0;
}
