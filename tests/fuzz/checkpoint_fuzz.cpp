// The checkpoint that a run goes on from.
#include "fuzz/fuzz.hpp"
#include "train/checkpoint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace recloom;
  const fuzz::MemoryFile file(fuzz::with_right_hashes(fuzz::text_of(bytes, size)));
  fuzz::refuse_or_read([&] {
    const Checkpoint checkpoint = Checkpoint::read(file.name());
    for (const TensorView& tensor : checkpoint.file.tensors())
      fuzz::refuse_or_read([&] { checkpoint.tensor(tensor.name, tensor.shape); });
    checkpoint.check_complete({}, {});
  });
  return 0;
}
