#pragma once
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/aligned.hpp"
#include "recloom/core/export.hpp"
#include "recloom/nn/init.hpp"
#include "recloom/nn/shape.hpp"

namespace recloom::nn {

/// A named tensor. The version changes with the values, so that what is derived from them can be
/// kept.
struct ParameterData {
  std::string name;
  Shape shape;
  Init init;
  bool trained = true;
  AlignedFloats values;
  std::uint64_t version = 1;

  std::size_t rows() const {
    return shape.rank == 0 ? 1 : static_cast<std::size_t>(shape.extent[0]);
  }
  std::size_t columns() const { return values.size() / rows(); }
  /// @throws ModelError an id that is no row: a model's own derive() may err.
  void require_rows(std::span<const std::int32_t> ids) const;
  /// Copy the mean of rows 1.. to `row`: what a user stands for that the model never saw. Thread
  /// safe.
  void copy_mean_row(float* row) const;

 private:
  mutable std::mutex mean_mutex_;
  mutable std::vector<float> mean_row_;
  mutable std::uint64_t mean_version_ = 0;
};

/// n as an extent of a shape. @throws ModelError it is more than an extent can be.
std::int32_t to_extent(std::size_t n);
/// Positions up to here are whole numbers as floats, the form in which ops keep them for backward.
inline constexpr std::int32_t kMostPositions = std::int32_t{1} << 24;
/// @throws ModelError naming the op if floats cannot name all positions.
void require_nameable(std::int32_t positions, std::string_view op);

/// While it lives, every parameter that is declared on this thread is shown to `look` before memory
/// is taken for it. A model file knows what it holds; what a network wants follows from numbers
/// that the file only says.
class RECLOOM_API DeclarationWatch {
 public:
  using Look = std::function<void(std::string_view name, const Shape& shape)>;
  explicit DeclarationWatch(Look look);
  ~DeclarationWatch();
  DeclarationWatch(const DeclarationWatch&) = delete;
  DeclarationWatch& operator=(const DeclarationWatch&) = delete;
  /// Call what looks on this thread, if anything does.
  static void show(std::string_view name, const Shape& shape);

 private:
  Look look_;
  DeclarationWatch* outer_;
};

}  // namespace recloom::nn
