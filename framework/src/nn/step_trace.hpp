#pragma once
#include <atomic>
#include <string_view>

#include "recloom/core/export.hpp"

namespace recloom::nn {

/// Is told what a training step turns to next, so that a benchmark can say where the time goes.
/// The library itself looks at no clock.
class StepTrace {
 public:
  virtual ~StepTrace() = default;
  /// @param phase of the step. @param what it works on: the name of a parameter or node, or "".
  virtual void turn_to(std::string_view phase, std::string_view what) = 0;
};

/// Set who is told, null for nobody: one for the whole process. Calls come from the threads that
/// compute, so a trace makes sense with one thread only.
RECLOOM_API void set_step_trace(StepTrace* trace);

extern std::atomic<StepTrace*> step_trace;

inline void trace_step(std::string_view phase, std::string_view what = {}) {
  if (StepTrace* trace = step_trace.load(std::memory_order_relaxed)) trace->turn_to(phase, what);
}

}  // namespace recloom::nn
