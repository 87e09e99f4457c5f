#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom {

/// The safetensors format: 8-byte header length, JSON header, raw little-endian tensors without
/// gaps. Source: the format's public description (huggingface/safetensors).
enum class DType { f32, f64, i32, i64, u8 };

/// Return the size of an element in bytes.
RECLOOM_API std::size_t size_of(DType dtype);

/// The DType of a C++ type.
template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  if constexpr (std::is_same_v<T, double>) return DType::f64;
  if constexpr (std::is_same_v<T, std::int32_t>) return DType::i32;
  if constexpr (std::is_same_v<T, std::int64_t>) return DType::i64;
  static_assert(std::is_floating_point_v<T> || (std::is_integral_v<T> && sizeof(T) != 2));
  return DType::u8;
}

struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;  ///< Empty: one number.
  std::string_view bytes;           ///< Aligned to an element.
  /// Return the elements. @throws IoError if they are of another type.
  template <class T>
  std::span<const T> as() const {
    require(dtype_of<T>());
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  RECLOOM_API void require(DType wanted) const;
};

/// Write tensors; their data starts 64-byte aligned, those with large elements first, so that every
/// tensor is aligned to its elements. The metadata gets "xxh3", the hash of the data, and
/// "xxh3_header", that of the JSON header with 16 zeros for this entry: no byte can change unseen.
/// The bytes depend on the arguments alone. Atomic. @throws IoError.
RECLOOM_API void write_safetensors(const std::string& file, std::span<const TensorView> tensors,
                                   const std::map<std::string, std::string>& metadata);

/// Whether a file must carry the two hashes that write_safetensors() puts into its metadata.
/// Those that it has are always checked.
enum class Hashes { required, optional };

/// A file read into memory; views live as long as it does. What it says of its sizes is compared
/// with the file before memory is taken.
class RECLOOM_API SafetensorsFile {
 public:
  /// @param hashes required for what recloom has written, optional for files of other programs.
  /// @throws IoError no such file, no safetensors file, cut short, changed bytes.
  explicit SafetensorsFile(const std::string& file, Hashes hashes = Hashes::optional);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;
  /// In the order of the header.
  const std::vector<TensorView>& tensors() const noexcept;
  const TensorView* find(std::string_view name) const noexcept;
  /// Without the two hashes.
  const std::map<std::string, std::string>& metadata() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom
