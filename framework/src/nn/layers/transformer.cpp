// The transformer encoder, put together from ops.
#include <fmt/format.h>

#include "recloom/core/error.hpp"
#include "recloom/nn/modules.hpp"

namespace recloom::nn {

TransformerEncoder::TransformerEncoder(const Scope& scope, int size,
                                       const TransformerOptions& given)
    : options(given) {
  if (options.heads < 1 || size % options.heads != 0)
    throw ConfigError(
        fmt::format("transformer: {} heads do not divide a size of {}", options.heads, size));
  const LinearOptions linear{.weight_init = options.init};
  for (int index = 0; index < options.layers; ++index) {
    const Scope layer = scope.at("layer", index), attention = layer.at("multi_head_attention"),
                feed_forward = layer.at("feed_forward");
    layers.push_back(
        {.query = Linear(attention.at("query"), size, size, linear),
         .key = Linear(attention.at("key"), size, size, linear),
         .value = Linear(attention.at("value"), size, size, linear),
         .attention_dense = Linear(attention.at("dense"), size, size, linear),
         .dense_1 = Linear(feed_forward.at("dense_1"), size, options.inner, linear),
         .dense_2 = Linear(feed_forward.at("dense_2"), options.inner, size, linear),
         .attention_norm = LayerNorm(attention.at("LayerNorm"), size, options.epsilon),
         .feed_forward_norm = LayerNorm(feed_forward.at("LayerNorm"), size, options.epsilon)});
  }
}

Var TransformerEncoder::operator()(Var x, Mask mask) const {
  const auto attend = [&](const Layer& layer, Var y) {
    const Var mixed = attention(layer.query(y), layer.key(y), layer.value(y), options.heads, mask,
                                options.attention_dropout);
    return dropout(layer.attention_dense(mixed), options.dropout);
  };
  const auto feed_forward = [&](const Layer& layer, Var y) {
    return dropout(layer.dense_2(activate(layer.dense_1(y), options.activation)), options.dropout);
  };
  for (const Layer& layer : layers) {
    if (options.norm_first) {
      x = x + attend(layer, layer.attention_norm(x));
      x = x + feed_forward(layer, layer.feed_forward_norm(x));
    } else {
      x = layer.attention_norm(attend(layer, x) + x);
      x = layer.feed_forward_norm(feed_forward(layer, x) + x);
    }
  }
  return x;
}

}  // namespace recloom::nn
