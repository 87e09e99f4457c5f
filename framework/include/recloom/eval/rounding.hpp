#pragma once
#include <string_view>

#include "recloom/core/export.hpp"

// How RecBole rounds what it prints and compares: needed to reproduce its early stopping.
namespace recloom {

/// Round as NumPy does: multiply by 10^decimals, round half to even, divide.
/// @param decimals in [0, 22].
RECLOOM_API double round_scaled(double value, int decimals);
/// Round to the nearest decimal of the value's exact binary expansion, as Python's round() does; an
/// exact half goes to the even digit. @param decimals in [0, 22].
RECLOOM_API double round_decimal(double value, int decimals);
/// Round the value of a metric key ("ndcg@10") as RecBole does: itemcoverage by round_decimal(),
/// all others by round_scaled().
RECLOOM_API double round_as_recbole(std::string_view key, double value, int decimals = 4);

}  // namespace recloom
