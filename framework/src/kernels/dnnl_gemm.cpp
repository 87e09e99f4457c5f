#include "kernels/dnnl_gemm.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/scratch.hpp"
#include "kernels/dnnl_cache.hpp"
#include "kernels/dnnl_compat.hpp"
#include "kernels/isa.hpp"

namespace recloom::kernels {
namespace {

using dnnl_compat::with_one_thread;

std::string describe(const Gemm& g) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  return "gemm m=" + number(g.m) + " n=" + number(g.n) + " k=" + number(g.k) +
         " lda=" + number(g.lda) + " ldb=" + number(g.ldb) + " ldc=" + number(g.ldc) +
         (g.transpose_a ? " A transposed" : "") + (g.transpose_b ? " B transposed" : "");
}

void run_sgemm(const Gemm& g) {
  dnnl_status_t status = dnnl_success;
  with_one_thread([&] {
    status = dnnl_sgemm(g.transpose_a ? 'T' : 'N', g.transpose_b ? 'T' : 'N', g.m, g.n, g.k, 1.0F,
                        g.a, g.lda, g.b, g.ldb, g.accumulate ? 1.0F : 0.0F, g.c, g.ldc);
  });
  if (status != dnnl_success)
    dnnl_compat::fail(describe(g), dnnl::error(status, "sgemm refused its arguments"));
}

using Key = PrimitiveKey<8>;

Key key_of(const Gemm& g) {
  const std::int64_t flags =
      (g.transpose_a ? 1 : 0) | (g.transpose_b ? 2 : 0) | (g.accumulate ? 4 : 0);
  return {{g.m, g.n, g.k, g.lda, g.ldb, g.ldc, flags, 0}};
}

struct Matmul {
  dnnl::memory::desc a, b, c, scratchpad;
  std::size_t scratchpad_size = 0;
  dnnl::matmul primitive;
};

dnnl::memory::desc matrix(std::int64_t rows, std::int64_t columns, std::int64_t stride,
                          bool transposed) {
  const dnnl::memory::dims strides =
      transposed ? dnnl::memory::dims{1, stride} : dnnl::memory::dims{stride, 1};
  return {{rows, columns}, dnnl::memory::data_type::f32, strides};
}

Matmul make_matmul(const Gemm& g) {
  Matmul made;
  try {
    made.a = matrix(g.m, g.k, g.lda, g.transpose_a);
    made.b = matrix(g.k, g.n, g.ldb, g.transpose_b);
    made.c = matrix(g.m, g.n, g.ldc, false);
    dnnl::primitive_attr attr = dnnl_compat::user_scratchpad();
    if (g.accumulate) {
      dnnl::post_ops ops;
      ops.append_sum(1.0F);
      attr.set_post_ops(ops);
    }
    with_one_thread([&] {
      const auto pd = dnnl_compat::matmul(made.a, made.b, made.c, attr);
      made.scratchpad = pd.scratchpad_desc();
      made.primitive = dnnl::matmul(pd);
    });
    made.scratchpad_size = made.scratchpad.get_size();
  } catch (const dnnl::error& e) {
    dnnl_compat::fail(describe(g), e);
  }
  return made;
}

PrimitiveCache<Key, Matmul>& cache() {
  static PrimitiveCache<Key, Matmul> cache(kGemmCacheCapacity);
  return cache;
}

/// A primitive with the memory objects that one thread passes to it.
struct Call {
  Key key;
  std::shared_ptr<const Matmul> matmul;
  dnnl::memory a, b, c, scratchpad;
  std::unordered_map<int, dnnl::memory> arguments;
};

Call make_call(const Key& key, const Gemm& g) {
  Call call;
  call.key = key;
  call.matmul = cache().get(key, [&] { return make_matmul(g); });
  const Matmul& m = *call.matmul;
  dnnl::engine& engine = dnnl_compat::engine();
  call.a = dnnl::memory(m.a, engine, nullptr);
  call.b = dnnl::memory(m.b, engine, nullptr);
  call.c = dnnl::memory(m.c, engine, nullptr);
  call.scratchpad = dnnl::memory(m.scratchpad, engine, nullptr);
  call.arguments = {{DNNL_ARG_SRC, call.a}, {DNNL_ARG_WEIGHTS, call.b}, {DNNL_ARG_DST, call.c}};
  if (m.scratchpad_size > 0) call.arguments.emplace(DNNL_ARG_SCRATCHPAD, call.scratchpad);
  return call;
}

void run_matmul(const Gemm& g) {
  thread_local RecentCalls<Key, Call> recent;
  const Key key = key_of(g);
  Call& call = recent.get(key, [&] { return make_call(key, g); });
  call.a.set_data_handle(const_cast<float*>(g.a));
  call.b.set_data_handle(const_cast<float*>(g.b));
  call.c.set_data_handle(g.c);
  Scratch scratch;
  if (const std::size_t size = call.matmul->scratchpad_size; size > 0)
    call.scratchpad.set_data_handle(scratch.take<std::byte>(size).data());
  try {
    with_one_thread([&] { call.matmul->primitive.execute(dnnl_compat::stream(), call.arguments); });
  } catch (const dnnl::error& e) {
    dnnl_compat::fail(describe(g), e);
  }
}

}  // namespace

GemmPath gemm_path() {
  static const GemmPath path = [] {
    dnnl_compat::engine();
    return isa() == Isa::avx512 ? GemmPath::matmul : GemmPath::sgemm;
  }();
  return path;
}

void gemm(const Gemm& g, GemmPath path) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0) {
    if (g.accumulate) return;
    for (std::int64_t row = 0; row < g.m; ++row) std::fill_n(g.c + row * g.ldc, g.n, 0.0F);
    return;
  }
  path == GemmPath::matmul ? run_matmul(g) : run_sgemm(g);
}

void gemm(const Gemm& g) { gemm(g, gemm_path()); }

std::size_t gemm_cache_size() { return cache().size(); }

}  // namespace recloom::kernels
