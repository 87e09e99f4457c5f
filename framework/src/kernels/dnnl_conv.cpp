#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/scratch.hpp"
#include "kernels/conv.hpp"
#include "kernels/dnnl_cache.hpp"
#include "kernels/dnnl_compat.hpp"

namespace recloom::kernels {
namespace {

using dnnl::memory;
using dnnl_compat::with_one_thread;
using Key = PrimitiveKey<7>;
using Arguments = std::unordered_map<int, memory>;

enum class Pass { forward, backward_data, backward_weights };

std::string describe(const Conv1d& s) {
  const auto number = [](int value) { return std::to_string(value); };
  return "convolution over time, rows=" + number(s.rows) + " length=" + number(s.length) +
         " channels=" + number(s.channels) + " filters=" + number(s.filters) +
         " height=" + number(s.height);
}

void check(const Conv1d& s) {
  if (s.rows < 0 || s.channels < 1 || s.filters < 1 || s.height < 1 || s.height > s.length)
    throw InternalError("impossible " + describe(s));
}

/// A convolution, and the reorder between the caller's weights and the layout that it wants.
struct Plan {
  dnnl_compat::ConvDescs plain;  ///< As the caller holds them.
  memory::desc packed, scratchpad;
  dnnl::primitive convolution, reorder;
  bool reordered = false;
  std::size_t packed_offset = 0, scratch_bytes = 0;
};

dnnl_compat::ConvDescs plain_descs(const Conv1d& s, bool with_bias) {
  constexpr auto kFloat = memory::data_type::f32;
  dnnl_compat::ConvDescs descs;
  descs.src = {{s.rows, s.channels, s.length}, kFloat, memory::format_tag::nwc};
  descs.weights = {{s.filters, s.channels, s.height}, kFloat, memory::format_tag::owi};
  if (with_bias) descs.bias = {{s.filters}, kFloat, memory::format_tag::a};
  descs.dst = {{s.rows, s.filters, s.positions()}, kFloat, memory::format_tag::nwc};
  return descs;
}

template <class PrimitiveDesc>
void adopt(Plan& plan, const PrimitiveDesc& pd, const memory::desc& packed) {
  plan.convolution = dnnl::primitive(pd);
  plan.packed = packed;
  plan.scratchpad = pd.scratchpad_desc();
}

void make_primitives(Plan& plan, Pass pass, dnnl_compat::ConvDescs descs) {
  const auto attr = dnnl_compat::user_scratchpad();
  const auto forward = dnnl_compat::conv_forward(descs, attr);
  if (pass == Pass::forward) {
    adopt(plan, forward, forward.weights_desc());
  } else if (pass == Pass::backward_data) {
    const auto pd = dnnl_compat::conv_backward_data(descs, attr, forward);
    adopt(plan, pd, pd.weights_desc());
  } else {
    const auto pd = dnnl_compat::conv_backward_weights(descs, attr, forward);
    adopt(plan, pd, pd.diff_weights_desc());
  }
  plan.reordered = plan.packed != plan.plain.weights;
  if (!plan.reordered) return;
  dnnl::engine& engine = dnnl_compat::engine();
  const bool back = pass == Pass::backward_weights;
  const memory::desc& from = back ? plan.packed : plan.plain.weights;
  const memory::desc& to = back ? plan.plain.weights : plan.packed;
  plan.reorder = dnnl::reorder({engine, from, engine, to});
}

Plan make_plan(const Conv1d& shape, Pass pass, bool with_bias) {
  Plan plan;
  plan.plain = plain_descs(shape, with_bias);
  dnnl_compat::ConvDescs wanted = plan.plain;
  wanted.weights = {{shape.filters, shape.channels, shape.height},
                    memory::data_type::f32,
                    memory::format_tag::any};
  try {
    with_one_thread([&] { make_primitives(plan, pass, wanted); });
  } catch (const dnnl::error& e) {
    dnnl_compat::fail(describe(shape), e);
  }
  plan.packed_offset = (plan.scratchpad.get_size() + 63) / 64 * 64;
  plan.scratch_bytes = plan.packed_offset + (plan.reordered ? plan.packed.get_size() : 0);
  return plan;
}

/// A plan with the memory objects that one thread passes to it.
struct Call {
  Key key;
  std::shared_ptr<const Plan> plan;
  memory src, weights, bias, dst, packed, scratchpad;
  Arguments convolution, reorder;
};

Call make_call(const Key& key, const Conv1d& shape, Pass pass, bool with_bias) {
  constexpr std::size_t kCapacity = 512;
  static PrimitiveCache<Key, Plan> cache(kCapacity);
  Call call;
  call.key = key;
  call.plan = cache.get(key, [&] { return make_plan(shape, pass, with_bias); });
  const Plan& plan = *call.plan;
  const auto empty = [](const memory::desc& desc) {
    return memory(desc, dnnl_compat::engine(), nullptr);
  };
  call.src = empty(plan.plain.src);
  call.weights = empty(plan.plain.weights);
  call.dst = empty(plan.plain.dst);
  call.scratchpad = empty(plan.scratchpad);
  call.packed = plan.reordered ? empty(plan.packed) : call.weights;

  const bool back = pass == Pass::backward_weights;
  call.convolution = {{pass == Pass::backward_data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, call.src},
                      {back ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, call.packed},
                      {pass == Pass::forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, call.dst}};
  if (plan.scratchpad.get_size() > 0)
    call.convolution.emplace(DNNL_ARG_SCRATCHPAD, call.scratchpad);
  if (with_bias) {
    call.bias = empty(plan.plain.bias);
    call.convolution.emplace(back ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, call.bias);
  }
  call.reorder = {{DNNL_ARG_FROM, back ? call.packed : call.weights},
                  {DNNL_ARG_TO, back ? call.weights : call.packed}};
  return call;
}

/// Arguments that a pass only reads lose their const: the library has one type for all.
void run(const Conv1d& shape, Pass pass, const float* src, const float* weights, const float* bias,
         const float* dst) {
  const bool with_bias = bias != nullptr;
  const Key key{{static_cast<int>(pass), shape.rows, shape.length, shape.channels, shape.filters,
                 shape.height, with_bias ? 1 : 0}};
  thread_local RecentCalls<Key, Call, 64> recent;
  Call& call = recent.get(key, [&] { return make_call(key, shape, pass, with_bias); });
  const Plan& plan = *call.plan;
  call.src.set_data_handle(const_cast<float*>(src));
  call.weights.set_data_handle(const_cast<float*>(weights));
  call.dst.set_data_handle(const_cast<float*>(dst));
  if (with_bias) call.bias.set_data_handle(const_cast<float*>(bias));
  Scratch scratch;
  std::byte* const bytes = scratch.take<std::byte>(plan.scratch_bytes).data();
  call.scratchpad.set_data_handle(bytes);
  if (plan.reordered) call.packed.set_data_handle(bytes + plan.packed_offset);
  try {
    with_one_thread([&] {
      dnnl::stream& stream = dnnl_compat::stream();
      const bool back = pass == Pass::backward_weights;
      if (plan.reordered && !back) plan.reorder.execute(stream, call.reorder);
      plan.convolution.execute(stream, call.convolution);
      if (plan.reordered && back) plan.reorder.execute(stream, call.reorder);
    });
  } catch (const dnnl::error& e) {
    dnnl_compat::fail(describe(shape), e);
  }
}

}  // namespace

void conv1d(const Conv1d& shape, const float* src, const float* weights, const float* bias,
            float* dst) {
  check(shape);
  if (shape.rows > 0) run(shape, Pass::forward, src, weights, bias, dst);
}

void conv1d_backward_data(const Conv1d& shape, const float* d_dst, const float* weights,
                          float* d_src) {
  check(shape);
  if (shape.rows > 0) run(shape, Pass::backward_data, d_src, weights, nullptr, d_dst);
}

void conv1d_backward_weights(const Conv1d& shape, const float* src, const float* d_dst,
                             float* d_weights, float* d_bias) {
  check(shape);
  if (shape.rows > 0) return run(shape, Pass::backward_weights, src, d_weights, d_bias, d_dst);
  const std::size_t filters = static_cast<std::size_t>(shape.filters);
  std::fill_n(d_weights, filters * static_cast<std::size_t>(shape.height * shape.channels), 0.0F);
  if (d_bias != nullptr) std::fill_n(d_bias, filters, 0.0F);
}

}  // namespace recloom::kernels
