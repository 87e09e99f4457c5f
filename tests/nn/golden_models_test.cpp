// Models against the numbers of their reference implementations. A case is a file
// <model>-<anything>.safetensors; cases of models whose plugin does not exist are left out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/safetensors.hpp"
#include "nn/exec/shard.hpp"
#include "nn/golden_case.hpp"
#include "nn/graph/graph.hpp"
#include "nn/graph/parameter_data.hpp"
#include "nn/passes/plan.hpp"
#include "nn/step/train_step.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "recloom/plugin/registry.hpp"
#include "support/golden.hpp"

namespace recloom::nn {
namespace {

class GoldenModel : public ::testing::Test {
 public:
  explicit GoldenModel(std::string file) : case_(file) {}

  void TestBody() override {
    const std::string name = case_.plugin();
    Model model = plugins_.create(name, case_.params(plugins_.describe(name)), case_.catalogue());
    network_ = dynamic_cast<NetworkRecommender*>(&*model);
    ASSERT_NE(network_, nullptr);
    start_weights();
    scores();
    intermediates();
    gradients(1);
    gradients(600 / case_.number("batch"));  // spans several shards
    three_steps();
  }

 private:
  void start_weights() {
    for (std::size_t p = 0; p < network_->parameters().size(); ++p) {
      const Parameter parameter = network_->parameters()[p];
      ASSERT_TRUE(case_.has("param." + case_.name_of(parameter.name()))) << parameter.name();
      parameter.assign(case_.start_values(parameter.name(), parameter.values().size()));
    }
    const auto& tensors = case_.file().tensors();
    const auto n = std::ranges::count_if(
        tensors, [](const TensorView& t) { return t.name.starts_with("param."); });
    EXPECT_EQ(static_cast<std::size_t>(n), network_->parameters().size());
  }

  void scores() {
    const GoldenRows rows(case_, 1);
    const Batch batch = rows.batch();
    const auto n_items = static_cast<std::size_t>(case_.number("n_items"));
    const auto n_targets = batch[0].targets.size();
    std::vector<float> all(batch.size() * n_items), picked(batch.size() * n_targets);
    network_->full_sort_predict(batch, {all, n_items});
    case_.expect_near("out.full_sort", all);
    std::vector<ItemId> targets;
    for (std::size_t row = 0; row < batch.size(); ++row)
      targets.insert(targets.end(), batch[row].targets.begin(), batch[row].targets.end());
    network_->predict(batch, {targets, n_targets}, {picked, n_targets});
    case_.expect_near("out.predict", picked);
    if (const Factorised* form = network_->factorised(); form && case_.has("out.forward")) {
      const auto q = static_cast<std::size_t>(form->query_size());
      std::vector<float> queries(batch.size() * q);
      form->encode(batch, {queries, q});
      case_.expect_near("out.forward", queries);
    }
  }

  void intermediates() {
    Graph graph(
        {.catalogue = network_->catalogue(), .training = false, .loss = "CE", .n_negatives = 0});
    network_->forward(Inputs(&graph));
    const GoldenRows rows(case_, 1);
    for (const TensorView& tensor : case_.file().tensors()) {
      if (!tensor.name.starts_with("mid.")) continue;
      for (const NodeId node : graph.ids()) {
        if ("mid." + graph.node(node).name != tensor.name) continue;
        const std::array outputs{node};
        const Plan plan(graph, {.outputs = outputs});
        Shard shard(plan, rows.entries.size());
        shard.load(rows.batch(), {});
        shard.forward();
        case_.expect_near(tensor.name, shard.value(node));
        ++intermediates_seen_;
      }
    }
    EXPECT_EQ(intermediates_seen_, case_.text("model") == "Caser" ? 3 : intermediates_seen_);
  }

  void gradients(int repeats) {
    const GoldenRows rows(case_, repeats);
    TrainStep step(*network_, case_.step_options(rows.entries.size()));
    const StepResult result = step.compute_gradients(rows.batch(), {}, run_);
    const double scale = case_.sums() ? repeats : 1;
    case_.expect_near("out.loss", (result.loss + result.penalty) / scale);
    for (std::size_t p = 0; p < network_->parameters().size(); ++p) {
      const std::string name(network_->parameters()[p].name());
      case_.expect_parameter("grad", name, step.gradient(name), scale);
    }
  }

  void three_steps() {
    const GoldenRows rows(case_, 1);
    TrainStep step(*network_, case_.step_options(rows.entries.size()));
    for (std::size_t s = 0; s < 3; ++s) {
      const StepResult result =
          step.run(rows.batch(), {.seed = 1, .epoch = 1, .step = static_cast<std::int64_t>(s)},
                   std::stod(case_.text("lr")), run_);
      case_.expect_near("loss_trace", result.loss + result.penalty, s);
    }
    for (std::size_t p = 0; p < network_->parameters().size(); ++p) {
      const Parameter parameter = network_->parameters()[p];
      case_.expect_parameter("after3", parameter.name(), parameter.values());
    }
  }

  GoldenCase case_;
  PluginRegistry plugins_;
  RunContext run_{1, 2};
  NetworkRecommender* network_ = nullptr;
  int intermediates_seen_ = 0;
};

bool is_of_optimizers(const std::filesystem::path& file) {
  const SafetensorsFile opened(file.string());
  const auto family = opened.metadata().find("family");
  return family != opened.metadata().end() && family->second == "optimizer";
}

/// The cases of a folder whose model exists and is a network. @return whether that is a test.
bool register_cases() {
  const PluginRegistry plugins;
  std::vector<std::string> names;
  for (const PluginInfo& info : plugins.list())
    if (info.usable() && info.kind == "model") names.push_back(info.name);
  std::vector<std::string> left_out;
  std::size_t registered = 0;
  for (const auto& file : testing::golden_files("models", ".safetensors")) {
    const std::string stem = file.stem().string(), prefix = stem.substr(0, stem.find('-'));
    const std::string model = prefix == "caserpaper" ? "caser" : prefix;
    if (model == "pop" || is_of_optimizers(file)) continue;  // other tests take them
    if (std::ranges::find(names, model) == names.end()) {
      left_out.push_back(stem);
      continue;
    }
    ::testing::RegisterTest("GoldenModels", stem.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [path = file.string()] { return new GoldenModel(path); });
    ++registered;
  }
  return testing::say_golden("models", registered, "models", left_out);
}

}  // namespace
}  // namespace recloom::nn

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (!recloom::nn::register_cases()) return 1;
  return RUN_ALL_TESTS();
}
