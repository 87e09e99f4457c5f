#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "nn/exec/shard.hpp"
#include "nn/step/gradients.hpp"

namespace recloom::nn {

/// Say which tensor of a step was the first that is not finite: a parameter, the output of an op
/// (run again, one by one), the loss over items, a gradient (the backward pass run again). One line
/// for a message.
/// @param backward runs that pass of a shard again, see Shard::backward().
std::string first_not_finite(
    const Plan& plan, std::span<const std::unique_ptr<Shard>> shards, const Gradients& gradients,
    std::span<const NodeId> heads,
    const std::function<void(std::size_t shard, const std::function<void(NodeId)>& look)>&
        backward);

}  // namespace recloom::nn
