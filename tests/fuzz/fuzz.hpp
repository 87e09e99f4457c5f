#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

/// What every program of this folder defines: reads some bytes as one of recloom's readers does.
/// libFuzzer calls it (`./dev fuzz`), or replay.cpp does (the test suite).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace recloom::fuzz {

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// A file in memory with a name, since recloom's readers open files.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const std::string& name() const noexcept { return name_; }

 private:
  int descriptor_;
  std::string name_;
};

/// Call `read`, which may refuse what it reads, in one line. Anything else (an error of recloom's
/// own, several lines, another exception) ends the program.
void refuse_or_read(const std::function<void()>& read);

/// Return a safetensors file with the hashes that it must have, so that changed bytes reach what is
/// behind their check. What is no such file is returned as it is.
std::string with_right_hashes(std::string_view bytes);

}  // namespace recloom::fuzz
