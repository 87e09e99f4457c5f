#include <string>

#include "kernels/dnnl_compat.hpp"
#include "kernels/self_test.hpp"
#include "kernels/vector.hpp"

namespace recloom::kernels {
namespace {

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::string onednn_isa() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    default:
      break;
  }
  // Names were added over the versions; the number is that of dnnl_cpu_isa_t.
  return "level " + std::to_string(static_cast<int>(dnnl::get_effective_cpu_isa()));
}

}  // namespace

KernelVersions kernel_versions() {
  dnnl_compat::engine();
  const dnnl_version_t* loaded = dnnl_version();
  return {.onednn = dotted(loaded->major, loaded->minor, loaded->patch),
          .onednn_headers = dotted(DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH),
          .onednn_runtime = dnnl_compat::runtime_name(),
          .onednn_isa = onednn_isa(),
          .isa = isa_name()};
}

}  // namespace recloom::kernels
