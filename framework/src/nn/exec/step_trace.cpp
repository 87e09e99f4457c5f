#include "nn/exec/step_trace.hpp"

namespace recloom::nn {

constinit thread_local StepTrace* step_trace = nullptr;

void set_step_trace(StepTrace* trace) { step_trace = trace; }

}  // namespace recloom::nn
