#include "kernels/dnnl_compat.hpp"

#include "kernels/isa.hpp"

namespace recloom::kernels::dnnl_compat {
namespace {

#if DNNL_VERSION_MAJOR >= 3
constexpr dnnl::cpu_isa kNoLimit = dnnl::cpu_isa::isa_default;
#else
constexpr dnnl::cpu_isa kNoLimit = dnnl::cpu_isa::all;
#endif

dnnl::cpu_isa isa_limit(Isa level) {
  switch (level) {
    case Isa::avx2:
      return dnnl::cpu_isa::avx2;
    case Isa::avx512:
      return kNoLimit;
    case Isa::scalar:
    case Isa::sse4:
      break;
  }
  return dnnl::cpu_isa::sse41;
}

dnnl::engine make_engine() {
  // Only where asked for: a host may use oneDNN too. If it did already, its limit stays.
  if (isa() != supported_isas().back()) dnnl::set_max_cpu_isa(isa_limit(isa()));
  return dnnl::engine(dnnl::engine::kind::cpu, 0);
}

}  // namespace

dnnl::engine& engine() {
  static dnnl::engine engine = make_engine();
  return engine;
}

}  // namespace recloom::kernels::dnnl_compat
