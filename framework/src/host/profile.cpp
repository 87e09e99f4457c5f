// Where the time of a training step goes.
#include <time.h>

#include <algorithm>
#include <map>

#include "core/json.hpp"
#include "host/network_of.hpp"
#include "kernels/machine_peak.hpp"
#include "nn/exec/step_trace.hpp"
#include "nn/graph/graph_dump.hpp"
#include "nn/graph/parameter_data.hpp"
#include "nn/passes/plan.hpp"
#include "recloom/authoring.hpp"

namespace recloom {
namespace {

double thread_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Multiplications and additions of a row, forward.
double flops_of(const nn::Plan& plan, nn::NodeId id) {
  const nn::Node& node = plan.graph().node(id);
  if (const nn::Op* op = node.op()) return op->flops(plan.operand_shapes(id));
  if (const auto* work = std::get_if<nn::RowScores>(&node.work))
    return 2.0 * static_cast<double>(work->table.data()->columns() * nn::count(plan.shape(id)));
  double flops = 0;
  if (const auto* work = std::get_if<nn::SoftmaxHead>(&node.work))
    for (const nn::Parameter& table : work->head.tables)
      flops += 2.0 * static_cast<double>(table.values().size());
  return flops;
}

/// Adds up processor time by node and phase.
class StepClock final : public nn::StepTrace {
 public:
  void turn_to(const nn::TraceStep& step) override {
    stop();
    const bool backward = step.phase == "backward", head = step.phase == "item head";
    const bool named = static_cast<bool>(step.node);
    PartProfile& part =
        parts_[named ? step.plan->graph().node(step.node).name : std::string(step.phase)];
    current_ = backward ? &part.backward : &part.forward;
    if (named) {
      if (part.name.empty()) describe(step, part);
      // An op's gradients by its operands are two products of the size of its own.
      const double passes = head ? 3 : backward ? 2 : 1;
      part.flops += passes * flops_of(*step.plan, step.node) * static_cast<double>(step.rows);
    }
    if (part.name.empty()) part.name = step.phase;
    if (!backward) ++part.calls;
    since_ = thread_seconds();
  }
  void stop() {
    if (current_ != nullptr) *current_ += thread_seconds() - since_;
    current_ = nullptr;
  }
  void forget() {
    current_ = nullptr;
    parts_.clear();
  }
  std::vector<PartProfile> parts() const {
    std::vector<PartProfile> all;
    for (const auto& [name, part] : parts_) all.push_back(part);
    std::ranges::stable_sort(all, std::ranges::greater{}, &PartProfile::seconds);
    return all;
  }

 private:
  static void describe(const nn::TraceStep& step, PartProfile& part) {
    const nn::Node& node = step.plan->graph().node(step.node);
    const nn::Shape& shape = step.plan->shape(step.node);
    part.name = node.name;
    if (step.what != node.name) part.name += " " + std::string(step.what);
    part.op = nn::op_name(node);
    part.shape = nn::to_text(shape);
    const std::size_t saved = step.plan->slot(step.node).saved_size;
    part.bytes_per_row = static_cast<double>(sizeof(float) * (2 * nn::count(shape) + saved));
  }

  std::map<std::string, PartProfile> parts_;
  double* current_ = nullptr;
  double since_ = 0;
};

}  // namespace

TrainingProfile profile_training(Recommender& recommender, const Dataset& dataset,
                                 const RunContext& outer) {
  network_of(recommender);
  TrainingProfile profile;
  profile.peak_flops = kernels::measure_peak_flops();
  StepClock clock;
  std::int64_t rows_before = 0;
  RunContext run(recommender.config().seed, 1);
  TrainCallbacks callbacks;
  callbacks.on_progress = [&](const TrainProgress& progress) {
    clock.stop();
    if (profile.steps == 0 && rows_before == 0) {
      clock.forget();  // Primitives are made and memory is touched in the first step.
    } else {
      ++profile.steps;
      profile.rows += progress.step == 1 ? progress.rows : progress.rows - rows_before;
    }
    rows_before = progress.rows;
    if (outer.stop_requested()) run.request_stop();
  };
  nn::set_step_trace(&clock);
  try {
    recommender.train(dataset, run, callbacks);
  } catch (...) {
    nn::set_step_trace(nullptr);
    throw;
  }
  nn::set_step_trace(nullptr);
  outer.check_stop();
  profile.parts = clock.parts();
  for (const PartProfile& part : profile.parts) profile.seconds += part.seconds();
  return profile;
}

std::string TrainingProfile::to_json() const {
  Json list = Json::array();
  for (const PartProfile& part : parts)
    list.push_back({{"name", part.name},
                    {"op", part.op},
                    {"shape", part.shape},
                    {"calls", part.calls},
                    {"forward_seconds", part.forward},
                    {"backward_seconds", part.backward},
                    {"flops", part.flops},
                    {"bytes_per_row", part.bytes_per_row}});
  return dump_json({{"steps", steps},
                    {"rows", rows},
                    {"seconds", seconds},
                    {"peak_flops", peak_flops},
                    {"parts", list}});
}

}  // namespace recloom
