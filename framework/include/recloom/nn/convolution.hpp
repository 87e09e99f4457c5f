#pragma once
#include <cstdint>

namespace recloom::nn {

/// How conv_max_over_time is computed. All ways give the same numbers, added in another order.
enum class Convolution : std::int32_t {
  automatic,  ///< Whichever of them counts say is least work.
  dnnl,       ///< oneDNN's convolution primitives.
  windows,    ///< A matrix product for every place where a window starts.
  taps,       ///< From the batch's distinct items; where histories are no look-ups: windows.
};

}  // namespace recloom::nn
