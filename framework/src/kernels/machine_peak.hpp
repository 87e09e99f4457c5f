#pragma once
#include "recloom/core/export.hpp"

namespace recloom::kernels {

/// Measure single-precision multiply-adds in registers on this core, in FLOP/s of processor time:
/// what no kernel can exceed. Takes some milliseconds.
RECLOOM_API double measure_peak_flops();

}  // namespace recloom::kernels
