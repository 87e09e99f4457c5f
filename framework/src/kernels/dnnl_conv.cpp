// Convolutions over time by oneDNN's convolution primitives, in the forms of them that are fastest.
//
// Forward, a primitive for each start of a window: all rows are one long sequence of which every
// length-th position starts a window (stride = length). So a call has as many outputs as rows; one
// history is too short for the primitive to get going.
// Backward, a primitive over the rows' histories. The library's fast kernels end at filters of 8
// to 14 rows, so taller ones are cut into pieces of at most kMostTaps, each a convolution with the
// same histories moved on by the taps before it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/aligned.hpp"
#include "core/scratch.hpp"
#include "kernels/conv.hpp"
#include "kernels/dnnl_cache.hpp"
#include "kernels/dnnl_compat.hpp"
#include "kernels/vector.hpp"

namespace recloom::kernels {
namespace {

using dnnl::memory;
using dnnl_compat::with_one_thread;
using Arguments = std::unordered_map<int, memory>;

constexpr auto kFloat = memory::data_type::f32;
constexpr int kMostTaps = 8;
/// Rows of a call. There are primitives for these alone, since making one costs as much as running
/// it on hundreds of rows; any number of rows is a sum of such blocks.
constexpr std::array kForwardRows{256, 64, 8, 1};
constexpr std::array kBackwardRows{64, 8, 1};  // What a block of gradients takes stays in L2.

/// Call body(first, n) for blocks of rows.
template <std::size_t N, class Body>
void for_blocks(int rows, const std::array<int, N>& sizes, const Body& body) {
  int first = 0;
  for (const int n : sizes)
    for (; rows - first >= n; first += n) body(first, n);
}

std::size_t size(int a, int b = 1, int c = 1) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
}

enum class Pass { forward, backward_data, backward_weights };

std::string describe(const Conv1d& s) {
  return "convolution over time, length=" + std::to_string(s.length) +
         " channels=" + std::to_string(s.channels) + " filters=" + std::to_string(s.filters) +
         " height=" + std::to_string(s.height);
}

using Key = PrimitiveKey<6>;
Key key_of(Pass pass, const Conv1d& s, int rows) {
  return {{static_cast<int>(pass), rows, s.length, s.channels, s.filters, s.height}};
}

struct Primitive {
  memory::desc src, weights, dst, scratchpad;
  dnnl::primitive primitive;
};

dnnl_compat::ConvDescs memory_of(Pass pass, const Conv1d& s, int rows) {
  constexpr auto kOrder = memory::format_tag::nwc;
  dnnl_compat::ConvDescs m;
  m.weights = {{s.filters, s.channels, s.height}, kFloat, memory::format_tag::any};
  if (pass == Pass::forward) {
    m.stride = s.length;
    m.src = {{1, s.channels, memory::dim{rows - 1} * s.length + s.height}, kFloat, kOrder};
    m.dst = {{1, s.filters, rows}, kFloat, kOrder};
  } else {
    m.src = {{rows, s.channels, s.length}, kFloat, kOrder};
    m.dst = {{rows, s.filters, s.positions()}, kFloat, kOrder};
  }
  return m;
}

template <class PrimitiveDesc>
Primitive made_from(const PrimitiveDesc& pd, const dnnl_compat::ConvDescs& m,
                    const memory::desc& weights) {
  return {m.src, weights, m.dst, pd.scratchpad_desc(), dnnl::primitive(pd)};
}

Primitive make_primitive(Pass pass, const dnnl_compat::ConvDescs& m) {
  const auto attr = dnnl_compat::user_scratchpad();
  const auto forward = dnnl_compat::conv_forward(m, attr);
  if (pass == Pass::forward) return made_from(forward, m, forward.weights_desc());
  if (pass == Pass::backward_data) {
    const auto pd = dnnl_compat::conv_backward_data(m, attr, forward);
    return made_from(pd, m, pd.weights_desc());
  }
  const auto pd = dnnl_compat::conv_backward_weights(m, attr, forward);
  return made_from(pd, m, pd.diff_weights_desc());
}

PrimitiveCache<Key, Primitive>& cache() {
  constexpr std::size_t kCapacity = 1024;
  static PrimitiveCache<Key, Primitive> cache(kCapacity);
  return cache;
}

/// The primitive for a block of rows. All of a pass have one layout of weights, which the one for
/// most rows chooses.
std::shared_ptr<const Primitive> primitive_for(Pass pass, const Conv1d& s, int rows) {
  const int most = pass == Pass::forward ? kForwardRows.front() : kBackwardRows.front();
  memory::desc layout;
  if (rows != most) layout = primitive_for(pass, s, most)->weights;
  return cache().get(key_of(pass, s, rows), [&] {
    dnnl_compat::ConvDescs m = memory_of(pass, s, rows);
    if (rows != most) m.weights = layout;
    Primitive made;
    try {
      with_one_thread([&] { made = make_primitive(pass, m); });
    } catch (const dnnl::error& e) {
      dnnl_compat::fail(describe(s), e);
    }
    return made;
  });
}

/// A primitive with the memory objects that one thread passes to it.
struct Call {
  Key key;
  std::shared_ptr<const Primitive> primitive;
  memory src, weights, dst, scratchpad;
  Arguments arguments;
};

Call make_call(Pass pass, const Conv1d& s, int rows) {
  Call call{key_of(pass, s, rows), primitive_for(pass, s, rows), {}, {}, {}, {}, {}};
  const auto empty = [](const memory::desc& desc) {
    return memory(desc, dnnl_compat::engine(), nullptr);
  };
  const Primitive& p = *call.primitive;
  call.src = empty(p.src);
  call.weights = empty(p.weights);
  call.dst = empty(p.dst);
  call.scratchpad = empty(p.scratchpad);
  const bool data = pass == Pass::backward_data, weights = pass == Pass::backward_weights;
  call.arguments = {{data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, call.src},
                    {weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, call.weights},
                    {pass == Pass::forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, call.dst}};
  if (p.scratchpad.get_size() > 0) call.arguments.emplace(DNNL_ARG_SCRATCHPAD, call.scratchpad);
  return call;
}

/// What a pass only reads loses its const: the library has one type for all.
void run(Pass pass, const Conv1d& s, int rows, const float* src, const float* weights,
         const float* dst) {
  const Key key = key_of(pass, s, rows);
  thread_local RecentCalls<Key, Call> recent;
  Call& call = recent.get(key, [&] { return make_call(pass, s, rows); });
  call.src.set_data_handle(const_cast<float*>(src));
  call.weights.set_data_handle(const_cast<float*>(weights));
  call.dst.set_data_handle(const_cast<float*>(dst));
  Scratch scratch;
  if (const std::size_t bytes = call.primitive->scratchpad.get_size(); bytes > 0)
    call.scratchpad.set_data_handle(scratch.take<std::byte>(bytes).data());
  try {
    with_one_thread(
        [&] { call.primitive->primitive.execute(dnnl_compat::stream(), call.arguments); });
  } catch (const dnnl::error& e) {
    dnnl_compat::fail(describe(s), e);
  }
}

/// Copies floats from one layout to another.
class Reorder {
 public:
  Reorder(const memory::desc& from, const memory::desc& to)
      : from_(from, dnnl_compat::engine(), nullptr), to_(to, dnnl_compat::engine(), nullptr) {
    with_one_thread([&] {
      const dnnl::reorder::primitive_desc pd(dnnl_compat::engine(), from, dnnl_compat::engine(), to,
                                             dnnl_compat::user_scratchpad());
      reorder_ = dnnl::reorder(pd);
      scratchpad_ = pd.scratchpad_desc();
    });
  }
  void run(const float* from, float* to) const {
    // Memory objects of this call alone: several threads may copy at once.
    const auto over = [](const memory& like, const float* data) {
      return memory(like.get_desc(), dnnl_compat::engine(), const_cast<float*>(data));
    };
    Scratch scratch;
    Arguments arguments{{DNNL_ARG_FROM, over(from_, from)}, {DNNL_ARG_TO, over(to_, to)}};
    if (const std::size_t bytes = scratchpad_.get_size(); bytes > 0)
      arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(scratchpad_, dnnl_compat::engine(),
                                                    scratch.take<std::byte>(bytes).data()));
    with_one_thread([&] { reorder_.execute(dnnl_compat::stream(), arguments); });
  }

 private:
  memory from_, to_;
  memory::desc scratchpad_;
  dnnl::reorder reorder_;
};

/// Filters [filters, taps, channels] of which those of one filter and the next lie this far apart.
memory::desc plain_filters(const Conv1d& s, int stride) {
  return {{s.filters, s.channels, s.height}, kFloat, memory::dims{stride, 1, s.channels}};
}

}  // namespace

struct ConvFilters::Impl {
  /// Some neighbouring rows of all filters, for backward.
  struct Piece {
    int first;
    Conv1d shape;
    Reorder pack, unpack;  ///< Unpacked to [filters, taps, channels].
    std::size_t gradient_size;
    AlignedFloats weights;
  };

  Impl(const Conv1d& s, bool trains)
      : shape(s),
        pack(plain_filters(s, s.height * s.channels), forward_layout(s)),
        weights(forward_layout(s).get_size() / sizeof(float)) {
    for (int first = 0; trains && first < s.height; first += kMostTaps) add_piece(first);
  }

  static memory::desc forward_layout(const Conv1d& s) {
    return primitive_for(Pass::forward, s, kForwardRows.front())->weights;
  }

  void add_piece(int first) {
    Conv1d s = shape;
    s.height = std::min(kMostTaps, shape.height - first);
    const auto data = primitive_for(Pass::backward_data, s, kBackwardRows.front());
    const auto gradient = primitive_for(Pass::backward_weights, s, kBackwardRows.front());
    pieces.push_back({first, s,
                      Reorder(plain_filters(s, shape.height * shape.channels), data->weights),
                      Reorder(gradient->weights, plain_filters(s, s.height * s.channels)),
                      gradient->weights.get_size() / sizeof(float),
                      AlignedFloats(data->weights.get_size() / sizeof(float))});
  }

  void backward(const Piece& piece, int rows, const float* src, const float* d_dst, float* d_src,
                float* d_weights) const;
  void add_gradient(const Piece& piece, const float* packed, float* d_weights) const;

  Conv1d shape;
  Reorder pack;
  AlignedFloats weights;
  std::vector<Piece> pieces;
};

/// @param d_dst [rows, positions of the piece, filters].
void ConvFilters::Impl::backward(const Piece& piece, int rows, const float* src, const float* d_dst,
                                 float* d_src, float* d_weights) const {
  const Conv1d& s = piece.shape;
  const std::size_t in = size(s.length, s.channels), out = size(s.positions(), s.filters);
  Scratch scratch;
  float* const moved = scratch.floats(in * size(std::min(rows, kBackwardRows.front())));
  float *const gradient = scratch.floats(piece.gradient_size), *const sum = scratch.zeros(
                                                                   piece.gradient_size);
  for_blocks(rows, kBackwardRows, [&](int first, int n) {
    const float* d_block = d_dst + size(first) * out;
    if (d_src != nullptr) {
      run(Pass::backward_data, s, n, moved, piece.weights.data(), d_block);
      add(size(n) * in, moved, d_src + size(first) * in);
    }
    if (d_weights == nullptr) return;
    run(Pass::backward_weights, s, n, src + size(first) * in, gradient, d_block);
    add(piece.gradient_size, gradient, sum);
  });
  if (d_weights != nullptr) add_gradient(piece, sum, d_weights);
}

void ConvFilters::Impl::add_gradient(const Piece& piece, const float* packed,
                                     float* d_weights) const {
  const std::size_t n = size(piece.shape.height, shape.channels);
  Scratch scratch;
  float* const plain = scratch.floats(size(shape.filters) * n);
  piece.unpack.run(packed, plain);
  for (int f = 0; f < shape.filters; ++f)
    add(n, plain + size(f) * n,
        d_weights + (size(f, shape.height) + size(piece.first)) * size(shape.channels));
}

ConvFilters::ConvFilters(const Conv1d& s, bool trains) {
  if (s.channels < 1 || s.filters < 1 || s.height < 1 || s.height > s.length)
    throw InternalError("impossible " + describe(s));
  try {
    impl_ = std::make_unique<Impl>(s, trains);
  } catch (const dnnl::error& e) {
    dnnl_compat::fail(describe(s), e);
  }
}
ConvFilters::~ConvFilters() = default;
ConvFilters::ConvFilters(ConvFilters&&) noexcept = default;
ConvFilters& ConvFilters::operator=(ConvFilters&&) noexcept = default;
const Conv1d& ConvFilters::shape() const noexcept { return impl_->shape; }

void ConvFilters::assign(const float* weights) {
  impl_->pack.run(weights, impl_->weights.data());
  for (Impl::Piece& piece : impl_->pieces)
    piece.pack.run(weights + size(piece.first, shape().channels), piece.weights.data());
}

void ConvFilters::windows(int rows, int t, const float* src, float* dst) const {
  const Conv1d& s = shape();
  for_blocks(rows, kForwardRows, [&](int first, int n) {
    run(Pass::forward, s, n, src + (size(first, s.length) + size(t)) * size(s.channels),
        impl_->weights.data(), dst + size(first, s.filters));
  });
}

void ConvFilters::backward(int rows, const float* src, const float* d_dst, float* d_src,
                           float* d_weights) const {
  const std::size_t n = size(shape().positions(), shape().filters);
  for (const Impl::Piece& piece : impl_->pieces) {
    if (impl_->pieces.size() == 1)
      return impl_->backward(piece, rows, src, d_dst, d_src, d_weights);
    // The windows of the piece begin that much later; those before and behind have no gradient.
    const std::size_t all = size(piece.shape.positions(), shape().filters);
    Scratch scratch;
    float* const moved = scratch.zeros(size(rows) * all);
    for (int row = 0; row < rows; ++row)
      std::copy_n(d_dst + size(row) * n, n,
                  moved + size(row) * all + size(piece.first, shape().filters));
    impl_->backward(piece, rows, src, moved, d_src, d_weights);
  }
}

}  // namespace recloom::kernels
