#pragma once
#include <memory>

#include "recloom/core/export.hpp"

namespace recloom::kernels {

/// A convolution of histories [length, channels] with filters [filters, height, channels] of one
/// height, stride 1 and no padding, to maps [length - height + 1, filters]. All row-major.
struct Conv1d {
  int length = 0, channels = 0, filters = 0, height = 0;
  int positions() const noexcept { return length - height + 1; }
};

/// Filters in the layouts that the library's convolution primitives want, to be used for any number
/// of rows. assign() for one thread at a time; the others for any number, single-threaded each,
/// deterministic, without allocation in a warm call.
class RECLOOM_API ConvFilters {
 public:
  /// @param trains whether backward() will be called. @throws InternalError a size below 1, or a
  /// height above the length.
  ConvFilters(const Conv1d& shape, bool trains);
  ~ConvFilters();
  ConvFilters(ConvFilters&&) noexcept;
  ConvFilters& operator=(ConvFilters&&) noexcept;
  const Conv1d& shape() const noexcept;

  /// Lay out weights [filters, height, channels]. Before anything else is called.
  void assign(const float* weights);
  /// Compute the windows that start at position t: dst[r, f] = sum over j and c of
  /// src[r, t + j, c] weights[f, j, c]. src [rows, length, channels], dst [rows, filters].
  void windows(int rows, int t, const float* src, float* dst) const;
  /// From the gradients d_dst [rows, positions, filters] of all windows, add to d_src and d_weights
  /// what they are due. Either may be null: it is not wanted.
  void backward(int rows, const float* src, const float* d_dst, float* d_src,
                float* d_weights) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace recloom::kernels
