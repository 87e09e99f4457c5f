#include "recloom/nn/modules.hpp"

#include "nn/ops_internal.hpp"

namespace recloom::nn {

Embedding::Embedding(const Scope& scope, int rows, int size, Init init, PaddingRow trained)
    : weight(scope.parameter("weight", {rows, size}, init)), padding_row(trained) {}
Var Embedding::operator()(Ids ids) const { return lookup(weight, ids, padding_row); }

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

}  // namespace recloom::nn
