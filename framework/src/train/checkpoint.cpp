#include "train/checkpoint.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include "core/json.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr const char* kFormat = "recloom-checkpoint-1";
constexpr std::size_t kNamedDifferences = 3;

/// JSON has no NaN (a metric over no rows): null stands for it.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
double number(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

Json to_json(const EpochReport& epoch) {
  Json valid = Json::object();
  for (const auto& [key, value] : epoch.valid) valid[key] = number(value);
  return {{"epoch", epoch.epoch},
          {"loss", number(epoch.loss)},
          {"penalty", number(epoch.penalty)},
          {"learning_rate", number(epoch.learning_rate)},
          {"best", epoch.best},
          {"valid", std::move(valid)}};
}

EpochReport epoch_from(const Json& json) {
  EpochReport epoch;
  epoch.epoch = json.at("epoch").get<int>();
  epoch.loss = number(json.at("loss"));
  epoch.penalty = number(json.at("penalty"));
  epoch.learning_rate = number(json.at("learning_rate"));
  epoch.best = json.at("best").get<bool>();
  for (const auto& [key, value] : json.at("valid").items()) epoch.valid[key] = number(value);
  return epoch;
}

Json to_json(const TrainState& state) {
  Json history = Json::array();
  for (const EpochReport& epoch : state.history) history.push_back(to_json(epoch));
  return {{"epoch", state.epoch},
          {"step_in_epoch", state.step_in_epoch},
          {"steps", state.steps},
          {"rows", state.rows},
          {"loss_sum", number(state.loss_sum)},
          {"penalty_sum", number(state.penalty_sum)},
          {"learning_rate", number(state.learning_rate)},
          {"best_epoch", state.best_epoch},
          {"best_valid", number(state.best_valid)},
          {"failures", state.failures},
          {"history", std::move(history)}};
}

TrainState state_from(const Json& json) {
  TrainState state;
  state.epoch = json.at("epoch").get<int>();
  state.step_in_epoch = json.at("step_in_epoch").get<std::int64_t>();
  state.steps = json.at("steps").get<std::int64_t>();
  state.rows = json.at("rows").get<std::int64_t>();
  state.loss_sum = number(json.at("loss_sum"));
  state.penalty_sum = number(json.at("penalty_sum"));
  state.learning_rate = number(json.at("learning_rate"));
  state.best_epoch = json.at("best_epoch").get<int>();
  state.best_valid = number(json.at("best_valid"));
  state.failures = json.at("failures").get<int>();
  for (const Json& epoch : json.at("history")) state.history.push_back(epoch_from(epoch));
  return state;
}

SafetensorsFile open_checkpoint(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw IoError(fmt::format("no checkpoint to resume from: {} does not exist", path));
  }
  return SafetensorsFile(path);
}

std::string_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::string shown(const RunIdentity& identity, const std::string& key) {
  const auto found = identity.find(key);
  return found == identity.end() ? "not set" : found->second;
}

/// Return the keys whose values differ, in order.
std::vector<std::string> differences(const RunIdentity& a, const RunIdentity& b) {
  std::vector<std::string> keys;
  RunIdentity all = a;
  all.insert(b.begin(), b.end());
  for (const auto& [key, value] : all) {
    const auto in_a = a.find(key);
    const auto in_b = b.find(key);
    if (in_a == a.end() || in_b == b.end() || in_a->second != in_b->second) keys.push_back(key);
  }
  return keys;
}

}  // namespace

RunIdentity make_identity(const Params& config, const TrainOptions& options, std::uint64_t seed,
                          const std::string& dataset_hash) {
  RunIdentity identity;
  for (const auto& [key, value] : config.values()) identity[key] = to_text(value);
  identity.erase("data.max_events");
  identity.erase("data.max_text_gib");
  identity.erase("train.max_steps");
  identity.erase("train.checkpoint_minutes");
  if (options.schedule == Schedule::constant) identity.erase("train.epochs");
  identity["seed"] = std::to_string(seed);
  identity["dataset hash"] = dataset_hash;
  return identity;
}

Checkpoint::Checkpoint(const std::string& path, SafetensorsFile opened)
    : file(std::move(opened)), path_(path) {}

Checkpoint Checkpoint::read(const std::string& path) {
  Checkpoint checkpoint(path, open_checkpoint(path));
  const auto& metadata = checkpoint.file.metadata();
  const auto text = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  if (text("format") != kFormat) {
    throw IoError(
        fmt::format("{} is no checkpoint (format '{}', need '{}')", path, text("format"), kFormat));
  }
  try {
    checkpoint.state = state_from(Json::parse(text("state")));
    checkpoint.identity = Json::parse(text("identity")).get<RunIdentity>();
  } catch (const Json::exception& error) {
    throw IoError(fmt::format("checkpoint {} is damaged: {}", path, error.what()));
  }
  return checkpoint;
}

std::span<const float> Checkpoint::tensor(const std::string& name, std::size_t size) const {
  const TensorView* view = file.find(name);
  if (view == nullptr || view->dtype != DType::f32) {
    throw IoError(fmt::format("checkpoint {} has no tensor {}", path_, name));
  }
  const std::span<const float> values = view->as<float>();
  if (values.size() != size) {
    throw IoError(fmt::format("checkpoint {}: tensor {} has {} values, the model needs {}", path_,
                              name, values.size(), size));
  }
  return values;
}

void write_checkpoint(const std::string& path, const TrainState& state, const RunIdentity& identity,
                      std::span<const StateTensor> parameters,
                      std::span<const StateTensor> optimizer,
                      std::span<const std::vector<float>> best) {
  std::vector<TensorView> tensors;
  const auto add = [&tensors](const char* prefix, const StateTensor& tensor,
                              std::span<const float> values) {
    tensors.push_back({prefix + tensor.name, DType::f32, tensor.shape, bytes_of(values)});
  };
  for (const StateTensor& tensor : parameters) add("parameter.", tensor, tensor.values);
  for (const StateTensor& tensor : optimizer) add("optimizer.", tensor, tensor.values);
  for (std::size_t index = 0; index < best.size(); ++index) {
    add("best.", parameters[index], best[index]);
  }
  write_safetensors(
      path, tensors,
      {{"format", kFormat}, {"identity", Json(identity).dump()}, {"state", to_json(state).dump()}});
}

void check_resumable(const std::string& path, const Checkpoint& checkpoint,
                     const RunIdentity& wanted, int epochs) {
  std::string text;
  std::size_t count = 0;
  for (const std::string& key : differences(checkpoint.identity, wanted)) {
    if (++count > kNamedDifferences) continue;
    text += fmt::format("{}{} was {}, now {}", count == 1 ? "" : "; ", key,
                        shown(checkpoint.identity, key), shown(wanted, key));
  }
  if (count > kNamedDifferences) text += fmt::format("; and {} more", count - kNamedDifferences);
  if (count > 0) {
    throw ConfigError(fmt::format("cannot resume from {} with another config: {}", path, text));
  }
  const TrainState& state = checkpoint.state;
  const int begun = state.step_in_epoch > 0 ? state.epoch : state.epoch - 1;
  if (epochs < begun) {
    throw ConfigError(fmt::format(
        "cannot resume from {}: train.epochs = {}, but epoch {} has begun", path, epochs, begun));
  }
}

}  // namespace recloom
