#include "nn/step_trace.hpp"

namespace recloom::nn {

std::atomic<StepTrace*> step_trace = nullptr;

void set_step_trace(StepTrace* trace) { step_trace.store(trace); }

}  // namespace recloom::nn
