#pragma once
#include <string>
#include <vector>

#include "recloom/core/export.hpp"

namespace recloom::kernels {

struct SelfTestResult {
  std::string name;  ///< What was tried, such as "gemm (matmul)".
  bool ok = false;
  std::string detail;  ///< The largest error and where it was allowed to be, or what was thrown.
};

/// Run every kind of oneDNN primitive and SIMD kernel in use on a small shape and compare it with a
/// scalar loop. Builds of oneDNN exist that compute a case wrongly without a word.
RECLOOM_API std::vector<SelfTestResult> self_test();

/// What the kernels stand on, for people and reports.
struct KernelVersions {
  std::string onednn;          ///< "2.6.3" of the library that is loaded.
  std::string onednn_headers;  ///< Of the headers that recloom was built with.
  std::string onednn_runtime;  ///< "OpenMP", "TBB", "sequential", "threadpool"
  std::string onednn_isa;      ///< The instruction set that oneDNN may use.
  std::string isa;             ///< isa_name()
};
RECLOOM_API KernelVersions kernel_versions();

}  // namespace recloom::kernels
