#pragma once
#include "recloom/nn/parameters.hpp"
#include "recloom/nn/var.hpp"

namespace recloom::nn {

/// Filters of one height at every window: [L, d] -> [L-h+1, filters].
/// @param weight [filters, 1, height, d]. @param bias [filters].
Var time_conv(Var x, Parameter weight, Parameter bias);

}  // namespace recloom::nn
