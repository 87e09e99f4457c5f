#include "recloom/nn/modules.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "nn/graph/graph.hpp"
#include "nn/ops/conv.hpp"
#include "nn/ops/conv_max.hpp"
#include "nn/ops/head.hpp"
#include "nn/ops/time_mix.hpp"
#include "recloom/core/error.hpp"

namespace recloom::nn {

Embedding::Embedding(const Scope& scope, int rows, int size, Init init, PaddingRow trained)
    : weight(scope.parameter("weight", {rows, size}, init)), padding_row(trained) {}
Var Embedding::operator()(Ids ids) const {
  return lookup(weight, ids, padding_row == PaddingRow::trained);
}

Linear::Linear(const Scope& scope, int in, int out, const LinearOptions& options)
    : weight(scope.parameter("weight", {out, in}, options.weight_init)) {
  if (options.bias) bias = scope.parameter("bias", {out}, options.bias_init);
}
Var Linear::operator()(Var x) const { return linear(x, weight, bias); }

LayerNorm::LayerNorm(const Scope& scope, int size, double epsilon_)
    : weight(scope.parameter("weight", {size}, ones())),
      bias(scope.parameter("bias", {size}, zeros())),
      epsilon(epsilon_) {}
Var LayerNorm::operator()(Var x) const { return layer_norm(x, weight, bias, epsilon); }

TimeConv::TimeConv(const Scope& scope, int size, int filters, int height) {
  const Init init = fan_in(static_cast<double>(height) * size);
  weight = scope.parameter("weight", {filters, 1, height, size}, init);
  bias = scope.parameter("bias", {filters}, init);
}
Var TimeConv::operator()(Var x) const { return time_conv(x, weight, bias); }

Var conv_max_over_time(std::span<const TimeConv> convs, Var x, Activation f) {
  if (convs.empty()) return {};
  std::vector<Operand> operands{x};
  std::vector<Parameter> weights;
  for (const TimeConv& conv : convs) {
    weights.push_back(conv.weight);
    operands.emplace_back(conv.weight);
    operands.emplace_back(conv.bias);
  }
  const Convolution way = x ? x.graph()->settings().convolution : Convolution::automatic;
  return call_op(std::make_shared<ConvMaxOverTime>(f, way, std::move(weights)), operands);
}

TimeMix::TimeMix(const Scope& scope, int length, int filters) {
  weight = scope.parameter("weight", {filters, 1, length, 1}, fan_in(length));
  bias = scope.parameter("bias", {filters}, fan_in(length));
}
Var TimeMix::operator()(Var x) const { return time_mix(x, weight, bias); }

Gru::Gru(const Scope& scope, int in, int hidden, const GruOptions& options) {
  if (hidden < 1 || hidden > std::numeric_limits<int>::max() / 3)
    throw ModelError(fmt::format("gru: a hidden size of {} is not from 1 to {}", hidden,
                                 std::numeric_limits<int>::max() / 3));
  const Init usual = fan_in(hidden);
  for (int l = 0; l < options.layers; ++l) {
    const bool own = l == 0 && std::isfinite(options.first_layer.scale);
    const Init init = own ? options.first_layer : usual;
    const std::string layer = "_l" + std::to_string(l);
    Layer made;
    made.weight_ih = scope.parameter("weight_ih" + layer, {3 * hidden, l == 0 ? in : hidden}, init);
    made.weight_hh = scope.parameter("weight_hh" + layer, {3 * hidden, hidden}, init);
    if (options.bias) {
      made.bias_ih = scope.parameter("bias_ih" + layer, {3 * hidden}, usual);
      made.bias_hh = scope.parameter("bias_hh" + layer, {3 * hidden}, usual);
    }
    layers.push_back(made);
  }
}
Var Gru::operator()(Var x) const {
  for (const Layer& layer : layers)
    x = gru(x, layer.weight_ih, layer.weight_hh, layer.bias_ih, layer.bias_hh);
  return x;
}

}  // namespace recloom::nn
