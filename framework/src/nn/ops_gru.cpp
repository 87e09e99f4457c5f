// The gated recurrent unit: products by matrices that are laid out once, step by step over blocks
// of rows, so that what a step needs stays in the cache.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "core/aligned.hpp"
#include "kernels/gru.hpp"
#include "kernels/packed_gemm.hpp"
#include "kernels/vector.hpp"
#include "nn/batch_items.hpp"
#include "nn/ops_internal.hpp"
#include "nn/parameter_data.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/modules.hpp"

namespace recloom::nn {
namespace {

constexpr std::size_t kBlockRows = 48;
/// Steps of rows whose gradients meet in one product for the weights.
constexpr std::size_t kChunk = 4 * kBlockRows;

/// Saved: of every block and step, a row's n, r, z and m = W_hn h + b_hn, the columns of "gates".
/// The input goes into the first three, the state into the last three.
class GruOp final : public ShapedOp {
 public:
  GruOp(const Shape& x, const Shape& weight_ih, const Shape& weight_hh,
        std::span<const Shape> biases);
  std::string_view name() const noexcept override { return "gru"; }
  Shape output_shape(std::span<const Shape>) const override {
    return {static_cast<int>(length_), static_cast<int>(hidden_)};
  }
  std::size_t saved_size(std::span<const Shape>) const override { return length_ * 4 * hidden_; }
  Reach reach(std::size_t operand, std::span<const Shape>) const override {
    return operand == 0 ? Reach::past : Reach::unknown;
  }
  double flops(std::span<const Shape>) const override {
    return 6.0 * static_cast<double>(length_ * hidden_ * (in_ + hidden_));
  }
  void forward(const OpForward& c) const override;
  void backward(const OpBackward& c) const override;

 private:
  struct Block {
    std::size_t first, rows;
  };
  struct Workspace {
    AlignedFloats packed_ih, packed_hh, reordered, bias, x, h, sums;
    // Of backward: the gradient of the state and the rows' order, then a chunk of steps of rows.
    AlignedFloats diff_h, diff_x, diff_gates, chunk_x, chunk_h, packed_chunk, diff_bias;
    std::array<std::size_t, kBlockRows> ends, order;
    std::size_t used = 0;
  };
  static Workspace& workspace() {
    thread_local Workspace work;
    return work;
  }
  /// Floats between rows of gates: with a power of two they would compete for the same lines of
  /// the cache.
  std::size_t stride() const { return 4 * hidden_ + 16; }

  template <class Body>
  void for_blocks(std::size_t rows, const Body& body) const {
    for (std::size_t first = 0; first < rows; first += kBlockRows)
      body(Block{first, std::min(kBlockRows, rows - first)});
  }
  std::size_t gates_at(Block block, std::size_t t) const {
    return (block.first * length_ + t * block.rows) * 4 * hidden_;
  }
  const float* x_at(const OpContext& c, std::size_t row, std::size_t t) const {
    return c.inputs[0].data() + (row * length_ + t) * in_;
  }
  void reorder(Workspace& work, const float* weight_ih) const;
  void load_weights(Workspace& work, const OpContext& c) const;
  void load_weights_backward(Workspace& work, const OpContext& c) const;
  void forward_block(Workspace& work, const OpForward& c, Block block) const;
  void find_ends(Workspace& work, const OpBackward& c, Block block) const;
  void backward_block(Workspace& work, const OpBackward& c, Block block) const;
  void backward_step(Workspace& work, const OpBackward& c, Block block, std::size_t t,
                     std::size_t active) const;
  void add_weight_diffs(Workspace& work, const OpBackward& c) const;
  void add_bias_diffs(const Workspace& work, const OpBackward& c) const;

  std::size_t length_, in_, hidden_;
  bool bias_;
};

GruOp::GruOp(const Shape& x, const Shape& weight_ih, const Shape& weight_hh,
             std::span<const Shape> biases)
    : bias_(!biases.empty()) {
  if (x.rank != 2) throw ModelError(fmt::format("gru: shape {} is not [time, size]", to_text(x)));
  const std::int64_t hidden = weight_hh.rank == 2 ? weight_hh.extent[1] : 0;
  if (hidden == 0 || weight_hh.extent[0] != 3 * hidden)
    throw ModelError(
        fmt::format("gru: weight_hh {} is not [3 hidden, hidden]", to_text(weight_hh)));
  if (weight_ih.rank != 2 || weight_ih.extent[0] != 3 * hidden || weight_ih.extent[1] != x.last())
    throw ModelError(fmt::format("gru: input {} and weight_hh {} do not fit weight_ih {}",
                                 to_text(x), to_text(weight_hh), to_text(weight_ih)));
  for (const Shape& bias : biases)
    if (bias.rank != 1 || bias.extent[0] != 3 * hidden)
      throw ModelError(
          fmt::format("gru: bias {} does not fit weight_hh {}", to_text(bias), to_text(weight_hh)));
  length_ = static_cast<std::size_t>(x.extent[0]);
  in_ = static_cast<std::size_t>(x.extent[1]);
  hidden_ = static_cast<std::size_t>(hidden);
}

/// Rows r, z, n -> n, r, z.
void GruOp::reorder(Workspace& work, const float* weight_ih) const {
  const std::size_t gate = hidden_ * in_;
  grow(work.reordered, 3 * gate);
  std::copy_n(weight_ih + 2 * gate, gate, work.reordered.data());
  std::copy_n(weight_ih, 2 * gate, work.reordered.data() + gate);
}

void GruOp::load_weights(Workspace& work, const OpContext& c) const {
  const std::int64_t in = static_cast<std::int64_t>(in_),
                     hidden = static_cast<std::int64_t>(hidden_);
  reorder(work, c.inputs[1].data());
  grow(work.packed_ih, kernels::packed_size(in, 3 * hidden));
  kernels::pack(
      {.transposed = true, .k = in, .n = 3 * hidden, .b = work.reordered.data(), .ldb = in},
      work.packed_ih.data());
  grow(work.packed_hh, kernels::packed_size(hidden, 3 * hidden));
  kernels::pack(
      {.transposed = true, .k = hidden, .n = 3 * hidden, .b = c.inputs[2].data(), .ldb = hidden},
      work.packed_hh.data());
  grow(work.bias, 4 * hidden_);
  std::fill_n(work.bias.data(), 4 * hidden_, 0.0F);
  if (!bias_) return;
  const float *ih = c.inputs[3].data(), *hh = c.inputs[4].data();
  std::copy_n(ih + 2 * hidden_, hidden_, work.bias.data());
  std::copy_n(ih, 2 * hidden_, work.bias.data() + hidden_);
  kernels::add(3 * hidden_, hh, work.bias.data() + hidden_);
}

void GruOp::forward(const OpForward& c) const {
  Workspace& work = workspace();
  load_weights(work, c);
  grow(work.x, kBlockRows * in_);
  grow(work.h, kBlockRows * hidden_);
  grow(work.sums, kBlockRows * stride());
  for_blocks(c.rows, [&](Block block) { forward_block(work, c, block); });
}

void GruOp::forward_block(Workspace& work, const OpForward& c, Block block) const {
  const auto m = static_cast<std::int64_t>(block.rows);
  for (std::size_t t = 0; t < length_; ++t) {
    for (std::size_t i = 0; i < block.rows; ++i) {
      std::copy_n(x_at(c, block.first + i, t), in_, work.x.data() + i * in_);
      std::copy_n(work.bias.data() + 3 * hidden_, hidden_,
                  work.sums.data() + i * stride() + 3 * hidden_);
    }
    kernels::PackedGemm product{.m = m,
                                .n = static_cast<std::int64_t>(3 * hidden_),
                                .k = static_cast<std::int64_t>(in_),
                                .a = work.x.data(),
                                .lda = static_cast<std::int64_t>(in_),
                                .packed = work.packed_ih.data(),
                                .bias = work.bias.data(),
                                .c = work.sums.data(),
                                .ldc = static_cast<std::int64_t>(stride())};
    kernels::gemm(product);
    product.k = product.lda = static_cast<std::int64_t>(hidden_);
    product.a = work.h.data();
    product.packed = work.packed_hh.data();
    product.bias = nullptr;
    product.c = work.sums.data() + hidden_;
    if (t > 0) kernels::gemm(product);
    kernels::gru_step(block.rows, hidden_, work.sums.data(), stride(),
                      t == 0 ? nullptr : work.h.data(), c.saved.data() + gates_at(block, t),
                      work.h.data());
    for (std::size_t i = 0; i < block.rows; ++i)
      std::copy_n(work.h.data() + i * hidden_, hidden_,
                  c.output.data() + ((block.first + i) * length_ + t) * hidden_);
  }
}

void GruOp::load_weights_backward(Workspace& work, const OpContext& c) const {
  const std::int64_t in = static_cast<std::int64_t>(in_),
                     hidden = static_cast<std::int64_t>(hidden_);
  reorder(work, c.inputs[1].data());
  grow(work.packed_ih, kernels::packed_size(3 * hidden, in));
  kernels::pack({.k = 3 * hidden, .n = in, .b = work.reordered.data(), .ldb = in},
                work.packed_ih.data());
  grow(work.packed_hh, kernels::packed_size(3 * hidden, hidden));
  kernels::pack({.k = 3 * hidden, .n = hidden, .b = c.inputs[2].data(), .ldb = hidden},
                work.packed_hh.data());
  grow(work.bias, in_);
  std::fill_n(work.bias.data(), in_, 0.0F);
}

void GruOp::backward(const OpBackward& c) const {
  Workspace& work = workspace();
  load_weights_backward(work, c);
  grow(work.diff_h, kBlockRows * hidden_);
  grow(work.diff_x, kBlockRows * in_);
  grow(work.diff_gates, kChunk * stride());
  grow(work.chunk_x, kChunk * in_);
  grow(work.chunk_h, kChunk * hidden_);
  grow(work.diff_bias, 4 * hidden_);
  std::ranges::fill(work.diff_bias, 0.0F);
  work.used = 0;
  for_blocks(c.rows, [&](Block block) { backward_block(work, c, block); });
  add_weight_diffs(work, c);
  if (bias_) add_bias_diffs(work, c);
}

/// Of every row, one behind the last step that has a gradient, and the rows by falling ends: behind
/// its end a row has nothing to pass on. A row that is shorter than L, or of which one state is
/// looked at, costs what lies before that.
void GruOp::find_ends(Workspace& work, const OpBackward& c, Block block) const {
  for (std::size_t i = 0; i < block.rows; ++i) {
    const float* const dy = c.output_gradient.data() + (block.first + i) * length_ * hidden_;
    std::size_t end = length_ * hidden_;
    while (end > 0 && dy[end - 1] == 0) --end;
    work.ends[i] = (end + hidden_ - 1) / hidden_;
    // Insertion keeps rows of one end in their order.
    std::size_t at = i;
    for (; at > 0 && work.ends[work.order[at - 1]] < work.ends[i]; --at)
      work.order[at] = work.order[at - 1];
    work.order[at] = i;
  }
}

void GruOp::backward_block(Workspace& work, const OpBackward& c, Block block) const {
  find_ends(work, c, block);
  std::fill_n(work.diff_h.data(), block.rows * hidden_, 0.0F);
  std::size_t active = 0;
  for (std::size_t t = work.ends[work.order[0]]; t-- > 0;) {
    while (active < block.rows && work.ends[work.order[active]] > t) ++active;
    if (work.used + active > kChunk) add_weight_diffs(work, c);
    backward_step(work, c, block, t, active);
  }
}

void GruOp::backward_step(Workspace& work, const OpBackward& c, Block block, std::size_t t,
                          std::size_t active) const {
  float* const diff_gates = work.diff_gates.data() + work.used * stride();
  float* const chunk_x = work.chunk_x.data() + work.used * in_;
  float* const chunk_h = work.chunk_h.data() + work.used * hidden_;
  for (std::size_t i = 0; i < active; ++i) {
    const std::size_t row = block.first + work.order[i], at = (row * length_ + t) * hidden_;
    const float* const past = t == 0 ? nullptr : c.output.data() + at - hidden_;
    float* const diff_h = work.diff_h.data() + i * hidden_;
    kernels::gru_step_backward(
        hidden_, c.saved.data() + gates_at(block, t) + work.order[i] * 4 * hidden_, past,
        c.output_gradient.data() + at, diff_h, diff_gates + i * stride());
    std::copy_n(x_at(c, row, t), in_, chunk_x + i * in_);
    if (past == nullptr)
      std::fill_n(chunk_h + i * hidden_, hidden_, 0.0F);
    else
      std::copy_n(past, hidden_, chunk_h + i * hidden_);
  }
  kernels::PackedGemm product{.m = static_cast<std::int64_t>(active),
                              .n = static_cast<std::int64_t>(hidden_),
                              .k = static_cast<std::int64_t>(3 * hidden_),
                              .a = diff_gates + hidden_,
                              .lda = static_cast<std::int64_t>(stride()),
                              .packed = work.packed_hh.data(),
                              .c = work.diff_h.data(),
                              .ldc = static_cast<std::int64_t>(hidden_)};
  if (t > 0) kernels::gemm(product);
  work.used += active;
  if (c.input_gradients[0].empty()) return;
  product.n = product.ldc = static_cast<std::int64_t>(in_);
  product.a = diff_gates;
  product.packed = work.packed_ih.data();
  product.bias = work.bias.data();
  product.c = work.diff_x.data();
  kernels::gemm(product);
  for (std::size_t i = 0; i < active; ++i)
    kernels::add(in_, work.diff_x.data() + i * in_,
                 c.input_gradients[0].data() + ((block.first + work.order[i]) * length_ + t) * in_);
}

/// Empty the chunk.
void GruOp::add_weight_diffs(Workspace& work, const OpBackward& c) const {
  const auto rows = static_cast<std::int64_t>(work.used);
  if (bias_)
    for (std::size_t i = 0; i < work.used; ++i)
      kernels::add(4 * hidden_, work.diff_gates.data() + i * stride(), work.diff_bias.data());
  work.used = 0;
  kernels::PackedGemm product{
      .transpose_a = true, .k = rows, .lda = static_cast<std::int64_t>(stride())};
  const auto load = [&](const AlignedFloats& chunk, std::size_t columns) {
    const auto n = static_cast<std::int64_t>(columns);
    product.n = product.ldc = n;
    grow(work.packed_chunk, kernels::packed_size(kChunk, n));
    kernels::pack({.k = rows, .n = n, .b = chunk.data(), .ldb = n}, work.packed_chunk.data());
    product.packed = work.packed_chunk.data();
  };
  const auto add = [&](std::size_t first_gate, std::size_t n_gates, float* diff) {
    product.m = static_cast<std::int64_t>(n_gates * hidden_);
    product.a = work.diff_gates.data() + first_gate * hidden_;
    product.c = diff;
    kernels::gemm(product);
  };
  if (float* const diff = c.input_gradients[1].data()) {
    load(work.chunk_x, in_);
    add(0, 1, diff + 2 * hidden_ * in_);
    add(1, 2, diff);
  }
  if (float* const diff = c.input_gradients[2].data()) {
    load(work.chunk_h, hidden_);
    add(1, 3, diff);
  }
}

void GruOp::add_bias_diffs(const Workspace& work, const OpBackward& c) const {
  const float* const sums = work.diff_bias.data();
  if (float* const diff = c.input_gradients[3].data()) {
    kernels::add(2 * hidden_, sums + hidden_, diff);
    kernels::add(hidden_, sums, diff + 2 * hidden_);
  }
  if (float* const diff = c.input_gradients[4].data())
    kernels::add(3 * hidden_, sums + hidden_, diff);
}

}  // namespace

Var gru(Var x, Parameter weight_ih, Parameter weight_hh, Parameter bias_ih, Parameter bias_hh) {
  if (!bias_ih != !bias_hh) throw ModelError("gru: one bias is given, both or none are wanted");
  if (!bias_ih)
    return call(std::make_shared<GruOp>(x.shape(), weight_ih.shape(), weight_hh.shape(),
                                        std::span<const Shape>()),
                x, weight_ih, weight_hh);
  const Shape biases[] = {bias_ih.shape(), bias_hh.shape()};
  return call(std::make_shared<GruOp>(x.shape(), weight_ih.shape(), weight_hh.shape(), biases), x,
              weight_ih, weight_hh, bias_ih, bias_hh);
}

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
