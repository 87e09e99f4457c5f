#pragma once
#include <cstddef>
#include <string_view>

#include "recloom/core/export.hpp"
#include "recloom/nn/var.hpp"

namespace recloom::nn {

class Plan;

/// What a training step turns to.
struct TraceStep {
  std::string_view phase;
  std::string_view what;       ///< The name of a parameter or node that it works on, or "".
  const Plan* plan = nullptr;  ///< Of the node, or null.
  NodeId node;                 ///< The same as a node of the graph, or none.
  std::size_t rows = 0;        ///< How many rows of the batch.
};

/// Is told what a training step turns to next, so that a profile can say where the time goes. It
/// brings the clock; what computes looks at none.
class StepTrace {
 public:
  virtual ~StepTrace() = default;
  virtual void turn_to(const TraceStep& step) = 0;
};

/// Set who is told of what the calling thread computes, null for nobody. A step that has other
/// threads too tells nobody of their part, so a trace makes sense with one thread only.
RECLOOM_API void set_step_trace(StepTrace* trace);

extern constinit thread_local StepTrace* step_trace;

inline void trace_step(const TraceStep& step) {
  if (step_trace != nullptr) step_trace->turn_to(step);
}
inline void trace_step(std::string_view phase) {
  trace_step(TraceStep{.phase = phase, .what = {}, .plan = nullptr, .node = {}, .rows = 0});
}

}  // namespace recloom::nn
