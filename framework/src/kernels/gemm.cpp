#include "kernels/gemm.hpp"

#include <cstddef>

namespace recloom::kernels {

void gemm(const Gemm& g) {
  for (int row = 0; row < g.m; ++row) {
    float* c = g.c + static_cast<std::size_t>(row) * g.ldc;
    if (!g.accumulate)
      for (int column = 0; column < g.n; ++column) c[column] = 0;
    for (int inner = 0; inner < g.k; ++inner) {
      const float a = g.transpose_a ? g.a[static_cast<std::size_t>(inner) * g.lda + row]
                                    : g.a[static_cast<std::size_t>(row) * g.lda + inner];
      for (int column = 0; column < g.n; ++column)
        c[column] += a * (g.transpose_b ? g.b[static_cast<std::size_t>(column) * g.ldb + inner]
                                        : g.b[static_cast<std::size_t>(inner) * g.ldb + column]);
    }
  }
}

}  // namespace recloom::kernels
