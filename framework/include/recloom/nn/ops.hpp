#pragma once
#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "recloom/core/export.hpp"
#include "recloom/nn/parameters.hpp"
#include "recloom/nn/var.hpp"

namespace recloom::nn {

enum class Activation : std::int32_t { identity, relu, tanh, sigmoid, gelu, swish };
/// For ParamSchema::choice.
inline constexpr std::pair<std::string_view, Activation> kActivations[] = {
    {"gelu", Activation::gelu},
    {"relu", Activation::relu},
    {"swish", Activation::swish},
    {"tanh", Activation::tanh},
    {"sigmoid", Activation::sigmoid}};

// --- elementwise; a shorter shape is repeated over the leading axes of the longer, an extent of 1
// along its axis
RECLOOM_API Var operator+(Var a, Var b);
RECLOOM_API Var operator-(Var a, Var b);
RECLOOM_API Var operator*(Var a, Var b);
RECLOOM_API Var operator+(Var a, Parameter b);
RECLOOM_API Var operator*(Var a, Parameter b);
RECLOOM_API Var operator+(Var a, double b);
RECLOOM_API Var operator*(double factor, Var a);
RECLOOM_API Var power(Var a, double exponent);  ///< Of positive numbers.
RECLOOM_API Var activate(Var x, Activation f);
RECLOOM_API Var relu(Var x);
RECLOOM_API Var tanh(Var x);
RECLOOM_API Var sigmoid(Var x);
RECLOOM_API Var exp(Var x);
RECLOOM_API Var log(Var x);
/// Drop with probability p while training and scale the rest by 1/(1-p); the mask is keyed by
/// (seed, epoch, row id, this op), not by the batch.
RECLOOM_API Var dropout(Var x, double p);
RECLOOM_API Var detach(Var x);  ///< The same values, no gradient.

// --- last axis
RECLOOM_API Var linear(Var x, Parameter weight, Parameter bias = {});  ///< x W^T + b, W [out, in].
RECLOOM_API Var layer_norm(Var x, Parameter gain, Parameter bias, double epsilon);
RECLOOM_API Var softmax(Var x);
RECLOOM_API Var concat(std::span<const Var> parts);  ///< Empty parts are left out.
/// Variadic, not a braced list, so that plugins find it without naming the namespace.
template <std::same_as<Var>... Rest>
Var concat(Var first, Rest... rest) {
  const Var parts[] = {first, rest...};
  return concat(std::span<const Var>(parts));
}
RECLOOM_API Var flatten(Var x);                      ///< [a, b] -> [a*b].
RECLOOM_API Var column(Var x);                       ///< [a] -> [a, 1].
RECLOOM_API Var slice(Var x, int first, int count);  ///< Columns first..first+count-1.
RECLOOM_API Var pick(Var x, Ids index);              ///< [n], [T] -> [T].
RECLOOM_API Var dot(Var a, Var b);                   ///< Sum of products over the last axis.
RECLOOM_API Var sum(Var x);                          ///< Sum over the last axis.

// --- time
/// [L, d] -> [d], every position; multiply by History::mask() first to leave pads out.
RECLOOM_API Var sum_over_time(Var x);
RECLOOM_API Var max_over_time(Var x);
/// [L, d] -> [d]; a negative position counts from the end of the array.
RECLOOM_API Var take(Var x, int position);
/// [L, d], [M] -> [M, d]; positions are counted from 0.
RECLOOM_API Var select(Var x, Ids positions);
/// Gated recurrent unit over time, started at zero: [L, in] -> [L, hidden], the state after every
/// position. r = sigmoid(W_ir x + b_ir + W_hr h + b_hr), z alike,
/// n = tanh(W_in x + b_in + r * (W_hn h + b_hn)), h' = (1 - z) * n + z * h: PyTorch's GRU.
/// @param weight_ih [3 hidden, in], rows r, z, n. @param weight_hh [3 hidden, hidden].
/// @param bias_ih [3 hidden] or empty. @param bias_hh the same: both or none.
RECLOOM_API Var gru(Var x, Parameter weight_ih, Parameter weight_hh, Parameter bias_ih = {},
                    Parameter bias_hh = {});

/// Which positions a position may look at: those whose id is not 0 and, if causal, none behind it.
struct Mask {
  Ids keys = {};  ///< [L]; empty: no position is left out for its id.
  bool causal = false;
};
/// Multi-head scaled dot-product attention (Vaswani et al. 2017, section 3.2): query, key and value
/// [L, d], a head is d / heads columns: softmax(q k^T / sqrt(d / heads)) v, with dropout of the
/// softmax's weights. A position that may look at none gets 0.
/// @throws ModelError if heads does not divide d.
RECLOOM_API Var attention(Var query, Var key, Var value, int heads, Mask mask, double dropout_prob);

}  // namespace recloom::nn
