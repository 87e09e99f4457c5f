#include "support/memory.hpp"

#include <fstream>
#include <string>

namespace recloom::benchmarks {

double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      double kib = 0;
      status >> kib;
      return 1024 * kib;
    }
  return 0;
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace recloom::benchmarks
