#include "recloom/nn/shape.hpp"

#include <fmt/format.h>

namespace recloom::nn {

std::size_t count(const Shape& shape) {
  std::size_t n = 1;
  for (int axis = 0; axis < shape.rank; ++axis) n *= static_cast<std::size_t>(shape.extent[axis]);
  return n;
}

std::string to_text(const Shape& shape) {
  std::string text = "[";
  for (int axis = 0; axis < shape.rank; ++axis)
    text += fmt::format("{}{}", axis ? ", " : "", shape.extent[axis]);
  return text + "]";
}

}  // namespace recloom::nn
