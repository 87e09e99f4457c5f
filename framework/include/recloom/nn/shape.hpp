#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "recloom/core/export.hpp"

namespace recloom::nn {

/// Up to four extents, inline: no allocation, and it may cross the plugin boundary. In a graph the
/// row axis is left out: [L, d], [d], [].
struct Shape {
  std::int32_t extent[4] = {};
  std::int32_t rank = 0;
  Shape() = default;
  Shape(std::initializer_list<int> extents) {
    for (int e : extents) extent[rank++] = e;
  }
  std::int32_t last() const noexcept { return rank == 0 ? 1 : extent[rank - 1]; }
  bool operator==(const Shape& other) const noexcept {
    return rank == other.rank && std::equal(extent, extent + rank, other.extent);
  }
};

/// The number of elements.
RECLOOM_API std::size_t count(const Shape& shape);
/// "[4, 64]", for messages.
RECLOOM_API std::string to_text(const Shape& shape);

}  // namespace recloom::nn
