// The gated recurrent unit: products by matrices that are laid out once, step by step over blocks
// of rows, so that what a step needs stays in the cache.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/scratch.hpp"
#include "kernels/gru.hpp"
#include "kernels/packed_gemm.hpp"
#include "kernels/vector.hpp"
#include "recloom/core/error.hpp"
#include "recloom/nn/op.hpp"
#include "recloom/nn/ops.hpp"

namespace recloom::nn {
namespace {

constexpr std::size_t kBlockRows = 48;
/// Steps of rows whose gradients meet in one product for the weights.
constexpr std::size_t kChunk = 4 * kBlockRows;

/// Operands: x [L, in], weight_ih [3 hidden, in], weight_hh [3 hidden, hidden] and perhaps two
/// biases [3 hidden]. Saved: of every block and step, a row's n, r, z and m = W_hn h + b_hn, the
/// columns of "gates". The input goes into the first three, the state into the last three.
class GruOp final : public Op {
 public:
  std::string_view name() const noexcept override { return "gru"; }
  Shape output_shape(const OpShapes& shapes) const override;
  std::size_t saved_size(const OpShapes& shapes) const override {
    return 4 * count(output_shape(shapes));
  }
  Reach reach(std::size_t operand, const OpShapes&) const override {
    return operand == 0 ? Reach::past : Reach::unknown;
  }
  double flops(const OpShapes& shapes) const override {
    return 2.0 * shapes.inputs[0].extent[0] *
           static_cast<double>(count(shapes.inputs[1]) + count(shapes.inputs[2]));
  }
  void forward(const OpForward& c) const override;
  void backward(const OpBackward& c) const override;
};

Shape GruOp::output_shape(const OpShapes& shapes) const {
  const Shape &x = shapes.inputs[0], &weight_ih = shapes.inputs[1], &weight_hh = shapes.inputs[2];
  if (x.rank != 2) throw ModelError(fmt::format("gru: shape {} is not [time, size]", to_text(x)));
  const std::int64_t hidden = weight_hh.rank == 2 ? weight_hh.extent[1] : 0;
  if (hidden == 0 || weight_hh.extent[0] != 3 * hidden)
    throw ModelError(
        fmt::format("gru: weight_hh {} is not [3 hidden, hidden]", to_text(weight_hh)));
  if (weight_ih.rank != 2 || weight_ih.extent[0] != 3 * hidden || weight_ih.extent[1] != x.last())
    throw ModelError(fmt::format("gru: input {} and weight_hh {} do not fit weight_ih {}",
                                 to_text(x), to_text(weight_hh), to_text(weight_ih)));
  for (const Shape& bias : shapes.inputs.subspan(3))
    if (bias.rank != 1 || bias.extent[0] != 3 * hidden)
      throw ModelError(
          fmt::format("gru: bias {} does not fit weight_hh {}", to_text(bias), to_text(weight_hh)));
  return {x.extent[0], static_cast<int>(hidden)};
}

struct Block {
  std::size_t first, rows;
};

/// One call of the op, and the memory for it.
class Pass {
 public:
  explicit Pass(const OpContext& c)
      : length_(static_cast<std::size_t>(c.output_shape.extent[0])),
        in_(static_cast<std::size_t>(c.shapes.inputs[0].last())),
        hidden_(static_cast<std::size_t>(c.output_shape.last())),
        bias_(c.inputs.size() > 3) {}
  void forward(const OpForward& c);
  void backward(const OpBackward& c);

 private:
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
  void reorder(const float* weight_ih);
  void load_weights(const OpContext& c);
  void load_weights_backward(const OpContext& c);
  void forward_block(const OpForward& c, Block block);
  void find_ends(const OpBackward& c, Block block);
  void backward_block(const OpBackward& c, Block block);
  void backward_step(const OpBackward& c, Block block, std::size_t t, std::size_t active);
  void add_weight_diffs(const OpBackward& c);
  void add_bias_diffs(const OpBackward& c) const;

  const std::size_t length_, in_, hidden_;
  const bool bias_;
  Scratch memory_;
  float *packed_ih_ = nullptr, *packed_hh_ = nullptr, *reordered_ = nullptr, *bias_sum_ = nullptr,
        *x_ = nullptr, *h_ = nullptr, *sums_ = nullptr;
  // Of backward: the gradient of the state and the rows' order, then a chunk of steps of rows.
  float *diff_h_ = nullptr, *diff_x_ = nullptr, *diff_gates_ = nullptr, *chunk_x_ = nullptr,
        *chunk_h_ = nullptr, *packed_chunk_ = nullptr, *diff_bias_ = nullptr;
  std::array<std::size_t, kBlockRows> ends_, order_;
  std::size_t used_ = 0;
};

/// Rows r, z, n -> n, r, z.
void Pass::reorder(const float* weight_ih) {
  const std::size_t gate = hidden_ * in_;
  reordered_ = memory_.floats(3 * gate);
  std::copy_n(weight_ih + 2 * gate, gate, reordered_);
  std::copy_n(weight_ih, 2 * gate, reordered_ + gate);
}

void Pass::load_weights(const OpContext& c) {
  const std::int64_t in = static_cast<std::int64_t>(in_),
                     hidden = static_cast<std::int64_t>(hidden_);
  reorder(c.inputs[1].data());
  packed_ih_ = memory_.floats(kernels::packed_size(in, 3 * hidden));
  kernels::pack({.transposed = true, .k = in, .n = 3 * hidden, .b = reordered_, .ldb = in},
                packed_ih_);
  packed_hh_ = memory_.floats(kernels::packed_size(hidden, 3 * hidden));
  kernels::pack(
      {.transposed = true, .k = hidden, .n = 3 * hidden, .b = c.inputs[2].data(), .ldb = hidden},
      packed_hh_);
  bias_sum_ = memory_.zeros(4 * hidden_);
  if (!bias_) return;
  const float *ih = c.inputs[3].data(), *hh = c.inputs[4].data();
  std::copy_n(ih + 2 * hidden_, hidden_, bias_sum_);
  std::copy_n(ih, 2 * hidden_, bias_sum_ + hidden_);
  kernels::add(3 * hidden_, hh, bias_sum_ + hidden_);
}

void Pass::forward(const OpForward& c) {
  load_weights(c);
  x_ = memory_.floats(kBlockRows * in_);
  h_ = memory_.floats(kBlockRows * hidden_);
  sums_ = memory_.floats(kBlockRows * stride());
  for_blocks(c.rows, [&](Block block) { forward_block(c, block); });
}

void Pass::forward_block(const OpForward& c, Block block) {
  const auto m = static_cast<std::int64_t>(block.rows);
  for (std::size_t t = 0; t < length_; ++t) {
    for (std::size_t i = 0; i < block.rows; ++i) {
      std::copy_n(x_at(c, block.first + i, t), in_, x_ + i * in_);
      std::copy_n(bias_sum_ + 3 * hidden_, hidden_, sums_ + i * stride() + 3 * hidden_);
    }
    kernels::PackedGemm product{.m = m,
                                .n = static_cast<std::int64_t>(3 * hidden_),
                                .k = static_cast<std::int64_t>(in_),
                                .a = x_,
                                .lda = static_cast<std::int64_t>(in_),
                                .packed = packed_ih_,
                                .bias = bias_sum_,
                                .c = sums_,
                                .ldc = static_cast<std::int64_t>(stride())};
    kernels::gemm(product);
    product.k = product.lda = static_cast<std::int64_t>(hidden_);
    product.a = h_;
    product.packed = packed_hh_;
    product.bias = nullptr;
    product.c = sums_ + hidden_;
    if (t > 0) kernels::gemm(product);
    kernels::gru_step(block.rows, hidden_, sums_, stride(), t == 0 ? nullptr : h_,
                      c.saved.data() + gates_at(block, t), h_);
    for (std::size_t i = 0; i < block.rows; ++i)
      std::copy_n(h_ + i * hidden_, hidden_,
                  c.output.data() + ((block.first + i) * length_ + t) * hidden_);
  }
}

void Pass::load_weights_backward(const OpContext& c) {
  const std::int64_t in = static_cast<std::int64_t>(in_),
                     hidden = static_cast<std::int64_t>(hidden_);
  reorder(c.inputs[1].data());
  packed_ih_ = memory_.floats(kernels::packed_size(3 * hidden, in));
  kernels::pack({.k = 3 * hidden, .n = in, .b = reordered_, .ldb = in}, packed_ih_);
  packed_hh_ = memory_.floats(kernels::packed_size(3 * hidden, hidden));
  kernels::pack({.k = 3 * hidden, .n = hidden, .b = c.inputs[2].data(), .ldb = hidden}, packed_hh_);
  bias_sum_ = memory_.zeros(in_);
}

void Pass::backward(const OpBackward& c) {
  load_weights_backward(c);
  diff_h_ = memory_.floats(kBlockRows * hidden_);
  diff_x_ = memory_.floats(kBlockRows * in_);
  diff_gates_ = memory_.floats(kChunk * stride());
  chunk_x_ = memory_.floats(kChunk * in_);
  chunk_h_ = memory_.floats(kChunk * hidden_);
  packed_chunk_ = memory_.floats(
      kernels::packed_size(kChunk, static_cast<std::int64_t>(std::max(in_, hidden_))));
  diff_bias_ = memory_.zeros(4 * hidden_);
  for_blocks(c.rows, [&](Block block) { backward_block(c, block); });
  add_weight_diffs(c);
  if (bias_) add_bias_diffs(c);
}

/// Of every row, one behind the last step that has a gradient, and the rows by falling ends: behind
/// its end a row has nothing to pass on. A row that is shorter than L, or of which one state is
/// looked at, costs what lies before that.
void Pass::find_ends(const OpBackward& c, Block block) {
  for (std::size_t i = 0; i < block.rows; ++i) {
    const float* const dy = c.diff_output.data() + (block.first + i) * length_ * hidden_;
    std::size_t end = length_ * hidden_;
    while (end > 0 && dy[end - 1] == 0) --end;
    ends_[i] = (end + hidden_ - 1) / hidden_;
    // Insertion keeps rows of one end in their order.
    std::size_t at = i;
    for (; at > 0 && ends_[order_[at - 1]] < ends_[i]; --at) order_[at] = order_[at - 1];
    order_[at] = i;
  }
}

void Pass::backward_block(const OpBackward& c, Block block) {
  find_ends(c, block);
  std::fill_n(diff_h_, block.rows * hidden_, 0.0F);
  std::size_t active = 0;
  for (std::size_t t = ends_[order_[0]]; t-- > 0;) {
    while (active < block.rows && ends_[order_[active]] > t) ++active;
    if (used_ + active > kChunk) add_weight_diffs(c);
    backward_step(c, block, t, active);
  }
}

void Pass::backward_step(const OpBackward& c, Block block, std::size_t t, std::size_t active) {
  float* const diff_gates = diff_gates_ + used_ * stride();
  float* const chunk_x = chunk_x_ + used_ * in_;
  float* const chunk_h = chunk_h_ + used_ * hidden_;
  for (std::size_t i = 0; i < active; ++i) {
    const std::size_t row = block.first + order_[i], at = (row * length_ + t) * hidden_;
    const float* const past = t == 0 ? nullptr : c.output.data() + at - hidden_;
    float* const diff_h = diff_h_ + i * hidden_;
    kernels::gru_step_backward(hidden_,
                               c.saved.data() + gates_at(block, t) + order_[i] * 4 * hidden_, past,
                               c.diff_output.data() + at, diff_h, diff_gates + i * stride());
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
                              .packed = packed_hh_,
                              .c = diff_h_,
                              .ldc = static_cast<std::int64_t>(hidden_)};
  if (t > 0) kernels::gemm(product);
  used_ += active;
  if (c.diff_inputs[0].empty()) return;
  product.n = product.ldc = static_cast<std::int64_t>(in_);
  product.a = diff_gates;
  product.packed = packed_ih_;
  product.bias = bias_sum_;
  product.c = diff_x_;
  kernels::gemm(product);
  for (std::size_t i = 0; i < active; ++i)
    kernels::add(in_, diff_x_ + i * in_,
                 c.diff_inputs[0].data() + ((block.first + order_[i]) * length_ + t) * in_);
}

/// Empty the chunk.
void Pass::add_weight_diffs(const OpBackward& c) {
  const auto rows = static_cast<std::int64_t>(used_);
  if (bias_)
    for (std::size_t i = 0; i < used_; ++i)
      kernels::add(4 * hidden_, diff_gates_ + i * stride(), diff_bias_);
  used_ = 0;
  kernels::PackedGemm product{
      .transpose_a = true, .k = rows, .lda = static_cast<std::int64_t>(stride())};
  const auto load = [&](const float* chunk, std::size_t columns) {
    const auto n = static_cast<std::int64_t>(columns);
    product.n = product.ldc = n;
    kernels::pack({.k = rows, .n = n, .b = chunk, .ldb = n}, packed_chunk_);
    product.packed = packed_chunk_;
  };
  const auto add = [&](std::size_t first_gate, std::size_t n_gates, float* diff) {
    product.m = static_cast<std::int64_t>(n_gates * hidden_);
    product.a = diff_gates_ + first_gate * hidden_;
    product.c = diff;
    kernels::gemm(product);
  };
  if (float* const diff = c.diff_inputs[1].data()) {
    load(chunk_x_, in_);
    add(0, 1, diff + 2 * hidden_ * in_);
    add(1, 2, diff);
  }
  if (float* const diff = c.diff_inputs[2].data()) {
    load(chunk_h_, hidden_);
    add(1, 3, diff);
  }
}

void Pass::add_bias_diffs(const OpBackward& c) const {
  const float* const sums = diff_bias_;
  if (float* const diff = c.diff_inputs[3].data()) {
    kernels::add(2 * hidden_, sums + hidden_, diff);
    kernels::add(hidden_, sums, diff + 2 * hidden_);
  }
  if (float* const diff = c.diff_inputs[4].data()) kernels::add(3 * hidden_, sums + hidden_, diff);
}

void GruOp::forward(const OpForward& c) const { Pass(c).forward(c); }
void GruOp::backward(const OpBackward& c) const { Pass(c).backward(c); }

}  // namespace

Var gru(Var x, Parameter weight_ih, Parameter weight_hh, Parameter bias_ih, Parameter bias_hh) {
  if (!bias_ih != !bias_hh) throw ModelError("gru: one bias is given, both or none are wanted");
  const auto op = std::make_shared<GruOp>();
  return bias_ih ? call(op, x, weight_ih, weight_hh, bias_ih, bias_hh)
                 : call(op, x, weight_ih, weight_hh);
}

}  // namespace recloom::nn
