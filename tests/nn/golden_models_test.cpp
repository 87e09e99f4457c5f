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
#include "nn/graph/graph.hpp"
#include "nn/graph/parameter_data.hpp"
#include "nn/passes/plan.hpp"
#include "nn/step/train_step.hpp"
#include "recloom/nn/network_recommender.hpp"
#include "recloom/plugin/registry.hpp"
#include "support/golden.hpp"

namespace recloom::nn {
namespace {

/// One golden file: weights, one batch, and what the reference made of them.
class Case {
 public:
  explicit Case(const std::string& file) : file_(file) {}

  const std::string& text(const std::string& key) const { return file_.metadata().at(key); }
  int number(const std::string& key) const { return std::stoi(text(key)); }
  bool has(const std::string& tensor) const { return file_.find(tensor) != nullptr; }
  template <class T>
  std::span<const T> values(const std::string& tensor) const {
    return file_.find(tensor)->as<T>();
  }
  const SafetensorsFile& file() const { return file_; }

  /// |x - ref| <= tolerance, element by element. @param factor for sums of several cases.
  void expect_near(const std::string& tensor, std::span<const float> x) const {
    const auto reference = values<double>(tensor), tolerance = values<double>("tol." + tensor);
    ASSERT_EQ(x.size(), reference.size()) << tensor;
    for (std::size_t e = 0; e < x.size(); ++e)
      ASSERT_LE(std::abs(x[e] - reference[e]), tolerance[tolerance.size() == 1 ? 0 : e])
          << tensor << " element " << e << ": " << x[e] << " for " << reference[e];
  }
  void expect_near(const std::string& tensor, double x, std::size_t e = 0) const {
    const auto tolerance = values<double>("tol." + tensor);
    EXPECT_NEAR(x, values<double>(tensor)[e], tolerance[tolerance.size() == 1 ? 0 : e]) << tensor;
  }

 private:
  SafetensorsFile file_;
};

/// A case's batch as the host would give it: events are each row's history, then its target.
struct GoldenRows {
  GoldenRows(const Case& c, int repeats) {
    const auto seq = c.values<std::int64_t>("input.item_seq"),
               lengths = c.values<std::int64_t>("input.item_seq_len"),
               users = c.values<std::int64_t>("input.user"),
               target = c.values<std::int64_t>("input.target");
    max_length = c.number("max_len");
    for (int repeat = 0; repeat < repeats; ++repeat)
      for (std::size_t row = 0; row < users.size(); ++row) {
        entries.push_back({static_cast<std::int64_t>(events.size()),
                           static_cast<std::int32_t>(lengths[row]), 1,
                           static_cast<UserId>(users[row])});
        for (std::int64_t t = 0; t < lengths[row]; ++t)
          events.push_back(static_cast<ItemId>(
              seq[row * static_cast<std::size_t>(max_length) + static_cast<std::size_t>(t)]));
        events.push_back(static_cast<ItemId>(target[row]));
        if (c.has("input.neg_item"))
          negatives.push_back(static_cast<ItemId>(c.values<std::int64_t>("input.neg_item")[row]));
      }
  }
  Batch batch() const { return {events, entries, max_length, negatives}; }

  std::vector<ItemId> events, negatives;
  std::vector<Batch::Entry> entries;
  int max_length = 0;
};

/// Plugin parameters of a case: those of its metadata that the plugin declares.
Params params_of(const Case& c, const std::vector<ParamInfo>& declared) {
  Params params;
  for (const ParamInfo& info : declared) {
    if (info.name.find("dropout") != std::string::npos) {
      params.set(info.name, 0.0);
      continue;
    }
    const auto found = c.file().metadata().find(info.name);
    if (found == c.file().metadata().end()) continue;
    const std::string& text = found->second;
    if (info.type == "integer") params.set(info.name, static_cast<std::int64_t>(std::stoll(text)));
    if (info.type == "real") params.set(info.name, std::stod(text));
    if (info.type == "choice" || info.type == "text") params.set(info.name, text);
  }
  return params;
}

class GoldenModel : public ::testing::Test {
 public:
  explicit GoldenModel(std::string file) : case_(file) {}

  void TestBody() override {
    std::string name = case_.text("model");
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    const Catalogue catalogue{case_.number("n_users"), case_.number("n_items"),
                              case_.number("max_len")};
    Model model = plugins_.create(name, params_of(case_, plugins_.describe(name)), catalogue);
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
      ASSERT_TRUE(case_.has("param." + std::string(parameter.name()))) << parameter.name();
      parameter.assign(case_.values<float>("param." + std::string(parameter.name())));
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
    std::vector<float> all(batch.size() * n_items), picked(batch.size());
    network_->full_sort_predict(batch, {all, n_items});
    case_.expect_near("out.full_sort", all);
    std::vector<ItemId> targets;
    for (std::size_t row = 0; row < batch.size(); ++row)
      targets.push_back(batch[row].targets.front());
    network_->predict(batch, {targets, 1}, {picked, 1});
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

  StepOptions step_options(std::size_t rows) const {
    StepOptions options;
    options.loss = case_.text("loss_type");
    options.batch_size = static_cast<int>(rows);
    return options;
  }

  void gradients(int repeats) {
    const GoldenRows rows(case_, repeats);
    TrainStep step(*network_, step_options(rows.entries.size()));
    const StepResult result = step.compute_gradients(rows.batch(), {}, run_);
    case_.expect_near("out.loss", result.loss + result.penalty);
    for (std::size_t p = 0; p < network_->parameters().size(); ++p) {
      const std::string name(network_->parameters()[p].name());
      case_.expect_near("grad." + name, step.gradient(name));
    }
  }

  void three_steps() {
    const GoldenRows rows(case_, 1);
    TrainStep step(*network_, step_options(rows.entries.size()));
    for (std::size_t s = 0; s < 3; ++s) {
      const StepResult result =
          step.run(rows.batch(), {.seed = 1, .epoch = 1, .step = static_cast<std::int64_t>(s)},
                   std::stod(case_.text("lr")), run_);
      case_.expect_near("loss_trace", result.loss + result.penalty, s);
    }
    for (std::size_t p = 0; p < network_->parameters().size(); ++p) {
      const Parameter parameter = network_->parameters()[p];
      case_.expect_near("after3." + std::string(parameter.name()), parameter.values());
    }
  }

  Case case_;
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
    const std::string stem = file.stem().string(), model = stem.substr(0, stem.find('-'));
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
