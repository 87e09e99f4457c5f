#pragma once
#include <map>
#include <string>
#include <vector>

#include "model/safetensors.hpp"

namespace recloom::testing {

/// A tensor that owns its bytes, so that it can be changed.
struct LooseTensor {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::string bytes;

  /// Give the tensor other values; it becomes a list of them.
  template <class T>
  void set(const std::vector<T>& values) {
    dtype = dtype_of<T>();
    shape = {static_cast<std::int64_t>(values.size())};
    bytes.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  template <class T>
  std::vector<T> get() const {
    const auto* values = reinterpret_cast<const T*>(bytes.data());
    return {values, values + bytes.size() / sizeof(T)};
  }
};

/// A safetensors file taken apart. Written again, it has right hashes: what a reader then refuses,
/// it refuses for what the file says.
struct LooseFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, LooseTensor> tensors;

  explicit LooseFile(const std::string& file) {
    const SafetensorsFile read(file);
    metadata = read.metadata();
    for (const TensorView& view : read.tensors())
      tensors[view.name] = {view.dtype, view.shape, std::string(view.bytes)};
  }
  void write(const std::string& file) const {
    std::vector<TensorView> views;
    for (const auto& [name, tensor] : tensors)
      views.push_back({name, tensor.dtype, tensor.shape, tensor.bytes});
    write_safetensors(file, views, metadata);
  }
};

}  // namespace recloom::testing
