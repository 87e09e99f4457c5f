#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>

#include "recloom/core/export.hpp"

// Dense loops with run-time SIMD dispatch (scalar, SSE4, AVX2, AVX-512). Single-threaded, no
// allocation, any alignment, n = 0 is legal; arrays are the same or do not overlap. For one
// instruction set the same input gives the same bits. NaN comes out where NaN goes in.
namespace recloom::kernels {

/// Name of the instruction set in use. RECLOOM_ISA=scalar|sse4|avx2|avx512 lowers it.
/// @throws ConfigError the variable has another value; so does the first call of any function here.
RECLOOM_API const char* isa_name();

RECLOOM_API void add(std::size_t n, const float* x, float* y);            ///< y += x
RECLOOM_API void axpy(std::size_t n, float a, const float* x, float* y);  ///< y += a x
RECLOOM_API void scale(std::size_t n, float a, float* x);                 ///< x *= a
RECLOOM_API void multiply(std::size_t n, const float* x, float* y);       ///< y *= x
RECLOOM_API float dot(std::size_t n, const float* x, const float* y);
RECLOOM_API double squared_norm(std::size_t n, const float* x);  ///< Accumulated in double.
RECLOOM_API double sum(std::size_t n, const float* x);           ///< Accumulated in double.
RECLOOM_API bool all_finite(std::size_t n, const float* x);

/// y = x where x > 0, else 0. x may be y.
RECLOOM_API void relu(std::size_t n, const float* x, float* y);
/// dx += dy where y > 0.
RECLOOM_API void relu_backward(std::size_t n, const float* y, const float* dy, float* dx);

/// y = exp(x), ln(x), 1 / (1 + exp(-x)), tanh(x), to a few units in the last place; exp is 0 below
/// -87.3 and inf above 88.7, ln is -inf at 0 and NaN below. x may be y.
RECLOOM_API void exp(std::size_t n, const float* x, float* y);
RECLOOM_API void log(std::size_t n, const float* x, float* y);
RECLOOM_API void sigmoid(std::size_t n, const float* x, float* y);
RECLOOM_API void tanh(std::size_t n, const float* x, float* y);

/// Inverted dropout with a mask that is a function: element e of row `row` is kept if word e % 4 of
/// Philox4x32-10(counter = (e / 4, row low, row high, 0), key) is >= ceil(p 2^32), and scaled by
/// 1/(1-p). Every instruction set draws the same mask. The same call with dy gives dx: dst += where
/// accumulate. 0 <= p; p >= 1 keeps nothing. src may be dst if not accumulating.
/// @param first the element that src and dst begin with; first + n <= 2^34.
RECLOOM_API void dropout(std::uint64_t key, std::uint64_t row, double p, std::size_t n,
                         const float* src, float* dst, bool accumulate, std::size_t first = 0);

/// Turn a row of logits into its gradient: logits[i] = weight (softmax(logits)[i] - [i == target]).
/// -inf is a legal logit (probability 0) but for the target. n >= 1.
/// @return -ln softmax(logits)[target], in nats.
RECLOOM_API float cross_entropy_row(std::size_t n, std::size_t target, float weight, float* logits);

/// A softmax over blocks that come one after the other.
struct SoftmaxState {
  float top = -std::numeric_limits<float>::infinity();  ///< Largest logit so far.
  double sum = 0;                                       ///< Of e^(logit - top) so far.
};
/// Take a block of logits into `state`, x = e^(x - state.top) with the new top. -inf is a legal
/// logit, but not of all in the first block.
RECLOOM_API void softmax_block(std::size_t n, float* x, SoftmaxState& state);
/// x = factor e^(x - shift), for x <= shift (but for rounding).
RECLOOM_API void scaled_exp(std::size_t n, float factor, float shift, float* x);

/// One step of max over time: where c[i] > best[i] (or c[i] is NaN, or always for position 0) take
/// it and its position. c, best [n]; where [n].
RECLOOM_API void running_max(std::size_t n, const float* c, std::int32_t position, float* best,
                             std::int32_t* where);

/// out[i] = table[ids[i]], rows of `columns` floats. Ids are not checked.
RECLOOM_API void gather_rows(std::size_t count, std::size_t columns, const float* table,
                             const std::int32_t* ids, float* out);
/// out[i] = dot(x, table[ids[i]]), rows of `columns` floats read in place. Ids are not checked.
RECLOOM_API void dot_rows(std::size_t count, std::size_t columns, const float* x,
                          const float* table, const std::int32_t* ids, float* out);
/// y += the sum of factors[i] table[ids[i]], first to last: the gradient of dot_rows for x.
RECLOOM_API void axpy_rows(std::size_t count, std::size_t columns, const float* factors,
                           const float* table, const std::int32_t* ids, float* y);
/// y += the sum of the rows of x [rows, columns], first to last.
RECLOOM_API void column_sums(std::size_t rows, std::size_t columns, const float* x, float* y);

}  // namespace recloom::kernels
