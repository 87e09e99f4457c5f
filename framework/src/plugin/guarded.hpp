#pragma once
#include <memory>

#include "recloom/data/sampler.hpp"
#include "recloom/eval/metric.hpp"
#include "recloom/plugin/info.hpp"

// Metrics and samplers of plugins as the host uses them: what goes wrong in one names it.
namespace recloom {

std::shared_ptr<Metric> guarded(std::shared_ptr<Metric> metric, const PluginInfo& plugin);
/// Also checks what is drawn: ids from 1 to n_items - 1.
std::shared_ptr<NegativeSampler> guarded(std::shared_ptr<NegativeSampler> sampler,
                                         const PluginInfo& plugin);

}  // namespace recloom
