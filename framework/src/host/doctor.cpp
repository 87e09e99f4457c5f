#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/text.hpp"
#include "host/paths.hpp"
#include "kernels/self_test.hpp"
#include "plugin/library_folder.hpp"
#include "recloom/plugin/abi.hpp"
#include "recloom/recloom.hpp"

namespace recloom {
namespace {

std::string processor() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    return std::string(trim(std::string_view(line).substr(line.find(':') + 1)));
  }
  return "unknown";
}

std::string memory() {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return fmt::format("{:.1f} GiB",
                     static_cast<double>(pages) * static_cast<double>(size) / (1 << 30));
}

std::string usable_plugins(const std::vector<PluginInfo>& plugins) {
  std::vector<std::string> names;
  for (const PluginInfo& plugin : plugins)
    if (plugin.usable()) names.push_back(plugin.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

bool DoctorReport::healthy() const noexcept {
  return std::all_of(checks.begin(), checks.end(),
                     [](const Check& check) { return check.problem.empty(); });
}

DoctorReport doctor(const PluginRegistry& plugins, const RunContext& run) {
  const std::vector<PluginInfo> found = plugins.list();
  const kernels::KernelVersions kernels = kernels::kernel_versions();
  DoctorReport report;
  report.facts = {
      {"processor", processor()},
      {"memory", memory()},
      {"threads", fmt::format("{} of {}", run.threads(), std::thread::hardware_concurrency())},
      {"instruction set", kernels.isa},
      {"oneDNN", fmt::format("{} ({}, {}; built with headers of {})", kernels.onednn,
                             kernels.onednn_runtime, kernels.onednn_isa, kernels.onednn_headers)},
      {"compiler", fmt::format("g++ {}", __VERSION__)},
      {"plugin interface", fmt::format("{}, {}", plugin::kAbiNumber, RECLOOM_FINGERPRINT)},
      {"library", library_folder()},
      {"plugin folders", fmt::format("{}", fmt::join(plugins.folders(), ", "))},
      {"plugins", usable_plugins(found)},
      {"data sets", fmt::format("{}", fmt::join(shipped_datasets(), ", "))},
  };
  for (const kernels::SelfTestResult& result : kernels::self_test())
    report.checks.push_back({result.name, result.ok ? "" : result.detail});
  for (const PluginInfo& plugin : found)
    report.checks.push_back({"plugin " + plugin.name, plugin.problem});
  return report;
}

}  // namespace recloom
