#include "train/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>
#include <utility>

#include "core/json.hpp"
#include "core/text.hpp"
#include "recloom/core/error.hpp"

namespace recloom {
namespace {

constexpr const char* kFormat = "recloom-checkpoint-1";
constexpr std::size_t kNamedDifferences = 3;

/// JSON has no NaN (a metric over no rows): null stands for it.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

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

/// @param epoch where it stands in the history, from 1.
EpochReport epoch_from(const Json& json, int epoch) {
  const JsonObject fields(json, fmt::format("history[{}]", epoch - 1));
  EpochReport report;
  report.epoch = fields.integer<int>("epoch");
  if (report.epoch != epoch) fields.refuse("epoch", fmt::to_string(epoch));
  report.loss = fields.number("loss");
  report.penalty = fields.number("penalty");
  report.learning_rate = fields.number("learning_rate");
  report.best = fields.flag("best");
  const JsonObject valid = fields.object("valid");
  for (const auto& [key, value] : valid.json().items())
    report.valid[key] =
        value.is_null() ? std::numeric_limits<double>::quiet_NaN() : valid.number(key);
  return report;
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
          {"best_epoch", state.best_epoch.value_or(0)},
          {"best_valid", number(state.best_valid)},
          {"failures", state.failures},
          {"history", std::move(history)}};
}

std::vector<EpochReport> history_from(const JsonObject& json, int epoch) {
  std::vector<EpochReport> history;
  for (const Json& entry : json.array("history"))
    history.push_back(epoch_from(entry, static_cast<int>(history.size()) + 1));
  if (history.size() != static_cast<std::size_t>(epoch) - 1)
    throw IoError(fmt::format("history has {} epochs, epoch {} comes after {}", history.size(),
                              epoch, epoch - 1));
  return history;
}

/// What follows from the history is not believed, but compared.
void check_best(const JsonObject& json, const TrainState& state) {
  int best = 0, failures = 0;
  for (const EpochReport& epoch : state.history) {
    if (!epoch.valid.empty()) ++failures;
    if (epoch.best) best = epoch.epoch, failures = 0;
  }
  if (state.best_epoch.value_or(0) != best)
    json.refuse("best_epoch", fmt::format("{}, by its history", best));
  if (state.failures != failures)
    json.refuse("failures", fmt::format("{}, by its history", failures));
}

TrainState state_from(const JsonObject& json) {
  TrainState state;
  state.epoch = json.integer<int>("epoch", 1);
  state.step_in_epoch = json.integer<std::int64_t>("step_in_epoch", 0);
  state.steps = json.integer<std::int64_t>("steps", 0);
  state.rows = json.integer<std::int64_t>("rows", 0);
  state.loss_sum = json.number("loss_sum");
  state.penalty_sum = json.number("penalty_sum");
  state.learning_rate = json.number("learning_rate");
  if (const int best = json.integer<int>("best_epoch", 0); best > 0) state.best_epoch = best;
  state.best_valid = json.number("best_valid");
  state.failures = json.integer<int>("failures", 0);
  state.history = history_from(json, state.epoch);
  // A loss is a float, and there is one for each row.
  const double largest =
      std::numeric_limits<float>::max() * std::max(1.0, static_cast<double>(state.rows));
  if (std::abs(state.loss_sum) > largest)
    json.refuse("loss_sum", fmt::format("at most {} for {} rows", largest, state.rows));
  if (state.learning_rate < 0) json.refuse("learning_rate", "at least 0");
  check_best(json, state);
  return state;
}

RunIdentity identity_from(const JsonObject& json) {
  RunIdentity identity;
  for (const auto& [key, value] : json.json().items()) identity[key] = json.text(key);
  return identity;
}

SafetensorsFile open_checkpoint(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw IoError(
        fmt::format("no checkpoint to resume from: {} does not exist", printable(path, 400)));
  }
  return SafetensorsFile(path, Hashes::required);
}

std::string_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::string shown(const RunIdentity& identity, const std::string& key) {
  const auto found = identity.find(key);
  return found == identity.end() ? "not set" : printable(found->second, 200);
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
    throw IoError(fmt::format("{} is no checkpoint (format '{}', need '{}')", printable(path, 400),
                              printable(text("format")), kFormat));
  }
  try {
    const Json state = parse_json(text("state")), identity = parse_json(text("identity"));
    checkpoint.state = state_from(JsonObject(state));
    checkpoint.identity = identity_from(JsonObject(identity));
  } catch (const IoError& error) {
    checkpoint.fail(error.what());
  }
  return checkpoint;
}

void Checkpoint::fail(std::string_view reason) const {
  throw IoError(fmt::format("checkpoint {} is damaged: {}", printable(path_, 400), reason));
}

std::span<const float> Checkpoint::tensor(const std::string& name,
                                          const std::vector<std::int64_t>& shape) const {
  const TensorView* view = file.find(name);
  if (view == nullptr || view->dtype != DType::f32) fail(fmt::format("it has no tensor {}", name));
  if (view->shape != shape)
    fail(fmt::format("tensor {} has shape [{}], the model needs [{}]", name,
                     fmt::join(view->shape, ", "), fmt::join(shape, ", ")));
  const std::span<const float> values = view->as<float>();
  const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  if (bad != values.end())
    fail(fmt::format("tensor {} holds {} at {}", name, *bad, bad - values.begin()));
  return values;
}

void Checkpoint::check_complete(std::span<const StateTensor> parameters,
                                std::span<const StateTensor> optimizer) const {
  std::set<std::string, std::less<>> names;
  for (const StateTensor& tensor : parameters) {
    names.insert("parameter." + tensor.name);
    if (state.best_epoch) names.insert("best." + tensor.name);
  }
  for (const StateTensor& tensor : optimizer) names.insert("optimizer." + tensor.name);
  for (const TensorView& view : file.tensors())
    if (!names.contains(view.name))
      fail(fmt::format("it has a tensor '{}', which the model does not", printable(view.name)));
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
  write_safetensors(path, tensors,
                    {{"format", kFormat},
                     {"identity", dump_json(identity)},
                     {"state", dump_json(to_json(state))}});
}

void check_resumable(const std::string& path, const Checkpoint& checkpoint,
                     const RunIdentity& wanted) {
  std::string text;
  std::size_t count = 0;
  for (const std::string& key : differences(checkpoint.identity, wanted)) {
    if (++count > kNamedDifferences) continue;
    text += fmt::format("{}{} was {}, now {}", count == 1 ? "" : "; ", printable(key, 100),
                        shown(checkpoint.identity, key), shown(wanted, key));
  }
  if (count > kNamedDifferences) text += fmt::format("; and {} more", count - kNamedDifferences);
  if (count > 0) {
    throw ConfigError(
        fmt::format("cannot resume from {} with another config: {}", printable(path, 400), text));
  }
}

}  // namespace recloom
