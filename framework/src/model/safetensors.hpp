#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

/// The safetensors format: 8-byte header length, JSON header, raw little-endian tensors.
/// Source: the format's public description (huggingface/safetensors).
enum class DType { f32, f64, i32, i64, u8 };

struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::string_view bytes;
  template <class T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// Write tensors in the given order, the data section and every tensor 64-byte aligned, with
/// metadata["xxh3"] = hash of the data section. The bytes depend on the arguments alone. Atomic.
/// @throws IoError.
RECLOOM_API void write_safetensors(const std::string& file, std::span<const TensorView> tensors,
                                   const std::map<std::string, std::string>& metadata);

/// A file mapped into memory; views live as long as it does.
class RECLOOM_API SafetensorsFile {
 public:
  /// @param verify check the data's hash where the file has one.
  /// @throws IoError no such file, no safetensors file, cut short, changed bytes.
  explicit SafetensorsFile(const std::string& file, bool verify = true);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  const std::vector<TensorView>& tensors() const noexcept;
  const TensorView* find(std::string_view name) const noexcept;
  const std::map<std::string, std::string>& metadata() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
