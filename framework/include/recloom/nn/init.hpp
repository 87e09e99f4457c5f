#pragma once
#include <cmath>
#include <cstdint>

namespace recloom::nn {

/// How a tensor starts. Draws are keyed by (seed, parameter name, element): independent of
/// declaration order.
struct Init {
  enum class Kind : std::int32_t { constant, normal, uniform, xavier_normal, xavier_uniform };
  Kind kind = Kind::constant;
  double scale = 0;
};
inline Init zeros() { return {}; }
inline Init ones() { return {Init::Kind::constant, 1}; }
inline Init normal(double deviation) { return {Init::Kind::normal, deviation}; }
inline Init uniform(double bound) { return {Init::Kind::uniform, bound}; }
inline Init xavier_normal() { return {Init::Kind::xavier_normal, 1}; }
inline Init xavier_uniform() { return {Init::Kind::xavier_uniform, 1}; }
/// U(-1/sqrt(fan), 1/sqrt(fan)): PyTorch's default of Linear, Conv and GRU.
inline Init fan_in(double fan) { return {Init::Kind::uniform, 1 / std::sqrt(fan)}; }

}  // namespace recloom::nn
